//! Programs that read for a party.

use crate::context::{asker, services};
use crate::error::{IdentityUserError, fault};
use crate::id::Gid;
use crate::payload;
use crate::scalars::{DateTime, Uuid};
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use identity_api::*;
use kernel::Coded;
use kernel::id::ClientId;
use platform::Fault;

/// What a program may read of what is its party's. It changes nothing.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "kernel::call::Scope")]
pub enum ApiScope {
    /// `profile:read`: name, address, language.
    Profile,
    /// `accounts:read`: balances on both sides, statement, orders to the custodian.
    Accounts,
    /// `investments:read`: bids, notes, portfolio, the loans lent to.
    Investments,
    /// `borrowing:read`: applications and the loans one owes.
    Borrowing,
    /// `notices:read`: what one has been told.
    Notices,
}

/// A program that reads for its party, by OAuth 2.0 client credentials at `/oauth/token`.
#[derive(SimpleObject)]
pub struct ApiClient {
    /// The `client_id`.
    pub id: Gid<ClientId>,
    /// As its owner calls it.
    pub name: String,
    pub scopes: Vec<ApiScope>,
    pub created_at: DateTime,
    /// When it last asked for a token.
    pub used_at: Option<DateTime>,
}

impl From<ClientView> for ApiClient {
    fn from(c: ClientView) -> ApiClient {
        ApiClient {
            id: Gid(c.id),
            name: c.name,
            scopes: c.scopes.into_iter().map(ApiScope::from).collect(),
            created_at: DateTime(c.created_at),
            used_at: c.used_at.map(DateTime),
        }
    }
}

/// A program with its secret, which is shown here and never again.
#[derive(SimpleObject)]
pub struct CreatedApiClient {
    pub client: ApiClient,
    /// The `client_secret`.
    pub secret: String,
}

impl From<CreatedClient> for CreatedApiClient {
    fn from(c: CreatedClient) -> CreatedApiClient {
        CreatedApiClient { client: c.client.into(), secret: c.secret.0 }
    }
}

#[derive(InputObject)]
pub struct ApiClientCreateInput {
    pub id: Uuid,
    /// By which its owner will know it again.
    pub name: String,
    pub scopes: Vec<ApiScope>,
    /// One's own.
    pub password: String,
}

#[derive(InputObject)]
pub struct ApiClientRevokeInput {
    pub client: Gid<ClientId>,
}

payload! {
    ApiClientCreatePayload { created: CreatedApiClient } or IdentityUserError;
}

/// Whether the program may read nothing any more.
#[derive(SimpleObject)]
pub struct ApiClientRevokePayload {
    pub done: bool,
    pub errors: Vec<IdentityUserError>,
}

#[derive(Default)]
pub struct ClientMutation;

#[Object]
impl ClientMutation {
    /// Lets a program read for oneself.
    async fn api_client_create(
        &self,
        ctx: &Context<'_>,
        input: ApiClientCreateInput,
    ) -> Result<ApiClientCreatePayload> {
        let create = CreateClient {
            id: ClientId(input.id.0),
            name: input.name,
            scopes: input.scopes.into_iter().map(kernel::call::Scope::from).collect(),
            password: Secret(input.password),
        };
        let asker = asker(ctx);
        let outcome = services(ctx).identity.create_client(&asker.call(), create).await;
        ApiClientCreatePayload::of(asker, outcome)
    }

    /// From now on neither its secret nor any of its tokens opens anything.
    async fn api_client_revoke(
        &self,
        ctx: &Context<'_>,
        input: ApiClientRevokeInput,
    ) -> Result<ApiClientRevokePayload> {
        let asker = asker(ctx);
        let revoke = RevokeClient { client: input.client.0 };
        match services(ctx).identity.revoke_client(&asker.call(), revoke).await {
            Ok(()) => Ok(ApiClientRevokePayload { done: true, errors: Vec::new() }),
            Err(Fault::Refused(e)) => {
                asker.note_refusal(e.code());
                Ok(ApiClientRevokePayload { done: false, errors: vec![e.into()] })
            }
            Err(other) => Err(fault(asker, other)),
        }
    }
}
