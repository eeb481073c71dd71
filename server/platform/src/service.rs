//! A service as a list of methods: [`service!`](crate::service!) makes the dyn-compatible trait, the client and the dispatcher.
//!
//! The client knows two ways: *direct* (the call is spawned, so that a dropped caller cancels nothing) and *bytes* (any
//! [`Transport`]). [`Loopback`] is such a transport within the process, on which calls arrive twice and answers get lost.
//! A transport over the network is a third and needs nothing else.
//!
//! **Invariant:** the caller's name is stamped by the client's stub, which the composition root made for one consumer.

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use kernel::call::Service;
use kernel::clock::SharedClock;
use kernel::{Call, Coded};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

pub type Answer<'a, A, E> = BoxFuture<'a, Result<A, Fault<E>>>;

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "fault", content = "of", rename_all = "snake_case")]
pub enum Fault<E> {
    /// The service decided so; the same command may be sent again after mending.
    Refused(E),
    /// The actor may not; no inside details.
    Forbidden,
    /// Nobody answers; nothing happened.
    Unavailable,
    /// Too much waits; nothing happened.
    Busy,
    /// It may have happened: ask again with the same id.
    OutcomeUnknown,
    /// The message could not be read; a program's mistake.
    Malformed(String),
    /// A failure inside, logged there under the request id.
    Internal,
}

impl<E> Fault<E> {
    pub fn map<F>(self, f: impl FnOnce(E) -> F) -> Fault<F> {
        match self {
            Fault::Refused(e) => Fault::Refused(f(e)),
            Fault::Forbidden => Fault::Forbidden,
            Fault::Unavailable => Fault::Unavailable,
            Fault::Busy => Fault::Busy,
            Fault::OutcomeUnknown => Fault::OutcomeUnknown,
            Fault::Malformed(why) => Fault::Malformed(why),
            Fault::Internal => Fault::Internal,
        }
    }

    /// Whether the same message may succeed later without anybody mending anything.
    pub fn is_passing(&self) -> bool {
        matches!(self, Fault::Unavailable | Fault::Busy | Fault::OutcomeUnknown | Fault::Internal)
    }
}

/// Why work in the background could not be done now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    pub why: String,
    /// Somebody is away. It will be over by itself, and does not count as a failed attempt.
    pub passing: bool,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl From<String> for Trouble {
    fn from(why: String) -> Trouble {
        Trouble { why, passing: false }
    }
}

impl From<&str> for Trouble {
    fn from(why: &str) -> Trouble {
        why.to_string().into()
    }
}

impl<E: Coded> From<Fault<E>> for Trouble {
    fn from(fault: Fault<E>) -> Trouble {
        // A failure inside and a call that takes too long are none of these: it may be the message that brings them about.
        let passing = matches!(fault, Fault::Unavailable | Fault::Busy);
        Trouble { why: fault.to_string(), passing }
    }
}

impl From<DbErr> for Trouble {
    fn from(e: DbErr) -> Trouble {
        let passing = matches!(e, DbErr::Conn(_) | DbErr::ConnectionAcquire(_));
        Trouble { why: e.to_string(), passing }
    }
}

impl From<serde_json::Error> for Trouble {
    fn from(e: serde_json::Error) -> Trouble {
        e.to_string().into()
    }
}

impl<E: Coded> fmt::Display for Fault<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Refused(e) => write!(f, "{}: {e}", e.code()),
            Fault::Forbidden => f.write_str("FORBIDDEN: you may not do this"),
            Fault::Unavailable => f.write_str("SERVICE_UNAVAILABLE: a part of the platform does not answer"),
            Fault::Busy => f.write_str("BUSY: too much is waiting; try again"),
            Fault::OutcomeUnknown => f.write_str("OUTCOME_UNKNOWN: ask again with the same id"),
            Fault::Malformed(why) => write!(f, "MALFORMED: {why}"),
            Fault::Internal => f.write_str("INTERNAL: a failure inside; it was logged"),
        }
    }
}

/// Turns a failed write into the published fault; the cause is logged here, once, and does not leave the service.
pub fn published<E: fmt::Debug>(call: &Call, doing: &str, e: crate::WriteError<E>) -> Fault<E> {
    match e {
        crate::WriteError::Refused(e) => Fault::Refused(e),
        crate::WriteError::Busy => Fault::Busy,
        other => {
            tracing::error!(request = %call.request, doing, cause = ?other, "a write failed");
            Fault::Internal
        }
    }
}

/// As [`published`], for a failed read.
pub fn unreadable<E>(call: &Call, doing: &str, e: &sea_orm::DbErr) -> Fault<E> {
    tracing::error!(request = %call.request, doing, cause = %e, "a read failed");
    Fault::Internal
}

/// A place for a running implementation, empty while the service is stopped.
pub struct Slot<T: ?Sized>(Arc<RwLock<Option<Arc<T>>>>);

impl<T: ?Sized> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Slot(self.0.clone())
    }
}

impl<T: ?Sized> Default for Slot<T> {
    fn default() -> Self {
        Slot(Arc::new(RwLock::new(None)))
    }
}

impl<T: ?Sized> Slot<T> {
    pub fn fill(&self, running: Arc<T>) {
        *self.0.write().unwrap_or_else(|p| p.into_inner()) = Some(running);
    }

    pub fn clear(&self) {
        *self.0.write().unwrap_or_else(|p| p.into_inner()) = None;
    }

    pub fn get(&self) -> Option<Arc<T>> {
        self.0.read().unwrap_or_else(|p| p.into_inner()).clone()
    }
}

/// Carries one request to a service and its answer back.
pub trait Transport: Send + Sync + 'static {
    fn carry(
        &self,
        service: &'static str,
        method: &'static str,
        message: Bytes,
    ) -> BoxFuture<'_, Result<Bytes, Carried>>;
}

/// Why a transport has no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carried {
    /// It did not get there.
    NotDelivered,
    /// It may have got there.
    Unknown,
}

/// Answers requests in bytes.
pub trait Dispatch: Send + Sync + 'static {
    fn dispatch(&self, method: &str, message: Bytes) -> BoxFuture<'static, Bytes>;
}

/// One message as it travels. The deadline is absolute and in the call.
#[derive(Serialize, Deserialize)]
pub struct Envelope<I> {
    pub call: Call,
    pub input: I,
}

/// How a client reaches its service.
pub enum Way<T: ?Sized> {
    Direct(Slot<T>),
    Bytes(Arc<dyn Transport>),
}

impl<T: ?Sized> Clone for Way<T> {
    fn clone(&self) -> Self {
        match self {
            Way::Direct(slot) => Way::Direct(slot.clone()),
            Way::Bytes(transport) => Way::Bytes(transport.clone()),
        }
    }
}

/// What every client needs besides its way.
#[derive(Clone)]
pub struct Stub {
    pub consumer: Service,
    pub clock: SharedClock,
}

impl Stub {
    fn left(&self, call: &Call) -> Option<Duration> {
        (call.deadline - self.clock.now()).to_std().ok()
    }

    /// Spawns a direct call. A caller who stops waiting cancels nothing.
    pub async fn direct<A, E>(
        &self,
        call: &Call,
        work: impl Future<Output = Result<A, Fault<E>>> + Send + 'static,
    ) -> Result<A, Fault<E>>
    where
        A: Send + 'static,
        E: Send + 'static,
    {
        if crate::db::in_write() {
            debug_assert!(false, "another service was called between begin and commit");
            return Err(Fault::Internal);
        }
        let Some(left) = self.left(call) else { return Err(Fault::OutcomeUnknown) };
        match tokio::time::timeout(left, tokio::spawn(work)).await {
            Err(_) => Err(Fault::OutcomeUnknown),
            Ok(Err(_)) => Err(Fault::Internal),
            Ok(Ok(outcome)) => outcome,
        }
    }

    /// Sends a call in bytes. An unknown outcome is asked again with the same content, which every method bears.
    pub async fn bytes<I, A, E>(
        &self,
        transport: &dyn Transport,
        service: &'static str,
        method: &'static str,
        call: Call,
        input: &I,
    ) -> Result<A, Fault<E>>
    where
        I: Serialize,
        A: DeserializeOwned,
        E: DeserializeOwned,
    {
        if crate::db::in_write() {
            debug_assert!(false, "another service was called between begin and commit");
            return Err(Fault::Internal);
        }
        let envelope = Envelope { call: call.clone(), input };
        let message = serde_json::to_vec(&envelope).map_err(|e| Fault::Malformed(e.to_string()))?;
        let message = Bytes::from(message);
        for attempt in 0u64.. {
            let Some(left) = self.left(&call) else { return Err(Fault::OutcomeUnknown) };
            match tokio::time::timeout(left, transport.carry(service, method, message.clone())).await {
                Err(_) => return Err(Fault::OutcomeUnknown),
                Ok(Err(Carried::NotDelivered)) => return Err(Fault::Unavailable),
                Ok(Err(Carried::Unknown)) if attempt >= 5 => return Err(Fault::OutcomeUnknown),
                Ok(Err(Carried::Unknown)) => tokio::time::sleep(Duration::from_millis(2 << attempt)).await,
                Ok(Ok(answer)) => {
                    return serde_json::from_slice::<Result<A, Fault<E>>>(&answer)
                        .map_err(|e| Fault::Malformed(e.to_string()))?;
                }
            }
        }
        Err(Fault::OutcomeUnknown)
    }
}

/// Reads an envelope, runs `work` and writes its answer: the body of every dispatcher's arm.
pub async fn serve<I, A, E, W>(message: Bytes, work: impl FnOnce(Call, I) -> W) -> Bytes
where
    I: DeserializeOwned,
    A: Serialize,
    E: Serialize,
    W: Future<Output = Result<A, Fault<E>>>,
{
    let outcome = match serde_json::from_slice::<Envelope<I>>(&message) {
        Ok(Envelope { call, input }) => work(call, input).await,
        Err(e) => Err(Fault::Malformed(e.to_string())),
    };
    serde_json::to_vec(&outcome).map_or_else(|_| Bytes::from_static(b"{}"), Bytes::from)
}

/// The answer to a method nobody knows.
pub fn unknown_method(method: &str) -> Bytes {
    let outcome: Result<(), Fault<()>> = Err(Fault::Malformed(format!("no method {method}")));
    serde_json::to_vec(&outcome).map_or_else(|_| Bytes::from_static(b"{}"), Bytes::from)
}

/// A transport within the process: every call, answer and error goes through bytes; by a fixed rhythm calls arrive
/// twice and answers are lost.
#[derive(Default)]
pub struct Loopback {
    services: RwLock<BTreeMap<&'static str, Arc<dyn Dispatch>>>,
    calls: AtomicU64,
    /// Every how many calls one arrives twice; 0 for never.
    pub twice_every: u64,
    /// Every how many calls the answer is lost after the work was done; 0 for never.
    pub lost_every: u64,
}

impl Loopback {
    pub fn rough() -> Loopback {
        Loopback { twice_every: 5, lost_every: 11, ..Loopback::default() }
    }

    pub fn attach(&self, service: &'static str, dispatch: Arc<dyn Dispatch>) {
        self.services.write().unwrap_or_else(|p| p.into_inner()).insert(service, dispatch);
    }

    pub fn detach(&self, service: &'static str) {
        self.services.write().unwrap_or_else(|p| p.into_inner()).remove(service);
    }
}

impl Transport for Loopback {
    fn carry(
        &self,
        service: &'static str,
        method: &'static str,
        message: Bytes,
    ) -> BoxFuture<'_, Result<Bytes, Carried>> {
        async move {
            let found = self.services.read().unwrap_or_else(|p| p.into_inner()).get(service).cloned();
            let Some(dispatch) = found else { return Err(Carried::NotDelivered) };
            let n = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
            let every = |m: u64| m != 0 && n.is_multiple_of(m);
            let first = tokio::spawn(dispatch.dispatch(method, message.clone()));
            if every(self.twice_every) {
                let second = tokio::spawn(dispatch.dispatch(method, message));
                let (first, second) = (first.await, second.await);
                // Either may be the one that counts; a caller sees one of them.
                return if n.is_multiple_of(2) { first } else { second }.map_err(|_| Carried::Unknown);
            }
            let answer = first.await.map_err(|_| Carried::Unknown)?;
            if every(self.lost_every) { Err(Carried::Unknown) } else { Ok(answer) }
        }
        .boxed()
    }
}

/// Makes the trait, the client and the dispatcher of a service from its list of methods.
///
/// Each method takes one message and gives one answer; commands carry their own id, so that a repeat is harmless.
#[macro_export]
macro_rules! service {
    (
        $(#[$doc:meta])*
        pub $trait:ident as $name:literal, client $client:ident, dispatcher $dispatcher:ident, errors $errors:ty {
            $($(#[$mdoc:meta])* $method:ident($input:ty) -> $output:ty;)*
        }
    ) => {
        $(#[$doc])*
        pub trait $trait: Send + Sync + 'static {
            $($(#[$mdoc])* fn $method<'a>(&'a self, call: &'a ::kernel::Call, input: $input) -> $crate::Answer<'a, $output, $errors>;)*
        }

        /// Reaches the service, wherever it runs; made for one consumer.
        #[derive(Clone)]
        pub struct $client {
            stub: $crate::service::Stub,
            way: $crate::service::Way<dyn $trait>,
        }

        impl $client {
            /// The name under which the service is found.
            pub const SERVICE: &'static str = $name;

            pub fn new(stub: $crate::service::Stub, way: $crate::service::Way<dyn $trait>) -> Self {
                Self { stub, way }
            }
        }

        impl $trait for $client {
            $(fn $method<'a>(&'a self, call: &'a ::kernel::Call, input: $input) -> $crate::Answer<'a, $output, $errors> {
                ::std::boxed::Box::pin(async move {
                    let call = call.via(self.stub.consumer);
                    match &self.way {
                        $crate::service::Way::Direct(slot) => {
                            let Some(running) = slot.get() else { return Err($crate::Fault::Unavailable) };
                            let caller = call.clone();
                            self.stub.direct(&caller, async move { running.$method(&call, input).await }).await
                        }
                        $crate::service::Way::Bytes(transport) => {
                            self.stub.bytes(&**transport, $name, stringify!($method), call, &input).await
                        }
                    }
                })
            })*
        }

        /// Answers the service's messages in bytes.
        pub struct $dispatcher(pub ::std::sync::Arc<dyn $trait>);

        impl $crate::service::Dispatch for $dispatcher {
            fn dispatch(&self, method: &str, message: $crate::service::Message) -> $crate::service::Dispatched {
                let running = self.0.clone();
                match method {
                    $(stringify!($method) => ::std::boxed::Box::pin($crate::service::serve(
                        message,
                        move |call: ::kernel::Call, input: $input| async move { running.$method(&call, input).await },
                    )),)*
                    other => {
                        let answer = $crate::service::unknown_method(other);
                        ::std::boxed::Box::pin(async move { answer })
                    }
                }
            }
        }
    };
}

/// For the macro's expansion, so that an api crate needs no more dependencies than this one.
pub type Message = Bytes;
pub type Dispatched = BoxFuture<'static, Bytes>;
