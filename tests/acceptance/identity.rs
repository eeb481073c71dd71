//! Who somebody is and what they may do.

use anyhow::{Context, anyhow};
use chrono::Duration;
use identity_api::*;
use kernel::Clock;
use kernel::call::{Actor, Call, Role, Service};
use kernel::id::{ChangeId, CommandId, PartyId};
use platform::Fault;
use platform::db::Sql;
use std::collections::BTreeSet;
use tests::story;
use tests::world::World;

const PASSWORD: &str = "correct horse battery";

struct Desk<'a>(&'a World);

impl Desk<'_> {
    fn identity(&self) -> IdentityClient {
        self.0.house.identity(Service::Gateway)
    }

    fn anonymous(&self) -> Call {
        Call { actor: Actor::Anonymous, ..self.0.call() }
    }

    fn registration(&self, name: &str, document: &str, invitation: Option<Secret>) -> Register {
        let roles = if invitation.is_some() { BTreeSet::new() } else { BTreeSet::from([Role::Investor]) };
        Register {
            id: CommandId(self.0.uuid()),
            party: PartyId(self.0.uuid()),
            email: format!("{name}@example.org"),
            password: Secret(PASSWORD.into()),
            name: name.into(),
            document: IdentityDocument { country: "DE".into(), number: Secret(document.into()) },
            roles,
            invitation,
            language: Language::English,
        }
    }

    async fn register(&self, input: Register) -> Result<Registered, Fault<IdentityError>> {
        self.identity().register(&self.anonymous(), input).await
    }

    async fn sign_in(
        &self,
        name: &str,
        password: &str,
        address: &str,
    ) -> Result<Tokens, Fault<IdentityError>> {
        let (email, password) = (format!("{name}@example.org"), Secret(password.into()));
        let input = SignIn { email, password, code: None, address: address.into(), agent: "story".into() };
        self.identity().sign_in(&self.anonymous(), input).await
    }

    async fn call_of(&self, tokens: &Tokens) -> Result<Call, Fault<IdentityError>> {
        let access = Authenticate { access: tokens.access.clone() };
        let actor = self.identity().authenticate(&self.anonymous(), access).await?;
        Ok(Call { actor, ..self.0.call() })
    }

    async fn signed_in(&self, name: &str) -> anyhow::Result<Call> {
        let tokens = self.sign_in(name, PASSWORD, "10.0.0.1").await.map_err(|e| anyhow!("{e}"))?;
        self.call_of(&tokens).await.map_err(|e| anyhow!("{e}"))
    }

    /// Two administrators, as a first start makes them.
    async fn two_administrators(&self) -> anyhow::Result<(Call, Call)> {
        let operator = self.0.house.identity(Service::Operator);
        let links = operator.begin(&self.0.call(), Begin {}).await.map_err(|e| anyhow!("{e}"))?.invitations;
        anyhow::ensure!(links.len() == 2, "{links:?}");
        for ((_, secret), name) in links.iter().zip(["ada", "bea"]) {
            self.register(self.registration(name, &format!("DOC-{name}"), Some(secret.clone())))
                .await
                .map_err(|e| anyhow!("{e}"))?;
        }
        Ok((self.signed_in("ada").await?, self.signed_in("bea").await?))
    }
}

story!(one_registers_signs_in_and_out, |world| {
    let desk = Desk(&world);
    let registration = desk.registration("ann", "L01X00T47", None);
    desk.register(registration.clone()).await.map_err(|e| anyhow!("{e}"))?;
    desk.register(registration.clone()).await.map_err(|e| anyhow!("{e}"))?;
    let other = Register { name: "other".into(), email: "other@example.org".into(), ..registration };
    assert_eq!(desk.register(other).await, Err(Fault::Refused(IdentityError::CommandIdTaken)));

    let call = desk.signed_in("ann").await?;
    assert!(call.has(Role::Investor) && !call.has(Role::Borrower));
    let sessions = desk.identity().sessions(&call, SessionsOf {}).await.map_err(|e| anyhow!("{e}"))?;
    assert!(sessions.iter().any(|s| s.present));
    let second = desk.sign_in("ann", PASSWORD, "10.0.0.1").await.map_err(|e| anyhow!("{e}"))?;
    desk.identity()
        .sign_out(&call, SignOut { everywhere: true, session: None })
        .await
        .map_err(|e| anyhow!("{e}"))?;
    // Gone at once, not when the token runs out.
    assert_eq!(desk.call_of(&second).await.map(drop), Err(Fault::Refused(IdentityError::SessionEnded)));
    Ok(())
});

story!(a_known_address_is_answered_as_an_unknown_one, |world| {
    let desk = Desk(&world);
    desk.register(desk.registration("ann", "L01X00T47", None)).await.map_err(|e| anyhow!("{e}"))?;
    let again = desk.register(desk.registration("ann", "ANOTHER-1", None)).await;
    assert_eq!(again, Ok(Registered {}));
    let wrong = desk.sign_in("ann", "wrong horse", "10.0.0.1").await.map(drop);
    let unknown = desk.sign_in("nobody", "wrong horse", "10.0.0.1").await.map(drop);
    assert_eq!(wrong, Err(Fault::Refused(IdentityError::CredentialsWrong)));
    assert_eq!(wrong, unknown);
    Ok(())
});

story!(a_refresh_token_is_spent_and_a_stolen_one_ends_the_session, |world| {
    let desk = Desk(&world);
    desk.register(desk.registration("ann", "L01X00T47", None)).await.map_err(|e| anyhow!("{e}"))?;
    let first = desk.sign_in("ann", PASSWORD, "10.0.0.1").await.map_err(|e| anyhow!("{e}"))?;
    let refresh = |t: &Tokens| Refresh { refresh: t.refresh.clone() };
    let identity = desk.identity();
    let second = identity.refresh(&desk.anonymous(), refresh(&first)).await.map_err(|e| anyhow!("{e}"))?;
    assert_ne!(first.refresh, second.refresh);
    // An answer that got lost is given again for a moment.
    let again = identity.refresh(&desk.anonymous(), refresh(&first)).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(again.refresh, second.refresh);
    world.clock.advance(Duration::seconds(11));
    let third = identity.refresh(&desk.anonymous(), refresh(&second)).await.map_err(|e| anyhow!("{e}"))?;
    world.clock.advance(Duration::seconds(11));
    let stolen = identity.refresh(&desk.anonymous(), refresh(&second)).await.map(drop);
    assert_eq!(stolen, Err(Fault::Refused(IdentityError::SessionEnded)));
    let family = identity.refresh(&desk.anonymous(), refresh(&third)).await.map(drop);
    assert_eq!(family, Err(Fault::Refused(IdentityError::SessionEnded)));
    assert_eq!(desk.call_of(&third).await.map(drop), Err(Fault::Refused(IdentityError::SessionEnded)));

    let fresh = desk.sign_in("ann", PASSWORD, "10.0.0.1").await.map_err(|e| anyhow!("{e}"))?;
    world.clock.advance(Duration::minutes(10));
    assert_eq!(
        desk.call_of(&fresh).await.map(drop),
        Err(Fault::Refused(IdentityError::SessionEnded)),
        "ten minutes"
    );
    Ok(())
});

story!(guessing_is_slowed_down_and_the_owner_is_not_locked_out, |world| {
    let desk = Desk(&world);
    desk.register(desk.registration("ann", "L01X00T47", None)).await.map_err(|e| anyhow!("{e}"))?;
    let mut throttled = None;
    for _ in 0..12 {
        match desk.sign_in("ann", "wrong horse", "6.6.6.6").await {
            Err(Fault::Refused(IdentityError::Throttled { seconds })) => throttled = Some(seconds),
            other => assert_eq!(other.map(drop), Err(Fault::Refused(IdentityError::CredentialsWrong))),
        }
    }
    let seconds = throttled.context("the guesser has to wait")?;
    assert!(matches!(
        desk.sign_in("ann", PASSWORD, "6.6.6.6").await,
        Err(Fault::Refused(IdentityError::Throttled { .. }))
    ));
    assert!(desk.sign_in("ann", PASSWORD, "10.0.0.1").await.is_ok(), "the owner comes in from elsewhere");
    world.clock.advance(Duration::seconds(seconds));
    assert!(desk.sign_in("ann", PASSWORD, "6.6.6.6").await.is_ok());
    Ok(())
});

story!(no_staff_power_works_until_two_people_have_come_in, |world| {
    let desk = Desk(&world);
    let operator = world.house.identity(Service::Operator);
    let links = operator.begin(&world.call(), Begin {}).await.map_err(|e| anyhow!("{e}"))?.invitations;
    desk.register(desk.registration("ada", "DOC-ada", Some(links[0].1.clone())))
        .await
        .map_err(|e| anyhow!("{e}"))?;
    assert!(!desk.signed_in("ada").await?.has(Role::Administrator));
    // The same person under another address is not a second person, and a link works once.
    let alias = desk.register(desk.registration("ada2", "doc ada", Some(links[1].1.clone()))).await;
    assert_eq!(alias, Err(Fault::Refused(IdentityError::SamePerson)));
    let again = desk.register(desk.registration("cem", "DOC-cem", Some(links[0].1.clone()))).await;
    assert_eq!(again, Err(Fault::Refused(IdentityError::InvitationInvalid)));
    desk.register(desk.registration("bea", "DOC-bea", Some(links[1].1.clone())))
        .await
        .map_err(|e| anyhow!("{e}"))?;
    assert!(desk.signed_in("ada").await?.has(Role::Administrator));
    let left = operator.begin(&world.call(), Begin {}).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(left.invitations, Vec::new());
    assert_eq!(desk.identity().begin(&world.call(), Begin {}).await, Err(Fault::Forbidden));
    Ok(())
});

story!(the_first_links_live_until_they_are_used, |world| {
    let desk = Desk(&world);
    let operator = world.house.identity(Service::Operator);
    operator.begin(&world.call(), Begin {}).await.map_err(|e| anyhow!("{e}"))?;
    world.clock.advance(Duration::days(31));
    desk.two_administrators().await?;
    Ok(())
});

story!(a_staff_role_takes_two_people_neither_of_whom_gains, |world| {
    let desk = Desk(&world);
    let (ada, bea) = desk.two_administrators().await?;
    let invite = ProposeChange {
        id: ChangeId(world.uuid()),
        change: Change::InviteStaff { role: Role::CreditOfficer },
        reason: "desk".into(),
    };
    let identity = desk.identity();
    identity.propose_change(&ada, invite.clone()).await.map_err(|e| anyhow!("{e}"))?;
    let approve = DecideChange { id: invite.id, approve: true };
    assert_eq!(
        identity.decide_change(&ada, approve.clone()).await,
        Err(Fault::Refused(IdentityError::FourEyes))
    );
    // From a second session of the same person neither.
    let ada_again = desk.signed_in("ada").await?;
    assert_eq!(
        identity.decide_change(&ada_again, approve.clone()).await,
        Err(Fault::Refused(IdentityError::FourEyes))
    );
    let decided = identity.decide_change(&bea, approve.clone()).await.map_err(|e| anyhow!("{e}"))?;
    let repeated = identity.decide_change(&bea, approve).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(decided, repeated);

    let secret = decided.secret.context("a link to hand over")?;
    desk.register(desk.registration("cem", "DOC-cem", Some(secret))).await.map_err(|e| anyhow!("{e}"))?;
    let cem = desk.signed_in("cem").await?;
    assert!(cem.has(Role::CreditOfficer));
    assert_eq!(identity.pending_changes(&cem, PendingChanges {}).await, Err(Fault::Forbidden));
    let own = ProposeChange { id: ChangeId(world.uuid()), ..invite.clone() };
    assert_eq!(identity.propose_change(&cem, own).await, Err(Fault::Forbidden));

    // Nobody grants themselves anything, not even with another's help; the database says so too.
    let me = ada.party().context("a party")?;
    let grant = ProposeChange {
        id: ChangeId(world.uuid()),
        change: Change::GrantRole { party: me, role: Role::Operations },
        reason: "me".into(),
    };
    assert_eq!(
        identity.propose_change(&ada, grant.clone()).await,
        Err(Fault::Refused(IdentityError::FourEyes))
    );
    identity.propose_change(&bea, grant.clone()).await.map_err(|e| anyhow!("{e}"))?;
    let decide = DecideChange { id: grant.id, approve: true };
    assert_eq!(identity.decide_change(&ada, decide).await, Err(Fault::Refused(IdentityError::FourEyes)));
    let forced = world.house.db.read().run("UPDATE identity_change SET decided_by = proposed_by", []).await;
    assert!(forced.is_err());

    // A reset ends every session of the one it concerns.
    let subject = cem.party().context("a party")?;
    let reset = ProposeChange {
        id: ChangeId(world.uuid()),
        change: Change::ResetCredentials { party: subject },
        reason: "lost".into(),
    };
    let tokens = desk.sign_in("cem", PASSWORD, "10.0.0.1").await.map_err(|e| anyhow!("{e}"))?;
    identity.propose_change(&ada, reset.clone()).await.map_err(|e| anyhow!("{e}"))?;
    let decided = identity
        .decide_change(&bea, DecideChange { id: reset.id, approve: true })
        .await
        .map_err(|e| anyhow!("{e}"))?;
    assert!(desk.call_of(&tokens).await.is_err());
    assert!(desk.sign_in("cem", PASSWORD, "10.0.0.1").await.is_err());
    assert!(desk.sign_in("cem", &decided.secret.context("a password")?.0, "10.0.0.1").await.is_ok());
    Ok(())
});

story!(what_is_typed_wrong_is_named, |world| {
    let desk = Desk(&world);
    let good = || desk.registration("ann", "L01X00T47", None);
    for (input, error) in [
        (Register { email: "ann".into(), ..good() }, IdentityError::EmailMalformed),
        (
            Register { password: Secret("short".into()), ..good() },
            IdentityError::PasswordTooShort { length_min: 10 },
        ),
        (Register { name: " ".into(), ..good() }, IdentityError::NameMissing),
        (
            Register {
                document: IdentityDocument { country: "D".into(), number: Secret("1234".into()) },
                ..good()
            },
            IdentityError::DocumentMalformed,
        ),
        (Register { roles: BTreeSet::from([Role::Administrator]), ..good() }, IdentityError::RolesMissing),
        (Register { roles: BTreeSet::new(), ..good() }, IdentityError::RolesMissing),
        (Register { invitation: Some(Secret("guess".into())), ..good() }, IdentityError::InvitationInvalid),
    ] {
        assert_eq!(desk.register(input).await, Err(Fault::Refused(error)));
    }
    // Nobody becomes the platform.
    let platform = Register { party: PartyId(custody_api::PLATFORM), ..good() };
    assert!(matches!(desk.register(platform).await, Err(Fault::Malformed(_))));
    Ok(())
});

/// What an authenticator shows for a secret that was typed into it.
fn shown(secret: &Secret, at: chrono::DateTime<chrono::Utc>) -> anyhow::Result<Secret> {
    let secret = totp_rs::Secret::try_from_base32(&secret.0).map_err(|e| anyhow!("{e}"))?;
    let totp = totp_rs::Builder::new().with_secret(secret).with_account_name("a").build();
    let totp = totp.map_err(|e| anyhow!("{e}"))?;
    Ok(Secret(totp.generate(u64::try_from(at.timestamp())?).to_string()))
}

story!(a_second_factor_is_asked_for_and_each_code_works_once, |world| {
    use IdentityError as E;
    let desk = Desk(&world);
    desk.register(desk.registration("ann", "L01X00T47", None)).await.map_err(|e| anyhow!("{e}"))?;
    let ann = desk.signed_in("ann").await?;
    let identity = desk.identity();
    let password = || Secret(PASSWORD.into());
    let view = async || identity.factor(&ann, FactorOf {}).await.map_err(|e| anyhow!("{e}"));
    assert_eq!(view().await?, FactorView { since: None, recovery_codes_left: 0 });
    let begin =
        |password: &str| BeginFactor { id: CommandId(world.uuid()), password: Secret(password.into()) };
    let guess = identity.begin_factor(&ann, begin("a guess at a password")).await;
    assert_eq!(guess.map(drop), Err(Fault::Refused(E::PasswordWrong)));
    let first = begin(PASSWORD);
    let setup = identity.begin_factor(&ann, first.clone()).await.map_err(|e| anyhow!("{e}"))?;
    let again = identity.begin_factor(&ann, first).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(setup, again, "an answer that got lost");
    // Nothing is asked for before the authenticator has shown that it has it.
    assert!(desk.sign_in("ann", PASSWORD, "10.0.0.1").await.is_ok());
    let confirm = |code: Secret| ConfirmFactor { code };
    let wrong = identity.confirm_factor(&ann, confirm(Secret("000000".into()))).await;
    assert_eq!(wrong.map(drop), Err(Fault::Refused(E::CodeWrong)));
    let code = || shown(&setup.secret, world.clock.now());
    let recovery = identity.confirm_factor(&ann, confirm(code()?)).await.map_err(|e| anyhow!("{e}"))?;
    let repeated = identity.confirm_factor(&ann, confirm(code()?)).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(recovery, repeated, "an answer that got lost");
    assert_eq!(view().await?.recovery_codes_left, 10);
    let other = identity.begin_factor(&ann, begin(PASSWORD)).await;
    assert_eq!(other.map(drop), Err(Fault::Refused(E::FactorOn)), "nobody puts another in its place");

    let enter = async |password: &str, code: Option<Secret>, address: &str| {
        let (email, password) = ("ann@example.org".to_string(), Secret(password.into()));
        let input = SignIn { email, password, code, address: address.into(), agent: "story".into() };
        identity.sign_in(&desk.anonymous(), input).await.map(drop)
    };
    assert_eq!(enter(PASSWORD, None, "10.0.0.1").await, Err(Fault::Refused(E::CodeNeeded)));
    // Whoever does not know the password does not learn that there is a second factor.
    assert_eq!(enter("wrong horse", None, "7.7.7.7").await, Err(Fault::Refused(E::CredentialsWrong)));
    let spent = code()?;
    assert_eq!(enter(PASSWORD, Some(spent), "10.0.0.1").await, Err(Fault::Refused(E::CodeWrong)));
    world.clock.advance(Duration::seconds(30));
    let fresh = code()?;
    assert_eq!(enter(PASSWORD, Some(fresh.clone()), "10.0.0.1").await, Ok(()));
    assert_eq!(enter(PASSWORD, Some(fresh), "10.0.0.1").await, Err(Fault::Refused(E::CodeWrong)));
    // A recovery code as somebody copies it from paper, once.
    let kept = Secret(recovery.codes[3].0.to_uppercase().replace('-', " "));
    assert_eq!(enter(PASSWORD, Some(kept.clone()), "10.0.0.1").await, Ok(()));
    assert_eq!(enter(PASSWORD, Some(kept), "10.0.0.1").await, Err(Fault::Refused(E::CodeWrong)));
    assert_eq!(view().await?.recovery_codes_left, 9);

    // A guesser who knows the password has to wait, wherever the guesses come from and however many at once.
    let guesses = (0..20).map(|n| {
        let address = format!("6.6.6.{n}");
        async move { enter(PASSWORD, Some(Secret(format!("{n:06}"))), &address).await }
    });
    let outcomes = futures::future::join_all(guesses).await;
    let throttled = outcomes.iter().filter(|o| matches!(o, Err(Fault::Refused(E::Throttled { .. })))).count();
    assert!(outcomes.iter().all(Result::is_err));
    assert!(throttled >= 10, "{throttled} of 20: {outcomes:?}");
    world.clock.advance(Duration::minutes(20));

    let tokens = {
        let (email, password) = ("ann@example.org".to_string(), password());
        let code = Some(code()?);
        let input = SignIn { email, password, code, address: "10.0.0.1".into(), agent: "story".into() };
        identity.sign_in(&desk.anonymous(), input).await.map_err(|e| anyhow!("{e}"))?
    };
    let ann = desk.call_of(&tokens).await.map_err(|e| anyhow!("{e}"))?;
    let renew = RenewRecovery { id: CommandId(world.uuid()), code: recovery.codes[5].clone() };
    let renewed = identity.renew_recovery(&ann, renew.clone()).await.map_err(|e| anyhow!("{e}"))?;
    let repeated = identity.renew_recovery(&ann, renew).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(renewed, repeated, "an answer that got lost");
    let old = enter(PASSWORD, Some(recovery.codes[7].clone()), "10.0.0.1").await;
    assert_eq!(old, Err(Fault::Refused(E::CodeWrong)), "the old ones are void");

    let remove = |code: &Secret| RemoveFactor { password: password(), code: code.clone() };
    let wrong = identity.remove_factor(&ann, remove(&Secret("123456".into()))).await;
    assert_eq!(wrong, Err(Fault::Refused(E::CodeWrong)));
    for _ in 0..2 {
        identity.remove_factor(&ann, remove(&renewed.codes[0])).await.map_err(|e| anyhow!("{e}"))?;
    }
    assert_eq!(enter(PASSWORD, None, "10.0.0.1").await, Ok(()));
    // A copy of the database opens nothing: neither the secret nor a code is in it.
    let found = world.house.db.read().one("SELECT COUNT(*) FROM identity_recovery", []).await?;
    assert_eq!(found.context("a count")?.try_get_by_index::<i64>(0)?, 0);
    Ok(())
});

story!(two_administrators_let_in_whoever_has_lost_the_authenticator, |world| {
    let desk = Desk(&world);
    let (ada, bea) = desk.two_administrators().await?;
    desk.register(desk.registration("ann", "L01X00T47", None)).await.map_err(|e| anyhow!("{e}"))?;
    let ann = desk.signed_in("ann").await?;
    let identity = desk.identity();
    let begin = BeginFactor { id: CommandId(world.uuid()), password: Secret(PASSWORD.into()) };
    let setup = identity.begin_factor(&ann, begin).await.map_err(|e| anyhow!("{e}"))?;
    let confirm = ConfirmFactor { code: shown(&setup.secret, world.clock.now())? };
    identity.confirm_factor(&ann, confirm).await.map_err(|e| anyhow!("{e}"))?;
    let refused = desk.sign_in("ann", PASSWORD, "10.0.0.1").await.map(drop);
    assert_eq!(refused, Err(Fault::Refused(IdentityError::CodeNeeded)));
    let change = Change::ResetCredentials { party: ann.party().context("a party")? };
    let reset = ProposeChange { id: ChangeId(world.uuid()), change, reason: "lost phone".into() };
    identity.propose_change(&ada, reset.clone()).await.map_err(|e| anyhow!("{e}"))?;
    let approve = DecideChange { id: reset.id, approve: true };
    let decided = identity.decide_change(&bea, approve).await.map_err(|e| anyhow!("{e}"))?;
    assert!(desk.sign_in("ann", &decided.secret.context("a password")?.0, "10.0.0.1").await.is_ok());
    Ok(())
});
