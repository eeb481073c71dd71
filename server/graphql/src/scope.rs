//! What a program may see of the schema, by the scopes that its party gave it.
//!
//! Everything is closed that is not written here: a new type or field of the schema is no program's until somebody has
//! decided of which scope it is. A program changes nothing.

use crate::context::Asker;
use crate::error::top;
use crate::guard::Refused;
use async_graphql::{Error, ErrorExtensions};
use kernel::Actor;
use kernel::call::Scope::{self, Accounts, Borrowing, Investments, Notices, Profile};

/// What a program needs to see something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    Nothing,
    /// One of these.
    Any(&'static [Scope]),
    /// No program sees it.
    Closed,
}

const LENDING: Need = Need::Any(&[Investments, Borrowing]);

/// Of a type's fields. Its lists are as it is.
pub const TYPES: &[(&str, Need)] = &[
    ("Account", Need::Any(&[Accounts])),
    ("AccountChange", Need::Any(&[Accounts])),
    ("Application", Need::Any(&[Borrowing])),
    ("Bid", Need::Any(&[Investments])),
    ("CashAccount", Need::Any(&[Accounts])),
    ("CashMovement", Need::Any(&[Accounts])),
    ("Consent", Need::Any(&[Accounts])),
    ("Consents", Need::Any(&[Accounts])),
    ("DateChange", Need::Nothing),
    ("ExpectedCash", Need::Any(&[Investments])),
    ("Instalment", LENDING),
    ("Listing", Need::Nothing),
    ("ListingChange", Need::Nothing),
    ("Loan", LENDING),
    ("LoanChange", LENDING),
    ("Money", Need::Nothing),
    ("Note", Need::Any(&[Investments])),
    ("NotePayment", Need::Any(&[Investments])),
    ("Notice", Need::Any(&[Notices])),
    ("NoticeBox", Need::Any(&[Notices])),
    ("NoticeChange", Need::Any(&[Notices])),
    ("Order", Need::Any(&[Accounts])),
    ("PageInfo", Need::Nothing),
    ("Party", Need::Any(&[Profile])),
    ("Portfolio", Need::Any(&[Investments])),
    ("Product", Need::Nothing),
    ("ProofTotal", Need::Nothing),
    ("PublicProof", Need::Nothing),
    ("RepaidParts", Need::Any(&[Accounts])),
    ("Repayment", LENDING),
    ("StatementLine", Need::Any(&[Accounts])),
];

/// Where a field is not as its type is: the roots, and what leads on.
pub const FIELDS: &[(&str, Need)] = &[
    ("Application.borrower", Need::Any(&[Profile])),
    ("Application.documents", Need::Closed),
    ("Bid.redirectUrl", Need::Closed),
    ("Consents.pageUrl", Need::Closed),
    ("Listing.borrower", Need::Closed),
    ("Listing.feeAllowed", Need::Closed),
    ("Listing.loan", LENDING),
    ("Loan.borrower", Need::Any(&[Profile])),
    ("Loan.feeOrder", Need::Any(&[Accounts])),
    ("Order.redirectUrl", Need::Closed),
    ("Query.application", Need::Any(&[Borrowing])),
    ("Query.businessDate", Need::Nothing),
    ("Query.lastProof", Need::Nothing),
    ("Query.listedCurrencies", Need::Nothing),
    ("Query.listing", Need::Nothing),
    ("Query.listings", Need::Nothing),
    ("Query.loan", LENDING),
    ("Query.node", Need::Nothing),
    ("Query.products", Need::Nothing),
    ("Query.repayment", LENDING),
    ("Query.viewer", Need::Nothing),
    ("Repayment.redirectUrl", Need::Closed),
    ("Subscription.accountChanged", Need::Any(&[Accounts])),
    ("Subscription.businessDateChanged", Need::Nothing),
    ("Subscription.listingChanged", Need::Nothing),
    ("Subscription.loanChanged", LENDING),
    ("Subscription.noticeChanged", Need::Any(&[Notices])),
    ("Viewer.accounts", Need::Any(&[Accounts])),
    ("Viewer.applications", Need::Any(&[Borrowing])),
    ("Viewer.bids", Need::Any(&[Investments])),
    ("Viewer.cashAccount", Need::Any(&[Accounts])),
    ("Viewer.cashMovements", Need::Any(&[Accounts])),
    ("Viewer.loans", Need::Any(&[Borrowing])),
    ("Viewer.noticeBox", Need::Any(&[Notices])),
    ("Viewer.notices", Need::Any(&[Notices])),
    ("Viewer.notes", Need::Any(&[Investments])),
    ("Viewer.orders", Need::Any(&[Accounts])),
    ("Viewer.party", Need::Any(&[Profile])),
    ("Viewer.portfolio", Need::Any(&[Investments])),
    ("Viewer.statement", Need::Any(&[Accounts])),
];

/// What a program needs to see a field.
pub fn need(parent: &str, field: &str) -> Need {
    // One of a list, as the library names it: the list itself was asked for as a field.
    if field.starts_with("__") || parent.starts_with('[') {
        return Need::Nothing;
    }
    let whole = |(name, _): &&(&str, Need)| {
        name.strip_prefix(parent).and_then(|rest| rest.strip_prefix('.')).is_some_and(|f| f == field)
    };
    if let Some((_, need)) = FIELDS.iter().find(whole) {
        return *need;
    }
    let listed = parent.strip_suffix("Connection").or(parent.strip_suffix("Edge")).unwrap_or(parent);
    TYPES.iter().find(|(name, _)| *name == listed).map_or(Need::Closed, |(_, need)| *need)
}

/// # Errors
/// When a program asks for what its party did not let it see.
pub fn check(asker: &Asker, parent: &str, field: &str) -> Result<(), Error> {
    let Actor::Client { scopes, .. } = &asker.actor else { return Ok(()) };
    match need(parent, field) {
        Need::Nothing => Ok(()),
        Need::Any(any) if any.iter().any(|s| scopes.contains(s)) => Ok(()),
        Need::Any(any) => {
            let names: Vec<&str> = any.iter().map(|s| s.code()).collect();
            let why = format!("the program may not read this; it needs {}", names.join(" or "));
            let names: Vec<async_graphql::Value> = names.into_iter().map(Into::into).collect();
            Err(top("SCOPE_MISSING", &why).extend_with(move |_, e| e.set("scopes", names.clone())))
        }
        Need::Closed => Err(top("FORBIDDEN", "no program reads this")),
    }
}

/// The same of an operation's one root field, before it is run.
///
/// # Errors
/// As [`check`].
pub fn check_root(asker: &Asker, root: &str, field: &str) -> Result<(), Refused> {
    let Actor::Client { .. } = asker.actor else { return Ok(()) };
    if root == "Mutation" {
        return Err(Refused { code: "FORBIDDEN", message: "a program reads and changes nothing".into() });
    }
    check(asker, root, field).map_err(|e| {
        let code = if need(root, field) == Need::Closed { "FORBIDDEN" } else { "SCOPE_MISSING" };
        Refused { code, message: e.message }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_names_something_of_the_schema() {
        let sdl = crate::sdl();
        let fields = |of: &str| {
            let (_, rest) = sdl.split_once(&format!("\ntype {of} "))?;
            rest.split_once("\n}").map(|(body, _)| body.to_string())
        };
        for (name, _) in TYPES {
            assert!(fields(name).is_some(), "{name} is no type");
        }
        for (name, _) in FIELDS {
            let (parent, field) = name.split_once('.').unwrap();
            let body = fields(parent).unwrap_or_default();
            let there = body
                .lines()
                .any(|l| l.trim_start().strip_prefix(field).is_some_and(|rest| rest.starts_with([':', '('])));
            assert!(there, "{name} is no field");
        }
    }

    #[test]
    fn what_nobody_has_decided_is_closed() {
        assert_eq!(need("Viewer", "sessions"), Need::Closed);
        assert_eq!(need("Query", "acts"), Need::Closed);
        assert_eq!(need("Query", "something_new"), Need::Closed);
        assert_eq!(need("TaskConnection", "nodes"), Need::Closed);
        assert_eq!(need("BidConnection", "nodes"), Need::Any(&[Investments]));
        assert_eq!(need("ListingEdge", "cursor"), Need::Nothing);
        assert_eq!(need("Listing", "borrower"), Need::Closed);
        assert_eq!(need("Listing", "__typename"), Need::Nothing);
    }
}
