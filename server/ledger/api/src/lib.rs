//! What others may ask of the ledger.
//!
//! The ledger knows accounts, transfers and reservations, and neither people nor loans. It is posted by instruction of
//! custody; lending and investing may ask for a reservation.

pub mod account;
pub mod batch;
pub mod event;
pub mod statement;

pub use account::{AccountKey, AccountKind, AccountView, Flags, OpenAccount, OpenAccounts, SetFlags};
pub use batch::{Code, Operation, Outcome, OutcomeCode, PendingState, PendingView, PostBatch, Posted};
pub use event::LedgerEvent;
pub use statement::{
    Balance, BalancesOf, ChainHead, Entry, Means, OpenReservation, Proof, ProofFault, ProofOf, Statement,
    StatementOf, TransferKind, means,
};

use platform::outbox::{EventPage, EventsAfter};
use serde::{Deserialize, Serialize};

kernel::errors! {
    /// What the ledger refuses as a whole; single transfers are answered by [`OutcomeCode`].
    pub enum LedgerError {
        /// More than [`batch::OPERATIONS_MAX`] operations.
        BatchTooLarge { operations_max: usize } = "LEDGER_BATCH_TOO_LARGE": "a batch has at most {operations_max} operations",
        BatchEmpty = "LEDGER_BATCH_EMPTY": "a batch needs at least one operation",
        /// The account exists with another limit.
        AccountDiffers { key: String } = "LEDGER_ACCOUNT_DIFFERS": "the account {key} exists with other terms",
        AccountNotFound = "LEDGER_ACCOUNT_NOT_FOUND": "there is no such account",
    }
}

/// Asks for the state of reservations by id.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PendingsOf {
    pub ids: Vec<kernel::id::TransferId>,
}

platform::service! {
    /// Virtual accounts.
    pub Ledger as "ledger", client LedgerClient, dispatcher LedgerDispatcher, errors LedgerError {
        /// Opens accounts. Opening one again with the same terms changes nothing.
        open_accounts(OpenAccounts) -> Vec<AccountView>;
        /// Blocks, unblocks or closes an account. Custody alone may.
        set_flags(SetFlags) -> AccountView;
        /// Posts a batch; answers with a code per operation. The same ids again answer as before.
        post_batch(PostBatch) -> Posted;
        /// Balances of one owner, now or at the end of a business date.
        balances(BalancesOf) -> Vec<Balance>;
        /// Entries of one owner's accounts, newest first.
        statement(StatementOf) -> Statement;
        /// Reservations by id; unknown ids are left out.
        pendings(PendingsOf) -> Vec<PendingView>;
        /// The ledger's side of the proof: checks itself and gives every owner's balances at one position.
        proof(ProofOf) -> Proof;
        /// What was announced after a position.
        events(EventsAfter) -> EventPage;
    }
}
