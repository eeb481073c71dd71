//! Who asks, for whom, and until when. The first argument of every use case.

use crate::id::{ClientId, PartyId, PersonId, RequestId, SessionId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The services of the platform, and the two callers that are none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    Identity,
    Ledger,
    Custody,
    Lending,
    Investing,
    Office,
    Notification,
    /// The public door.
    Gateway,
    /// A person at the machine: `counterfoil verify`, migrations, tests.
    Operator,
}

impl Service {
    pub fn name(self) -> &'static str {
        match self {
            Service::Identity => "identity",
            Service::Ledger => "ledger",
            Service::Custody => "custody",
            Service::Lending => "lending",
            Service::Investing => "investing",
            Service::Office => "office",
            Service::Notification => "notification",
            Service::Gateway => "gateway",
            Service::Operator => "operator",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a party may do. A party may hold several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    Borrower,
    Investor,
    CreditOfficer,
    CreditSupervisor,
    Operations,
    Auditor,
    Administrator,
}

impl Role {
    pub const ALL: [Role; 7] = [
        Role::Borrower,
        Role::Investor,
        Role::CreditOfficer,
        Role::CreditSupervisor,
        Role::Operations,
        Role::Auditor,
        Role::Administrator,
    ];

    /// Staff roles need two other people to be granted; the others come with registration.
    pub fn is_staff(self) -> bool {
        !matches!(self, Role::Borrower | Role::Investor)
    }

    pub fn code(self) -> &'static str {
        match self {
            Role::Borrower => "BORROWER",
            Role::Investor => "INVESTOR",
            Role::CreditOfficer => "CREDIT_OFFICER",
            Role::CreditSupervisor => "CREDIT_SUPERVISOR",
            Role::Operations => "OPERATIONS",
            Role::Auditor => "AUDITOR",
            Role::Administrator => "ADMINISTRATOR",
        }
    }

    pub fn from_code(code: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|r| r.code() == code)
    }
}

/// What a party lets a program read of what is its own. None of them lets it do anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Scope {
    /// Name, address, language.
    Profile,
    /// Balances on both sides, statement, orders to the custodian.
    Accounts,
    /// Bids, notes, portfolio, the loans lent to.
    Investments,
    /// Applications and the loans one owes.
    Borrowing,
    /// What one has been told.
    Notices,
}

impl Scope {
    pub const ALL: [Scope; 5] =
        [Scope::Profile, Scope::Accounts, Scope::Investments, Scope::Borrowing, Scope::Notices];

    /// As OAuth writes it (RFC 6749, 3.3).
    pub fn code(self) -> &'static str {
        match self {
            Scope::Profile => "profile:read",
            Scope::Accounts => "accounts:read",
            Scope::Investments => "investments:read",
            Scope::Borrowing => "borrowing:read",
            Scope::Notices => "notices:read",
        }
    }

    pub fn from_code(code: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|s| s.code() == code)
    }
}

/// Who acts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    Anonymous,
    Person {
        party: PartyId,
        /// The human being behind the party.
        person: PersonId,
        session: SessionId,
        roles: BTreeSet<Role>,
    },
    /// A program of a party's: it reads what is the party's within its scopes, has none of the party's roles and is nobody
    /// whose word counts.
    Client {
        party: PartyId,
        client: ClientId,
        scopes: BTreeSet<Scope>,
    },
    /// Work nobody is waiting for: a listener, a job, a step of the close of business.
    System {
        work: String,
    },
}

/// The context of one request, from the front door through every service it reaches.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Call {
    pub actor: Actor,
    /// The service that asks; stamped by the client's stub and never taken from a message's sender.
    pub caller: Service,
    /// For whom the actor acts, where that is somebody else (a member for a company, a guardian).
    pub on_behalf_of: Option<PartyId>,
    pub request: RequestId,
    /// Absolute; past it the answer is "outcome unknown" and a receiver drops what has not begun.
    pub deadline: DateTime<Utc>,
}

impl Call {
    pub fn system(work: &str, caller: Service, request: RequestId, deadline: DateTime<Utc>) -> Call {
        Call { actor: Actor::System { work: work.into() }, caller, on_behalf_of: None, request, deadline }
    }

    /// The same call as it leaves `caller` for another service.
    pub fn via(&self, caller: Service) -> Call {
        Call { caller, ..self.clone() }
    }

    /// The party acted for, if a person or a party's program acts.
    pub fn party(&self) -> Option<PartyId> {
        self.on_behalf_of.or(match &self.actor {
            Actor::Person { party, .. } | Actor::Client { party, .. } => Some(*party),
            _ => None,
        })
    }

    /// The human being who acts, whatever the account; four eyes are counted by this.
    pub fn person(&self) -> Option<PersonId> {
        match &self.actor {
            Actor::Person { person, .. } => Some(*person),
            _ => None,
        }
    }

    pub fn has(&self, role: Role) -> bool {
        matches!(&self.actor, Actor::Person { roles, .. } if roles.contains(&role))
    }

    /// What a program of a party's may read; nothing is said of anybody else.
    pub fn scopes(&self) -> Option<&BTreeSet<Scope>> {
        match &self.actor {
            Actor::Client { scopes, .. } => Some(scopes),
            _ => None,
        }
    }

    pub fn has_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|r| self.has(*r))
    }

    pub fn is_staff(&self) -> bool {
        Role::ALL.into_iter().any(|r| r.is_staff() && self.has(r))
    }

    pub fn is_system(&self) -> bool {
        matches!(self.actor, Actor::System { .. })
    }
}
