//! Accounts: who owns them, what they are for, what they may do.

use finance::Currency;
use kernel::id::{AccountId, derived};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// What an account is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountKind {
    /// A user's money to dispose of.
    Available,
    /// A user's money that has arrived blocked.
    Held,
    /// What a user brought in from the world less what went back; so that no single row is touched by everyone.
    Outside,
    /// Facts that a floor or a missing reservation would forbid; no floor, normally zero.
    Shortfall,
    /// A listing's or a repayment's point of passage; its limit is the amount sought.
    Control,
    /// The platform's fees.
    Income,
    /// The platform's own money.
    OwnFunds,
}

impl AccountKind {
    pub const ALL: [AccountKind; 7] = [
        AccountKind::Available,
        AccountKind::Held,
        AccountKind::Outside,
        AccountKind::Shortfall,
        AccountKind::Control,
        AccountKind::Income,
        AccountKind::OwnFunds,
    ];

    pub fn code(self) -> &'static str {
        match self {
            AccountKind::Available => "AVAILABLE",
            AccountKind::Held => "HELD",
            AccountKind::Outside => "OUTSIDE",
            AccountKind::Shortfall => "SHORTFALL",
            AccountKind::Control => "CONTROL",
            AccountKind::Income => "INCOME",
            AccountKind::OwnFunds => "OWN_FUNDS",
        }
    }

    pub fn from_code(code: &str) -> Option<AccountKind> {
        AccountKind::ALL.into_iter().find(|k| k.code() == code)
    }

    /// Whether more may leave the account than has come in.
    pub fn may_overdraw(self) -> bool {
        matches!(self, AccountKind::Outside | AccountKind::Shortfall)
    }
}

/// What names an account; its id follows from it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct AccountKey {
    /// A party, a listing, a loan, or the platform.
    pub owner: Uuid,
    pub currency: Currency,
    /// The custodian whose cash accounts stand opposite.
    pub custodian: String,
    pub kind: AccountKind,
}

impl AccountKey {
    pub fn id(&self) -> AccountId {
        derived::account(self.owner, self.currency.code(), &self.custodian, self.kind.code())
    }
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.owner, self.currency, self.custodian, self.kind.code())
    }
}

/// What an account may not do. Overdraft follows from its kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Flags {
    pub debit_blocked: bool,
    pub credit_blocked: bool,
    pub closed: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenAccount {
    pub key: AccountKey,
    /// Limit on gross credits, posted and pending, in minor units.
    pub credit_limit: Option<i64>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenAccounts {
    pub accounts: Vec<OpenAccount>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SetFlags {
    pub account: AccountId,
    pub flags: Flags,
}

/// An account with its sums, in minor units.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccountView {
    pub id: AccountId,
    pub key: AccountKey,
    pub flags: Flags,
    pub credit_limit: Option<i64>,
    pub debits_posted: i64,
    pub credits_posted: i64,
    pub debits_pending: i64,
    pub credits_pending: i64,
}

impl AccountView {
    /// Credits less debits, posted.
    pub fn balance(&self) -> i64 {
        self.credits_posted - self.debits_posted
    }

    /// What is left after reservations.
    pub fn disposable(&self) -> i64 {
        self.balance() - self.debits_pending
    }
}
