//! Connections and their limits.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{Request, Response};
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, warn};

use super::io_timeout::{IoTimeout, Patience};
use crate::config::Listen;

/// Connections waiting in the kernel to be accepted.
const BACKLOG: u32 = 256;
/// Buffer for request line and headers, in bytes; the minimum that hyper allows.
const BUFFER: usize = 8192;
/// Maximum number of headers of a request.
const HEADERS: usize = 64;
/// Size of the kernel's send buffer for a client that reads slowly, in bytes: with all connections in use
/// that is a few MiB.
const KERNEL_BUFFER: u32 = 64 * 1024;
/// Pause after a failed accept, for example because of too many open files.
const BREATH: Duration = Duration::from_millis(100);

/// Answers requests.
pub trait Answers: Send + Sync + 'static {
    /// The body of an answer.
    type Body: Body<Data = Bytes, Error = Infallible> + Send + 'static;

    /// The answer to a request; the request's body is never read.
    fn answer(&self, request: Parts) -> impl Future<Output = Response<Self::Body>> + Send;
}

/// Limits for clients.
#[derive(Copy, Clone, Debug)]
pub struct Limits {
    /// Maximum number of concurrent connections: some Prometheus servers, the kubelet, and occasional
    /// visitors.
    pub connections: usize,
    /// How long a connection keeps its place although others wait.
    pub grace: Duration,
    /// Time limit for receiving a request, also on a kept-alive connection.
    pub request: Duration,
    /// Time limit for a client to read a response: one that reads a byte a second is cut off.
    pub answer: Duration,
    /// What that limit is for: a whole response, or each part of one that goes on.
    pub patience: Patience,
    /// The age after which a connection gets no further response.
    pub life: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            grace: Duration::from_secs(1),
            request: Duration::from_secs(10),
            answer: Duration::from_secs(20),
            patience: Patience::PerAnswer,
            life: Duration::from_mins(5),
        }
    }
}

/// Why the server cannot start.
#[derive(thiserror::Error, Debug)]
#[error("cannot listen at {listen}: {cause}")]
pub struct BindError {
    /// The address.
    pub listen: Listen,
    /// The system's error.
    pub cause: io::Error,
}

/// A listening server.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    limits: Limits,
}

impl Server {
    /// Listens; serves nothing yet.
    ///
    /// # Errors
    /// The address is not this machine's, is in use, or is not permitted.
    pub fn bind(listen: Listen, limits: Limits) -> Result<Self, BindError> {
        let mut last = None;
        for address in listen.addresses() {
            match bind(address) {
                Ok(listener) => return Ok(Self { listener, limits }),
                Err(error) => last = Some(error),
            }
        }
        Err(BindError { listen, cause: last.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()) })
    }

    /// The address on which it listens.
    ///
    /// # Errors
    /// Those of the system.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves forever; dropping it closes all connections.
    pub async fn serve(self, site: Arc<impl Answers>) -> Infallible {
        let mut connections = Connections::new(self.limits);
        loop {
            let permit = connections.place().await;
            match self.listener.accept().await {
                Ok((stream, _)) => connections.begin(stream, Arc::clone(&site), permit),
                Err(error) => {
                    warn!(%error, "A connection cannot be accepted");
                    sleep(BREATH).await;
                }
            }
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    // A restart must not wait for earlier connections to leave TIME_WAIT.
    socket.set_reuseaddr(true)?;
    // Accepted sockets inherit it.
    socket.set_send_buffer_size(KERNEL_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The connections, oldest first.
struct Connections {
    limits: Limits,
    places: Arc<Semaphore>,
    open: VecDeque<(Instant, AbortHandle)>,
}

impl Connections {
    fn new(limits: Limits) -> Self {
        Self { limits, places: Arc::new(Semaphore::new(limits.connections)), open: VecDeque::new() }
    }

    /// Waits for a free place; if none becomes free, the oldest connection is closed.
    async fn place(&mut self) -> OwnedSemaphorePermit {
        loop {
            self.open.retain(|(_, connection)| !connection.is_finished());
            let oldest = self.open.front().map_or_else(Instant::now, |(since, _)| *since);
            let patience = (oldest + self.limits.grace).saturating_duration_since(Instant::now());
            let places = Arc::clone(&self.places);
            if let Ok(place) = timeout(patience, places.acquire_owned()).await {
                return place.expect("the semaphore is never closed");
            }
            if let Some((_, connection)) = self.open.pop_front() {
                connection.abort();
                debug!("A connection was cut off for others that wait");
            }
        }
    }

    fn begin(&mut self, stream: TcpStream, site: Arc<impl Answers>, place: OwnedSemaphorePermit) {
        let limits = self.limits;
        let task = tokio::spawn(async move {
            if let Err(error) = converse(stream, site, limits).await {
                debug!(%error, "A connection ended");
            }
            drop(place);
        });
        self.open.push_back((Instant::now(), task.abort_handle()));
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.open.iter().for_each(|(_, connection)| connection.abort());
    }
}

/// Serves the requests of one connection.
async fn converse(stream: TcpStream, site: Arc<impl Answers>, limits: Limits) -> Result<(), hyper::Error> {
    let service = service_fn(move |request: Request<Incoming>| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(site.answer(request.into_parts().0).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.request)
        .max_buf_size(BUFFER)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(IoTimeout::new(stream, limits.answer, limits.patience)), service);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = sleep(limits.life) => connection.as_mut().graceful_shutdown(),
    }
    // A client that keeps sending could make us wait forever.
    timeout(limits.request + limits.answer, connection).await.unwrap_or(Ok(()))
}
