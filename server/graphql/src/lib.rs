//! The one public door: GraphQL over HTTP and WebSocket.
//!
//! It holds no business rule: a resolver translates and calls one use case. It knows the services by their published
//! interfaces alone. Around the schema stands a thin layer of our own ([`http`], [`socket`]) with a guard before it
//! ([`guard`]); what the library does by itself lets mutations run by GET, from other origins and in hostile documents.
//!
//! **Invariant:** nothing here reads a table, and no resolver issues a query per row of a list.

pub mod account;
pub mod application;
pub mod audit;
pub mod client;
pub mod context;
pub mod document;
pub mod draft;
pub mod error;
pub mod feed;
pub mod guard;
pub mod http;
pub mod id;
pub mod limit;
pub mod listing;
pub mod live;
pub mod loaders;
pub mod loan;
pub mod notice;
pub mod oauth;
pub mod page;
pub mod parked;
pub mod party;
pub mod proof;
pub mod query;
pub mod scalars;
pub mod scope;
pub mod socket;
pub mod task;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, NextValidation, ResolveInfo,
};
use async_graphql::{
    MergedObject, Response, Schema, ServerError, ServerResult, SimpleObject, ValidationResult, Value,
};
use context::Services;
use error::top;
use futures::FutureExt;
use kernel::Call;
use kernel::call::Service;
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::id::RequestId;
use limit::{Bill, Limits};
use live::{Feeds, Subscription};
use platform::db::Wake;
use platform::outbox::EventsAfter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(MergedObject, Default)]
pub struct Query(query::PlatformQuery, audit::ActQuery);

#[derive(MergedObject, Default)]
pub struct Mutation(
    party::PartyMutation,
    client::ClientMutation,
    account::AccountMutation,
    application::ApplicationMutation,
    listing::ListingMutation,
    loan::LoanMutation,
    task::TaskMutation,
    parked::ParkedMutation,
    notice::NoticeMutation,
    document::DocumentMutation,
    draft::DraftMutation,
);

pub type Api = Schema<Query, Mutation, Subscription>;

/// Set when execution begins: `data: null` alone does not tell whether anything ran.
#[derive(Clone, Default)]
pub struct Executed(Arc<AtomicBool>);

impl Executed {
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct Watch;

impl ExtensionFactory for Watch {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Watch)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Watch {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let found = next.run(ctx).await?;
        let cost = u64::try_from(found.complexity).unwrap_or(u64::MAX);
        if ctx.data_opt::<Bill>().is_none_or(|bill| bill.charge(cost)) {
            return Ok(found);
        }
        Err(vec![top("RATE_LIMITED", limit::OVER).into_server_error(Default::default())])
    }

    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        if let Some(asker) = ctx.data_opt::<context::Asker>() {
            let at = info.field.name.pos;
            scope::check(asker, info.parent_type, info.name).map_err(|e| e.into_server_error(at))?;
        }
        next.run(ctx, info).await
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        if let Some(executed) = ctx.data_opt::<Executed>() {
            executed.0.store(true, Ordering::Relaxed);
        }
        next.run(ctx, operation).await
    }
}

/// The schema without services behind it, for its text.
pub fn sdl() -> String {
    let options =
        async_graphql::SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items();
    schema().finish().sdl_with_options(options)
}

fn schema() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription)
        .extension(Watch)
        .limit_depth(16)
        .limit_complexity(usize::try_from(limit::COST_MAX).unwrap_or(usize::MAX))
}

/// What the gateway is made of.
pub struct Parts {
    pub services: Services,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    /// Notified when a service's events grow; a hint.
    pub wake: Arc<dyn Fn(Service) -> Wake + Send + Sync>,
    /// What the app's `Origin` is, as in `https://lend.example.org`.
    pub origin: String,
    /// A place to try things: the whole schema by introspection, GraphiQL, accounts on offer.
    pub demo: Option<Demo>,
}

/// What a demo offers besides.
#[derive(Clone, Default)]
pub struct Demo {
    pub accounts: Vec<DemoAccount>,
}

/// An account that anybody may use to look around a demo.
#[derive(Clone, SimpleObject)]
pub struct DemoAccount {
    pub email: String,
    pub name: String,
    pub role: party::Role,
    pub password: String,
}

/// The gateway, running.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) api: Api,
    pub(crate) services: Services,
    pub(crate) feeds: Feeds,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
    pub(crate) origin: String,
    pub(crate) demo: bool,
    pub(crate) limits: Limits,
    _follow: Arc<Follow>,
}

/// Ends the following of events with the last copy of the gateway.
struct Follow(Vec<tokio::task::JoinHandle<()>>);

impl Drop for Follow {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

macro_rules! feed {
    ($parts:expr, $service:ident, $name:expr) => {{
        let client = $parts.services.$service.clone();
        let (clock, entropy) = ($parts.clock.clone(), $parts.entropy.clone());
        let source: feed::Source = Arc::new(move |position| {
            let (client, now) = (client.clone(), clock.now());
            let deadline = now + chrono::Duration::seconds(5);
            let call = Call::system("live", Service::Gateway, RequestId(entropy.uuid(now)), deadline);
            async move { client.events(&call, EventsAfter { position, limit: 500 }).await.ok() }.boxed()
        });
        feed::Feed::new(source, ($parts.wake)($name))
    }};
}

impl Gateway {
    pub fn start(parts: Parts) -> Gateway {
        use identity_api::Identity as _;
        use investing_api::Investing as _;
        use ledger_api::Ledger as _;
        use lending_api::Lending as _;
        use notification_api::Notification as _;
        use office_api::Office as _;
        let feeds = Feeds {
            ledger: feed!(parts, ledger, Service::Ledger),
            investing: feed!(parts, investing, Service::Investing),
            lending: feed!(parts, lending, Service::Lending),
            office: feed!(parts, office, Service::Office),
            identity: feed!(parts, identity, Service::Identity),
            notification: feed!(parts, notification, Service::Notification),
        };
        let f = &feeds;
        let all = [&f.ledger, &f.investing, &f.lending, &f.office, &f.identity, &f.notification];
        let follow = all.into_iter().map(|f| tokio::spawn(f.clone().follow())).collect();
        let Parts { services, clock, entropy, origin, demo, .. } = parts;
        // What is near to a name somebody guessed is told where the whole schema may be asked for.
        let schema = if demo.is_some() { schema() } else { schema().disable_suggestions() };
        let api =
            schema.data(services.clone()).data(feeds.clone()).data(demo.clone().unwrap_or_default()).finish();
        let demo = demo.is_some();
        let limits = Limits::default();
        let _follow = Arc::new(Follow(follow));
        Gateway { api, services, feeds, clock, entropy, origin, demo, limits, _follow }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_is_the_one_in_git() {
        expect_test::expect_file!["../schema.graphql"].assert_eq(&super::sdl());
    }

    #[test]
    fn there_is_no_float_in_the_schema() {
        let sdl = super::sdl();
        assert!(!sdl.contains("Float"), "money and ratios travel as text");
    }
}
