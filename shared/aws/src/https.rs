//! A small HTTPS client, for what is not an AWS API: a pool's keys, PagerDuty. Bounded in time and size, follows no
//! redirect, keeps no connection: its calls are minutes apart, and a frozen Lambda's connections are stale.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
pub use hyper::Method;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use revocation_core::ports::PortError;
use tokio::time::timeout;

/// A TCP handshake takes a fraction of this even across continents.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// From the name's resolution to the last byte. The authorizer's own limit is 5 s, and it reads a tombstone besides.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest answer read; a JWK set may have as much (`MAX_JWKS_BYTES`) and has 1 KB.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// Makes single requests over HTTPS; over plain HTTP only to this machine, for the local cloud.
#[derive(Debug, Default)]
pub struct HttpsClient {
    /// Made with the first request: loading the system's root certificates takes 1 to 2 ms.
    client: OnceLock<Result<Connection, NoRootCertificates>>,
}

/// Why there is no answer. The address is not quoted: it may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpsError {
    /// Not an absolute `https:` URL, nor `http:` to this machine.
    #[error("the address is neither an https URL nor an http URL of this machine")]
    BadUrl,
    /// The system has no root certificates.
    #[error("the system has no root certificates")]
    NoRootCertificates,
    /// Not within [`TOTAL_TIMEOUT`].
    #[error("no answer in time")]
    Timeout,
    /// Name, connection, TLS or HTTP failed.
    #[error("the server cannot be reached")]
    Unreachable,
    /// Another status than 200 where content was asked for.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// More than [`MAX_RESPONSE_BYTES`].
    #[error("the answer is too large")]
    TooLarge,
}

/// A whole answer.
#[cfg(feature = "rest")]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The header of that name: when the server answered, by its clock.
    pub(crate) date: Option<String>,
    pub(crate) body: Vec<u8>,
}

type Connection = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

#[derive(Clone, Copy, Debug)]
struct NoRootCertificates;

// === impl HttpsClient ===

impl HttpsClient {
    /// A client; nothing is loaded or opened yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether [`Self::get`] would go to that address: for a look at the configuration before it is needed.
    pub fn check(url: &str) -> Result<(), HttpsError> {
        permitted(url).map(|_| ())
    }

    /// The body of an answer with status 200.
    pub async fn get(&self, url: &str) -> Result<Vec<u8>, HttpsError> {
        let request = Request::builder().method(Method::GET).header(ACCEPT, "application/json");
        within_time(async {
            let answer = self.send(url, request, Vec::new()).await?;
            if answer.status() != StatusCode::OK {
                return Err(HttpsError::Status(answer.status().as_u16()));
            }
            // Its length may be wrong or missing, so what is read is counted.
            let body = Limited::new(answer.into_body(), MAX_RESPONSE_BYTES).collect().await;
            body.map(|body| body.to_bytes().into()).map_err(|error| {
                if error.is::<http_body_util::LengthLimitError>() {
                    HttpsError::TooLarge
                } else {
                    HttpsError::Unreachable
                }
            })
        })
        .await
    }

    /// The answer to a request with these headers, whatever its status.
    #[cfg(feature = "rest")]
    pub(crate) async fn get_with(&self, url: &str, headers: &[(String, String)]) -> Result<Answer, HttpsError> {
        let request = Request::builder().method(Method::GET).header(ACCEPT, "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        within_time(async {
            let answer = self.send(url, request, Vec::new()).await?;
            let date = answer.headers().get(hyper::header::DATE).and_then(|date| date.to_str().ok().map(str::to_owned));
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), MAX_RESPONSE_BYTES).collect().await;
            let body = body.map_err(|_| HttpsError::TooLarge)?.to_bytes().into();
            Ok(Answer { status, date, body })
        })
        .await
    }

    /// The status of the answer to a request that brings a bearer token.
    #[cfg(feature = "rest")]
    pub async fn status_with_bearer(&self, url: &str, token: &str) -> Result<u16, HttpsError> {
        let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
        Ok(self.get_with(url, &headers).await?.status)
    }

    /// Posts JSON; returns the status, whatever it is.
    pub async fn post_json(&self, url: &str, body: Vec<u8>) -> Result<u16, HttpsError> {
        let request = Request::builder().method(Method::POST).header(CONTENT_TYPE, "application/json");
        within_time(async { Ok(self.send(url, request, body).await?.status().as_u16()) }).await
    }

    /// Sends any request; returns the status, whatever it is.
    pub async fn status_of(
        &self,
        method: Method,
        url: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<u16, HttpsError> {
        let request = headers
            .iter()
            .fold(Request::builder().method(method), |request, (name, value)| request.header(*name, *value));
        within_time(async { Ok(self.send(url, request, body).await?.status().as_u16()) }).await
    }

    async fn send(
        &self,
        url: &str,
        request: hyper::http::request::Builder,
        body: Vec<u8>,
    ) -> Result<Response<Incoming>, HttpsError> {
        let request = request.uri(permitted(url)?).header(USER_AGENT, "session-revocation");
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| HttpsError::BadUrl)?;
        let client = self.client.get_or_init(connection).as_ref();
        let client = client.map_err(|NoRootCertificates| HttpsError::NoRootCertificates)?;
        client.request(request).await.map_err(|_| HttpsError::Unreachable)
    }
}

fn connection() -> Result<Connection, NoRootCertificates> {
    let mut http = HttpConnector::new();
    http.set_connect_timeout(Some(CONNECT_TIMEOUT));
    // `permitted` decides about plain HTTP.
    http.enforce_http(false);
    let https = HttpsConnectorBuilder::new().with_native_roots().map_err(|_| NoRootCertificates)?;
    let https = https.https_or_http().enable_http1().wrap_connector(http);
    Ok(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(https))
}

/// The URL, if requests may go there. A key fetched over plain HTTP is whoever's on the way, so that stays on this machine.
fn permitted(url: &str) -> Result<Uri, HttpsError> {
    let uri: Uri = url.parse().map_err(|_| HttpsError::BadUrl)?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or(HttpsError::BadUrl)?;
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_this_machine(host) => Ok(uri),
        _ => Err(HttpsError::BadUrl),
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

async fn within_time<T>(work: impl Future<Output = Result<T, HttpsError>>) -> Result<T, HttpsError> {
    timeout(TOTAL_TIMEOUT, work).await.unwrap_or(Err(HttpsError::Timeout))
}

// === impl HttpsError ===

impl HttpsError {
    /// As the error of a port's `operation`.
    #[must_use]
    pub fn port_error(self, operation: &'static str) -> PortError {
        match self {
            Self::BadUrl => PortError::reject(operation, "bad_url"),
            Self::NoRootCertificates => PortError::reject(operation, "no_root_certificates"),
            Self::Timeout => PortError::retry(operation, "timeout"),
            Self::Unreachable => PortError::retry(operation, "unreachable"),
            Self::TooLarge => PortError::retry(operation, "too_large"),
            Self::Status(status) => PortError::retry(operation, format!("status_{status}")),
        }
    }
}

#[cfg(test)]
mod tests;
