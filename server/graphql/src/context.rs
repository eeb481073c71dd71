//! What a resolver has at hand: the services, and who asks.

use async_graphql::Context;
use async_graphql::dataloader::DataLoader;
use chrono::{DateTime, Duration, Utc};
use custody_api::CustodyClient;
use identity_api::{IdentityClient, Secret};
use investing_api::InvestingClient;
use kernel::call::{Actor, Call, Service};
use kernel::clock::SharedClock;
use kernel::id::{PartyId, RequestId};
use ledger_api::LedgerClient;
use lending_api::LendingClient;
use notification_api::NotificationClient;
use office_api::OfficeClient;
use std::sync::{Arc, Mutex};

/// How long one call to a service may take.
const DEADLINE_SECONDS: i64 = 15;

/// The services as the gateway reaches them.
#[derive(Clone)]
pub struct Services {
    pub identity: IdentityClient,
    pub ledger: LedgerClient,
    pub custody: CustodyClient,
    pub office: OfficeClient,
    pub investing: InvestingClient,
    pub lending: LendingClient,
    pub notification: NotificationClient,
}

/// What becomes of the browser's refresh cookie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cookie {
    Set { refresh: Secret, expires_at: DateTime<Utc> },
    Clear,
}

/// Who asks, in one request or on one socket.
#[derive(Clone)]
pub struct Asker {
    pub actor: Actor,
    pub request: RequestId,
    pub clock: SharedClock,
    /// Where from, for throttling.
    pub address: String,
    /// With which program, for the list of sessions.
    pub agent: String,
    /// The refresh token the browser sent.
    pub refresh: Option<Secret>,
    /// Where an answer's cookie goes; nowhere on a socket.
    pub cookie: Option<Arc<Mutex<Option<Cookie>>>>,
    /// Why a use case refused, for the audit log.
    pub refused: Arc<Mutex<Option<&'static str>>>,
}

impl Asker {
    pub fn call(&self) -> Call {
        Call {
            actor: self.actor.clone(),
            caller: Service::Gateway,
            on_behalf_of: None,
            request: self.request,
            deadline: self.clock.now() + Duration::seconds(DEADLINE_SECONDS),
        }
    }

    pub fn party(&self) -> Option<PartyId> {
        self.call().party()
    }

    pub fn is_staff(&self) -> bool {
        self.call().is_staff()
    }

    /// Remembers that a use case refused, and by which code.
    pub fn note_refusal(&self, code: &'static str) {
        *self.refused.lock().unwrap_or_else(|p| p.into_inner()) = Some(code);
    }

    pub fn refusal(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(|p| p.into_inner()).map(str::to_string)
    }

    /// Leaves a cookie on the answer. Answers whether there is an answer that can carry it.
    pub fn leave(&self, cookie: Cookie) -> bool {
        let Some(place) = &self.cookie else { return false };
        *place.lock().unwrap_or_else(|p| p.into_inner()) = Some(cookie);
        true
    }
}

pub fn services<'a>(ctx: &Context<'a>) -> &'a Services {
    ctx.data_unchecked::<Services>()
}

pub fn asker<'a>(ctx: &Context<'a>) -> &'a Asker {
    ctx.data_unchecked::<Asker>()
}

pub fn loader<'a>(ctx: &Context<'a>) -> &'a DataLoader<crate::loaders::Loaders> {
    ctx.data_unchecked::<DataLoader<crate::loaders::Loaders>>()
}
