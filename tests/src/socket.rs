//! A client of the subscriptions' protocol, and a door on a port for it.

use crate::door::{Door, Member};
use anyhow::Context;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// A client of graphql-transport-ws.
pub struct Socket(
    pub tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>,
);

impl Socket {
    /// Connects and introduces somebody.
    ///
    /// # Errors
    /// When it is not acknowledged; as the others, when the socket is gone.
    pub async fn open(address: std::net::SocketAddr, who: Option<&Member>) -> anyhow::Result<Socket> {
        let mut request = format!("ws://{address}/graphql").into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        let mut socket = Socket(socket);
        let payload = who.map(|w| json!({ "authorization": format!("Bearer {}", w.token) }));
        socket.say(json!({ "type": "connection_init", "payload": payload })).await?;
        anyhow::ensure!(socket.hear().await?["type"] == "connection_ack", "not acknowledged");
        Ok(socket)
    }

    /// # Errors
    /// As [`Socket::open`].
    pub async fn say(&mut self, what: Value) -> anyhow::Result<()> {
        Ok(self.0.send(Message::text(what.to_string())).await?)
    }

    /// # Errors
    /// As [`Socket::open`].
    pub async fn subscribe(&mut self, id: &str, query: &str) -> anyhow::Result<()> {
        self.say(json!({ "type": "subscribe", "id": id, "payload": { "query": query } })).await
    }

    /// The next message, or the code with which the socket was closed as `{"closed": code}`.
    ///
    /// # Errors
    /// As [`Socket::open`].
    pub async fn hear(&mut self) -> anyhow::Result<Value> {
        let message =
            tokio::time::timeout(Duration::from_secs(10), self.0.next()).await.context("silence")?;
        match message.context("the socket is gone")?? {
            Message::Text(text) => Ok(serde_json::from_str(&text)?),
            Message::Close(frame) => Ok(json!({ "closed": frame.map(|f| u16::from(f.code)) })),
            other => anyhow::bail!("{other:?}"),
        }
    }

    /// What the next answer says at a path of its data.
    ///
    /// # Errors
    /// As [`Socket::open`].
    pub async fn next_of(&mut self, path: &str) -> anyhow::Result<Value> {
        let message = self.hear().await?;
        message["payload"]["data"]
            .pointer(path)
            .cloned()
            .with_context(|| format!("nothing at {path}: {message}"))
    }
}

/// Opens a door on a free port of this machine.
///
/// # Errors
/// When there is none.
pub async fn serve(door: &Door) -> anyhow::Result<std::net::SocketAddr> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = door.router()?.into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
