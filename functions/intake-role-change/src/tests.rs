//! The handler over the fakes.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use revocation_core::domain::request::Effect;
use revocation_core::ports::Clock as _;
use revocation_edge::webhook::WebhookReceiver;
use revocation_edge::{Handler as _, Keyring, LastHeard, Request, SourceBook};
use revocation_testkit::intake::FakeIntake;
use ring::hmac;
use serde_json::{Value, json};

use super::RoleChangeIntake;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
const DOCUMENT: &str = r"
version: 1
pools: [eu-central-1_One]
role_change:
  erp:
    authentication: { method: standard_webhooks, secret: erp }
    compare: { ranking: [viewer, editor, admin] }
    silent_after_hours: 24
  crm:
    authentication: { method: standard_webhooks, secret: erp }
    grant: { actions: [refresh] }
    compare: inclusion
    effect: refresh
";

async fn send(fake: &Arc<FakeIntake>, source: &str, id: &str, body: &Value) -> (u16, Value) {
    fake.put_text("sources", DOCUMENT);
    fake.put_text("erp", &format!("whsec_{}", STANDARD.encode(KEY)));
    fake.clock.advance(Duration::from_hours(1));
    let sources = SourceBook::open(fake.clone(), fake.clock.clone(), "sources").await.unwrap();
    let keyring = Keyring::new(fake.clone(), fake.clock.clone());
    let last_heard = LastHeard::new(fake.clone(), fake.clock.clone());
    let receiver = WebhookReceiver { keyring, last_heard, clock: fake.clock.clone(), intake: fake.intake() };
    let intake = RoleChangeIntake { sources, receiver };
    let (at, body) = (fake.clock.now().seconds().0.to_string(), body.to_string());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), format!("{id}.{at}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(tag));
    let headers = [("webhook-id", id), ("webhook-timestamp", &at), ("webhook-signature", &signature)];
    let uri = format!("/hooks/role-change/{source}");
    let response = intake.handle(Request::new("POST", &uri, &headers, body)).await;
    (response.status, serde_json::from_str(&response.body).unwrap_or_default())
}

fn change(members: &str, old: &[&str], new: &[&str]) -> Value {
    json!({
        "type": "role.updated", "timestamp": "2026-11-20T18:00:00Z",
        "data": {
            "subject": {"format": "email", "email": "a@example.com"},
            "old": {members: old}, "new": {members: new}, "actor": {"id": "hr-7"},
        },
    })
}

#[tokio::test]
async fn a_downgrade_ends_sessions() {
    let fake = Arc::new(FakeIntake::default());
    let (status, body) = send(&fake, "erp", "m1", &change("roles", &["admin"], &["viewer"])).await;
    assert_eq!((status, &body["status"]), (202, &json!("accepted")), "{body}");
    let request = fake.state().published[0].clone();
    assert_eq!((request.reason.as_str(), request.effect), ("role_change", Effect::SignOut));
    assert_eq!((request.source.name.as_str(), request.initiator.id.as_str()), ("role-change/erp", "hr-7"));
}

#[tokio::test]
async fn a_deployment_may_choose_claims_only() {
    let fake = Arc::new(FakeIntake::default());
    let body = change("permissions", &["read", "write"], &["read"]);
    assert_eq!(send(&fake, "crm", "m1", &body).await.0, 202);
    assert_eq!(fake.state().published[0].effect, Effect::Refresh);
}

#[tokio::test]
async fn an_upgrade_or_a_side_move_does_nothing_and_says_so() {
    let fake = Arc::new(FakeIntake::default());
    for (old, new, told) in [
        (&["viewer"][..], &["admin"][..], "upgrade"),
        (&["admin", "viewer"], &["admin"], "lateral"),
        (&["admin"], &["admin"], "unchanged"),
    ] {
        let (status, body) = send(&fake, "erp", "m1", &change("roles", old, new)).await;
        assert_eq!((status, body), (200, json!({"status": "no_effect", "change": told})));
    }
    assert!(fake.state().published.is_empty());
    assert!(fake.state().receipts.is_empty(), "what has no effect uses up no id");
    assert_eq!(fake.state().heard["role-change/erp"], fake.clock.now(), "and is a sign of life");
}

#[tokio::test]
async fn what_is_no_role_updated_is_refused() {
    let fake = Arc::new(FakeIntake::default());
    let other = json!({"type": "role.created", "timestamp": "2026-11-20T18:00:00Z", "data": {}});
    assert_eq!(send(&fake, "erp", "m1", &other).await.0, 422);
    let mut group = change("roles", &["admin"], &[]);
    group["data"]["subject"] = json!({"format": "group", "group": "staff"});
    assert_eq!(send(&fake, "erp", "m1", &group).await.0, 403);
    assert_eq!(send(&fake, "nobody", "m1", &group).await.0, 404);
    assert!(fake.state().published.is_empty());
}
