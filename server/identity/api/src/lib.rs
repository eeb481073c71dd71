//! What others may ask of identity: who is this, and what may they do.
//!
//! Answers never tell whether an address is known. A staff role and another's credentials change only by two people,
//! neither of them the one who gains; until two different people have used the first two administrator links, no staff
//! power works at all.

use chrono::{DateTime, Utc};
use kernel::Actor;
use kernel::call::{Role, Scope};
use kernel::id::{ChangeId, ClientId, CommandId, InvitationId, LetterId, PartyId, PersonId, SessionId};
use platform::outbox::{Announces, EventPage, EventsAfter};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

kernel::errors! {
    pub enum IdentityError {
        EmailMalformed = "IDENTITY_EMAIL_MALFORMED" @ "email": "this is not an e-mail address",
        PasswordTooShort { length_min: usize } = "IDENTITY_PASSWORD_TOO_SHORT" @ "password": "a password has at least {length_min} characters",
        PasswordTooLong { length_max: usize } = "IDENTITY_PASSWORD_TOO_LONG" @ "password": "a password has at most {length_max} characters",
        NameMissing = "IDENTITY_NAME_MISSING" @ "name": "please give your name as on your document",
        DocumentMalformed = "IDENTITY_DOCUMENT_MALFORMED" @ "document": "please give the document's country and number",
        RolesMissing = "IDENTITY_ROLES_MISSING" @ "roles": "choose whether you borrow, invest or both",
        InvitationInvalid = "IDENTITY_INVITATION_INVALID" @ "invitation": "this link was used, has run out or is not ours",
        /// The other first link was used by the same person.
        SamePerson = "IDENTITY_SAME_PERSON": "two different people are needed",
        LinkInvalid = "IDENTITY_LINK_INVALID" @ "secret": "this link was used, has run out or is not ours; ask for a new one",
        CommandIdTaken = "IDENTITY_COMMAND_ID_TAKEN" @ "id": "this id was used for something else",
        /// Of a sign-in; says nothing of which part was wrong.
        PasswordWrong = "IDENTITY_PASSWORD_WRONG" @ "current": "this is not your present password",
        CredentialsWrong = "IDENTITY_CREDENTIALS_WRONG": "the address or the password is wrong",
        Throttled { seconds: i64 } = "IDENTITY_THROTTLED": "too many attempts; try again in {seconds} seconds",
        SessionEnded = "IDENTITY_SESSION_ENDED": "please sign in again",
        ChangeNotFound = "IDENTITY_CHANGE_NOT_FOUND" @ "id": "there is no such change",
        ChangeDecided = "IDENTITY_CHANGE_DECIDED" @ "id": "this change has been decided",
        /// The proposer, or the one who gains, cannot decide.
        FourEyes = "IDENTITY_FOUR_EYES": "another person must decide this",
        PartyNotFound = "IDENTITY_PARTY_NOT_FOUND" @ "party": "there is no such party",
        CodeNeeded = "IDENTITY_CODE_NEEDED" @ "code": "please give the six digits that your authenticator shows, or a recovery code",
        CodeWrong = "IDENTITY_CODE_WRONG" @ "code": "this code is wrong or was used; the authenticator shows a new one every 30 seconds, and a recovery code works once",
        FactorOn = "IDENTITY_FACTOR_ON": "a second factor is on already",
        FactorMissing = "IDENTITY_FACTOR_MISSING": "no second factor has been set up",
        ClientNameMissing = "IDENTITY_CLIENT_NAME_MISSING" @ "name": "give the program a name by which you will know it again",
        ScopesMissing = "IDENTITY_SCOPES_MISSING" @ "scopes": "choose what the program may read",
        TooManyClients { count_max: usize } = "IDENTITY_TOO_MANY_CLIENTS": "there are {count_max} programs already; revoke one that you no longer use",
        ClientNotFound = "IDENTITY_CLIENT_NOT_FOUND" @ "client": "there is no such program",
        /// Of a program that asks for a token; says nothing of which part was wrong.
        ClientWrong = "IDENTITY_CLIENT_WRONG": "the program or its secret is not known",
        ScopeNotGranted = "IDENTITY_SCOPE_NOT_GRANTED" @ "scope": "the program may not ask for this",
        RoleNotStaff = "IDENTITY_ROLE_NOT_STAFF" @ "role": "this is not a staff role",
    }
}

/// A text that no log and no error shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// In which language somebody is written to.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "zh-CN")]
    Chinese,
}

impl Language {
    /// As in BCP 47.
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
    }

    pub fn from_tag(tag: &str) -> Language {
        if tag == Language::Chinese.tag() { Language::Chinese } else { Language::English }
    }
}

/// What identifies a human being.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IdentityDocument {
    /// ISO 3166, two letters.
    pub country: String,
    pub number: Secret,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Register {
    pub id: CommandId,
    pub party: PartyId,
    pub email: String,
    pub password: Secret,
    pub name: String,
    pub document: IdentityDocument,
    /// Borrower, investor or both; a staff role comes by invitation.
    pub roles: BTreeSet<Role>,
    pub invitation: Option<Secret>,
    #[serde(default)]
    pub language: Language,
}

/// Always the same, whether the address was known or not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registered {}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignIn {
    pub email: String,
    pub password: Secret,
    /// What the authenticator shows, or a recovery code, of whoever has a second factor.
    #[serde(default)]
    pub code: Option<Secret>,
    /// From where; guesses are counted by it.
    pub address: String,
    /// The browser's name, to be recognised in the list of sessions.
    pub agent: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refresh {
    pub refresh: Secret,
}

/// A way in for a while.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tokens {
    pub access: Secret,
    pub access_expires_at: DateTime<Utc>,
    /// Good for one refresh; for an HttpOnly cookie and nothing else.
    pub refresh: Secret,
    pub refresh_expires_at: DateTime<Utc>,
    pub party: PartyView,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Authenticate {
    pub access: Secret,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignOut {
    /// All of the actor's sessions.
    pub everywhere: bool,
    /// One of the actor's sessions; else, unless all end, the present one.
    #[serde(default)]
    pub session: Option<SessionId>,
}

/// Begins to set up a second factor; nothing is asked of it before it has been confirmed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BeginFactor {
    pub id: CommandId,
    pub password: Secret,
}

/// What an authenticator is told (RFC 6238: SHA-1, six digits, thirty seconds).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FactorSetup {
    /// Base 32, to be typed.
    pub secret: Secret,
    /// `otpauth://totp/…`, to be scanned.
    pub uri: Secret,
}

/// Shows that the authenticator has it: from now on a sign-in asks for a code.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConfirmFactor {
    pub code: Secret,
}

/// New recovery codes; the old ones are void.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RenewRecovery {
    pub id: CommandId,
    pub code: Secret,
}

/// Each opens one session in place of the authenticator. Shown once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RecoveryCodes {
    pub codes: Vec<Secret>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RemoveFactor {
    pub password: Secret,
    pub code: Secret,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FactorOf {}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FactorView {
    /// Since when a sign-in asks for it.
    pub since: Option<DateTime<Utc>>,
    pub recovery_codes_left: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartiesOf {
    pub ids: Vec<PartyId>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FindParties {
    /// Nothing fits everybody.
    pub text: String,
    /// Only those with a role of the staff.
    #[serde(default)]
    pub staff: bool,
    /// 1 to 100.
    pub limit: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartyView {
    pub id: PartyId,
    pub person: PersonId,
    pub name: String,
    pub email: String,
    /// Those that work now.
    pub roles: BTreeSet<Role>,
    /// Whether the address has been shown to be theirs.
    pub email_confirmed: bool,
    pub language: Language,
    pub created_at: DateTime<Utc>,
}

/// Changes one's own password; every other session ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangePassword {
    pub id: CommandId,
    pub current: Secret,
    pub new: Secret,
}

/// Asks for a letter with which one can choose a new password. The answer never tells whether the address is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AskReset {
    pub email: String,
    pub language: Language,
    /// From where; asks are counted by it.
    pub address: String,
}

/// Chooses a new password by a letter's secret; every session ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ResetPassword {
    pub secret: Secret,
    pub password: Secret,
}

/// Asks for the letter that confirms one's own address once more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AskConfirmation {
    pub language: Language,
}

/// Shows by a letter's secret that its address is one's own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConfirmEmail {
    pub secret: Secret,
}

/// Asks whether the link of a letter still works.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LinkOf {
    pub secret: Secret,
}

/// Always the same, whether a letter will be sent or not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Asked {}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChooseLanguage {
    pub language: Language,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LetterOf {
    pub letter: LetterId,
}

/// What a letter is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LetterKind {
    /// Shows that the address belongs to who registered with it.
    Confirm,
    Reset,
    /// Staff asked for a new password; theirs is changed by two people and not by a letter.
    ResetOfStaff,
    /// Somebody registered with this address again.
    Known,
}

impl LetterKind {
    pub fn code(self) -> &'static str {
        match self {
            LetterKind::Confirm => "CONFIRM",
            LetterKind::Reset => "RESET",
            LetterKind::ResetOfStaff => "RESET_OF_STAFF",
            LetterKind::Known => "KNOWN",
        }
    }

    pub fn from_code(code: &str) -> Option<LetterKind> {
        use LetterKind as K;
        [K::Confirm, K::Reset, K::ResetOfStaff, K::Known].into_iter().find(|k| k.code() == code)
    }
}

/// A letter that is to be sent, for whoever sends it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LetterView {
    pub kind: LetterKind,
    pub email: String,
    pub name: String,
    pub language: Language,
    /// Goes into the link, where the letter has one.
    pub secret: Secret,
    pub expires_at: DateTime<Utc>,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SessionsOf {}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SessionView {
    pub id: SessionId,
    pub agent: String,
    pub created_at: DateTime<Utc>,
    /// When it last asked for a token; null where it never did since it was opened.
    pub used_at: Option<DateTime<Utc>>,
    pub expires_at: DateTime<Utc>,
    pub present: bool,
}

/// Lets a program read for oneself. The answer holds its secret, and the same command the same again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CreateClient {
    pub id: ClientId,
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    /// One's own, as for everything that opens a way in.
    pub password: Secret,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClientView {
    pub id: ClientId,
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    pub created_at: DateTime<Utc>,
    /// When it last asked for a token.
    pub used_at: Option<DateTime<Utc>>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CreatedClient {
    pub client: ClientView,
    pub secret: Secret,
}

/// From now on neither its secret nor any of its tokens opens anything.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RevokeClient {
    pub client: ClientId,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClientsOf {}

/// A program asks for a token in its own name (RFC 6749, 4.4).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IssueToken {
    pub client: ClientId,
    pub secret: Secret,
    /// Fewer than it may; none for all of them.
    pub scopes: BTreeSet<Scope>,
    /// From where; guesses are counted by it.
    pub address: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClientToken {
    pub access: Secret,
    pub expires_at: DateTime<Utc>,
    pub scopes: BTreeSet<Scope>,
}

/// What two people can change together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A link by which somebody becomes staff.
    InviteStaff {
        role: Role,
    },
    GrantRole {
        party: PartyId,
        role: Role,
    },
    RevokeRole {
        party: PartyId,
        role: Role,
    },
    /// A new password, shown once to whoever approves; ends all sessions.
    ResetCredentials {
        party: PartyId,
    },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProposeChange {
    pub id: ChangeId,
    pub change: Change,
    pub reason: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DecideChange {
    pub id: ChangeId,
    pub approve: bool,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PendingChanges {}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChangeStatus {
    Proposed,
    Approved,
    Refused,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangeView {
    pub id: ChangeId,
    pub change: Change,
    pub reason: String,
    pub proposed_by: PersonId,
    pub decided_by: Option<PersonId>,
    pub status: ChangeStatus,
    pub at: DateTime<Utc>,
}

/// A decided change, with what must be handed over, once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decided {
    pub change: ChangeView,
    /// An invitation's secret or a new password.
    pub secret: Option<Secret>,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Begin {}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FirstLinks {
    /// The two secrets at the first start; empty ever after.
    pub invitations: Vec<(InvitationId, Secret)>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum IdentityEvent {
    PartyRegistered {
        party: PartyId,
    },
    /// A letter is to be sent; its address and its secret are asked for by whoever sends it.
    LetterAsked {
        letter: LetterId,
        party: PartyId,
    },
    /// By themselves, by a letter or by two administrators.
    PasswordChanged {
        party: PartyId,
    },
    FactorAdded {
        party: PartyId,
    },
    /// By themselves or with new credentials from two administrators.
    FactorRemoved {
        party: PartyId,
    },
    /// Somebody signed in without the authenticator.
    RecoveryCodeUsed {
        party: PartyId,
    },
    RoleGranted {
        party: PartyId,
        role: Role,
    },
    RoleRevoked {
        party: PartyId,
        role: Role,
    },
    /// Every token of it is void.
    SessionRevoked {
        party: PartyId,
        session: SessionId,
        why: String,
    },
    /// A program reads for them from now on.
    ClientCreated {
        party: PartyId,
        client: ClientId,
    },
    /// Every token of it is void.
    ClientRevoked {
        party: PartyId,
        client: ClientId,
    },
    ChangeProposed {
        #[serde(serialize_with = "without_reason")]
        change: ChangeView,
    },
    ChangeDecided {
        #[serde(serialize_with = "without_reason")]
        change: ChangeView,
    },
}

/// Events are kept for ever and hold nothing personal: the reason stays with the change, and is empty in every event.
fn without_reason<S: serde::Serializer>(change: &ChangeView, to: S) -> Result<S::Ok, S::Error> {
    ChangeView { reason: String::new(), ..change.clone() }.serialize(to)
}

impl Announces for IdentityEvent {
    fn key(&self) -> String {
        match self {
            IdentityEvent::PartyRegistered { party }
            | IdentityEvent::LetterAsked { party, .. }
            | IdentityEvent::PasswordChanged { party }
            | IdentityEvent::FactorAdded { party }
            | IdentityEvent::FactorRemoved { party }
            | IdentityEvent::RecoveryCodeUsed { party }
            | IdentityEvent::RoleGranted { party, .. }
            | IdentityEvent::RoleRevoked { party, .. }
            | IdentityEvent::ClientCreated { party, .. }
            | IdentityEvent::ClientRevoked { party, .. }
            | IdentityEvent::SessionRevoked { party, .. } => party.to_string(),
            IdentityEvent::ChangeProposed { change } | IdentityEvent::ChangeDecided { change } => {
                change.id.to_string()
            }
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            IdentityEvent::PartyRegistered { .. } => "PartyRegistered",
            IdentityEvent::LetterAsked { .. } => "LetterAsked",
            IdentityEvent::PasswordChanged { .. } => "PasswordChanged",
            IdentityEvent::FactorAdded { .. } => "FactorAdded",
            IdentityEvent::FactorRemoved { .. } => "FactorRemoved",
            IdentityEvent::RecoveryCodeUsed { .. } => "RecoveryCodeUsed",
            IdentityEvent::RoleGranted { .. } => "RoleGranted",
            IdentityEvent::RoleRevoked { .. } => "RoleRevoked",
            IdentityEvent::SessionRevoked { .. } => "SessionRevoked",
            IdentityEvent::ClientCreated { .. } => "ClientCreated",
            IdentityEvent::ClientRevoked { .. } => "ClientRevoked",
            IdentityEvent::ChangeProposed { .. } => "ChangeProposed",
            IdentityEvent::ChangeDecided { .. } => "ChangeDecided",
        }
    }
}

platform::service! {
    /// Who somebody is and what they may do.
    pub Identity as "identity", client IdentityClient, dispatcher IdentityDispatcher, errors IdentityError {
        /// Makes the two first administrator links of an installation, once.
        begin(Begin) -> FirstLinks;
        /// Makes a party with its way in. Answers alike for known and unknown addresses.
        register(Register) -> Registered;
        sign_in(SignIn) -> Tokens;
        /// Gives new tokens for a refresh token, which is spent; a spent one ends its whole session.
        refresh(Refresh) -> Tokens;
        /// Who a token speaks for, if its session still stands.
        authenticate(Authenticate) -> Actor;
        sign_out(SignOut) -> ();
        change_password(ChangePassword) -> ();
        /// One's own second factor.
        factor(FactorOf) -> FactorView;
        begin_factor(BeginFactor) -> FactorSetup;
        confirm_factor(ConfirmFactor) -> RecoveryCodes;
        renew_recovery(RenewRecovery) -> RecoveryCodes;
        remove_factor(RemoveFactor) -> ();
        /// Has a letter sent with which a new password can be chosen. Answers alike for known and unknown addresses.
        ask_reset(AskReset) -> Asked;
        reset_password(ResetPassword) -> ();
        /// Whether a letter's secret still lets one choose a password; it is not used by that.
        link_stands(LinkOf) -> bool;
        /// Whether an invitation's secret still lets somebody join; it is not used by that.
        invitation_stands(LinkOf) -> bool;
        /// Has the letter sent again that confirms one's address.
        ask_confirmation(AskConfirmation) -> Asked;
        confirm_email(ConfirmEmail) -> ();
        choose_language(ChooseLanguage) -> ();
        /// A letter to be sent; for the service that sends them.
        letter(LetterOf) -> Option<LetterView>;
        sessions(SessionsOf) -> Vec<SessionView>;
        create_client(CreateClient) -> CreatedClient;
        revoke_client(RevokeClient) -> ();
        /// One's own programs, newest first, without those that were revoked.
        clients(ClientsOf) -> Vec<ClientView>;
        /// A token for a program, by its secret.
        issue_token(IssueToken) -> ClientToken;
        /// Parties by id; unknown ids are left out. One's own, or anybody's for staff and services.
        parties(PartiesOf) -> Vec<PartyView>;
        /// Parties by a part of their name or address, newest first; for staff.
        find(FindParties) -> Vec<PartyView>;
        propose_change(ProposeChange) -> ChangeView;
        decide_change(DecideChange) -> Decided;
        pending_changes(PendingChanges) -> Vec<ChangeView>;
        events(EventsAfter) -> EventPage;
    }
}
