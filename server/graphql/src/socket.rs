//! The protocol graphql-transport-ws, on one socket.
//!
//! Queries and mutations go over HTTP; a socket takes subscriptions, and ends when its session or its access token does,
//! so that what was taken away does not go on flowing. A client comes back with a new token and its cursors.

use crate::Gateway;
use crate::context::Asker;
use crate::http::{Ask, Prepared, explained, token};
use crate::limit::Bill;
use async_graphql::parser::types::OperationType;
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::{SinkExt, StreamExt};
use identity_api::{IdentityEvent, Secret};
use kernel::Actor;
use kernel::id::RequestId;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

const PROTOCOL: &str = "graphql-transport-ws";
/// How long a client may take to introduce itself.
const INIT: Duration = Duration::from_secs(10);
/// What may wait for a slow reader; then its subscriptions wait, for they pull.
const WAITING: usize = 32;
/// How long one message may take to be read; whoever is slower is cut off, and resumes by their cursors.
const SLOW: Duration = Duration::from_secs(10);
const SUBSCRIPTIONS_MAX: usize = 50;
const MESSAGE_MAX: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    ConnectionInit {
        #[serde(default)]
        payload: Option<Value>,
    },
    Ping {
        #[serde(default)]
        payload: Option<Value>,
    },
    Pong,
    Subscribe {
        id: String,
        payload: Ask,
    },
    Complete {
        id: String,
    },
}

/// Why a socket is closed from our side; the codes are the protocol's.
type Close = (u16, &'static str);

pub(crate) fn accept(
    upgrade: WebSocketUpgrade,
    gateway: Gateway,
    id: RequestId,
    address: String,
    agent: String,
) -> Response {
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(MESSAGE_MAX).max_frame_size(MESSAGE_MAX);
    let spoken = upgrade.selected_protocol().is_some();
    upgrade.on_upgrade(move |mut socket| async move {
        if !spoken {
            let frame = CloseFrame { code: 4406, reason: "Subprotocol not acceptable".into() };
            socket.send(Message::Close(Some(frame))).await.ok();
            return;
        }
        metrics::gauge!("graphql_sockets").increment(1.0);
        Talk { gateway, id, address, agent }.hold(socket).await;
        metrics::gauge!("graphql_sockets").decrement(1.0);
    })
}

struct Talk {
    gateway: Gateway,
    id: RequestId,
    address: String,
    agent: String,
}

/// Who was introduced, and until when that holds.
struct Introduced {
    actor: Actor,
    ends_in: Option<Duration>,
}

impl Talk {
    async fn hold(self, socket: WebSocket) {
        let (mut sink, mut source) = socket.split();
        let (out, mut queue) = mpsc::channel::<Message>(WAITING);
        let writer = tokio::spawn(async move {
            while let Some(message) = queue.recv().await {
                let last = matches!(message, Message::Close(_));
                match tokio::time::timeout(SLOW, sink.send(message)).await {
                    Ok(Ok(())) if !last => {}
                    Ok(_) => break,
                    Err(_) => {
                        metrics::counter!("graphql_sockets_cut_off_total").increment(1);
                        return;
                    }
                }
            }
            tokio::time::timeout(SLOW, sink.close()).await.ok();
        });
        let mut running: HashMap<String, AbortHandle> = HashMap::new();
        let close = self.converse(&mut source, &out, &mut running).await;
        running.values().for_each(AbortHandle::abort);
        if let Some((code, reason)) = close {
            out.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await.ok();
        }
        drop(out);
        // A peer that reads nothing more does not keep the task.
        tokio::time::timeout(Duration::from_secs(5), writer).await.ok();
    }

    async fn converse(
        &self,
        source: &mut futures::stream::SplitStream<WebSocket>,
        out: &mpsc::Sender<Message>,
        running: &mut HashMap<String, AbortHandle>,
    ) -> Option<Close> {
        let first = match tokio::time::timeout(INIT, next(source, out)).await {
            Err(_) => return Some((4408, "Connection initialisation timeout")),
            Ok(first) => first?,
        };
        let payload = match first {
            Ok(Said::ConnectionInit { payload }) => payload,
            Ok(Said::Subscribe { .. }) => return Some((4401, "Unauthorized")),
            Ok(_) | Err(()) => return Some((4400, "connection_init comes first")),
        };
        let who = match self.introduce(payload).await {
            Ok(who) => who,
            Err(close) => return Some(close),
        };
        say(out, json!({ "type": "connection_ack" })).await?;

        let ended = self.session_ended(&who.actor);
        tokio::pin!(ended);
        let expired = async {
            match who.ends_in {
                Some(left) => tokio::time::sleep(left).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(expired);
        let (finished, mut finishing) = mpsc::unbounded_channel::<String>();
        loop {
            let said = tokio::select! {
                biased;
                () = &mut ended => return Some((4403, "The session has ended")),
                () = &mut expired => return Some((4401, "The access token has run out")),
                // Cut off: nobody hears a reason any more.
                () = out.closed() => return None,
                Some(id) = finishing.recv() => {
                    running.remove(&id);
                    continue;
                }
                said = next(source, out) => said?,
            };
            match said {
                Err(()) => return Some((4400, "Invalid message")),
                Ok(Said::ConnectionInit { .. }) => return Some((4429, "Too many initialisation requests")),
                Ok(Said::Ping { payload }) => {
                    let mut pong = json!({ "type": "pong" });
                    if let Some(payload) = payload {
                        pong["payload"] = payload;
                    }
                    say(out, pong).await?;
                }
                Ok(Said::Pong) => {}
                Ok(Said::Complete { id }) => {
                    if let Some(task) = running.remove(&id) {
                        task.abort();
                    }
                }
                Ok(Said::Subscribe { id, payload }) => {
                    if running.contains_key(&id) {
                        return Some((4409, "Subscriber already exists"));
                    }
                    if running.len() >= SUBSCRIPTIONS_MAX {
                        let error = json!({ "message": "too many subscriptions on one socket", "extensions": { "code": "TOO_MANY" } });
                        say(out, json!({ "type": "error", "id": id, "payload": [error] })).await?;
                        continue;
                    }
                    let task =
                        self.subscribe(id.clone(), payload, who.actor.clone(), out.clone(), finished.clone());
                    running.insert(id, task);
                }
            }
        }
    }

    async fn introduce(&self, payload: Option<Value>) -> Result<Introduced, Close> {
        let text = payload.as_ref().and_then(|p| p.get("authorization")).and_then(Value::as_str);
        let Some(text) = text else { return Ok(Introduced { actor: Actor::Anonymous, ends_in: None }) };
        let access = token(text).ok_or((4403, "Forbidden"))?;
        let ends_in = self.left(&access);
        match self.gateway.authenticate(self.id, access).await {
            Ok(actor) => Ok(Introduced { actor, ends_in }),
            Err(platform::Fault::Refused(_)) => Err((4403, "Forbidden")),
            Err(_) => Err((4500, "Who you are cannot be looked up at the moment")),
        }
    }

    /// How long a token holds, from its claims, which identity has verified by then or refused.
    fn left(&self, access: &Secret) -> Option<Duration> {
        let claims = access.0.split('.').nth(1)?;
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        let left = claims.get("exp")?.as_i64()? - self.gateway.clock.now().timestamp();
        Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
    }

    /// Ready when identity announces that the session has ended.
    async fn session_ended(&self, actor: &Actor) {
        if !matches!(actor, Actor::Person { .. } | Actor::Client { .. }) {
            return std::future::pending().await;
        }
        let feed = &self.gateway.feeds.identity;
        let begin = feed.begin(None).await;
        let mut events = Box::pin(feed.events(begin));
        while let Some(event) = events.next().await {
            let ended = match (event.read(), actor) {
                (Ok(IdentityEvent::SessionRevoked { session: s, .. }), Actor::Person { session, .. }) => {
                    s == *session
                }
                (Ok(IdentityEvent::ClientRevoked { client: c, .. }), Actor::Client { client, .. }) => {
                    c == *client
                }
                _ => false,
            };
            if ended {
                return;
            }
        }
        std::future::pending().await
    }

    fn subscribe(
        &self,
        id: String,
        ask: Ask,
        actor: Actor,
        out: mpsc::Sender<Message>,
        finished: mpsc::UnboundedSender<String>,
    ) -> AbortHandle {
        let gateway = self.gateway.clone();
        let asker = Asker {
            actor,
            request: RequestId(gateway.entropy.uuid(gateway.clock.now())),
            clock: gateway.clock.clone(),
            address: self.address.clone(),
            agent: self.agent.clone(),
            refresh: None,
            cookie: None,
            refused: std::sync::Arc::default(),
        };
        let task = tokio::spawn(async move {
            answer(&gateway, &id, &ask, asker, &out).await;
            finished.send(id).ok();
        });
        task.abort_handle()
    }
}

/// Runs one operation to its end. Nothing when the socket is gone.
async fn answer(
    gateway: &Gateway,
    id: &str,
    ask: &Ask,
    asker: Asker,
    out: &mpsc::Sender<Message>,
) -> Option<()> {
    let request_id = asker.request;
    let refuse = |code: &str, message: &str| {
        let error = json!({ "message": message, "extensions": { "code": code, "requestId": request_id } });
        json!({ "type": "error", "id": id, "payload": [error] })
    };
    let bill = Bill::open(&gateway.limits, &asker.actor, gateway.clock.now());
    let (request, executed) = match gateway.prepare(ask, asker, bill) {
        Err(e) => return say(out, refuse(e.code, &e.message)).await,
        Ok(Prepared { operation: OperationType::Mutation, .. }) => {
            return say(out, refuse("MUTATION_BY_SOCKET", "send mutations by POST")).await;
        }
        Ok(Prepared { request, executed, .. }) => (request, executed),
    };
    let mut answers = Box::pin(gateway.api.execute_stream(request));
    let mut begun = false;
    while let Some(each) = answers.next().await {
        // Nothing ran and something is wrong: the operation as a whole has failed.
        if !begun && !executed.is_set() && !each.errors.is_empty() {
            let each = explained(each, request_id, false);
            return say(out, json!({ "type": "error", "id": id, "payload": each.errors })).await;
        }
        begun = true;
        let each = explained(each, request_id, true);
        say(out, json!({ "type": "next", "id": id, "payload": each })).await?;
    }
    say(out, json!({ "type": "complete", "id": id })).await
}

async fn say(out: &mpsc::Sender<Message>, what: Value) -> Option<()> {
    out.send(Message::Text(what.to_string().into())).await.ok()
}

/// The next message of the protocol; nothing when the socket is gone.
async fn next(
    source: &mut futures::stream::SplitStream<WebSocket>,
    out: &mpsc::Sender<Message>,
) -> Option<Result<Said, ()>> {
    loop {
        match source.next().await?.ok()? {
            Message::Text(text) => return Some(serde_json::from_str(&text).map_err(|_| ())),
            Message::Binary(_) => return Some(Err(())),
            Message::Ping(data) => out.send(Message::Pong(data)).await.ok()?,
            Message::Pong(_) => {}
            Message::Close(_) => return None,
        }
    }
}
