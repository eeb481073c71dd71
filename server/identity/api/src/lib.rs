//! What others may ask of identity: who is this, and what may they do.
//!
//! Answers never tell whether an address is known. A staff role and another's credentials change only by two people,
//! neither of them the one who gains; until two different people have used the first two administrator links, no staff
//! power works at all.

use chrono::{DateTime, Utc};
use kernel::Actor;
use kernel::call::Role;
use kernel::id::{ChangeId, CommandId, InvitationId, PartyId, PersonId, SessionId};
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
}

/// Always the same, whether the address was known or not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registered {}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignIn {
    pub email: String,
    pub password: Secret,
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
    /// All of the actor's sessions; else the present one.
    pub everywhere: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartiesOf {
    pub ids: Vec<PartyId>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartyView {
    pub id: PartyId,
    pub person: PersonId,
    pub name: String,
    pub email: String,
    /// Those that work now.
    pub roles: BTreeSet<Role>,
    pub created_at: DateTime<Utc>,
}

/// Changes one's own password; every other session ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangePassword {
    pub id: CommandId,
    pub current: Secret,
    pub new: Secret,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SessionsOf {}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SessionView {
    pub id: SessionId,
    pub agent: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub present: bool,
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
            | IdentityEvent::RoleGranted { party, .. }
            | IdentityEvent::RoleRevoked { party, .. }
            | IdentityEvent::SessionRevoked { party, .. } => party.to_string(),
            IdentityEvent::ChangeProposed { change } | IdentityEvent::ChangeDecided { change } => {
                change.id.to_string()
            }
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            IdentityEvent::PartyRegistered { .. } => "PartyRegistered",
            IdentityEvent::RoleGranted { .. } => "RoleGranted",
            IdentityEvent::RoleRevoked { .. } => "RoleRevoked",
            IdentityEvent::SessionRevoked { .. } => "SessionRevoked",
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
        sessions(SessionsOf) -> Vec<SessionView>;
        /// Parties by id; unknown ids are left out. One's own, or anybody's for staff and services.
        parties(PartiesOf) -> Vec<PartyView>;
        propose_change(ProposeChange) -> ChangeView;
        decide_change(DecideChange) -> Decided;
        pending_changes(PendingChanges) -> Vec<ChangeView>;
        events(EventsAfter) -> EventPage;
    }
}
