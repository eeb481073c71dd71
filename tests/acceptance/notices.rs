//! What people are told: letters with links, and what goes out by e-mail.

use anyhow::{Context, anyhow};
use chrono::Duration;
use identity_api::*;
use kernel::call::{Actor, Call, Role, Service};
use kernel::id::{CommandId, PartyId};
use notification::post::{Message, Smtp};
use notification_api::*;
use platform::Fault;
use platform::page::Page;
use std::collections::BTreeSet;
use tests::mail;
use tests::story;
use tests::world::World;

const PASSWORD: &str = "a long enough password";

struct Town<'a>(&'a World);

impl Town<'_> {
    fn identity(&self) -> IdentityClient {
        self.0.house.identity(Service::Gateway)
    }

    fn nobody(&self) -> Call {
        Call { actor: Actor::Anonymous, ..self.0.call() }
    }

    async fn register(&self, email: &str, invitation: Option<Secret>) -> anyhow::Result<()> {
        let roles = if invitation.is_some() { BTreeSet::new() } else { BTreeSet::from([Role::Investor]) };
        let input = Register {
            id: CommandId(self.0.uuid()),
            party: PartyId(self.0.uuid()),
            email: email.into(),
            password: Secret(PASSWORD.into()),
            name: "Ann".into(),
            document: IdentityDocument { country: "DE".into(), number: Secret(format!("DOC {email}")) },
            roles,
            invitation,
            language: Language::English,
        };
        self.identity().register(&self.nobody(), input).await.map_err(|e| anyhow!("{e}"))?;
        self.0.settle().await
    }

    async fn sign_in(&self, email: &str, password: &str) -> Result<(Call, Tokens), Fault<IdentityError>> {
        let input = SignIn {
            email: email.into(),
            password: Secret(password.into()),
            code: None,
            address: "10.0.0.1".into(),
            agent: "story".into(),
        };
        let tokens = self.identity().sign_in(&self.nobody(), input).await?;
        let actor = self
            .identity()
            .authenticate(&self.nobody(), Authenticate { access: tokens.access.clone() })
            .await?;
        Ok((Call { actor, ..self.0.call() }, tokens))
    }

    async fn forgotten(&self, email: &str, from: &str) -> Result<Asked, Fault<IdentityError>> {
        let (email, address) = (email.into(), from.into());
        let ask = AskReset { email, language: Language::Chinese, address };
        self.identity().ask_reset(&self.nobody(), ask).await
    }

    async fn reset(&self, secret: &str, password: &str) -> Result<(), Fault<IdentityError>> {
        let reset = ResetPassword { secret: Secret(secret.into()), password: Secret(password.into()) };
        self.identity().reset_password(&self.nobody(), reset).await
    }

    /// Everything that came to an address, newest first.
    async fn mail(&self, email: &str) -> anyhow::Result<Vec<MailView>> {
        self.0.settle().await?;
        let all = self.0.house.notification(Service::Gateway).mailbox(&self.nobody(), MailboxOf {}).await;
        Ok(all.map_err(|e| anyhow!("{e}"))?.into_iter().filter(|m| m.to == email).collect())
    }

    /// The secret in the newest letter's link.
    async fn link(&self, email: &str, path: &str) -> anyhow::Result<String> {
        let mail = self.mail(email).await?;
        let begin = format!("http://platform.test/{path}/");
        let link = mail.iter().find_map(|m| Some(m.text.split_once(&begin)?.1));
        let link = link.with_context(|| format!("no link among {mail:#?}"))?;
        Ok(link.split_whitespace().next().context("a secret")?.to_string())
    }
}

story!(an_address_is_confirmed_by_its_letter, |world| {
    let town = Town(&world);
    town.register("ann@example.org", None).await?;
    let (call, tokens) = town.sign_in("ann@example.org", PASSWORD).await.map_err(|e| anyhow!("{e}"))?;
    assert!(!tokens.party.email_confirmed);
    let secret = town.link("ann@example.org", "confirm").await?;
    let confirm = |secret: &str| ConfirmEmail { secret: Secret(secret.into()) };
    let stands = LinkOf { secret: Secret(secret.clone()) };
    assert_eq!(
        town.identity().link_stands(&town.nobody(), stands).await,
        Ok(false),
        "a link of another kind"
    );
    let wrong = town.identity().confirm_email(&town.nobody(), confirm("guessed")).await;
    assert_eq!(wrong, Err(Fault::Refused(IdentityError::LinkInvalid)));
    // A link of one kind does nothing of another.
    let other = town.reset(&secret, "another long password").await;
    assert_eq!(other, Err(Fault::Refused(IdentityError::LinkInvalid)));
    for _ in 0..2 {
        town.identity()
            .confirm_email(&town.nobody(), confirm(&secret))
            .await
            .map_err(|e| anyhow!("opened twice: {e}"))?;
    }
    let (_, tokens) = town.sign_in("ann@example.org", PASSWORD).await.map_err(|e| anyhow!("{e}"))?;
    assert!(tokens.party.email_confirmed);
    // Nothing more to confirm, and no further letter.
    town.identity()
        .ask_confirmation(&call, AskConfirmation { language: Language::English })
        .await
        .map_err(|e| anyhow!("{e}"))?;
    assert_eq!(town.mail("ann@example.org").await?.len(), 1);

    // Who registers with a known address hears nothing of it; the one who has it does.
    world.clock.advance(Duration::seconds(1));
    town.register("ann@example.org", None).await?;
    let mail = town.mail("ann@example.org").await?;
    assert_eq!(mail.len(), 2);
    assert_eq!(mail[0].subject, "You have an account already");

    // Letters run out.
    town.register("bob@example.org", None).await?;
    let secret = town.link("bob@example.org", "confirm").await?;
    world.clock.advance(Duration::days(8));
    let late = town.identity().confirm_email(&town.nobody(), confirm(&secret)).await;
    assert_eq!(late, Err(Fault::Refused(IdentityError::LinkInvalid)));
    Ok(())
});

story!(an_old_password_opens_nothing_at_the_moment_of_its_reset, |world| {
    let town = Town(&world);
    town.register("ann@example.org", None).await?;
    let mut old = PASSWORD.to_string();
    let (mut first, mut late) = (0, 0);
    for round in 0..3 {
        world.clock.advance(Duration::hours(2));
        town.forgotten("ann@example.org", "10.0.0.1").await.map_err(|e| anyhow!("{e}"))?;
        let secret = town.link("ann@example.org", "reset").await?;
        let new = format!("password number {round}");
        let (signed_in, reset) =
            tokio::join!(town.sign_in("ann@example.org", &old), town.reset(&secret, &new));
        assert_eq!(reset, Ok(()));
        match signed_in {
            // Before the reset, which ends it; or while it was being looked at, and it opens nothing.
            Ok((_, tokens)) => {
                let access = Authenticate { access: tokens.access };
                let stands = town.identity().authenticate(&town.nobody(), access).await.map(drop);
                assert_eq!(stands, Err(Fault::Refused(IdentityError::SessionEnded)));
                first += 1;
            }
            Err(e) => {
                let ended = matches!(
                    e,
                    Fault::Refused(IdentityError::CredentialsWrong | IdentityError::SessionEnded)
                );
                assert!(ended, "{e:?}");
                late += 1;
            }
        }
        world.clock.advance(Duration::seconds(1));
        town.sign_in("ann@example.org", &new).await.map_err(|e| anyhow!("{e}"))?;
        old = new;
    }
    eprintln!("signed in before and ended {first} times, refused {late} times");
    Ok(())
});

story!(a_forgotten_password_is_chosen_anew_by_a_letter, |world| {
    let town = Town(&world);
    town.register("ann@example.org", None).await?;
    let (call, tokens) = town.sign_in("ann@example.org", PASSWORD).await.map_err(|e| anyhow!("{e}"))?;
    world.clock.advance(Duration::seconds(1));
    let known = town.forgotten("Ann@example.org ", "10.0.0.1").await;
    let unknown = town.forgotten("nobody@example.org", "10.0.0.1").await;
    assert_eq!((&known, &known), (&Ok(Asked {}), &unknown), "alike for known and unknown addresses");
    assert!(town.mail("nobody@example.org").await?.is_empty());
    let secret = town.link("ann@example.org", "reset").await?;
    assert_eq!(town.mail("ann@example.org").await?[0].subject, "设置新密码", "in the language one asked in");
    // Neither in events nor in jobs stands what would let somebody else in, or an address.
    for (table, column) in
        [("identity_event", "body"), ("notification_event", "body"), ("notification_job", "body")]
    {
        use platform::db::Sql;
        let sql = format!(
            "SELECT COUNT(*) FROM {table} WHERE {column} LIKE '%{secret}%' OR {column} LIKE '%example.org%'"
        );
        let row = world.house.db.read().one(sql, []).await?.context("a count")?;
        assert_eq!(row.try_get_by_index::<i64>(0)?, 0, "{table}");
    }

    assert_eq!(
        town.reset(&secret, "short").await,
        Err(Fault::Refused(IdentityError::PasswordTooShort { length_min: 10 }))
    );
    let stands = async || {
        let link = LinkOf { secret: Secret(secret.clone()) };
        town.identity().link_stands(&town.nobody(), link).await
    };
    assert_eq!(stands().await, Ok(true));
    world.clock.advance(Duration::seconds(1));
    assert_eq!(town.reset(&secret, "my second password").await, Ok(()));
    assert_eq!(stands().await, Ok(false), "it was used");
    assert_eq!(town.reset(&secret, "my second password").await, Ok(()), "an answer that got lost");
    assert_eq!(
        town.reset(&secret, "my third password").await,
        Err(Fault::Refused(IdentityError::LinkInvalid)),
        "once"
    );
    let old = town.sign_in("ann@example.org", PASSWORD).await.map(drop);
    assert_eq!(old, Err(Fault::Refused(IdentityError::CredentialsWrong)));
    let again =
        town.identity().authenticate(&town.nobody(), Authenticate { access: tokens.access }).await.map(drop);
    assert_eq!(again, Err(Fault::Refused(IdentityError::SessionEnded)), "every device is signed out");
    let (me, tokens) =
        town.sign_in("ann@example.org", "my second password").await.map_err(|e| anyhow!("{e}"))?;
    assert!(tokens.party.email_confirmed, "whoever read the letter has the address");
    // And they are told, in the app and by e-mail.
    let mail = town.mail("ann@example.org").await?;
    assert_eq!(mail[0].subject, "Your password was changed");
    let notification = world.house.notification(Service::Gateway);
    let told = notification.notices(&me, NoticesOf { page: Page::first(10) }).await;
    let told = told.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(
        told.iter().map(|n| (n.kind, n.unread)).collect::<Vec<_>>(),
        [(NoticeKind::PasswordChanged, true)]
    );
    let standing = notification.standing(&me, BoxOf {}).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(standing, BoxView { unread: 1, mail: true });
    let read = notification.mark_read(&me, MarkRead { up_to: told[0].at }).await;
    assert_eq!(read.map_err(|e| anyhow!("{e}"))?, BoxView { unread: 0, mail: true });
    // Others' notices are nobody's business.
    assert_eq!(notification.standing(&town.nobody(), BoxOf {}).await, Err(Fault::Forbidden));
    drop(call);

    // An address is not flooded, whoever asks; a place that asks too much waits.
    for n in 0..12 {
        town.forgotten("ann@example.org", &format!("10.0.1.{n}")).await.map_err(|e| anyhow!("{e}"))?;
    }
    let letters = town.mail("ann@example.org").await?.iter().filter(|m| m.subject == "设置新密码").count();
    assert!(letters <= 5, "{letters} letters within an hour");
    let mut throttled = false;
    for n in 0..40 {
        let asked = town.forgotten(&format!("guess{n}@example.org"), "10.0.2.1").await;
        throttled |= matches!(asked, Err(Fault::Refused(IdentityError::Throttled { .. })));
    }
    assert!(throttled, "nobody tries a list of addresses from one place");
    Ok(())
});

story!(staff_do_not_change_their_password_by_a_letter, |world| {
    let town = Town(&world);
    let operator = world.house.identity(Service::Operator);
    let links = operator.begin(&world.call(), Begin {}).await.map_err(|e| anyhow!("{e}"))?.invitations;
    for ((_, secret), email) in links.into_iter().zip(["ada@example.org", "bea@example.org"]) {
        town.register(email, Some(secret)).await?;
    }
    assert_eq!(town.forgotten("ada@example.org", "10.0.0.1").await, Ok(Asked {}));
    let mail = town.mail("ada@example.org").await?;
    assert!(!mail[0].text.contains("/reset/"), "{}", mail[0].text);
    assert!(!mail[0].text.contains("http"), "no link at all: {}", mail[0].text);
    Ok(())
});

story!(a_letter_waits_for_the_service_that_sends_it, |world| {
    let town = Town(&world);
    world.house.stop_service(Service::Notification).await;
    town.register("ann@example.org", None).await?;
    world.house.start_service(Service::Notification);
    let mail = town.mail("ann@example.org").await?;
    assert_eq!(mail.len(), 1, "registering did not notice, and nothing was lost");
    Ok(())
});

#[tokio::test]
async fn a_message_goes_out_by_smtp_and_its_copies_can_be_told() -> anyhow::Result<()> {
    let (url, taken) = mail::server(true).await?;
    let smtp = Smtp::new(&url, "Counterfoil <no-reply@lend.example.org>").map_err(|e| anyhow!(e))?;
    let message = Message {
        id: uuid::Uuid::from_u128(7),
        to: "ann@example.org".into(),
        name: "Ann Ö. \"The\" Lender".into(),
        subject: "设置新密码".into(),
        text: "Hello,\n\n.a line that begins with a dot\n".into(),
    };
    let refused = smtp.send(&message).await;
    assert!(refused.as_ref().is_err_and(|why| why.contains("later")), "{refused:?}");
    assert!(refused.is_err_and(|why| !why.contains("a dot")), "nothing of the message is in the error");
    for _ in 0..2 {
        smtp.send(&message).await.map_err(|e| anyhow!(e))?;
    }
    let all = taken;
    let taken = all.lock().unwrap().clone();
    assert_eq!(taken.len(), 2);
    let id = "Message-ID: <00000000-0000-0000-0000-000000000007@lend.example.org>";
    for copy in &taken {
        assert!(copy.contains(id), "{copy}");
        assert!(copy.contains("To: ") && copy.contains("<ann@example.org>"), "{copy}");
        assert!(copy.contains("From: ") && copy.contains("<no-reply@lend.example.org>"), "{copy}");
    }
    // Nobody writes headers by way of a name or a subject.
    let forged = Message {
        to: "ann@example.org".into(),
        name: "Ann\r\nBcc: all@example.org".into(),
        subject: "Hello\r\nBcc: all@example.org".into(),
        ..message
    };
    smtp.send(&forged).await.map_err(|e| anyhow!(e))?;
    let taken = all.lock().unwrap().clone();
    assert!(!taken.iter().any(|m| m.lines().any(|l| l.starts_with("Bcc:"))), "{taken:?}");
    assert!(Smtp::new("mail.example.org", "a@b.org").is_err());
    assert!(Smtp::new(&url, "nobody").is_err());
    Ok(())
}
