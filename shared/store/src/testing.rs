//! A server on this machine that plays `DynamoDB`, well or badly, over real sockets.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Clock;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{StoreClient, StoreConfig};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Request line and headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// On which connection, counted from 0.
    pub(crate) connection: usize,
    /// Which request of all, counted from 0.
    pub(crate) number: usize,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// `GetItem`, `Scan` …
    pub(crate) fn operation(&self) -> &str {
        self.header("x-amz-target").unwrap().rsplit('.').next().unwrap()
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Sends bytes.
    Send(Vec<u8>),
    /// Sends bytes later.
    Late(Duration, Vec<u8>),
    /// Sends bytes and closes the connection.
    Close(Vec<u8>),
    /// Resets the connection.
    Reset,
    /// Nothing, ever.
    Silence,
}

/// The server; ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    open: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// A server whose requests `reply` answers.
    pub(crate) async fn start(reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(reply, None).await
    }

    /// A server that gives these replies in turn, the last for ever.
    pub(crate) async fn scripted(replies: Vec<Reply>) -> Self {
        Self::start(move |asked| replies[asked.number.min(replies.len() - 1)].clone()).await
    }

    /// A server with TLS; also its certificate, PEM.
    pub(crate) async fn start_tls(reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let server = Self::listen(reply, Some(TlsAcceptor::from(Arc::new(config)))).await;
        (server, made.cert.pem())
    }

    async fn listen(reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = if tls.is_some() { format!("https://localhost:{port}") } else { format!("http://127.0.0.1:{port}") };
        let server = Self { url, asked: Arc::default(), open: Arc::default(), connections: Arc::default() };
        let (this, reply) = (server.clone(), Arc::new(reply));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = this.connections.fetch_add(1, Ordering::SeqCst);
                let (this, reply, tls) = (this.clone(), reply.clone(), tls.clone());
                tokio::spawn(async move {
                    this.open.fetch_add(1, Ordering::SeqCst);
                    match tls {
                        None => this.converse(stream, connection, &*reply, |s| drop(s.set_zero_linger())).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                this.converse(stream, connection, &*reply, |_| ()).await;
                            }
                        }
                    }
                    this.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: S,
        connection: usize,
        reply: &(impl Fn(&Asked) -> Reply + Sync),
        reset: impl Fn(&S),
    ) {
        while let Some((head, body)) = request(&mut stream).await {
            let asked = {
                let mut all = self.asked.lock().unwrap();
                let number = all.len();
                all.push(Asked { head, body, connection, number });
                all.last().unwrap().clone()
            };
            let (bytes, close) = match reply(&asked) {
                Reply::Send(bytes) => (bytes, false),
                Reply::Close(bytes) => (bytes, true),
                Reply::Late(pause, bytes) => {
                    // Whoever does not want to wait hangs up.
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        _ = stream.read_u8() => return,
                    }
                    (bytes, false)
                }
                Reply::Reset => {
                    reset(&stream);
                    return;
                }
                Reply::Silence => {
                    let _ = stream.read_u8().await;
                    return;
                }
            };
            if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() || close {
                return;
            }
        }
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Connections open now, and all there were.
    pub(crate) fn connections(&self) -> (usize, usize) {
        (self.open.load(Ordering::SeqCst), self.connections.load(Ordering::SeqCst))
    }

    pub(crate) fn config(&self) -> StoreConfig {
        config(&self.url)
    }

    pub(crate) fn client(&self) -> StoreClient {
        StoreClient::new(self.config(), Arc::new(RealClock))
    }
}

async fn request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let whole = end + 4 + length.unwrap_or(0);
            while bytes.len() < whole {
                stream.read_buf(&mut bytes).await.ok().filter(|read| *read > 0)?;
            }
            return Some((head, bytes[end + 4..].to_vec()));
        }
        stream.read_buf(&mut bytes).await.ok().filter(|read| *read > 0)?;
    }
}

/// The configuration of a function whose store is there.
pub(crate) fn config(url: &str) -> StoreConfig {
    StoreConfig::from_env(&|name| {
        let value = match name {
            "AWS_REGION" => "eu-central-1",
            "AWS_ACCESS_KEY_ID" => "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY" => "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            "AWS_SESSION_TOKEN" => "IQoJb3JpZ2luX2VjE/+a==",
            "AWS_ENDPOINT_URL_DYNAMODB" => url,
            _ => return None,
        };
        Some(value.to_owned())
    })
    .unwrap()
}

/// A 200 as the store sends it.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    let sum = crc32fast::hash(body.as_bytes());
    answer("200 OK", &format!("x-amz-crc32: {sum}\r\n"), body)
}

/// An error as the store sends it.
pub(crate) fn error(status: &str, code: &str) -> Vec<u8> {
    answer(status, "", &format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"secret detail"}}"#))
}

pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

/// The `Authorization` that the general way of `aws-sigv4` makes.
pub(crate) fn general_signature(
    credentials: &Credentials,
    host: &str,
    date: &str,
    body: &[u8],
    at: EpochMillis,
) -> String {
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    let time = UNIX_EPOCH + Duration::from_millis(at.0.unsigned_abs());
    let params = v4::SigningParams::builder().identity(&identity).region("eu-central-1").name("dynamodb");
    let params = params.time(time).settings(settings).build().unwrap().into();
    let headers =
        [("content-type", crate::signer::CONTENT_TYPE), ("host", host), ("x-amz-target", "DynamoDB_20120810.GetItem")];
    let request =
        SignableRequest::new("POST", format!("https://{host}/"), headers.into_iter(), SignableBody::Bytes(body));
    let (instructions, _) = sign(request.unwrap(), &params).unwrap().into_parts();
    let made = |name: &str| instructions.headers().find(|(known, _)| *known == name).unwrap().1.to_owned();
    assert_eq!(made("x-amz-date"), date);
    made("authorization")
}

/// The time of day.
pub(crate) struct RealClock;

impl Clock for RealClock {
    #[expect(clippy::disallowed_methods, reason = "the clock of the tests")]
    fn now(&self) -> EpochMillis {
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        EpochMillis(i64::try_from(since.as_millis()).unwrap())
    }
}
