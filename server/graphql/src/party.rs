//! Parties, sessions, and changes of rights.

use crate::context::{Asker, Cookie, asker, loader, services};
use crate::error::{IdentityUserError, fault, top, unauthenticated};
use crate::id::Gid;
use crate::loan::loaded;
use crate::payload;
use crate::scalars::{DateTime, Uuid};
use async_graphql::{ComplexObject, Context, Enum, InputObject, Object, OneofObject, Result, SimpleObject};
use fast_qr::convert::Builder as _;
use fast_qr::convert::svg::SvgBuilder;
use identity_api::*;
use kernel::id::{ChangeId, CommandId, PartyId, SessionId};
use kernel::{Actor, Coded};
use platform::Fault;

/// What somebody is to the platform.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "kernel::Role")]
pub enum Role {
    Borrower,
    Investor,
    CreditOfficer,
    CreditSupervisor,
    Operations,
    Auditor,
    Administrator,
}

/// In which language somebody is written to.
#[derive(Clone, Copy, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "identity_api::Language")]
pub enum Language {
    #[default]
    English,
    /// Simplified.
    Chinese,
}

/// A person known to the platform.
#[derive(SimpleObject)]
pub struct Party {
    pub id: Gid<PartyId>,
    pub name: String,
    pub email: String,
    pub roles: Vec<Role>,
    /// Whether the address has been shown to be theirs.
    pub email_confirmed: bool,
    /// In which they are written to.
    pub language: Language,
    pub created_at: DateTime,
}

impl From<PartyView> for Party {
    fn from(p: PartyView) -> Party {
        Party {
            id: Gid(p.id),
            name: p.name,
            email: p.email,
            roles: p.roles.into_iter().map(Role::from).collect(),
            email_confirmed: p.email_confirmed,
            language: p.language.into(),
            created_at: DateTime(p.created_at),
        }
    }
}

/// One signed-in device.
#[derive(SimpleObject)]
pub struct Session {
    pub id: Gid<SessionId>,
    /// With which program.
    pub agent: String,
    pub created_at: DateTime,
    /// When it last asked for a token; null where it never did since it was opened.
    pub used_at: Option<DateTime>,
    pub expires_at: DateTime,
    /// The one that asks.
    pub present: bool,
}

impl From<SessionView> for Session {
    fn from(s: SessionView) -> Session {
        Session {
            id: Gid(s.id),
            agent: s.agent,
            created_at: DateTime(s.created_at),
            used_at: s.used_at.map(DateTime),
            expires_at: DateTime(s.expires_at),
            present: s.present,
        }
    }
}

/// An access token. The refresh token beside it is a cookie that scripts cannot read.
#[derive(SimpleObject)]
pub struct SignedIn {
    /// Goes into the `Authorization` header as `Bearer …`.
    pub access_token: String,
    pub access_expires_at: DateTime,
    pub party: Party,
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum ChangeKind {
    InviteStaff,
    GrantRole,
    RevokeRole,
    ResetCredentials,
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "identity_api::ChangeStatus")]
pub enum ChangeStatus {
    Proposed,
    Approved,
    Refused,
}

/// A change of rights or of another's credentials, which needs two people.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Change {
    pub id: Gid<ChangeId>,
    pub kind: ChangeKind,
    pub role: Option<Role>,
    pub party: Option<Gid<PartyId>>,
    pub reason: String,
    pub status: ChangeStatus,
    pub proposed_at: DateTime,
    #[graphql(skip)]
    proposed_by: kernel::id::PersonId,
}

#[ComplexObject]
impl Change {
    /// Whether whoever asks proposed it; then somebody else decides.
    async fn proposed_by_me(&self, ctx: &Context<'_>) -> bool {
        asker(ctx).call().person() == Some(self.proposed_by)
    }

    /// Whose rights or credentials they are; nothing for an invitation.
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Party>> {
        let Some(party) = &self.party else { return Ok(None) };
        loaded(loader(ctx).load_one(party.0).await).map(|p| p.map(Party::from))
    }
}

impl From<ChangeView> for Change {
    fn from(c: ChangeView) -> Change {
        use identity_api::Change as C;
        let (kind, role, party) = match c.change {
            C::InviteStaff { role } => (ChangeKind::InviteStaff, Some(role), None),
            C::GrantRole { party, role } => (ChangeKind::GrantRole, Some(role), Some(party)),
            C::RevokeRole { party, role } => (ChangeKind::RevokeRole, Some(role), Some(party)),
            C::ResetCredentials { party } => (ChangeKind::ResetCredentials, None, Some(party)),
        };
        Change {
            id: Gid(c.id),
            kind,
            role: role.map(Role::from),
            party: party.map(Gid),
            reason: c.reason,
            status: c.status.into(),
            proposed_at: DateTime(c.at),
            proposed_by: c.proposed_by,
        }
    }
}

/// A decision, and to the one who approved an invitation or a reset the secret it gave rise to, once more on each ask.
#[derive(SimpleObject)]
pub struct DecidedChange {
    pub change: Change,
    /// To be handed to the invited person, or to whom the credentials belong.
    pub secret: Option<String>,
}

impl From<Decided> for DecidedChange {
    fn from(d: Decided) -> DecidedChange {
        DecidedChange { change: d.change.into(), secret: d.secret.map(|s| s.0) }
    }
}

#[derive(InputObject)]
pub struct PartyRegisterInput {
    pub id: Uuid,
    /// The new party's id, made by the client like the command's.
    pub party: Uuid,
    pub email: String,
    pub password: String,
    /// As on the identity document.
    pub name: String,
    /// ISO 3166 code of the country that issued the identity document.
    pub document_country: String,
    /// Only a keyed hash of it is kept.
    pub document_number: String,
    pub roles: Vec<Role>,
    /// From an invitation link.
    pub invitation: Option<String>,
    #[graphql(default)]
    pub language: Language,
}

/// A second factor: codes by time from an authenticator (RFC 6238).
#[derive(SimpleObject)]
pub struct SecondFactor {
    /// Since when a sign-in asks for it; null where there is none.
    pub since: Option<DateTime>,
    pub recovery_codes_left: u32,
}

impl From<FactorView> for SecondFactor {
    fn from(f: FactorView) -> SecondFactor {
        SecondFactor { since: f.since.map(DateTime), recovery_codes_left: f.recovery_codes_left }
    }
}

/// What an authenticator is told; nothing is asked of it before it has been confirmed by a code.
#[derive(SimpleObject)]
pub struct SecondFactorSetup {
    /// Base 32, to be typed.
    pub secret: String,
    /// `otpauth://totp/…`, to be opened on the same device.
    pub uri: String,
    /// The same to be scanned: a QR code as an SVG document.
    pub picture: String,
}

impl From<FactorSetup> for SecondFactorSetup {
    fn from(f: FactorSetup) -> SecondFactorSetup {
        // At the lowest level of correction the longest address has room; an authenticator can be typed into in any case.
        let code = fast_qr::QRBuilder::new(f.uri.0.as_bytes()).ecl(fast_qr::ECL::L).build();
        let picture = code.map(|code| SvgBuilder::default().margin(4).to_str(&code)).unwrap_or_default();
        SecondFactorSetup { secret: f.secret.0, uri: f.uri.0, picture }
    }
}

/// Each opens one session in place of the authenticator. They are shown here and never again.
#[derive(SimpleObject)]
pub struct RecoveryCodes {
    pub codes: Vec<String>,
}

impl From<identity_api::RecoveryCodes> for RecoveryCodes {
    fn from(r: identity_api::RecoveryCodes) -> RecoveryCodes {
        RecoveryCodes { codes: r.codes.into_iter().map(|c| c.0).collect() }
    }
}

#[derive(InputObject)]
pub struct SecondFactorBeginInput {
    pub id: Uuid,
    /// The present one.
    pub password: String,
}

#[derive(InputObject)]
pub struct SecondFactorConfirmInput {
    /// What the authenticator shows.
    pub code: String,
}

#[derive(InputObject)]
pub struct SecondFactorRemoveInput {
    /// The present one.
    pub password: String,
    /// What the authenticator shows, or a recovery code.
    pub code: String,
}

#[derive(InputObject)]
pub struct RecoveryCodesRenewInput {
    pub id: Uuid,
    /// What the authenticator shows, or a recovery code.
    pub code: String,
}

#[derive(InputObject)]
pub struct SessionOpenInput {
    pub email: String,
    pub password: String,
    /// What the authenticator shows, or a recovery code: of whoever has a second factor.
    pub code: Option<String>,
}

#[derive(InputObject)]
pub struct SessionCloseInput {
    /// All sessions, not only this one.
    #[graphql(default)]
    pub everywhere: bool,
    /// Another one of one's own.
    pub session: Option<Gid<SessionId>>,
}

#[derive(InputObject)]
pub struct PasswordChangeInput {
    pub id: Uuid,
    pub current: String,
    pub new: String,
}

#[derive(InputObject)]
pub struct PasswordForgottenInput {
    pub email: String,
    #[graphql(default)]
    pub language: Language,
}

#[derive(InputObject)]
pub struct PasswordResetInput {
    /// From the letter's link.
    pub secret: String,
    pub password: String,
}

#[derive(InputObject)]
pub struct EmailLetterInput {
    #[graphql(default)]
    pub language: Language,
}

#[derive(InputObject)]
pub struct EmailConfirmInput {
    /// From the letter's link.
    pub secret: String,
}

#[derive(InputObject)]
pub struct LanguageChooseInput {
    pub language: Language,
}

#[derive(InputObject)]
pub struct RoleOfParty {
    pub party: Gid<PartyId>,
    pub role: Role,
}

#[derive(OneofObject)]
pub enum ChangeInput {
    InviteStaff(Role),
    GrantRole(RoleOfParty),
    RevokeRole(RoleOfParty),
    ResetCredentials(Gid<PartyId>),
}

#[derive(InputObject)]
pub struct ChangeProposeInput {
    pub id: Uuid,
    pub change: ChangeInput,
    pub reason: String,
}

#[derive(InputObject)]
pub struct ChangeDecideInput {
    pub change: Gid<ChangeId>,
    pub approve: bool,
}

payload! {
    SessionOpenPayload { session: SignedIn } or IdentityUserError;
    SessionRefreshPayload { session: SignedIn } or IdentityUserError;
    SecondFactorBeginPayload { setup: SecondFactorSetup } or IdentityUserError;
    SecondFactorConfirmPayload { recovery: RecoveryCodes } or IdentityUserError;
    RecoveryCodesRenewPayload { recovery: RecoveryCodes } or IdentityUserError;
    ChangeProposePayload { change: Change } or IdentityUserError;
    ChangeDecidePayload { decided: DecidedChange } or IdentityUserError;
}

/// A payload that only says whether it is done.
macro_rules! done {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub struct $name {
            pub done: bool,
            pub errors: Vec<IdentityUserError>,
        }

        impl $name {
            fn of<T>(asker: &Asker, outcome: Answered<T>) -> Result<$name> {
                match outcome {
                    Ok(_) => Ok($name { done: true, errors: Vec::new() }),
                    Err(Fault::Refused(e)) => {
                        asker.note_refusal(e.code());
                        Ok($name { done: false, errors: vec![e.into()] })
                    }
                    Err(other) => Err(fault(asker, other)),
                }
            }
        }
    )*};
}

type Answered<T> = std::result::Result<T, Fault<IdentityError>>;

done! {
    /// Whether it was taken; a letter comes if the address is known.
    PasswordForgottenPayload;
    /// Whether somebody was registered.
    PartyRegisterPayload;
    /// Whether the password is another now.
    PasswordChangePayload;
    /// Whether the password is another now.
    PasswordResetPayload;
    /// Whether the letter is on its way, unless the address is confirmed already.
    EmailLetterPayload;
    /// Whether the address is confirmed.
    EmailConfirmPayload;
    LanguageChoosePayload;
    /// Whether there is no second factor any more.
    SecondFactorRemovePayload;
}

/// Whether the session has ended.
#[derive(SimpleObject)]
pub struct SessionClosePayload {
    pub done: bool,
    pub errors: Vec<IdentityUserError>,
}

#[derive(Default)]
pub struct PartyMutation;

impl PartyMutation {
    /// Puts the refresh token where scripts cannot read it.
    fn signed_in(ctx: &Context<'_>, tokens: Tokens) -> Result<SignedIn> {
        let cookie = Cookie::Set { refresh: tokens.refresh, expires_at: tokens.refresh_expires_at };
        if !asker(ctx).leave(cookie) {
            return Err(top("BAD_USER_INPUT", "sessions are opened over HTTP, not on a socket"));
        }
        Ok(SignedIn {
            access_token: tokens.access.0,
            access_expires_at: DateTime(tokens.access_expires_at),
            party: tokens.party.into(),
        })
    }
}

#[Object]
impl PartyMutation {
    /// Registers a person. The answer is the same whether or not the address is known already.
    async fn party_register(
        &self,
        ctx: &Context<'_>,
        input: PartyRegisterInput,
    ) -> Result<PartyRegisterPayload> {
        let register = Register {
            id: CommandId(input.id.0),
            party: PartyId(input.party.0),
            email: input.email,
            password: Secret(input.password),
            name: input.name,
            document: IdentityDocument {
                country: input.document_country,
                number: Secret(input.document_number),
            },
            roles: input.roles.into_iter().map(kernel::Role::from).collect(),
            invitation: input.invitation.map(Secret),
            language: input.language.into(),
        };
        let asker = asker(ctx);
        PartyRegisterPayload::of(asker, services(ctx).identity.register(&asker.call(), register).await)
    }

    /// Signs in.
    async fn session_open(&self, ctx: &Context<'_>, input: SessionOpenInput) -> Result<SessionOpenPayload> {
        let asker = asker(ctx);
        let sign_in = SignIn {
            email: input.email,
            password: Secret(input.password),
            code: input.code.map(Secret),
            address: asker.address.clone(),
            agent: asker.agent.clone(),
        };
        match services(ctx).identity.sign_in(&asker.call(), sign_in).await {
            Ok(tokens) => {
                Ok(SessionOpenPayload { session: Some(Self::signed_in(ctx, tokens)?), errors: Vec::new() })
            }
            Err(Fault::Refused(e)) => Ok(SessionOpenPayload { session: None, errors: vec![e.into()] }),
            Err(other) => Err(fault(asker, other)),
        }
    }

    /// A new access token, by the refresh cookie, which is replaced. A cookie that was used before ends its session.
    async fn session_refresh(&self, ctx: &Context<'_>) -> Result<SessionRefreshPayload> {
        let asker = asker(ctx);
        let ended =
            || Ok(SessionRefreshPayload { session: None, errors: vec![IdentityError::SessionEnded.into()] });
        let Some(refresh) = asker.refresh.clone() else { return ended() };
        match services(ctx).identity.refresh(&asker.call(), Refresh { refresh }).await {
            Ok(tokens) => {
                Ok(SessionRefreshPayload { session: Some(Self::signed_in(ctx, tokens)?), errors: Vec::new() })
            }
            Err(Fault::Refused(_)) => {
                asker.leave(Cookie::Clear);
                ended()
            }
            Err(other) => Err(fault(asker, other)),
        }
    }

    /// Signs out.
    async fn session_close(
        &self,
        ctx: &Context<'_>,
        input: SessionCloseInput,
    ) -> Result<SessionClosePayload> {
        let asker = asker(ctx);
        if asker.actor == Actor::Anonymous {
            return Err(unauthenticated());
        }
        let session = input.session.map(|s| s.0);
        let sign_out = SignOut { everywhere: input.everywhere, session };
        let done = services(ctx).identity.sign_out(&asker.call(), sign_out).await;
        done.map_err(|e| fault(asker, e))?;
        let present =
            matches!(&asker.actor, Actor::Person { session: own, .. } if session.is_none_or(|s| s == *own));
        if input.everywhere || present {
            asker.leave(Cookie::Clear);
        }
        Ok(SessionClosePayload { done: true, errors: Vec::new() })
    }

    /// Changes one's own password. Every other session ends.
    async fn password_change(
        &self,
        ctx: &Context<'_>,
        input: PasswordChangeInput,
    ) -> Result<PasswordChangePayload> {
        let asker = asker(ctx);
        let change = ChangePassword {
            id: CommandId(input.id.0),
            current: Secret(input.current),
            new: Secret(input.new),
        };
        PasswordChangePayload::of(asker, services(ctx).identity.change_password(&asker.call(), change).await)
    }

    /// Begins to set up a second factor. It is asked for once it has been confirmed.
    async fn second_factor_begin(
        &self,
        ctx: &Context<'_>,
        input: SecondFactorBeginInput,
    ) -> Result<SecondFactorBeginPayload> {
        let asker = asker(ctx);
        let begin = BeginFactor { id: CommandId(input.id.0), password: Secret(input.password) };
        SecondFactorBeginPayload::of(asker, services(ctx).identity.begin_factor(&asker.call(), begin).await)
    }

    /// Shows by a code that the authenticator has it. From now on a sign-in asks for one.
    async fn second_factor_confirm(
        &self,
        ctx: &Context<'_>,
        input: SecondFactorConfirmInput,
    ) -> Result<SecondFactorConfirmPayload> {
        let asker = asker(ctx);
        let confirm = ConfirmFactor { code: Secret(input.code) };
        SecondFactorConfirmPayload::of(
            asker,
            services(ctx).identity.confirm_factor(&asker.call(), confirm).await,
        )
    }

    /// New recovery codes; the old ones are void.
    async fn recovery_codes_renew(
        &self,
        ctx: &Context<'_>,
        input: RecoveryCodesRenewInput,
    ) -> Result<RecoveryCodesRenewPayload> {
        let asker = asker(ctx);
        let renew = RenewRecovery { id: CommandId(input.id.0), code: Secret(input.code) };
        RecoveryCodesRenewPayload::of(
            asker,
            services(ctx).identity.renew_recovery(&asker.call(), renew).await,
        )
    }

    /// From now on a sign-in asks for the password alone.
    async fn second_factor_remove(
        &self,
        ctx: &Context<'_>,
        input: SecondFactorRemoveInput,
    ) -> Result<SecondFactorRemovePayload> {
        let asker = asker(ctx);
        let remove = RemoveFactor { password: Secret(input.password), code: Secret(input.code) };
        SecondFactorRemovePayload::of(
            asker,
            services(ctx).identity.remove_factor(&asker.call(), remove).await,
        )
    }

    /// Asks for a letter with which a new password can be chosen. The answer is the same whether or not the address is known.
    async fn password_forgotten(
        &self,
        ctx: &Context<'_>,
        input: PasswordForgottenInput,
    ) -> Result<PasswordForgottenPayload> {
        let asker = asker(ctx);
        let ask =
            AskReset { email: input.email, language: input.language.into(), address: asker.address.clone() };
        PasswordForgottenPayload::of(asker, services(ctx).identity.ask_reset(&asker.call(), ask).await)
    }

    /// Chooses a new password by a letter's secret. Every session ends.
    async fn password_reset(
        &self,
        ctx: &Context<'_>,
        input: PasswordResetInput,
    ) -> Result<PasswordResetPayload> {
        let asker = asker(ctx);
        let reset = ResetPassword { secret: Secret(input.secret), password: Secret(input.password) };
        PasswordResetPayload::of(asker, services(ctx).identity.reset_password(&asker.call(), reset).await)
    }

    /// Has the letter sent again that confirms one's address.
    async fn email_letter(&self, ctx: &Context<'_>, input: EmailLetterInput) -> Result<EmailLetterPayload> {
        let asker = asker(ctx);
        let ask = AskConfirmation { language: input.language.into() };
        EmailLetterPayload::of(asker, services(ctx).identity.ask_confirmation(&asker.call(), ask).await)
    }

    /// Shows by a letter's secret that its address is one's own.
    async fn email_confirm(
        &self,
        ctx: &Context<'_>,
        input: EmailConfirmInput,
    ) -> Result<EmailConfirmPayload> {
        let asker = asker(ctx);
        let confirm = ConfirmEmail { secret: Secret(input.secret) };
        EmailConfirmPayload::of(asker, services(ctx).identity.confirm_email(&asker.call(), confirm).await)
    }

    /// In which language one is written to.
    async fn language_choose(
        &self,
        ctx: &Context<'_>,
        input: LanguageChooseInput,
    ) -> Result<LanguageChoosePayload> {
        let asker = asker(ctx);
        let choose = ChooseLanguage { language: input.language.into() };
        LanguageChoosePayload::of(asker, services(ctx).identity.choose_language(&asker.call(), choose).await)
    }

    /// An administrator proposes; another decides.
    async fn change_propose(
        &self,
        ctx: &Context<'_>,
        input: ChangeProposeInput,
    ) -> Result<ChangeProposePayload> {
        use identity_api::Change as C;
        let change = match input.change {
            ChangeInput::InviteStaff(role) => C::InviteStaff { role: role.into() },
            ChangeInput::GrantRole(r) => C::GrantRole { party: r.party.0, role: r.role.into() },
            ChangeInput::RevokeRole(r) => C::RevokeRole { party: r.party.0, role: r.role.into() },
            ChangeInput::ResetCredentials(party) => C::ResetCredentials { party: party.0 },
        };
        let propose = ProposeChange { id: ChangeId(input.id.0), change, reason: input.reason };
        let outcome = services(ctx).identity.propose_change(&asker(ctx).call(), propose).await;
        ChangeProposePayload::of(asker(ctx), outcome)
    }

    async fn change_decide(
        &self,
        ctx: &Context<'_>,
        input: ChangeDecideInput,
    ) -> Result<ChangeDecidePayload> {
        let decide = DecideChange { id: input.change.0, approve: input.approve };
        let outcome = services(ctx).identity.decide_change(&asker(ctx).call(), decide).await;
        ChangeDecidePayload::of(asker(ctx), outcome)
    }
}
