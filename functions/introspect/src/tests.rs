//! The endpoints over the fakes, with real tokens.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::Tombstone;
use revocation_core::ports::{Clock, PortError};
use revocation_edge::{HttpFunction, Keyring};
use revocation_testkit::clock::FakeClock;
use revocation_testkit::intake::FakeIntake;
use revocation_testkit::keys::{jwks, key_a, key_b};
use revocation_testkit::token::{LIFE, TokenBuilder};
use revocation_verify::{JwksSource, KeySet, PoolConfig, Verifier};
use serde_json::{Value, json};

use super::*;

const POOL: &str = "eu-central-1_Test";
const CLIENT: &str = "client-1";
const SECRET: &str = "orders-secret-0123456789";
const PREFIX: &str = "revocation/introspection/";

/// A store where `sub-revoked` is revoked, `sub-lost` cannot be read, and the most reads at a time are counted.
#[derive(Default)]
struct Store {
    running: AtomicUsize,
    most: AtomicUsize,
    read: Mutex<Vec<String>>,
}

#[async_trait]
impl TombstoneReader for Store {
    async fn read(&self, subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        self.most.fetch_max(self.running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        self.read.lock().unwrap().push(subject.sub.0.clone());
        tokio::task::yield_now().await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        match subject.sub.0.as_str() {
            "sub-revoked" => Ok(Some(Tombstone { not_before: Some(now()), ..Tombstone::default() })),
            "sub-lost" => Err(PortError::retry("dynamodb:GetItem", "timeout")),
            "sub-garbled" => Err(PortError::reject("dynamodb:GetItem", "unreadable_item")),
            _ => Ok(None),
        }
    }

    async fn read_pool(&self, _pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        Ok(None)
    }
}

struct NoJwks;

#[async_trait]
impl JwksSource for NoJwks {
    async fn fetch(&self, _pool: &PoolConfig) -> Result<Vec<u8>, PortError> {
        Err(PortError::retry("jwks:fetch", "unreachable"))
    }
}

fn now() -> EpochSeconds {
    FakeClock::default().now().seconds()
}

/// The function with the clients `orders` and `billing`.
struct Harness {
    store: Arc<Store>,
    fake: Arc<FakeIntake>,
    introspection: Introspection,
}

fn harness() -> Harness {
    let fake = Arc::new(FakeIntake::default());
    fake.put_text(&format!("{PREFIX}orders"), SECRET);
    let rotated = json!({"secrets": [
        {"name": "old", "value": "billing-old-0123456789"}, {"name": "new", "value": "billing+new%2F0123456789"},
    ]});
    fake.put_text(&format!("{PREFIX}billing"), &rotated.to_string());
    let mut pool = PoolConfig::new(UserPoolId(POOL.into()), vec![CLIENT.into()]);
    pool.bundled_keys = Some(KeySet::parse(&jwks(&[key_a()])).unwrap());
    let (clock, source): (Arc<dyn Clock>, Arc<dyn JwksSource>) = (fake.clock.clone(), Arc::new(NoJwks));
    let verifier = Verifier::builder(source, Arc::clone(&clock)).pool(pool).build().unwrap();
    let store = Arc::new(Store::default());
    let checker = Checker { verifier, reader: store.clone(), clock, store_outage: StoreOutage::Deny };
    let names = BTreeSet::from(["billing".to_owned(), "orders".to_owned()]);
    let keyring = Keyring::new(fake.clone(), fake.clock.clone());
    let clients = Clients { keyring, names, prefix: PREFIX.into() };
    Harness { store, fake, introspection: Introspection { checker, clients } }
}

fn access(sub: &str) -> String {
    TokenBuilder::access(POOL, CLIENT, sub, now()).build()
}

fn basic(name: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")))
}

/// Tokens that were never good.
fn garbage() -> Vec<String> {
    let expired = TokenBuilder::access(POOL, CLIENT, "sub-1", EpochSeconds(now().0 - 2 * LIFE)).build();
    let forged = TokenBuilder::access(POOL, CLIENT, "sub-1", now()).forged_with(key_b()).build();
    let foreign = TokenBuilder::access(POOL, "another-client", "sub-1", now()).build();
    vec!["garbage".into(), "a.b.c".into(), "ü".repeat(9_000), expired, forged, foreign]
}

// === impl Harness ===

impl Harness {
    async fn post(&self, uri: &str, authorization: &str, kind: &str, body: impl Into<Vec<u8>>) -> Response {
        let headers = [("authorization", authorization), ("content-type", kind)];
        self.introspection.handle(Request::new("POST", uri, &headers, body)).await
    }

    async fn ask_as(&self, authorization: &str, token: &str) -> (u16, Value) {
        let body: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("token_type_hint", "refresh_token")
            .append_pair("token", token)
            .finish();
        let answer = self.post("/introspect", authorization, "application/x-www-form-urlencoded", body).await;
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    }

    async fn ask(&self, token: &str) -> (u16, Value) {
        self.ask_as(&basic("orders", SECRET), token).await
    }

    async fn ask_batch(&self, tokens: &[String]) -> (u16, Value) {
        let body = json!({ "tokens": tokens }).to_string();
        let answer = self.post("/introspect/batch", &basic("orders", SECRET), "application/json", body).await;
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    }

    async fn gate(&self, headers: &[(&str, &str)]) -> Response {
        self.introspection.handle(Request::new("GET", "/ext_authz", headers, "")).await
    }
}

#[tokio::test]
async fn a_good_token_is_active_with_its_claims() {
    let at = now().0;
    let expected = json!({
        "active": true, "scope": "openid profile", "client_id": CLIENT, "username": "user-sub-1", "token_type": "Bearer",
        "exp": at + LIFE, "iat": at, "auth_time": at, "sub": "sub-1", "token_use": "access",
        "iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Test", "jti": "jti-1",
        "origin_jti": "origin-1", "cognito:groups": ["staff", "admins"],
    });
    assert_eq!(harness().ask(&access("sub-1")).await, (200, expected));
    let id = TokenBuilder::id(POOL, CLIENT, "sub-1", now()).claim("nbf", at.to_string()).build();
    let (_, answer) = harness().ask(&id).await;
    assert_eq!((&answer["aud"], &answer["nbf"], &answer["token_use"]), (&json!(CLIENT), &json!(at), &json!("id")));
    assert_eq!(answer.get("scope"), None);
    assert_eq!(answer.get("email"), None, "an ID token's attributes are nobody's business here");
}

#[tokio::test]
async fn i06_what_is_revoked_or_was_never_good_is_inactive_and_nothing_more() {
    let harness = harness();
    for token in garbage().into_iter().chain([access("sub-revoked")]) {
        assert_eq!(harness.ask(&token).await, (200, json!({"active": false})), "{}", &token[..7]);
    }
    assert_eq!(*harness.store.read.lock().unwrap(), ["sub-revoked"], "what does not verify costs no read");
}

#[tokio::test]
async fn i06_what_cannot_be_checked_is_neither_active_nor_inactive() {
    let harness = harness();
    let unknown_key = TokenBuilder::access(POOL, CLIENT, "sub-1", now()).signed_by(key_b()).build();
    for token in [access("sub-lost"), access("sub-garbled"), unknown_key] {
        let (status, body) = harness.ask(&token).await;
        assert_eq!((status, &body["code"], body.get("active")), (503, &json!("unavailable"), None));
        let (status, body) = harness.ask_batch(&[access("sub-1"), token.clone()]).await;
        assert_eq!((status, body.get("results")), (503, None));
        let refused = harness.gate(&[("authorization", &format!("Bearer {token}"))]).await;
        assert_eq!((refused.status, refused.headers["retry-after"].as_str()), (503, "5"));
    }
}

#[tokio::test]
async fn i11_only_a_client_with_a_secret_of_its_own_may_ask() {
    let harness = harness();
    let token = access("sub-1");
    let bearer = format!("Bearer {SECRET}");
    for good in [
        basic("orders", SECRET),
        basic("billing", "billing-old-0123456789"),
        basic("billing", "billing+new%2F0123456789"),
        // The same, form-encoded, as OAuth has it.
        basic("billing", "billing%2Bnew%252F0123456789"),
        bearer.replace("Bearer", "bearer"),
        "Bearer billing-old-0123456789".into(),
    ] {
        assert_eq!(harness.ask_as(&good, &token).await.1["active"], true, "{good}");
    }
    for bad in [
        String::new(),
        basic("orders", "wrong-secret-0123456789"),
        basic("billing", SECRET),
        basic("", SECRET),
        basic("nobody", SECRET),
        basic("../sources/scim", SECRET),
        format!("Basic {}", STANDARD.encode(SECRET)),
        "Basic !".into(),
        "Bearer ".into(),
        format!("Digest {SECRET}"),
        bearer.clone() + ",Bearer x",
        format!("Bearer {token}"),
        format!("Bearer {}", "x".repeat(5_000)),
    ] {
        let (status, body) = harness.ask_as(&bad, &token).await;
        assert_eq!((status, body.get("active")), (401, None), "{bad}");
    }
    assert!(harness.store.read.lock().unwrap().len() == 6, "nothing is checked for strangers");
    let answer = harness.introspection.handle(Request::new("POST", "/introspect", &[], "token=x")).await;
    assert!(answer.headers["www-authenticate"].starts_with("Basic realm="));
    assert_eq!(harness.ask_batch(&[]).await.0, 200);
    let answer = harness.post("/introspect/batch", "Bearer nonsense-0123456789", "application/json", "{").await;
    assert_eq!(answer.status, 401, "nothing is parsed before the client is known");
}

#[tokio::test]
async fn made_up_names_cost_no_call_and_an_outage_of_the_secrets_is_told_apart() {
    let harness = harness();
    for n in 0..50 {
        assert_eq!(harness.ask_as(&basic(&format!("n{n}"), SECRET), "x").await.0, 401);
    }
    assert!(harness.fake.state().calls.is_empty());
    harness.fake.fail("read", PortError::retry("read", "timeout"));
    assert_eq!(harness.ask("x").await.0, 503);
    assert_eq!(harness.ask("x").await.0, 200);
    // One client's broken secret does not lock out the other.
    harness.fake.put_text(&format!("{PREFIX}billing"), "short");
    assert_eq!(harness.ask_as(&format!("Bearer {SECRET}"), "x").await.0, 200);
    assert_eq!(harness.ask_as(&basic("billing", "billing-old-0123456789"), "x").await.0, 503);
    // A secret alone does not say whose it is: it is a stranger's, and costs no call each.
    let reads = |harness: &Harness| harness.fake.state().calls.len();
    let before = reads(&harness);
    for n in 0..50 {
        assert_eq!(harness.ask_as(&format!("Bearer stranger-{n}-0123456789"), "x").await.0, 401);
    }
    assert_eq!(reads(&harness), before);
    harness.fake.clock.advance(Duration::from_secs(10));
    harness.fake.put_text(&format!("{PREFIX}billing"), "billing-mended-0123456789");
    assert_eq!(harness.ask_as("Bearer billing-mended-0123456789", "x").await.0, 200);
    harness.fake.clock.advance(Duration::from_secs(61));
    harness.fake.fail("read", PortError::retry("read", "timeout"));
    assert_eq!(harness.ask_as("Bearer stranger-0123456789", "x").await.0, 401, "what is held still tells");
}

#[tokio::test]
async fn a_question_that_is_none_is_told_so() {
    let harness = harness();
    let form = "application/x-www-form-urlencoded";
    let many = "a=1&".repeat(17) + "token=x";
    for (uri, kind, body, status) in [
        ("/introspect", form, "", 400),
        ("/introspect", form, "token=", 400),
        ("/introspect", form, "token=a&token=b", 400),
        ("/introspect", form, many.as_str(), 400),
        ("/introspect", "application/json", r#"{"token":"x"}"#, 415),
        ("/introspect/batch", form, "token=x", 415),
        ("/introspect/batch", "application/json", "{", 400),
        ("/introspect/batch", "application/json; charset=utf-8", r#"{"tokens":[1]}"#, 400),
        ("/introspect/batch", "application/json", r#"{"tokens":[],"tokens":[]}"#, 400),
        ("/introspect/batch", "application/json", r#"{"tokens":[],"hint":1}"#, 400),
        ("/introspect/other", form, "token=x", 404),
    ] {
        assert_eq!(harness.post(uri, &basic("orders", SECRET), kind, body).await.status, status, "{uri} {body}");
    }
    let get = harness.introspection.handle(Request::new("GET", "/introspect?token=x", &[], "")).await;
    assert_eq!((get.status, get.headers["allow"].as_str()), (405, "POST"));
}

#[tokio::test]
async fn a_batch_is_answered_in_order_and_checked_sixteen_at_a_time() {
    let harness = harness();
    let tokens: Vec<String> = (0..100)
        .map(|n| {
            if n % 3 == 0 {
                access("sub-revoked")
            } else if n % 3 == 1 {
                access(&format!("sub-{n}"))
            } else {
                "x".into()
            }
        })
        .collect();
    let (status, body) = harness.ask_batch(&tokens).await;
    assert_eq!(status, 200);
    let results = body["results"].as_array().unwrap();
    assert_eq!(results.len(), 100);
    for (n, result) in results.iter().enumerate() {
        let expected = (n % 3 == 1).then(|| json!(format!("sub-{n}")));
        assert_eq!((result["active"] == true, result.get("sub")), (expected.is_some(), expected.as_ref()), "{n}");
    }
    let most = harness.store.most.load(Ordering::SeqCst);
    assert!((2..=16).contains(&most), "{most} at a time");
    let (status, body) = harness.ask_batch(&vec!["x".to_owned(); 101]).await;
    assert_eq!((status, &body["code"]), (413, &json!("too_many_tokens")));
    let (_, body) = harness.ask_batch(&garbage()).await;
    assert_eq!(body["results"], json!(vec![json!({"active": false}); 6]));
}

#[tokio::test]
async fn a_gateway_lets_a_good_token_through_with_who_it_is() {
    let harness = harness();
    let token = TokenBuilder::access(POOL, CLIENT, "sub-1", now())
        .claim("username", r#""jürgen\r\nx-auth-sub: root""#)
        .claim("cognito:groups", r#"["staff","a b","c,d"]"#)
        .build();
    let answer = harness.gate(&[("Authorization", &format!("bearer {token}"))]).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    let header = |name: &str| answer.headers[name].as_str();
    assert_eq!(header("x-auth-sub"), "sub-1");
    assert_eq!(header("x-auth-client-id"), CLIENT);
    assert_eq!(header("x-auth-scope"), "openid profile");
    assert_eq!(header("x-auth-groups"), "staff a%20b c%2Cd");
    assert_eq!(header("x-auth-username"), "j%C3%BCrgen%0D%0Ax-auth-sub:%20root");
    let bare = TokenBuilder::access(POOL, CLIENT, "sub-1", now()).without("username").without("scope").build();
    let answer = harness.gate(&[("authorization", &format!("Bearer {bare}"))]).await;
    assert_eq!(answer.headers["x-auth-username"], "", "or the client's own would go through");
    assert_eq!(answer.headers["x-auth-scope"], "");
    let groups: Vec<String> = (0..100).map(|n| format!("a-group-with-a-rather-long-name-{n}")).collect();
    let many =
        TokenBuilder::access(POOL, CLIENT, "sub-1", now()).claim("cognito:groups", json!(groups).to_string()).build();
    let answer = harness.gate(&[("authorization", &format!("Bearer {many}"))]).await;
    let listed = &answer.headers["x-auth-groups"];
    assert!(listed.len() <= 2_048 && listed.starts_with("a-group") && !listed.ends_with('-'), "{}", listed.len());
}

#[tokio::test]
async fn i06_a_gateway_is_told_401_for_everything_that_is_no_good() {
    let harness = harness();
    let good = access("sub-1");
    let (revoked, two) = (format!("Bearer {}", access("sub-revoked")), format!("Bearer {good},Bearer {good}"));
    let bare = harness.gate(&[]).await;
    assert_eq!((bare.status, bare.headers["www-authenticate"].as_str()), (401, "Bearer"));
    for value in [revoked.as_str(), two.as_str(), "Bearer", "Bearer  ", "Basic eDp5", good.as_str()] {
        let answer = harness.gate(&[("authorization", value)]).await;
        assert_eq!(answer.status, 401, "{}", &value[..5]);
        assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
        assert!(!answer.headers.contains_key("x-auth-sub"));
        assert!(!answer.body.contains(&good));
    }
}

#[tokio::test]
async fn every_method_and_path_of_the_original_request_is_taken_and_no_answer_is_kept() {
    let Harness { introspection, fake, .. } = harness();
    let function = HttpFunction { name: "introspect", handler: Arc::new(introspection), clock: fake.clock.clone() };
    for (method, path) in
        [("GET", "/ext_authz"), ("DELETE", "/ext_authz/a/b/c/d/e/f/g/h/i/j/k"), ("POST", "/ext_authz/introspect")]
    {
        let event = json!({
            "version": "2.0", "rawPath": path, "rawQueryString": "q=1&".repeat(100), "isBase64Encoded": false,
            "headers": {"authorization": format!("Bearer {}", access("sub-1"))},
            "requestContext": {"http": {"method": method, "path": path}, "requestId": "r1", "stage": "$default"},
        });
        let answer = function.handle_bytes(&event.to_string()).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!((&answer["statusCode"], &answer["headers"]["cache-control"]), (&json!(200), &json!("no-store")));
    }
}
