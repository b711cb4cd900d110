//! The token gate, asked by the pool: what it refuses, what it lets through, and the end date as a claim.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use serde_json::{Value, json};

use crate::world::{probe, status, user};

/// What Cognito answers when a trigger refuses.
const REFUSED: &str = "UserLambdaValidationException";

fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// A second long past: nobody's tokens are refused by it.
const LONG_AGO: i64 = 1_000_000_000;

#[tokio::test]
async fn i03_while_a_sign_out_is_under_way_nobody_refreshes_or_signs_in() {
    let probe = probe();
    let (person, session) = user(&probe, "gated").await;
    assert!(probe.refresh(&session).await.unwrap().is_ok());
    probe.put_tombstone_json(&person.key, &json!({"not_before": LONG_AGO, "sealed": false})).await.unwrap();
    assert_eq!(probe.refresh(&session).await.unwrap().err().as_deref(), Some(REFUSED));
    assert_eq!(probe.sign_in(&person).await.unwrap().err().as_deref(), Some(REFUSED));
    probe.put_tombstone_json(&person.key, &json!({"not_before": LONG_AGO, "sealed": true})).await.unwrap();
    let refreshed = probe.refresh(&session).await.unwrap().unwrap();
    assert_eq!(status(&probe, &refreshed.access), 200);
    assert!(probe.sign_in(&person).await.unwrap().is_ok());
}

#[tokio::test]
async fn on_hold_nobody_signs_in_until_it_is_over_or_released() {
    let probe = probe();
    let (person, session) = user(&probe, "held").await;
    let now = SystemClock.now().seconds().0;
    for (hold, refused) in [
        (json!({"message": "Call the service desk."}), true),
        (json!({"message": "Call the service desk.", "until": now + 600}), true),
        (json!({"message": "Call the service desk.", "until": now - 1}), false),
    ] {
        probe.put_tombstone_json(&person.key, &json!({ "hold": hold })).await.unwrap();
        assert_eq!(probe.refresh(&session).await.unwrap().is_err(), refused, "{hold}");
        assert_eq!(probe.sign_in(&person).await.unwrap().is_err(), refused, "{hold}");
    }
    // A tombstone that cannot be understood was written to refuse something.
    probe.put_tombstone_json(&person.key, &json!({"not_before": "soon"})).await.unwrap();
    assert_eq!(probe.sign_in(&person).await.unwrap().err().as_deref(), Some(REFUSED));
    probe.put_tombstone_item(&person.key, None).await.unwrap();
    assert!(probe.sign_in(&person).await.unwrap().is_ok());
}

#[tokio::test]
async fn single_sessions_and_changed_claims_keep_nobody_from_new_tokens() {
    let probe = probe();
    let (person, session) = user(&probe, "single").await;
    for tombstone in [
        json!({"claims_not_before": LONG_AGO}),
        json!({"sessions": {"another-session": LONG_AGO}}),
        json!({"others_not_before": LONG_AGO, "others_spared": ""}),
    ] {
        probe.put_tombstone_json(&person.key, &tombstone).await.unwrap();
        assert!(probe.refresh(&session).await.unwrap().is_ok(), "{tombstone}");
    }
}

#[tokio::test]
async fn the_end_date_is_a_claim_of_both_tokens_and_after_it_there_are_none() {
    let probe = probe();
    let (person, session) = user(&probe, "contractor").await;
    assert_eq!(claims(&session.id).get("project_end_date"), None);
    probe.set_attribute(&person, "custom:project_end_date", "2199-12-31").await.unwrap();
    let session = probe.sign_in(&person).await.unwrap().unwrap();
    for token in [&session.access, &session.id] {
        assert_eq!(claims(token)["project_end_date"], "2199-12-31");
        assert_eq!(status(&probe, token), 200);
    }
    for date in ["2020-01-01", "next summer"] {
        probe.set_attribute(&person, "custom:project_end_date", date).await.unwrap();
        assert_eq!(probe.refresh(&session).await.unwrap().err().as_deref(), Some(REFUSED), "{date}");
        assert_eq!(probe.sign_in(&person).await.unwrap().err().as_deref(), Some(REFUSED), "{date}");
    }
    probe.set_attribute(&person, "custom:project_end_date", "").await.unwrap();
    assert!(probe.refresh(&session).await.unwrap().is_ok());
}

#[tokio::test]
async fn groups_stay_as_they_are_when_a_claim_is_added() {
    let probe = probe();
    let (person, _) = user(&probe, "member").await;
    probe.add_to_group(&person.name, "staff").await.unwrap();
    probe.set_attribute(&person, "custom:project_end_date", "2199-12-31").await.unwrap();
    let session = probe.sign_in(&person).await.unwrap().unwrap();
    for token in [&session.access, &session.id] {
        assert_eq!(claims(token)["cognito:groups"], json!(["staff"]));
    }
}
