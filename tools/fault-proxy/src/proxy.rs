//! The servers, one a function, and the way to the local cloud.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};

use crate::answers::{self, Answer};
use crate::call::Call;
use crate::fault::{Fault, LATE, NEVER};
use crate::process;
use crate::script::{Caller, Cases, Rule, Script, Seen};

/// Headers of one connection, not of the message (RFC 9110, section 7.6.1), and the length, which hyper writes.
const OF_THE_CONNECTION: [&str; 4] = ["connection", "keep-alive", "transfer-encoding", "content-length"];

/// Numbers of connections.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// A running proxy. It ends with the process.
#[derive(Clone)]
pub struct FaultProxy {
    ports: BTreeMap<&'static str, u16>,
    cases: Arc<Mutex<Cases>>,
}

/// A case that is open; dropping it closes it.
pub struct Case {
    id: u64,
    cases: Arc<Mutex<Cases>>,
}

/// The connection is closed without an answer.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut on purpose")
    }
}

impl std::error::Error for Cut {}

/// What one connection needs to know.
#[derive(Clone)]
struct Line {
    function: &'static str,
    caller: Caller,
    peer: SocketAddr,
    here: SocketAddr,
    /// The function's processes are in it.
    group: Option<u32>,
    upstream: Arc<str>,
    client: Client<HttpConnector, Full<Bytes>>,
    cases: Arc<Mutex<Cases>>,
}

// === impl FaultProxy ===

impl FaultProxy {
    /// Listens on loopback, on a port for each function, in front of `upstream` (`http://127.0.0.1:4566`).
    /// The functions' processes are looked for in the process group `group`.
    pub fn start(functions: &[&'static str], upstream: &str, group: Option<u32>) -> Result<Self> {
        let cases = Arc::new(Mutex::new(Cases::default()));
        let mut listeners = Vec::new();
        let mut ports = BTreeMap::new();
        for function in functions {
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on loopback")?;
            listener.set_nonblocking(true).context("cannot listen")?;
            ports.insert(*function, listener.local_addr().context("cannot listen")?.port());
            listeners.push((*function, listener));
        }
        let (upstream, shared): (Arc<str>, _) = (upstream.trim_end_matches('/').into(), cases.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no async runtime")?;
        // A thread of its own: whoever plays the cases may block.
        thread::Builder::new()
            .name("fault-proxy".into())
            .spawn(move || runtime.block_on(serve_all(listeners, &upstream, &shared, group)))
            .context("no thread for the proxy")?;
        Ok(Self { ports, cases })
    }

    /// Where a function's calls go.
    #[must_use]
    pub fn endpoint(&self, function: &str) -> Option<String> {
        self.ports.get(function).map(|port| format!("http://127.0.0.1:{port}"))
    }

    /// Opens a case.
    #[must_use]
    pub fn open(&self, script: Script) -> Case {
        Case { id: lock(&self.cases).open(script), cases: self.cases.clone() }
    }
}

// === impl Case ===

impl Case {
    /// Adds a text that only calls of this case contain.
    pub fn mark(&self, marker: impl Into<String>) {
        lock(&self.cases).mark(self.id, marker.into());
    }

    /// Adds a fault.
    pub fn add(&self, rule: Rule) {
        lock(&self.cases).add(self.id, rule);
    }

    /// Ends the faults.
    pub fn heal(&self) {
        lock(&self.cases).heal(self.id);
    }

    /// Its calls so far, in order.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.cases).seen(self.id)
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        lock(&self.cases).close(self.id);
    }
}

/// Nothing that can panic runs while it is held.
fn lock(cases: &Mutex<Cases>) -> MutexGuard<'_, Cases> {
    cases.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve_all(
    listeners: Vec<(&'static str, std::net::TcpListener)>,
    upstream: &Arc<str>,
    cases: &Arc<Mutex<Cases>>,
    group: Option<u32>,
) {
    // A connection a call: the local cloud closes kept ones after a while, which would look like a fault of ours.
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    let mut serving = tokio::task::JoinSet::new();
    for (function, listener) in listeners {
        let Ok(listener) = TcpListener::from_std(listener) else { continue };
        let (upstream, cases, client) = (upstream.clone(), cases.clone(), client.clone());
        serving.spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let Ok(here) = stream.local_addr() else { continue };
                let line = Line {
                    function,
                    caller: caller(function, peer, here, group),
                    peer,
                    here,
                    group,
                    upstream: upstream.clone(),
                    client: client.clone(),
                    cases: cases.clone(),
                };
                tokio::spawn(line.serve(stream));
            }
        });
    }
    serving.join_all().await;
}

/// The counter's calls are mostly about all accounts, on whatever connection; the others' nearly always name somebody, and to
/// find a process takes milliseconds.
fn caller(function: &str, peer: SocketAddr, here: SocketAddr, group: Option<u32>) -> Caller {
    let process = if function == "compromise-counter" { process::at(peer, here, group) } else { None };
    process.map_or_else(|| Caller::Connection(CONNECTIONS.fetch_add(1, Ordering::Relaxed)), Caller::Process)
}

// === impl Line ===

impl Line {
    async fn serve(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request| {
            let line = self.clone();
            async move { line.answer(request).await }
        });
        // An error here is a connection that was cut, by the function or by us.
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Cut> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let call = Call::read(&head.method, head.uri.path(), &head.headers, &body);
        let fault = lock(&self.cases).meet(self.function, &call, self.caller, Instant::now());
        let forward = || self.forward(&head, body.clone());
        match fault {
            None => forward().await,
            Some(Fault::Throttled) => Ok(answers::throttled(&call)),
            Some(Fault::Denied) => Ok(answers::denied(&call)),
            Some(Fault::ServerError) => Ok(answers::unavailable()),
            Some(Fault::Partial) => Ok(answers::partial(&call)),
            Some(Fault::Stale) => Ok(answers::nothing(&call)),
            Some(Fault::Reset) => Err(Cut),
            Some(Fault::Timeout) => {
                tokio::time::sleep(NEVER).await;
                Err(Cut)
            }
            Some(Fault::Slow) => {
                tokio::time::sleep(LATE).await;
                forward().await
            }
            Some(Fault::Lost) => forward().await.and(Err(Cut)),
            Some(Fault::Garbage) => forward().await.map(|_| answers::garbage()),
            Some(Fault::KillBefore) => self.kill(&call),
            Some(Fault::KillAfter) => {
                let _ = forward().await;
                self.kill(&call)
            }
        }
    }

    fn kill(&self, call: &Call) -> Result<Answer, Cut> {
        match process::at(self.peer, self.here, self.group) {
            Some(process) => process::kill(process),
            // A connection that is cut is no death.
            None => lock(&self.cases).take_back(self.function, call, self.caller),
        }
        Err(Cut)
    }

    async fn forward(&self, head: &hyper::http::request::Parts, body: Bytes) -> Result<Answer, Cut> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let uri: Uri = format!("{}{path}", self.upstream).parse().map_err(|_| Cut)?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = uri;
        // The `Host` as it was: it is signed.
        *request.headers_mut() = of_the_message(&head.headers);
        let (head, body) = self.client.request(request).await.map_err(|_| Cut)?.into_parts();
        let mut answer = Response::new(Full::new(body.collect().await.map_err(|_| Cut)?.to_bytes()));
        *answer.status_mut() = head.status;
        *answer.headers_mut() = of_the_message(&head.headers);
        Ok(answer)
    }
}

fn of_the_message(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
    headers
}

#[cfg(test)]
mod tests;
