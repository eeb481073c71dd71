//! One socket a tab, shared by everything that is followed; after a break it comes back by itself, behind the last cursor
//! of each subscription, so that nothing is missed.

use crate::session;
use futures::channel::mpsc;
use futures::future::{self, Either};
use futures::{FutureExt, SinkExt, StreamExt};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, WebSocketError};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How the line to the platform is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// Nothing is followed.
    Idle,
    Connecting,
    Live,
    /// It broke and is being mended.
    Reconnecting,
}

/// One thing that is followed.
struct Following {
    document: &'static str,
    field: &'static str,
    variables: Map<String, Value>,
    cursor: Option<String>,
    hear: Rc<dyn Fn(Value)>,
}

enum Do {
    Start(u32),
    Stop(u32),
    /// The session changed: come back as somebody else.
    Again,
}

#[derive(Default)]
struct Socket {
    following: BTreeMap<u32, Following>,
    next: u32,
    commands: Option<mpsc::UnboundedSender<Do>>,
}

thread_local! {
    static SOCKET: RefCell<Socket> = RefCell::default();
}

/// Pauses before a new attempt, in milliseconds.
const PAUSES: [u32; 6] = [300, 700, 1_500, 3_000, 6_000, 10_000];
/// How the server closes a socket whose session has ended.
const SESSION_ENDED: u16 = 4403;
/// A line on which nothing was heard for so long is taken for broken, in milliseconds; pings go out in between.
const SILENCE: u32 = 25_000;

/// The line's state, for showing.
pub fn provide_line() {
    provide_context(RwSignal::new(Line::Idle));
}

pub fn line() -> RwSignal<Line> {
    expect_context::<RwSignal<Line>>()
}

/// Follows something until the component that asked is gone. `field` is the subscription's root field, whose `cursor`
/// is kept; the document takes it back as `$after`.
pub fn follow(
    document: &'static str,
    field: &'static str,
    variables: Map<String, Value>,
    hear: impl Fn(Value) + 'static,
) {
    let line = line();
    let id = SOCKET.with_borrow_mut(|s| {
        s.next += 1;
        let following = Following { document, field, variables, cursor: None, hear: Rc::new(hear) };
        s.following.insert(s.next, following);
        if s.commands.is_none() {
            let (commands, queue) = mpsc::unbounded();
            s.commands = Some(commands);
            spawn_local(hold(line, queue));
        }
        s.next
    });
    tell(Do::Start(id));
    on_cleanup(move || {
        SOCKET.with_borrow_mut(|s| s.following.remove(&id));
        tell(Do::Stop(id));
    });
}

/// What changed, as whoever follows it knows it. That it is of another form is our own mistake, and is not passed over in
/// silence.
pub fn read<T: DeserializeOwned>(change: Value) -> Option<T> {
    serde_json::from_value(change)
        .map_err(|e| leptos::logging::error!("what changed cannot be read: {e}"))
        .ok()
}

/// Comes back with the present session.
pub fn session_changed() {
    tell(Do::Again);
}

fn tell(what: Do) {
    SOCKET.with_borrow(|s| {
        if let Some(commands) = &s.commands {
            commands.unbounded_send(what).ok();
        }
    });
}

fn is_needed() -> bool {
    SOCKET.with_borrow(|s| !s.following.is_empty())
}

fn address() -> Option<String> {
    let location = window().location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}/graphql", location.host().ok()?))
}

/// Keeps the line up for ever.
async fn hold(line: RwSignal<Line>, mut commands: mpsc::UnboundedReceiver<Do>) {
    let mut failures = 0usize;
    loop {
        while !is_needed() {
            line.set(Line::Idle);
            if commands.next().await.is_none() {
                return;
            }
        }
        line.set(if failures == 0 { Line::Connecting } else { Line::Reconnecting });
        let heard = talk(line, &mut commands).await;
        failures = if heard { 1 } else { (failures + 1).min(PAUSES.len()) };
        if is_needed() {
            line.set(Line::Reconnecting);
        }
        let pause = PAUSES[failures.saturating_sub(1).min(PAUSES.len() - 1)];
        TimeoutFuture::new(pause).await;
        // A token that ran out is the usual end of a line.
        session::renew_if_due().await;
    }
}

fn subscribe(id: u32) -> Option<Message> {
    SOCKET.with_borrow(|s| {
        let f = s.following.get(&id)?;
        let mut variables = f.variables.clone();
        if let Some(cursor) = &f.cursor {
            variables.insert("after".into(), Value::from(cursor.clone()));
        }
        let payload = json!({ "query": f.document, "variables": variables });
        let message = json!({ "type": "subscribe", "id": id.to_string(), "payload": payload });
        Some(Message::Text(message.to_string()))
    })
}

/// One socket's life. Answers whether it ever came up.
async fn talk(line: RwSignal<Line>, commands: &mut mpsc::UnboundedReceiver<Do>) -> bool {
    let Some(address) = address() else { return false };
    let Ok(socket) = WebSocket::open_with_protocol(&address, "graphql-transport-ws") else { return false };
    let (mut out, mut source) = socket.split();
    let payload = session::token().map(|t| json!({ "authorization": format!("Bearer {t}") }));
    let init = json!({ "type": "connection_init", "payload": payload }).to_string();
    if out.send(Message::Text(init)).await.is_err() {
        return false;
    }
    let mut up = false;
    let mut asked = false;
    loop {
        let said = future::select(source.next(), commands.next());
        let silence = TimeoutFuture::new(SILENCE);
        let what = match future::select(said, silence.boxed_local()).await {
            Either::Left((what, _)) => what,
            Either::Right(_) if asked => return up,
            Either::Right(_) => {
                asked = true;
                if out.send(Message::Text(r#"{"type":"ping"}"#.into())).await.is_err() {
                    return up;
                }
                continue;
            }
        };
        match what {
            Either::Left((message, _)) => {
                asked = false;
                let text = match message {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Err(WebSocketError::ConnectionClose(close))) if close.code == SESSION_ENDED => {
                        session::ended().await;
                        return up;
                    }
                    _ => return up,
                };
                let Ok(message) = serde_json::from_str::<Value>(&text) else { return up };
                match message["type"].as_str() {
                    Some("connection_ack") => {
                        up = true;
                        line.set(Line::Live);
                        let ids: Vec<u32> = SOCKET.with_borrow(|s| s.following.keys().copied().collect());
                        for message in ids.into_iter().filter_map(subscribe) {
                            if out.send(message).await.is_err() {
                                return up;
                            }
                        }
                    }
                    Some("next") => hear(&message),
                    Some("ping") if out.send(Message::Text(r#"{"type":"pong"}"#.into())).await.is_err() => {
                        return up;
                    }
                    _ => {}
                }
            }
            Either::Right((command, _)) => {
                let message = match command {
                    None | Some(Do::Again) => return up,
                    // Before the acknowledgement it is subscribed with the others.
                    Some(Do::Start(_)) if !up => None,
                    Some(Do::Start(id)) => subscribe(id),
                    Some(Do::Stop(id)) => {
                        let message = json!({ "type": "complete", "id": id.to_string() });
                        up.then(|| Message::Text(message.to_string()))
                    }
                };
                if let Some(message) = message
                    && out.send(message).await.is_err()
                {
                    return up;
                }
                if !is_needed() {
                    return up;
                }
            }
        }
    }
}

fn hear(message: &Value) {
    let found = SOCKET.with_borrow_mut(|s| {
        let id = message["id"].as_str()?.parse::<u32>().ok()?;
        let f = s.following.get_mut(&id)?;
        let change = message["payload"]["data"].get(f.field)?.clone();
        if let Some(cursor) = change["cursor"].as_str() {
            f.cursor = Some(cursor.to_string());
        }
        Some((f.hear.clone(), change))
    });
    // Outside the borrow: whoever hears may follow something else.
    if let Some((hear, change)) = found {
        hear(change);
    }
}
