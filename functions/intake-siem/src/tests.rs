//! The handler over the fakes: real requests, signed by an implementation of the signature that is not the verifier's.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use revocation_core::ports::{Clock as _, PortError};
use revocation_edge::webhook::WebhookReceiver;
use revocation_edge::{Handler as _, Keyring, LastHeard, Request, Response, SourceBook};
use revocation_testkit::intake::FakeIntake;
use ring::hmac;
use serde_json::{Value, json};

use super::SiemIntake;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
const DOCUMENT: &str = r"
version: 1
pools: [eu-central-1_One]
siem:
  plain:
    preset: plain
    severity_floor: high
    authentication: { method: standard_webhooks, secret: plain }
    grant: { reasons: [compromise, anomaly], subjects_per_hour: 2 }
    silent_after_hours: 24
  splunk:
    preset: splunk
    authentication: { method: path, secret: splunk }
  okta:
    preset: plain
    authentication: { method: okta_event_hook, secret: okta }
";

struct World {
    fake: Arc<FakeIntake>,
    intake: SiemIntake,
}

impl World {
    async fn new() -> Self {
        let fake = Arc::new(FakeIntake::default());
        fake.clock.advance(Duration::from_hours(1));
        fake.put_text("sources", DOCUMENT);
        fake.put_text("plain", &format!("whsec_{}", STANDARD.encode(KEY)));
        fake.put_text("splunk", "a-long-secret-in-the-path");
        fake.put_text("okta", "a-long-secret-in-the-header");
        let sources = SourceBook::open(fake.clone(), fake.clock.clone(), "sources").await.unwrap();
        let keyring = Keyring::new(fake.clone(), fake.clock.clone());
        let last_heard = LastHeard::new(fake.clone(), fake.clock.clone());
        let receiver = WebhookReceiver { keyring, last_heard, clock: fake.clock.clone(), intake: fake.intake() };
        Self { intake: SiemIntake { sources, receiver }, fake }
    }

    fn now(&self) -> i64 {
        self.fake.clock.now().seconds().0
    }

    async fn send(&self, id: &str, at: i64, body: &str) -> (u16, Value) {
        let signed = format!("{id}.{at}.{body}");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), signed.as_bytes());
        let signature = format!("v1,{}", STANDARD.encode(tag));
        self.post(
            &[("webhook-id", id), ("webhook-timestamp", &at.to_string()), ("webhook-signature", &signature)],
            body,
        )
        .await
    }

    async fn post(&self, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
        read(&self.intake.handle(Request::new("POST", "/hooks/siem/plain", headers, body)).await)
    }

    fn published(&self) -> usize {
        self.fake.state().published.len()
    }
}

fn read(response: &Response) -> (u16, Value) {
    (response.status, serde_json::from_str(&response.body).unwrap_or_default())
}

fn alert(emails: &[&str], severity: &str) -> String {
    let subjects: Vec<Value> = emails.iter().map(|email| json!({"format": "email", "email": email})).collect();
    json!({"event_id": "alert-1", "severity": severity, "reason": "compromise", "subjects": subjects, "title": "t"})
        .to_string()
}

#[tokio::test]
async fn an_alert_is_accepted_when_it_is_durable_and_carries_its_source() {
    let world = World::new().await;
    let (status, body) = world.send("m1", world.now(), &alert(&["a@example.com"], "high")).await;
    assert_eq!((status, &body["status"]), (202, &json!("accepted")), "{body}");
    let state = world.fake.state();
    let request = &state.published[0];
    assert_eq!(request.source.name, "siem/plain");
    assert_eq!(request.pools[0].0, "eu-central-1_One");
    assert_eq!(body["revocations"], json!([request.id()]));
}

#[tokio::test]
async fn i08_a_repeated_alert_is_acknowledged_without_a_second_effect() {
    let world = World::new().await;
    world.send("m1", world.now(), &alert(&["a@example.com"], "high")).await;
    let (status, body) = world.send("m1", world.now(), &alert(&["a@example.com"], "high")).await;
    assert_eq!((status, &body["status"]), (200, &json!("repeated")));
    let (status, body) = world.send("m1", world.now(), &alert(&["b@example.com"], "high")).await;
    assert_eq!((status, &body["code"]), (409, &json!("id_conflict")));
    assert_eq!(world.published(), 1);
}

#[tokio::test]
async fn i11_forged_stale_and_unsigned_alerts_are_refused() {
    let world = World::new().await;
    let body = alert(&["a@example.com"], "high");
    let (now, long) = (world.now(), "x".repeat(44));
    let forged = format!("v1,{}", STANDARD.encode([0u8; 32]));
    let at = now.to_string();
    let headers = [("webhook-id", "m1"), ("webhook-timestamp", at.as_str()), ("webhook-signature", forged.as_str())];
    assert_eq!(world.post(&headers, &body).await.0, 401);
    assert_eq!(world.post(&[("authorization", &long)], &body).await.0, 401);
    assert_eq!(world.send("m1", now - 301, &body).await.0, 401);
    assert_eq!(world.send("m1", now + 301, &body).await.0, 401);
    assert_eq!(world.published(), 0);
    // None of them used up the id.
    assert_eq!(world.send("m1", now, &body).await.0, 202);
}

#[tokio::test]
async fn what_an_authentic_alert_can_do_wrong_is_told() {
    let world = World::new().await;
    let refused = [
        ("{", 400, "not_json"),
        (r#"{"a":1,"a":2}"#, 400, "duplicate_member"),
        (r#"{"event_id":"e","severity":"high","reason":"compromise","subjects":[]}"#, 422, "no_subject"),
        (
            r#"{"event_id":"e","severity":"high","reason":"offboarding","subjects":[{"format":"email","email":"a@b.example"}]}"#,
            403,
            "not_granted",
        ),
    ];
    for (body, status, code) in refused {
        let (seen, problem) = world.send("m1", world.now(), body).await;
        assert_eq!((seen, problem["code"].as_str()), (status, Some(code)), "{body}: {problem}");
    }
    let (status, body) = world.send("m1", world.now(), &alert(&["a@example.com"], "low")).await;
    assert_eq!((status, &body["why"]), (200, &json!("severity_below_floor")));
    assert_eq!(world.published(), 0);
}

#[tokio::test]
async fn i11_subjects_beyond_the_blast_radius_are_parked_and_the_sender_is_told() {
    let world = World::new().await;
    let emails = ["a@example.com", "b@example.com", "c@example.com"];
    let (status, body) = world.send("m1", world.now(), &alert(&emails, "critical")).await;
    assert_eq!((status, &body["status"]), (202, &json!("parked")));
    assert_eq!((world.published(), world.fake.state().queued.len()), (2, 1));
}

#[tokio::test]
async fn i07_without_durability_there_is_no_2xx() {
    let world = World::new().await;
    for call in ["read", "receive", "admit", "publish", "accept"] {
        world.fake.fail(call, PortError::retry(call, "timeout"));
        let (status, _) = world.send("m1", world.now(), &alert(&["a@example.com"], "high")).await;
        assert_eq!(status, 503, "{call}");
    }
    assert_eq!(world.send("m1", world.now(), &alert(&["a@example.com"], "high")).await.0, 202);
}

#[tokio::test]
async fn whoever_is_authentic_was_heard_of_whatever_comes_of_the_alert_and_nobody_else() {
    let world = World::new().await;
    let heard = || world.fake.state().heard.get("siem/plain").copied();
    let forged = [("webhook-id", "m1"), ("webhook-timestamp", "3600"), ("webhook-signature", "v1,AAAA")];
    assert_eq!(world.post(&forged, &alert(&["a@example.com"], "high")).await.0, 401);
    assert_eq!(world.send("m1", world.now() - 301, &alert(&["a@example.com"], "high")).await.0, 401);
    assert_eq!(heard(), None);
    for (body, status) in
        [("{", 400), (&alert(&["a@example.com"], "low"), 200), (&alert(&["a@example.com"], "high"), 202)]
    {
        world.fake.clock.advance(Duration::from_mins(1));
        assert_eq!(world.send("m1", world.now(), body).await.0, status);
        assert_eq!(heard(), Some(world.fake.clock.now()), "{status}");
    }
    world.fake.clock.advance(Duration::from_mins(1));
    world.fake.fail("heard", PortError::retry("heard", "timeout"));
    assert_eq!(
        world.send("m1", world.now(), &alert(&["a@example.com"], "high")).await.0,
        200,
        "repeated, noted or not"
    );
    let unwatched = Request::new("POST", "/hooks/siem/splunk/a-long-secret-in-the-path", &[], "{}");
    world.intake.handle(unwatched).await;
    assert_eq!(world.fake.state().heard.len(), 1, "its silence is told to nobody");
}

#[tokio::test]
async fn a_secret_in_the_path_is_looked_for_nowhere_else() {
    let world = World::new().await;
    let body = r#"{"sid":"s1","search_name":"Impossible travel","result":{"user":"a@example.com"}}"#;
    let send = async |uri: &str| read(&world.intake.handle(Request::new("POST", uri, &[], body)).await);
    assert_eq!(send("/hooks/siem/splunk/a-long-secret-in-the-path").await.0, 202);
    assert_eq!(send("/hooks/siem/splunk/another-long-secret-here").await.0, 401);
    assert_eq!(send("/hooks/siem/splunk").await.0, 401);
    assert_eq!(send("/hooks/siem/plain/a-long-secret-in-the-path").await.0, 401);
    assert_eq!(send("/hooks/siem/nobody").await.0, 404);
    assert_eq!(send("/hooks/siem/splunk/a/b").await.0, 404);
    assert_eq!(world.fake.state().published[0].reason.as_str(), "anomaly", "the narrower grant");
}

#[tokio::test]
async fn oktas_challenge_is_answered_to_whoever_knows_the_secret() {
    let world = World::new().await;
    let ask = async |secret: &str| {
        let headers = [("authorization", secret), ("x-okta-verification-challenge", "c0ffee")];
        read(&world.intake.handle(Request::new("GET", "/hooks/siem/okta", &headers, "")).await)
    };
    assert_eq!(ask("a-long-secret-in-the-header").await, (200, json!({"verification": "c0ffee"})));
    assert_eq!(ask("another-long-secret-here").await.0, 401);
    let plain = Request::new("GET", "/hooks/siem/plain", &[("x-okta-verification-challenge", "c0ffee")], "");
    assert_eq!(world.intake.handle(plain).await.status, 405);
}
