//! A store that knows one item: `GetItem` of DynamoDB's JSON protocol, over TLS and without, after a delay.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, StreamOwned};

use crate::harness::http::{Connection, Message};

/// How long anything may keep one end waiting.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What the store knows.
pub(crate) struct Contents {
    /// The key asked for.
    pub(crate) subject: String,
    /// The answer to it: `{"Item":{…}}`.
    pub(crate) found: String,
    /// How long a read takes.
    pub(crate) delay: Duration,
}

/// A running store; it ends with the process.
pub(crate) struct Store {
    https: SocketAddr,
    http: SocketAddr,
    reads: Arc<AtomicU64>,
}

// === impl Store ===

impl Store {
    pub(crate) fn start(tls: &Arc<ServerConfig>, contents: Contents) -> Result<Self> {
        let (contents, reads) = (Arc::new(contents), Arc::new(AtomicU64::new(0)));
        let http = listen({
            let (contents, reads) = (Arc::clone(&contents), Arc::clone(&reads));
            move |stream| serve(stream, &contents, &reads)
        })?;
        let https = listen({
            let (tls, reads) = (Arc::clone(tls), Arc::clone(&reads));
            move |stream| {
                let session = ServerConnection::new(Arc::clone(&tls)).map_err(io::Error::other)?;
                serve(StreamOwned::new(session, stream), &contents, &reads)
            }
        })?;
        Ok(Self { https, http, reads })
    }

    /// Its address.
    pub(crate) fn url(&self, tls: bool) -> String {
        if tls { format!("https://{}", self.https) } else { format!("http://{}", self.http) }
    }

    /// How often the item was read.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }

    /// The floor of a read: one connection, bytes made before, no parsing but of lengths.
    pub(crate) fn raw_client(&self, tls: Option<&Arc<ClientConfig>>, subject: &str) -> Result<RawClient> {
        let request = get_item(subject);
        Ok(match tls {
            Some(config) => {
                let name = ServerName::try_from("127.0.0.1").context("no server name")?;
                let session = ClientConnection::new(Arc::clone(config), name)?;
                let stream = StreamOwned::new(session, connect(self.https)?);
                RawClient { request, connection: Box::new(Connection::new(stream)) }
            }
            None => RawClient { request, connection: Box::new(Connection::new(connect(self.http)?)) },
        })
    }
}

/// Listens on a free port of this machine, with one thread for each connection.
pub(crate) fn listen(serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    let address = listener.local_addr().context("no address")?;
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || {
                // A connection that breaks is one whose process has ended; what is missing then is missed elsewhere.
                stream.set_nodelay(true).and_then(|()| serve(stream)).ok();
            });
        }
    });
    Ok(address)
}

/// A connection that does not wait to fill segments, nor for ever.
pub(crate) fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(PATIENCE))).context("no socket options")?;
    Ok(stream)
}

fn serve(stream: impl Read + Write, contents: &Contents, reads: &AtomicU64) -> io::Result<()> {
    let mut connection = Connection::new(stream);
    let found = response("200 OK", &contents.found);
    let nothing = response("200 OK", "{}");
    let refused = response("400 Bad Request", r#"{"__type":"com.amazon.coral.validate#ValidationException"}"#);
    while let Some(request) = connection.read()? {
        if !contents.delay.is_zero() {
            thread::sleep(contents.delay);
        }
        let body = String::from_utf8_lossy(&request.body);
        let answer = if !is_consistent_get_item(&request, &body) {
            &refused
        } else if body.contains(&contents.subject) {
            reads.fetch_add(1, Ordering::SeqCst);
            &found
        } else {
            &nothing
        };
        connection.write(answer)?;
    }
    Ok(())
}

/// A read that DynamoDB would take: signed, and strongly consistent, which is what is compared.
fn is_consistent_get_item(request: &Message, body: &str) -> bool {
    let signed = |value: &str| value.starts_with("AWS4-HMAC-SHA256 Credential=");
    request.first_line() == "POST / HTTP/1.1"
        && request.header("x-amz-target") == Some("DynamoDB_20120810.GetItem")
        && request.header("authorization").is_some_and(signed)
        && body.contains(r#""ConsistentRead":true"#)
}

fn response(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nServer: Server\r\nDate: Tue, 24 Nov 2026 00:00:00 GMT\r\n\
         Content-Type: application/x-amz-json-1.0\r\nContent-Length: {length}\r\nConnection: keep-alive\r\n\
         x-amzn-RequestId: 0AQ4GK1QVJ5UR4U1SPFPIVFBANVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n\r\n{body}"
    )
    .into_bytes()
}

fn get_item(subject: &str) -> Vec<u8> {
    let body = format!(r#"{{"TableName":"tombstones","Key":{{"subject":{{"S":"{subject}"}}}},"ConsistentRead":true}}"#);
    // As long as a real signature.
    let signature = "0".repeat(64);
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-amz-json-1.0\r\n\
         x-amz-target: DynamoDB_20120810.GetItem\r\nx-amz-date: 20261124T000000Z\r\nauthorization: AWS4-HMAC-SHA256 \
         Credential=AKIDEXAMPLE/20261124/eu-central-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, \
         Signature={signature}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

trait Exchange: Send {
    fn exchange(&mut self, request: &[u8]) -> io::Result<bool>;
}

impl<S: Read + Write + Send> Exchange for Connection<S> {
    fn exchange(&mut self, request: &[u8]) -> io::Result<bool> {
        self.write(request)?;
        Ok(self.read()?.is_some_and(|answer| answer.first_line().ends_with(" 200 OK")))
    }
}

/// See [`Store::raw_client`].
pub(crate) struct RawClient {
    request: Vec<u8>,
    connection: Box<dyn Exchange>,
}

// === impl RawClient ===

impl RawClient {
    /// Reads `count` times, one after the other.
    pub(crate) fn read(&mut self, count: usize) -> Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let start = Instant::now();
            anyhow::ensure!(self.connection.exchange(&self.request)?, "the store has refused the raw read");
            times.push(start.elapsed());
        }
        Ok(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        // Tests run at the same time: each removes its own.
        let name = format!("bench-harness-{}-{:?}", std::process::id(), std::thread::current().id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        let certificates = crate::harness::certificates::make(&dir).unwrap();
        let contents =
            Contents { subject: "pool#sub".to_owned(), found: r#"{"Item":{}}"#.to_owned(), delay: Duration::ZERO };
        let store = Store::start(&certificates.server, contents).unwrap();
        store.raw_client(Some(&certificates.client), "pool#sub").unwrap().read(2).unwrap();
        std::fs::remove_dir_all(&dir).ok();
        store
    }

    #[test]
    fn reads_of_the_item_are_counted_over_tls_and_without() {
        let store = store();
        store.raw_client(None, "pool#sub").unwrap().read(3).unwrap();
        store.raw_client(None, "pool#other").unwrap().read(1).unwrap();
        assert_eq!(store.reads(), 5);
    }

    #[test]
    fn a_read_that_is_not_strongly_consistent_is_refused() {
        let store = store();
        let mut client = store.raw_client(None, "pool#sub").unwrap();
        client.request = String::from_utf8(client.request).unwrap().replace("true", "null").into_bytes();
        assert!(client.read(1).is_err());
    }
}
