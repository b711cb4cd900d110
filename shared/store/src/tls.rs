//! Opening a connection: TCP, TLS with pinned roots, HTTP/1.1.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;

use crate::config::Endpoint;
use crate::failure::Failure;

/// Names looked up at a time. The system's resolver blocks a thread, for as long as the name servers are silent, and whoever
/// gave up waiting cannot call it back.
const MOST_LOOKUPS: usize = 8;

/// A connection's sending half; the other half runs as a task until this one is dropped.
pub(crate) type Sender = SendRequest<Full<Bytes>>;

/// Opens connections to one endpoint.
pub(crate) struct Dialer {
    endpoint: Endpoint,
    tls: TlsConnector,
    lookups: Arc<Semaphore>,
}

impl Dialer {
    /// Mozilla's roots are compiled in: loading the system's takes 1 to 2 ms of a cold start.
    pub(crate) fn new(endpoint: Endpoint, extra_roots: Vec<CertificateDer<'static>>) -> Self {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        // They were looked at when the configuration was read.
        roots.add_parsable_certificates(extra_roots);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        #[expect(clippy::expect_used, reason = "ring's provider has the suites of both versions; a test opens one")]
        let mut config =
            versions.expect("ring provides TLS 1.2 and 1.3").with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let lookups = Arc::new(Semaphore::new(MOST_LOOKUPS));
        Self { endpoint, tls: TlsConnector::from(Arc::new(config)), lookups }
    }

    /// Opens a connection. Bounded in time by the caller.
    pub(crate) async fn dial(&self) -> Result<Sender, Failure> {
        let endpoint = &self.endpoint;
        let stream = TcpStream::connect(&*self.addresses().await?).await.map_err(|_| Failure::Unreachable)?;
        // Head and body are one write each at worst; waiting for an acknowledgement between them would cost 40 ms.
        stream.set_nodelay(true).map_err(|_| Failure::Unreachable)?;
        match &endpoint.tls {
            None => speak_http(TokioIo::new(stream)).await,
            Some(name) => {
                let stream = self.tls.connect(name.clone(), stream).await.map_err(|_| Failure::Unreachable)?;
                speak_http(TokioIo::new(stream)).await
            }
        }
    }

    /// Where the endpoint is. Looked up by a task of its own, which keeps its place until the resolver is done.
    async fn addresses(&self) -> Result<Vec<SocketAddr>, Failure> {
        let place = Arc::clone(&self.lookups).acquire_owned().await.map_err(|_| Failure::Unreachable)?;
        let (host, port) = (self.endpoint.host.clone(), self.endpoint.port);
        let lookup = tokio::spawn(async move {
            let found = lookup_host((host.as_str(), port)).await.map(Vec::from_iter);
            drop(place);
            found
        });
        lookup.await.ok().and_then(Result::ok).ok_or(Failure::Unreachable)
    }
}

async fn speak_http<T>(stream: T) -> Result<Sender, Failure>
where
    T: Read + Write + Unpin + Send + 'static,
{
    // Answers have a dozen headers; the buffer starts at 8 KB and is bounded here.
    let handshake = http1::Builder::new().max_headers(64).max_buf_size(64 * 1024).handshake(stream).await;
    let (sender, connection) = handshake.map_err(|_| Failure::Unreachable)?;
    // It ends by itself when the sender is dropped or the store hangs up; whoever waits for an answer learns why.
    tokio::spawn(async move { connection.await.ok() });
    Ok(sender)
}
