use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use async_trait::async_trait;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, Request, Response, StatusCode};
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::session::Sighting;
use revocation_core::domain::tombstone::Tombstone;
use revocation_core::ports::{Clock as _, PortError, SessionRecorder, TombstoneReader};
use revocation_testkit::clock::FakeClock;
use revocation_testkit::keys::{jwks, key_a};
use revocation_testkit::token::TokenBuilder;
use revocation_verify::{Bundled, Checker, KeySet, Permit, PoolConfig, StoreOutage, Verifier};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

use super::*;

const POOL: &str = "eu-central-1_Test";
const CLIENT: &str = "client-1";

type Reading = dyn Fn() -> Result<Option<Tombstone>, PortError> + Send + Sync;

struct Store(Box<Reading>);

#[async_trait]
impl TombstoneReader for Store {
    async fn read(&self, _subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        tokio::task::yield_now().await;
        (self.0)()
    }

    async fn read_pool(&self, _pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        Ok(None)
    }
}

fn checker(read: impl Fn() -> Result<Option<Tombstone>, PortError> + Send + Sync + 'static) -> Arc<Checker> {
    let clock = Arc::new(FakeClock::default());
    let keys = KeySet::parse(&jwks(&[key_a()])).unwrap();
    let pool = PoolConfig::new(UserPoolId(POOL.into()), vec![CLIENT.into()]).with_keys(keys);
    let verifier = Verifier::builder(Arc::new(Bundled), clock.clone()).pool(pool).build().unwrap();
    Arc::new(Checker { verifier, reader: Arc::new(Store(Box::new(read))), clock, store_outage: StoreOutage::Deny })
}

fn permitting() -> Arc<Checker> {
    checker(|| Ok(None))
}

fn token() -> TokenBuilder {
    TokenBuilder::access(POOL, CLIENT, "sub-1", FakeClock::default().now().seconds())
}

fn request(values: &[&str]) -> Request<()> {
    values.iter().fold(Request::builder(), |request, value| request.header(AUTHORIZATION, *value)).body(()).unwrap()
}

fn bearer(token: &TokenBuilder) -> Request<()> {
    request(&[&format!("Bearer {}", token.build())])
}

/// Status, headers and body of the answer, and whether the service was reached.
async fn answered(layer: &RevocationLayer, request: Request<()>) -> (StatusCode, HeaderMap, String, bool) {
    let reached = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&reached);
    let inner = service_fn(move |request: Request<()>| {
        seen.store(true, Ordering::SeqCst);
        let sub = request.extensions().get::<Permit>().unwrap().subject.sub.0.clone();
        async move { Ok::<_, Infallible>(Response::new(sub)) }
    });
    let response: Response<String> = layer.layer(inner).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, body, reached.load(Ordering::SeqCst))
}

/// The answer must be a refusal; returns status, `WWW-Authenticate` and body.
async fn refused(layer: &RevocationLayer, request: Request<()>) -> (u16, String, String) {
    let (status, headers, body, reached) = answered(layer, request).await;
    assert!(!reached, "the service was reached: {status} {body}");
    assert_eq!(headers[CACHE_CONTROL], "no-store");
    assert_eq!(headers[CONTENT_TYPE], "application/json");
    assert!(serde_json::from_str::<serde_json::Value>(&body).unwrap()["reason"].is_string());
    let unavailable = status == StatusCode::SERVICE_UNAVAILABLE;
    assert_eq!(headers.get(RETRY_AFTER).map(|value| value.to_str().unwrap()), unavailable.then_some("1"));
    let challenge = headers.get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(challenge.is_none(), unavailable);
    (status.as_u16(), challenge.unwrap_or_default(), body)
}

#[tokio::test]
async fn a_good_token_reaches_the_service_with_its_permit() {
    let layer = RevocationLayer::new(permitting());
    for scheme in ["Bearer", "bearer", "BEARER", " Bearer "] {
        let (status, _, body, reached) = answered(&layer, request(&[&format!("{scheme} {}", token().build())])).await;
        assert_eq!((status, body.as_str(), reached), (StatusCode::OK, "sub-1", true), "{scheme}");
    }
}

#[tokio::test]
async fn i06_what_is_not_one_bearer_token_is_unauthorized() {
    let layer = RevocationLayer::new(permitting());
    let good = format!("Bearer {}", token().build());
    let unauthorized =
        |code: &str| (401, "Bearer".to_owned(), format!(r#"{{"error":"unauthorized","reason":"{code}"}}"#));
    assert_eq!(refused(&layer, request(&[])).await, unauthorized("no_token"));
    assert_eq!(refused(&layer, request(&["  "])).await, unauthorized("no_token"));
    for value in ["Basic dTpw", "Bearer", &token().build(), "\u{e9} x", &format!("Bearer\t{}", token().build())] {
        assert_eq!(refused(&layer, request(&[value])).await, unauthorized("not_bearer"), "{value}");
    }
    for values in [[&*good, &*good], [&*good, "Bearer x"], ["Basic dTpw", &*good]] {
        let (status, challenge, body) = refused(&layer, request(&values)).await;
        assert_eq!((status, challenge.as_str()), (401, r#"Bearer error="invalid_request""#));
        assert!(body.contains("several_tokens"), "{body}");
    }
    // Elsewhere it is not looked for.
    let in_query = Request::builder().uri(format!("/?access_token={}", token().build())).body(()).unwrap();
    assert_eq!(refused(&layer, in_query).await, unauthorized("no_token"));
}

#[tokio::test]
async fn i06_a_bad_or_revoked_token_is_invalid() {
    let now = FakeClock::default().now().seconds();
    let revoked = checker(move || Ok(Some(Tombstone { not_before: Some(now), ..Tombstone::default() })));
    for (checker, token, reason) in [
        (permitting(), token().claim("exp", "1"), "expired"),
        (permitting(), token().claim("client_id", r#""other""#), "client_refused"),
        (revoked, token(), "revoked"),
    ] {
        let body = format!(r#"{{"error":"invalid_token","reason":"{reason}"}}"#);
        let expected = (401, r#"Bearer error="invalid_token""#.to_owned(), body);
        assert_eq!(refused(&RevocationLayer::new(checker), bearer(&token)).await, expected);
    }
    let garbage = request(&["Bearer a.b.c, Bearer d"]);
    assert_eq!(refused(&RevocationLayer::new(permitting()), garbage).await.0, 401);
}

#[tokio::test]
async fn i06_what_cannot_be_checked_is_unavailable() {
    for (checker, reason) in [
        (checker(|| Err(PortError::retry("dynamodb:GetItem", "timeout"))), "store_unavailable"),
        (checker(|| Err(PortError::reject("dynamodb:GetItem", "unreadable_item"))), "store_unreadable"),
        (checker(|| panic!("a defect")), "internal"),
    ] {
        let told = Arc::new(Mutex::new(Vec::new()));
        let layer = RevocationLayer::new(checker).on_decision({
            let told = Arc::clone(&told);
            move |decision| {
                if let Decision::Denied(denial) = decision {
                    told.lock().unwrap().push(denial.code());
                }
            }
        });
        let body = format!(r#"{{"error":"temporarily_unavailable","reason":"{reason}"}}"#);
        assert_eq!(refused(&layer, bearer(&token())).await, (503, String::new(), body));
        assert_eq!(*told.lock().unwrap(), [reason]);
    }
}

#[tokio::test]
async fn i06_a_hook_or_a_recorder_that_panics_permits_nobody() {
    struct Panicking;
    impl SessionRecorder for Panicking {
        fn saw(&self, _: &Sighting<'_>) {
            panic!("a defect");
        }
    }
    for layer in [
        RevocationLayer::new(permitting()).on_decision(|_| panic!("a defect")),
        RevocationLayer::new(permitting()).recorder(Arc::new(Panicking)),
    ] {
        assert_eq!(refused(&layer, bearer(&token())).await.0, 503);
    }
}

#[tokio::test]
async fn scopes_and_groups_are_required() {
    let layer = || RevocationLayer::new(permitting());
    let forbidden = (
        403,
        r#"Bearer error="insufficient_scope""#.to_owned(),
        r#"{"error":"insufficient_scope","reason":"insufficient_scope"}"#.to_owned(),
    );
    let id = TokenBuilder::id(POOL, CLIENT, "sub-1", FakeClock::default().now().seconds());
    for (layer, token, good) in [
        (layer().require_scopes(["openid"]), token(), true),
        (layer().require_scopes(["openid", "profile"]), token(), true),
        (layer().require_scopes(["openid"]).require_scopes(["orders/read"]), token(), false),
        (layer().require_scopes(["open"]), token(), false),
        (layer().require_scopes(["openid profile"]), token(), false),
        (layer().require_scopes(["openid"]), id.clone(), false),
        (layer().require_scopes([""]), id.without("scope"), false),
        (layer().require_any_group([""; 0]), token(), false),
        (layer().require_any_group(["auditors", "admins"]), token(), true),
        (layer().require_any_group(["Admins"]), token(), false),
        (layer().require_any_group(["admins"]), token().without("cognito:groups"), false),
        (layer().require_any_group(["admins"]).require_scopes(["orders/read"]), token(), false),
    ] {
        if good {
            assert!(answered(&layer, bearer(&token)).await.3);
        } else {
            assert_eq!(refused(&layer, bearer(&token)).await, forbidden);
        }
    }
}

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl SessionRecorder for Notes {
    fn saw(&self, sighting: &Sighting<'_>) {
        let Sighting { subject, origin_jti, client_id, ip, user_agent, .. } = sighting;
        self.0.lock().unwrap().push(format!("{subject} {origin_jti} {client_id} {ip:?} {user_agent:?}"));
    }
}

#[tokio::test]
async fn sessions_in_use_are_noted_and_others_are_not() {
    let notes = Arc::new(Notes::default());
    let layer = RevocationLayer::new(permitting()).recorder(notes.clone());
    let one_proxy = ClientIp::ForwardedFor { trusted_proxies: NonZeroUsize::MIN };
    let behind = layer.clone().client_ip(one_proxy);
    let from = |token: &TokenBuilder| {
        let mut request = bearer(token);
        request.headers_mut().insert("x-forwarded-for", "6.6.6.6, 192.0.2.1".parse().unwrap());
        request.headers_mut().insert("user-agent", "curl/8".parse().unwrap());
        request
    };
    answered(&layer, from(&token())).await;
    answered(&behind, from(&token())).await;
    // A machine's token, one whose session has no proper name, and one that is no good.
    answered(&behind, from(&token().without("origin_jti"))).await;
    answered(&behind, from(&token().claim("origin_jti", r#""a b""#))).await;
    refused(&behind, from(&token().claim("exp", "1"))).await;
    let line = |ip: &str| format!("{POOL}#sub-1 origin-1 {CLIENT} {ip} Some(\"curl/8\")");
    assert_eq!(*notes.0.lock().unwrap(), [line("None"), line("Some(\"192.0.2.1\")")]);
}

/// Must be called only when it has said that it is ready; a clone has not.
struct Strict {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { ready: false, calls: Arc::clone(&self.calls) }
    }
}

impl Service<Request<()>> for Strict {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(self.ready, "called without having been asked whether it is ready");
        self.ready = false;
        self.calls.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok(Response::new(String::new())))
    }
}

#[tokio::test]
async fn it_is_the_ready_service_that_is_called() {
    let calls = Arc::new(AtomicUsize::new(0));
    let mut service = RevocationLayer::new(permitting()).layer(Strict { ready: false, calls: Arc::clone(&calls) });
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(service.ready().await.unwrap().call(bearer(&token())));
    }
    for answer in answers {
        assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

/// What a server says to one request over TCP.
async fn over_tcp(address: std::net::SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.to_ascii_lowercase()
}

#[tokio::test]
async fn a_service_of_axum_is_protected_over_tcp() {
    let dead = Arc::new(AtomicBool::new(false));
    let checker = checker({
        let dead = Arc::clone(&dead);
        move || if dead.load(Ordering::SeqCst) { panic!("a defect") } else { Ok(None) }
    });
    let who = |axum::Extension(permit): axum::Extension<Permit>| async move { permit.subject.sub.0.clone() };
    let protected = axum::Router::new().route("/who", axum::routing::get(who)).layer(RevocationLayer::new(checker));
    let service = protected.route("/open", axum::routing::get(|| async { "open" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, service).await });

    let header = format!("authorization: Bearer {}\r\n", token().build());
    let served = over_tcp(address, "/who", &header).await;
    assert!(served.starts_with("http/1.1 200 ok") && served.ends_with("sub-1"), "{served}");
    for (headers, status, challenge) in [
        (String::new(), "401 unauthorized", "www-authenticate: bearer\r\n"),
        (format!("{header}{header}"), "401 unauthorized", "bearer error=\"invalid_request\""),
        ("authorization: Bearer a.b.c\r\n".to_owned(), "401 unauthorized", "bearer error=\"invalid_token\""),
    ] {
        let answer = over_tcp(address, "/who", &headers).await;
        assert!(answer.starts_with(&format!("http/1.1 {status}")) && answer.contains(challenge), "{answer}");
        assert!(answer.contains("cache-control: no-store"), "{answer}");
    }
    assert!(over_tcp(address, "/open", "").await.ends_with("open"));
    dead.store(true, Ordering::SeqCst);
    let answer = over_tcp(address, "/who", &header).await;
    assert!(answer.starts_with("http/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn the_extractor_gives_the_permit_and_fails_closed_without_the_layer() {
    let who = |Permitted(permit): Permitted| async move { permit.subject.sub.0.clone() };
    let route = || axum::Router::new().route("/", axum::routing::get(who));
    let with_body = |request: Request<()>| request.map(|()| axum::body::Body::empty());
    let protected = route().layer(RevocationLayer::new(permitting()));
    let answer = protected.oneshot(with_body(bearer(&token()))).await.unwrap();
    assert_eq!(axum::body::to_bytes(answer.into_body(), 100).await.unwrap(), "sub-1");
    let answer = route().oneshot(with_body(bearer(&token()))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
