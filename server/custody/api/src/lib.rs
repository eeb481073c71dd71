//! What others may ask of custody.
//!
//! Every command is an instruction to the custodian under an id that is ours and unique for ever. The answer says what
//! is known at once; what becomes of it is announced. Custody alone commands the ledger for client money: it posts what
//! the custodian did, as the custodian did it.

pub mod event;
pub mod instruction;
pub mod proof;

pub use event::CustodyEvent;
pub use instruction::*;
pub use proof::{Finding, OwnerLine, ProofReport, ProofSummary, Verdict};

use platform::outbox::{EventPage, EventsAfter};
use platform::reader::{DeadLetter, ParkedOf, Unpark};

kernel::errors! {
    pub enum CustodyError {
        InstructionIdTaken = "CUSTODY_INSTRUCTION_ID_TAKEN" @ "id": "this id was used for something else",
        InstructionNotFound = "CUSTODY_INSTRUCTION_NOT_FOUND" @ "id": "there is no such instruction",
        AmountNotPositive = "CUSTODY_AMOUNT_NOT_POSITIVE" @ "amount": "the amount must be above zero",
        AmountTooLarge = "CUSTODY_AMOUNT_TOO_LARGE" @ "amount": "no single order is that large; ten million million is the most in a currency with cents",
        NoCashAccount = "CUSTODY_NO_CASH_ACCOUNT": "there is no cash account at the custodian yet; open it first",
        CashAccountExists = "CUSTODY_CASH_ACCOUNT_EXISTS": "there is a cash account at the custodian already",
        /// The freeze, batch or line it refers to is not known or not settled.
        ReferenceNotFound = "CUSTODY_REFERENCE_NOT_FOUND": "what this refers to is not there",
        InsufficientFunds = "CUSTODY_INSUFFICIENT_FUNDS" @ "amount": "there is not enough available money",
        /// An attempt is under way; what comes of it must be known first.
        StillUnderWay = "CUSTODY_STILL_UNDER_WAY" @ "order": "an attempt at this is still under way",
        BreakNotFound = "CUSTODY_BREAK_NOT_FOUND" @ "id": "there is no such difference",
        /// A break is open: people must settle it before money leaves.
        AccountBlocked = "CUSTODY_ACCOUNT_BLOCKED": "the account is blocked until an open difference has been settled",
    }
}

platform::service! {
    /// Cash accounts at the custodian.
    pub Custody as "custody", client CustodyClient, dispatcher CustodyDispatcher, errors CustodyError {
        /// Opens the party's cash account; the party confirms on the custodian's page.
        open_account(OpenCashAccount) -> InstructionView;
        /// Asks the party to allow orders of some kinds within limits, on the custodian's page.
        grant(GrantConsent) -> InstructionView;
        /// Pays in, on the custodian's page.
        top_up(TopUp) -> InstructionView;
        /// Pays out to the party's own bank, on the custodian's page. Reserves first.
        withdraw(Withdraw) -> InstructionView;
        /// Registers a listing at the custodian, which watches its limit from then on.
        create_project(CreateProject) -> InstructionView;
        /// Freezes money for a bid or a repayment, by consent or on the custodian's page.
        freeze(Freeze) -> InstructionView;
        /// Gives a freeze back; the reservation is voided when the custodian has done so.
        unfreeze(Unfreeze) -> InstructionView;
        /// Pays frozen bids to the borrower, arriving blocked.
        disburse(Disburse) -> InstructionView;
        /// Frees what a disbursement brought.
        unblock(Unblock) -> InstructionView;
        /// Sends a disbursement's line back to its source.
        reverse_line(ReverseLine) -> InstructionView;
        /// Pays holders out of a freeze.
        repay(Repay) -> InstructionView;
        /// Takes the platform's fee the payer consented to.
        charge_fee(ChargeFee) -> InstructionView;
        /// Ends the attempts at an order; answers which of its lines have settled.
        give_up(GiveUp) -> Vec<SettledLine>;
        /// Closes a break; where it was the owner's last, the account's money may leave again.
        close_break(CloseBreak) -> ();
        /// What is known of an instruction.
        instruction(InstructionOf) -> InstructionView;
        /// A party's instructions, newest first.
        instructions(InstructionsOf) -> Vec<InstructionView>;
        /// Whether a party has a cash account.
        cash_account(CashAccountOf) -> Option<CashAccountView>;
        /// What a party's cash account holds by the custodian's own movements, one amount per currency.
        cash_balances(CashAccountOf) -> Vec<finance::Money>;
        /// What a party allows at the custodian at present; the custodian is asked.
        consents(CashAccountOf) -> Consents;
        /// A party's cash movements, newest first.
        movements(MovementsOf) -> Vec<CashMovement>;
        /// A hint from the custodian, already verified: look now.
        hint(Hint) -> ();
        /// Proves both books against the custodian's signed statement.
        proof(ProveBooks) -> ProofReport;
        /// What the last proof said; public.
        last_proof(LastProofOf) -> Option<ProofSummary>;
        /// Gives the head of the ledger's chain to the custodian for keeping.
        anchor(AnchorBooks) -> ();
        /// The head of the audit log that the custodian keeps; for office.
        anchored(AnchoredOf) -> Option<String>;
        /// What is on its way.
        in_flight(InFlightOf) -> InFlight;
        /// Brings the custodian's business date forward where it lets us; answers what it is.
        open_day(OpenCustodianDay) -> chrono::NaiveDate;
        /// What failed too often and waits for a person.
        parked(ParkedOf) -> Vec<DeadLetter>;
        /// Tries it again; answers whether it was there.
        unpark(Unpark) -> bool;
        /// What was announced after a position.
        events(EventsAfter) -> EventPage;
    }
}
