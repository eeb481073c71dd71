//! Asking through the front door: the real router, the real tokens.

use crate::world::World;
use anyhow::{Context, anyhow, ensure};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use identity_api::{Begin, Identity};
use kernel::call::Service;
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::{OsEntropy, SystemClock};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;
use uuid::Uuid;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The code of the first top-level error.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or("")
    }

    /// The value at a path like `/bidPlace/bid/id`.
    ///
    /// # Errors
    /// When there are errors or nothing is there.
    pub fn at(&self, path: &str) -> anyhow::Result<Value> {
        ensure!(self.body["errors"].is_null(), "{}", self.body);
        self.body["data"].pointer(path).cloned().with_context(|| format!("nothing at {path}: {}", self.body))
    }

    /// As [`Answer::at`], as text.
    ///
    /// # Errors
    /// As there.
    pub fn text(&self, path: &str) -> anyhow::Result<String> {
        let found = self.at(path)?;
        found.as_str().map(str::to_string).with_context(|| format!("{path} is no text: {}", self.body))
    }
}

enum Way {
    Within(Router),
    Served { url: String, client: reqwest::Client },
}

/// The whole public door: of a world, or of a server that runs.
pub struct Door {
    way: Way,
    clock: SharedClock,
    entropy: SharedEntropy,
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub struct Member {
    pub party: String,
    pub email: String,
    pub token: String,
}

pub const PASSWORD: &str = "a long enough password";

impl Door {
    pub fn of(world: &World) -> Door {
        Door::within(world, Some(graphql::Demo::default()))
    }

    /// As in an installation, where nothing is open that a demo opens.
    pub fn of_installation(world: &World) -> Door {
        Door::within(world, None)
    }

    fn within(world: &World, demo: Option<graphql::Demo>) -> Door {
        let gateway = world.house.gateway(demo);
        let door = counterfoil::http::Door {
            clock: world.clock(),
            entropy: world.entropy.clone(),
            ready: std::sync::Arc::new(|| Box::pin(async { Ok(()) })),
        };
        let api = graphql::http::router(gateway);
        let way = Way::Within(counterfoil::http::router(door, api, None));
        Door { way, clock: world.clock(), entropy: world.entropy.clone() }
    }

    pub fn at(url: &str) -> Door {
        // A request that hangs is a failure with a name, long before the whole story is cut off.
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap_or_default();
        let way = Way::Served { url: url.into(), client };
        Door { way, clock: Arc::new(SystemClock), entropy: Arc::new(OsEntropy) }
    }

    fn uuid(&self) -> Uuid {
        self.entropy.uuid(self.clock.now())
    }

    /// # Errors
    /// When it is another process's.
    pub fn router(&self) -> anyhow::Result<Router> {
        match &self.way {
            Way::Within(router) => Ok(router.clone()),
            Way::Served { .. } => Err(anyhow!("the router is in another process")),
        }
    }

    /// # Errors
    /// When the answer cannot be read.
    pub async fn send(&self, request: Request<Body>) -> anyhow::Result<Answer> {
        match &self.way {
            Way::Within(router) => {
                let answer = router.clone().oneshot(request).await?;
                let (status, headers) = (answer.status(), answer.headers().clone());
                let body = axum::body::to_bytes(answer.into_body(), 1 << 24).await?;
                Ok(Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
            }
            Way::Served { url, client } => {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 24).await?;
                let url = format!("{url}{}", parts.uri);
                let ask = client.request(parts.method, url).headers(parts.headers).body(body.to_vec());
                let answer = ask.send().await?;
                let (status, headers) = (answer.status(), answer.headers().clone());
                Ok(Answer { status, headers, body: answer.json().await.unwrap_or(Value::Null) })
            }
        }
    }

    /// Sends one document as JSON by POST.
    ///
    /// # Errors
    /// When the answer cannot be read.
    pub async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> anyhow::Result<Answer> {
        let mut request = Request::post(graphql::http::PATH).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = json!({ "query": query, "variables": variables }).to_string();
        self.send(request.body(Body::from(body))?).await
    }

    /// Registers a person and signs them in.
    ///
    /// # Errors
    /// When either is refused.
    pub async fn register(
        &self,
        email: &str,
        roles: &[&str],
        invitation: Option<&str>,
    ) -> anyhow::Result<Member> {
        let input = json!({
            "id": self.uuid(), "party": self.uuid(), "email": email, "password": PASSWORD, "name": email,
            "documentCountry": "GB", "documentNumber": email, "roles": roles, "invitation": invitation,
        });
        let query = "mutation($input: PartyRegisterInput!) { partyRegister(input: $input) { done errors { code message } } }";
        let answer = self.ask(None, query, json!({ "input": input })).await?;
        ensure!(answer.at("/partyRegister/done")? == true, "{}", answer.body);
        self.sign_in(email).await
    }

    /// # Errors
    /// When it is refused.
    pub async fn sign_in(&self, email: &str) -> anyhow::Result<Member> {
        let query = "mutation($input: SessionOpenInput!) {
            sessionOpen(input: $input) { session { accessToken party { id } } errors { code } } }";
        let input = json!({ "input": { "email": email, "password": PASSWORD } });
        let answer = self.ask(None, query, input).await?;
        Ok(Member {
            party: answer.text("/sessionOpen/session/party/id")?,
            email: email.into(),
            token: answer.text("/sessionOpen/session/accessToken")?,
        })
    }

    /// Two administrators from the first links, and whoever they invite.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn staff(&self, world: &World, roles: &[(&str, &str)]) -> anyhow::Result<Vec<Member>> {
        let links = world.house.identity(Service::Operator).begin(&world.call(), Begin {}).await;
        let links = links.map_err(|e| anyhow!("{e}"))?.invitations.into_iter().map(|(_, secret)| secret.0);
        self.staff_by(links.collect(), roles).await
    }

    /// As [`Door::staff`], by the links an installation printed.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn staff_by(&self, links: Vec<String>, roles: &[(&str, &str)]) -> anyhow::Result<Vec<Member>> {
        let mut admins = Vec::new();
        for (n, secret) in links.iter().enumerate() {
            admins.push(self.register(&format!("admin{n}@staff.test"), &[], Some(secret)).await?);
        }
        ensure!(admins.len() == 2, "two first links");
        let mut staff = Vec::new();
        for (email, role) in roles {
            let propose = "mutation($input: ChangeProposeInput!) { changePropose(input: $input) { change { id } errors { code } } }";
            let input = json!({ "input": { "id": self.uuid(), "change": { "inviteStaff": role }, "reason": "joins" } });
            let change =
                self.ask(Some(&admins[0].token), propose, input).await?.text("/changePropose/change/id")?;
            let decide = "mutation($input: ChangeDecideInput!) { changeDecide(input: $input) { decided { secret } errors { code } } }";
            let input = json!({ "input": { "change": change, "approve": true } });
            let secret = self
                .ask(Some(&admins[1].token), decide, input)
                .await?
                .text("/changeDecide/decided/secret")?;
            staff.push(self.register(email, &[], Some(&secret)).await?);
        }
        Ok(staff)
    }
}
