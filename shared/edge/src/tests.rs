//! The edge's limits, and what is held of secrets and sources.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use revocation_core::ports::PortError;
use revocation_sources::authenticate::{SecretList, match_bearer};
use revocation_testkit::intake::FakeIntake;
use serde_json::{Value, json};

use crate::{Handler, HttpFunction, Keyring, Request, Response, SourceBook};

/// Answers with what it was given.
struct Echo;

#[async_trait]
impl Handler for Echo {
    async fn handle(&self, request: Request) -> Response {
        if request.segments() == ["slow"] {
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
        let body = json!({
            "method": request.method, "path": request.path, "query": request.query,
            "body": String::from_utf8_lossy(&request.body), "x": request.header("X-Thing"),
        });
        Response::json(200, "application/json", &body)
    }
}

fn event() -> Value {
    json!({
        "version": "2.0", "rawPath": "/a/b%20c", "rawQueryString": "x=1&y=%C3%BC+z",
        "headers": {"x-thing": "1"}, "isBase64Encoded": false, "body": "text",
        "requestContext": {"http": {"method": "POST", "path": "/a"}, "requestId": "r1", "stage": "$default"},
    })
}

async fn answer(event: &Value) -> Value {
    let clock = Arc::new(revocation_testkit::clock::FakeClock::default());
    let function = HttpFunction { name: "test", handler: Arc::new(Echo), clock };
    serde_json::from_slice(&function.handle_bytes(&event.to_string()).await.unwrap()).unwrap()
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_request_is_read_and_decoded() {
    let answer = answer(&event()).await;
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(answer["headers"]["cache-control"], "no-store");
    assert_eq!(answer["headers"]["x-request-id"], "r1");
    let seen = body(&answer);
    assert_eq!(seen["path"], json!(["a", "b c"]));
    assert_eq!(seen["query"], json!([["x", "1"], ["y", "ü z"]]));
    assert_eq!((&seen["body"], &seen["x"], &seen["method"]), (&json!("text"), &json!("1"), &json!("POST")));
}

#[tokio::test]
async fn a_body_in_base64_is_decoded_and_a_stage_is_no_part_of_the_path() {
    let mut event = event();
    event["isBase64Encoded"] = json!(true);
    event["body"] = json!(STANDARD.encode("größer"));
    event["rawPath"] = json!("/v1/a");
    event["requestContext"]["stage"] = json!("v1");
    let seen = body(&answer(&event).await);
    assert_eq!((&seen["body"], &seen["path"]), (&json!("größer"), &json!(["a"])));
}

#[tokio::test]
async fn what_is_beyond_the_limits_is_refused_with_a_problem() {
    let most = 256 * 1024;
    let fill = |n: usize| "x".repeat(n);
    let many = (0..65).map(|n| (format!("h{n}"), json!("1"))).collect::<serde_json::Map<_, _>>();
    let cases = [
        (json!({"body": fill(most)}), 200),
        (json!({"body": fill(most + 1)}), 413),
        (json!({"body": STANDARD.encode(fill(most)), "isBase64Encoded": true}), 200),
        (json!({"body": STANDARD.encode(fill(most + 1)), "isBase64Encoded": true}), 413),
        (json!({"body": "!", "isBase64Encoded": true}), 400),
        (json!({"headers": many}), 431),
        (json!({"headers": {"x": fill(10_240)}}), 431),
        (json!({"rawPath": format!("/{}", fill(2_048))}), 414),
        (json!({"rawPath": "/a/b/c/d/e/f/g/h/i"}), 414),
        (json!({"rawQueryString": fill(8_193)}), 414),
        (json!({"rawQueryString": "a=1&".repeat(33)}), 414),
    ];
    for (change, status) in cases {
        let mut event = event();
        for (name, value) in change.as_object().unwrap() {
            event[name] = value.clone();
        }
        let answer = answer(&event).await;
        let named: Vec<_> = change.as_object().unwrap().keys().collect();
        assert_eq!(answer["statusCode"], status, "{named:?}");
        if status != 200 {
            assert_eq!(answer["headers"]["content-type"], "application/problem+json", "{named:?}");
            assert_eq!(body(&answer)["status"], status);
        }
    }
}

/// Takes what lies below `/theirs` for somebody else's.
struct Opaque;

#[async_trait]
impl Handler for Opaque {
    async fn handle(&self, request: Request) -> Response {
        Echo.handle(request).await
    }

    fn opaque_below(&self) -> Option<&'static str> {
        Some("theirs")
    }
}

#[tokio::test]
async fn below_an_opaque_segment_no_path_is_too_long() {
    let clock = Arc::new(revocation_testkit::clock::FakeClock::default());
    let function = HttpFunction { name: "test", handler: Arc::new(Opaque), clock };
    for (path, stage, status) in [
        ("/theirs/a/b/c/d/e/f/g/h/i/j", "$default", 200),
        ("//theirs", "$default", 200),
        ("/v1/theirs/a/b/c/d/e/f/g/h/i/j", "v1", 200),
        ("/theirsnot/a/b/c/d/e/f/g/h/i/j", "$default", 414),
        ("/a/theirs/b/c/d/e/f/g/h/i/j", "$default", 414),
    ] {
        let mut event = event();
        event["rawPath"] = json!(path);
        event["rawQueryString"] = json!(if status == 200 { "a=1&".repeat(3_000) } else { String::new() });
        event["requestContext"]["stage"] = json!(stage);
        let answer: Value = serde_json::from_slice(&function.handle_bytes(&event.to_string()).await.unwrap()).unwrap();
        assert_eq!(answer["statusCode"], status, "{path}");
        if status == 200 {
            assert_eq!((&body(&answer)["path"], &body(&answer)["query"]), (&json!(["theirs"]), &json!([])), "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_no_http_event_is_an_error_without_a_quote() {
    let function = HttpFunction {
        name: "test",
        handler: Arc::new(Echo),
        clock: Arc::new(revocation_testkit::clock::FakeClock::default()),
    };
    let error = function.handle_bytes(r#"{"secret":"s3cr3t"}"#).await.unwrap_err();
    assert!(!error.to_string().contains("s3cr3t"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_sender_is_answered_in_time() {
    let mut event = event();
    event["rawPath"] = json!("/slow");
    let answer = answer(&event).await;
    assert_eq!(answer["statusCode"], 503);
    assert_eq!(answer["headers"]["retry-after"], "5");
}

#[tokio::test]
async fn the_health_check_needs_no_handler() {
    let mut event = event();
    event["rawPath"] = json!("/healthz");
    event["requestContext"]["http"]["method"] = json!("GET");
    let answer = answer(&event).await;
    assert_eq!((&answer["statusCode"], answer["body"].as_str().unwrap_or_default()), (&json!(204), ""));
}

const OLD: &str = "old-token-0123456789";
const NEW: &str = "new-token-0123456789";

async fn knows(keyring: &Keyring, token: &str) -> Result<bool, PortError> {
    let header = format!("Bearer {token}");
    let found = |secrets: &SecretList| match_bearer(secrets, &header).map(drop).ok_or(());
    Ok(keyring.try_with("scim", SecretList::parse, found).await?.is_ok())
}

fn reads(fake: &FakeIntake) -> usize {
    fake.state().calls.iter().filter(|call| **call == "read").count()
}

#[tokio::test]
async fn i11_a_rotated_secret_works_at_once_and_a_withdrawn_one_for_a_minute_at_most() {
    let fake = Arc::new(FakeIntake::default());
    fake.put_text("scim", OLD);
    let keyring = Keyring::new(fake.clone(), fake.clock.clone());
    assert!(knows(&keyring, OLD).await.unwrap());
    fake.put_text("scim", NEW);
    fake.clock.advance(Duration::from_secs(11));
    assert!(knows(&keyring, OLD).await.unwrap(), "held");
    assert!(knows(&keyring, NEW).await.unwrap(), "an unknown one makes it look again");
    assert!(!knows(&keyring, OLD).await.unwrap());
    // Nobody presents the new one.
    fake.put_text("scim", OLD);
    fake.clock.advance(Duration::from_secs(61));
    assert!(knows(&keyring, OLD).await.unwrap());
    fake.put_text("scim", NEW);
    fake.clock.advance(Duration::from_secs(61));
    assert!(!knows(&keyring, OLD).await.unwrap(), "withdrawn a minute ago");
}

#[tokio::test]
async fn forged_tokens_do_not_flood_secrets_manager() {
    let fake = Arc::new(FakeIntake::default());
    fake.put_text("scim", OLD);
    let keyring = Keyring::new(fake.clone(), fake.clock.clone());
    for _ in 0..100 {
        assert!(!knows(&keyring, "forged-0123456789").await.unwrap());
    }
    assert_eq!(reads(&fake), 1);
}

#[tokio::test]
async fn an_outage_of_secrets_manager_does_not_turn_honest_senders_away_but_a_deleted_secret_does() {
    let fake = Arc::new(FakeIntake::default());
    fake.put_text("scim", OLD);
    let keyring = Keyring::new(fake.clone(), fake.clock.clone());
    assert!(knows(&keyring, OLD).await.unwrap());
    fake.clock.advance(Duration::from_mins(2));
    fake.fail("read", PortError::retry("read", "timeout"));
    assert!(knows(&keyring, OLD).await.unwrap());
    fake.clock.advance(Duration::from_mins(2));
    fake.state().texts.clear();
    assert!(knows(&keyring, OLD).await.is_err());
    fake.put_text("scim", "short");
    fake.clock.advance(Duration::from_secs(10));
    assert!(knows(&keyring, "short").await.is_err(), "a malformed secret lets nobody in");
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_looked_for_as_rarely_as_one_that_does_not_fit() {
    let fake = Arc::new(FakeIntake::default());
    let keyring = Keyring::new(fake.clone(), fake.clock.clone());
    for _ in 0..100 {
        assert!(knows(&keyring, OLD).await.is_err());
    }
    assert_eq!(reads(&fake), 1);
    fake.put_text("scim", OLD);
    fake.clock.advance(Duration::from_secs(10));
    assert!(knows(&keyring, OLD).await.unwrap());
    // An outage is over when it is over.
    let keyring = Keyring::new(fake.clone(), fake.clock.clone());
    fake.fail("read", PortError::retry("read", "timeout"));
    assert!(knows(&keyring, OLD).await.is_err());
    assert!(knows(&keyring, OLD).await.unwrap());
}

const GOOD: &str = "version: 1\npools: [eu-central-1_One]\nrole_change:\n  erp:\n    \
    authentication: { method: standard_webhooks, secret: revocation/sources/erp }\n    compare: inclusion\n";

#[tokio::test]
async fn a_document_that_becomes_wrong_leaves_the_last_good_one_in_force() {
    let fake = Arc::new(FakeIntake::default());
    fake.put_text("sources", GOOD);
    let book = SourceBook::open(fake.clone(), fake.clock.clone(), "sources").await.unwrap();
    fake.put_text("sources", "version: 2");
    fake.clock.advance(Duration::from_secs(61));
    assert!(book.current().await.role_change.contains_key("erp"));
    fake.put_text("sources", &GOOD.replace("erp", "crm"));
    assert!(book.current().await.role_change.contains_key("erp"), "believed for a minute");
    fake.clock.advance(Duration::from_secs(61));
    assert!(book.current().await.role_change.contains_key("crm"));
}

#[tokio::test]
async fn a_function_does_not_start_with_a_wrong_document_and_names_every_mistake_with_its_line() {
    let fake = Arc::new(FakeIntake::default());
    fake.put_text(
        "sources",
        &GOOD.replace("inclusion", "sideways").replace("method: standard_webhooks", "method: trust"),
    );
    let error = SourceBook::open(fake.clone(), fake.clock.clone(), "sources").await.err().unwrap().to_string();
    assert!(error.contains("line 5") && error.contains("line 6"), "{error}");
    fake.state().texts.clear();
    assert!(SourceBook::open(fake.clone(), fake.clock.clone(), "sources").await.is_err());
}
