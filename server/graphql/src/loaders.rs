//! Batched reads: one call to a service for all rows of an answer that need it.

use crate::context::{Asker, Services};
use async_graphql::dataloader::Loader;
use chrono::NaiveDate;
use identity_api::{Identity, PartiesOf, PartyView};
use investing_api::{Investing, ListingView, ListingsOf};
use kernel::id::{ApplicationId, LineId, ListingId, LoanId, PartyId, TaskId};
use lending_api::{ApplicationView, Lending, LoanView, LoansOf, NextDuesOf, Received, ReceivedOf};
use office_api::{Office, QueueOf, TaskView};
use platform::Fault;
use platform::page::Page;
use std::collections::HashMap;

/// Loads with the rights of who asks.
pub struct Loaders {
    pub services: Services,
    pub asker: Asker,
}

/// Why a batch could not be read, in words for the log; the answer says `SERVICE_UNAVAILABLE`.
type Failed = String;

impl Loader<ListingId> for Loaders {
    type Value = ListingView;
    type Error = Failed;

    async fn load(&self, keys: &[ListingId]) -> Result<HashMap<ListingId, ListingView>, Failed> {
        let mut found = HashMap::new();
        for ids in keys.chunks(100) {
            let ask = ListingsOf { ids: ids.to_vec(), ..ListingsOf::all(Page::first(100)) };
            let listings = self.services.investing.listings(&self.asker.call(), ask).await;
            found.extend(listings.map_err(|e| e.to_string())?.into_iter().map(|l| (l.id, l)));
        }
        Ok(found)
    }
}

impl Loader<LoanId> for Loaders {
    type Value = LoanView;
    type Error = Failed;

    async fn load(&self, keys: &[LoanId]) -> Result<HashMap<LoanId, LoanView>, Failed> {
        let mut found = HashMap::new();
        for ids in keys.chunks(100) {
            let ask = LoansOf { ids: ids.to_vec(), borrower: None, status: None, page: Page::first(100) };
            let loans = self.services.lending.loans(&self.asker.call(), ask).await;
            found.extend(loans.map_err(|e| e.to_string())?.into_iter().map(|l| (l.id, l)));
        }
        Ok(found)
    }
}

/// The key to when a loan's next instalment is due.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NextDueOf(pub LoanId);

impl Loader<NextDueOf> for Loaders {
    type Value = NaiveDate;
    type Error = Failed;

    async fn load(&self, keys: &[NextDueOf]) -> Result<HashMap<NextDueOf, NaiveDate>, Failed> {
        let mut found = HashMap::new();
        for keys in keys.chunks(100) {
            let ask = NextDuesOf { loans: keys.iter().map(|k| k.0).collect() };
            let dues = self.services.lending.next_dues(&self.asker.call(), ask).await;
            found.extend(dues.map_err(|e| e.to_string())?.into_iter().map(|d| (NextDueOf(d.loan), d.due)));
        }
        Ok(found)
    }
}

impl Loader<LineId> for Loaders {
    type Value = Received;
    type Error = Failed;

    async fn load(&self, keys: &[LineId]) -> Result<HashMap<LineId, Received>, Failed> {
        let mut found = HashMap::new();
        for lines in keys.chunks(100) {
            let parts = self
                .services
                .lending
                .received(&self.asker.call(), ReceivedOf { lines: lines.to_vec() })
                .await;
            found.extend(parts.map_err(|e| e.to_string())?.into_iter().map(|p| (p.line, p)));
        }
        Ok(found)
    }
}

impl Loader<PartyId> for Loaders {
    type Value = PartyView;
    type Error = Failed;

    async fn load(&self, keys: &[PartyId]) -> Result<HashMap<PartyId, PartyView>, Failed> {
        let mut found = HashMap::new();
        for ids in keys.chunks(100) {
            let parties =
                self.services.identity.parties(&self.asker.call(), PartiesOf { ids: ids.to_vec() }).await;
            found.extend(parties.map_err(|e| e.to_string())?.into_iter().map(|p| (p.id, p)));
        }
        Ok(found)
    }
}

impl Loader<ApplicationId> for Loaders {
    type Value = ApplicationView;
    type Error = Failed;

    async fn load(&self, keys: &[ApplicationId]) -> Result<HashMap<ApplicationId, ApplicationView>, Failed> {
        let mut found = HashMap::new();
        for ids in keys.chunks(100) {
            let ask = lending_api::ApplicationsOf {
                ids: ids.to_vec(),
                borrower: None,
                status: None,
                page: Page::first(100),
            };
            let views = self.services.lending.applications(&self.asker.call(), ask).await;
            found.extend(views.map_err(|e| e.to_string())?.into_iter().map(|a| (a.id, a)));
        }
        Ok(found)
    }
}

/// Those that the asker may see; to somebody who may see none there are none.
impl Loader<TaskId> for Loaders {
    type Value = TaskView;
    type Error = Failed;

    async fn load(&self, keys: &[TaskId]) -> Result<HashMap<TaskId, TaskView>, Failed> {
        let mut found = HashMap::new();
        for ids in keys.chunks(100) {
            let ask = QueueOf { ids: ids.to_vec(), kind: None, all: true, page: Page::first(100) };
            match self.services.office.queue(&self.asker.call(), ask).await {
                Ok(tasks) => found.extend(tasks.into_iter().map(|t| (t.id, t))),
                Err(Fault::Forbidden) => {}
                Err(e) => return Err(e.to_string()),
            }
        }
        Ok(found)
    }
}
