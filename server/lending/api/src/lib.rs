//! What others may ask of lending: applications, loans, notes, repayments.

pub mod application;
mod draft;
pub mod event;
pub mod loan;

pub use application::*;
pub use draft::*;
pub use event::{LendingEvent, PaymentLine};
pub use loan::*;

use platform::outbox::{EventPage, EventsAfter};
use platform::reader::{DeadLetter, ParkedOf, Unpark};

kernel::errors! {
    pub enum LendingError {
        ProductNotFound = "LENDING_PRODUCT_NOT_FOUND" @ "currency": "no product lends in this currency",
        AmountOutOfRange { minimum: finance::Money, maximum: finance::Money } = "LENDING_AMOUNT_OUT_OF_RANGE" @ "amount": "between {minimum} and {maximum}",
        TermOutOfRange { months_min: u32, months_max: u32 } = "LENDING_TERM_OUT_OF_RANGE" @ "termMonths": "between {months_min} and {months_max} months",
        PurposeMissing = "LENDING_PURPOSE_MISSING" @ "purpose": "please say what the money is for",
        DraftTooLarge = "LENDING_DRAFT_TOO_LARGE": "this is more than a draft can hold",
        ApplicationIdTaken = "LENDING_APPLICATION_ID_TAKEN" @ "id": "this id was used for another application",
        ApplicationNotFound = "LENDING_APPLICATION_NOT_FOUND" @ "application": "there is no such application",
        ApplicationNotOpen = "LENDING_APPLICATION_NOT_OPEN" @ "application": "this application has been decided or withdrawn",
        RateOutOfBand { lowest: finance::Rate, highest: finance::Rate } = "LENDING_RATE_OUT_OF_BAND" @ "rate": "the product's band is {lowest} to {highest}",
        /// The rate stands and is being decided.
        RateProposed = "LENDING_RATE_PROPOSED" @ "rate": "a rate has been proposed and is being decided",
        OwnApplication = "LENDING_OWN_APPLICATION" @ "application": "nobody decides their own application",
        LoanNotFound = "LENDING_LOAN_NOT_FOUND" @ "loan": "there is no such loan",
        LoanNotActive = "LENDING_LOAN_NOT_ACTIVE" @ "loan": "this loan is not running",
        /// One thing at a time happens to a loan.
        LoanBusy = "LENDING_LOAN_BUSY" @ "loan": "a payment for this loan is under way; please wait for it",
        RepaymentIdTaken = "LENDING_REPAYMENT_ID_TAKEN" @ "id": "this id was used for another repayment",
        QuoteIdTaken = "LENDING_QUOTE_ID_TAKEN" @ "id": "this id was used for another quote",
        QuoteNotFound = "LENDING_QUOTE_NOT_FOUND" @ "quote": "there is no such quote",
        QuoteExpired = "LENDING_QUOTE_EXPIRED" @ "quote": "the quote has run out; ask for a new one",
        /// The loan has changed since; the quoted amount would be wrong.
        QuoteChanged = "LENDING_QUOTE_CHANGED" @ "quote": "the loan has changed since the quote; ask for a new one",
        InsufficientFunds = "LENDING_INSUFFICIENT_FUNDS" @ "amount": "there is not enough available money; top up first",
        AccountBlocked = "LENDING_ACCOUNT_BLOCKED": "the account is blocked until an open difference has been settled",
    }
}

platform::service! {
    /// Applications, loans, notes, repayments.
    pub Lending as "lending", client LendingClient, dispatcher LendingDispatcher, errors LendingError {
        /// What is lent, on which terms.
        products(ProductsOf) -> Vec<Product>;
        /// A borrower asks for a loan.
        apply(Apply) -> ApplicationView;
        withdraw_application(ApplicationOf) -> ApplicationView;
        /// Keeps what one has typed of an application; gone when it is sent.
        save_draft(SaveDraft) -> DraftView;
        discard_draft(DiscardDraft) -> ();
        /// One's own draft.
        draft(DraftOf) -> Option<DraftView>;
        /// An officer sets the rate within the product's band; two people then decide.
        propose_rate(ProposeRate) -> ApplicationView;
        application(ApplicationOf) -> ApplicationView;
        /// Newest first: one's own, or all for staff.
        applications(ApplicationsOf) -> Vec<ApplicationView>;
        loan(LoanOf) -> LoanView;
        loans(LoansOf) -> Vec<LoanView>;
        /// What is due when, and what was paid when.
        schedule(LoanOf) -> Vec<InstalmentView>;
        /// When of each loan the next instalment is due; of those alone that the caller may see and that owe one.
        next_dues(NextDuesOf) -> Vec<NextDue>;
        /// Notes of one's own, or of a loan for staff and services.
        notes(NotesOf) -> Vec<NoteView>;
        /// What each repayment brought a note.
        note_history(NoteOf) -> Vec<NotePayment>;
        /// Of which parts lines of repayments are: of one's own, or of anybody's for staff and services.
        received(ReceivedOf) -> Vec<Received>;
        /// What a holder's notes come to, by currency.
        portfolio(PortfolioOf) -> Vec<PortfolioView>;
        /// Pays what is due, or the next instalment where nothing is.
        repay(RepayDue) -> RepaymentView;
        /// What it takes to pay the loan off today.
        quote_payoff(QuotePayoff) -> QuoteView;
        /// Pays the loan off at the quoted amount, or not at all.
        repay_early(RepayEarly) -> RepaymentView;
        repayment(RepaymentOf) -> RepaymentView;
        /// A loan's payments, newest first.
        repayments(LoanOf) -> Vec<RepaymentView>;
        /// The business date's work: standing consents pay what is due; what is late becomes overdue.
        run_day(RunDay) -> DayRun;
        /// What failed too often and waits for a person.
        parked(ParkedOf) -> Vec<DeadLetter>;
        /// Tries it again; answers whether it was there.
        unpark(Unpark) -> bool;
        events(EventsAfter) -> EventPage;
    }
}
