//! Which event concerns whom, and what it says to them. Pure.

use custody_api::{CustodyEvent, InstructionStatus, InstructionView};
use finance::Money;
use identity_api::IdentityEvent;
use investing_api::InvestingEvent;
use kernel::id::PartyId;
use lending_api::{LendingEvent, PaymentLine};
use notification_api::NoticeKind;
use office_api::OfficeEvent;
use std::collections::BTreeMap;
use uuid::Uuid;

/// On which days past due a failed repayment is told.
const DUNNED_DAYS: [u32; 8] = [0, 1, 3, 7, 14, 30, 60, 90];

/// One thing to tell one party.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tiding {
    pub party: PartyId,
    pub kind: NoticeKind,
    pub subject: Uuid,
    pub amount: Option<Money>,
}

fn tell(party: PartyId, kind: NoticeKind, subject: Uuid, amount: Option<Money>) -> Tiding {
    Tiding { party, kind, subject, amount }
}

/// What the borrower hears, and each holder their whole part of a payment.
pub fn of_lending(event: &LendingEvent) -> Vec<Tiding> {
    use LendingEvent as E;
    use NoticeKind as K;
    let borrower = |kind, amount| {
        let loan = event.loan()?;
        Some(tell(loan.borrower, kind, loan.id.0, amount))
    };
    match event {
        E::LoanApproved { application, .. } => {
            vec![tell(
                application.borrower,
                K::ApplicationApproved,
                application.id.0,
                Some(application.amount),
            )]
        }
        E::ApplicationDeclined { application } => {
            vec![tell(
                application.borrower,
                K::ApplicationDeclined,
                application.id.0,
                Some(application.amount),
            )]
        }
        E::LoanDisbursed { loan } => {
            borrower(K::LoanPaidOut, Some(loan.terms.principal)).into_iter().collect()
        }
        E::LoanUndone { loan } => borrower(K::LoanUndone, Some(loan.terms.principal)).into_iter().collect(),
        E::RepaymentSettled { repayment, loan, lines } => {
            let mut told: Vec<Tiding> =
                borrower(K::RepaymentTaken, Some(repayment.total)).into_iter().collect();
            let received = parts(lines).into_iter();
            told.extend(
                received.map(|(holder, part)| tell(holder, K::PaymentReceived, loan.id.0, Some(part))),
            );
            told
        }
        // Whoever left a payoff at the custodian, or refused it there, knows.
        E::RepaymentFailed { repayment, .. }
            if repayment.early && matches!(repayment.why.as_str(), "USER_REFUSED" | "USER_LEFT") =>
        {
            Vec::new()
        }
        // It is tried again every day; told at first, and then ever less often.
        E::RepaymentFailed { repayment, loan } if DUNNED_DAYS.contains(&loan.days_past_due) => {
            borrower(K::RepaymentFailed, Some(repayment.total)).into_iter().collect()
        }
        E::LoanOverdue { .. } => borrower(K::LoanOverdue, None).into_iter().collect(),
        E::LoanClosed { loan } => borrower(K::LoanClosed, Some(loan.terms.principal)).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// What each holder got in all: a holder may have several notes of one loan.
fn parts(lines: &[PaymentLine]) -> BTreeMap<PartyId, Money> {
    let mut sums: BTreeMap<PartyId, Money> = BTreeMap::new();
    for line in lines {
        let Ok(part) = line.interest.plus(line.principal) else { continue };
        let before = sums.get(&line.note.holder).copied();
        let sum = before.map_or(Some(part), |b| b.plus(part).ok());
        if let Some(sum) = sum.filter(|s| s.is_positive()) {
            sums.insert(line.note.holder, sum);
        }
    }
    sums
}

pub fn of_investing(event: &InvestingEvent) -> Vec<Tiding> {
    use InvestingEvent as E;
    use NoticeKind as K;
    let borrower = |kind| {
        let listing = event.listing();
        vec![tell(listing.borrower, kind, listing.id.0, Some(listing.amount))]
    };
    match event {
        // Whoever refused it on the custodian's page knows.
        E::BidRefused { bid, .. } if bid.why == "USER_REFUSED" => Vec::new(),
        E::BidRefused { listing, bid } => {
            vec![tell(bid.investor, K::BidRefused, listing.id.0, Some(bid.amount))]
        }
        E::BidEnded { listing, bid } => {
            vec![tell(bid.investor, K::BidReleased, listing.id.0, Some(bid.amount))]
        }
        E::ListingFilled { .. } => borrower(K::ListingFilled),
        E::ListingExpired { .. } => borrower(K::ListingExpired),
        E::ListingCancelled { .. } => borrower(K::ListingCancelled),
        _ => Vec::new(),
    }
}

fn of_order(instruction: &InstructionView, arrived: bool) -> Vec<Tiding> {
    use NoticeKind as K;
    let kind = match (instruction.operation.as_str(), arrived) {
        ("top_up", true) => K::TopUpArrived,
        ("withdraw", true) => K::WithdrawalPaid,
        // Whoever refused it on the custodian's page knows.
        ("withdraw", false) if instruction.status != InstructionStatus::Cancelled => K::WithdrawalFailed,
        _ => return Vec::new(),
    };
    let told = instruction.party.map(|party| tell(party, kind, Uuid::nil(), instruction.amount));
    told.into_iter().collect()
}

pub fn of_custody(event: &CustodyEvent) -> Vec<Tiding> {
    use NoticeKind as K;
    match event {
        CustodyEvent::InstructionSettled { instruction, .. } => of_order(instruction, true),
        CustodyEvent::InstructionFailed { instruction } => of_order(instruction, false),
        CustodyEvent::BreakFound { party: Some(party), amount, .. } => {
            vec![tell(*party, K::AccountBlocked, Uuid::nil(), Some(*amount))]
        }
        CustodyEvent::BreakClosed { party: Some(party), .. } => {
            vec![tell(*party, K::AccountFree, Uuid::nil(), None)]
        }
        _ => Vec::new(),
    }
}

pub fn of_identity(event: &IdentityEvent) -> Vec<Tiding> {
    match event {
        IdentityEvent::PasswordChanged { party } => {
            vec![tell(*party, NoticeKind::PasswordChanged, Uuid::nil(), None)]
        }
        IdentityEvent::FactorAdded { party } => {
            vec![tell(*party, NoticeKind::FactorAdded, Uuid::nil(), None)]
        }
        IdentityEvent::RecoveryCodeUsed { party } => {
            vec![tell(*party, NoticeKind::RecoveryCodeUsed, Uuid::nil(), None)]
        }
        IdentityEvent::ClientCreated { party, .. } => {
            vec![tell(*party, NoticeKind::ClientCreated, Uuid::nil(), None)]
        }
        IdentityEvent::FactorRemoved { party } => {
            vec![tell(*party, NoticeKind::FactorRemoved, Uuid::nil(), None)]
        }
        _ => Vec::new(),
    }
}

/// Everybody who said a word hears how it ended, but for the one whose word ended it.
pub fn of_office(event: &OfficeEvent) -> Vec<Tiding> {
    let (kind, task) = match event {
        OfficeEvent::Approved { task } => (NoticeKind::TaskApproved, task),
        OfficeEvent::Refused { task } => (NoticeKind::TaskRefused, task),
        _ => return Vec::new(),
    };
    let earlier = task.approvals.split_last().map_or(&[][..], |(_, earlier)| earlier);
    earlier.iter().map(|word| tell(word.party, kind, task.id.0, None)).collect()
}
