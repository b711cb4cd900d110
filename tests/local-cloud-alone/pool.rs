//! A whole pool revoked on the deployed pipeline: one write, and everybody who signed in before is refused everywhere.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use revocation_core::domain::audit::Outcome;
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_probe::{Probe, until};
use serde_json::{Value, json};

use crate::world::{ALONE, LIMIT, ask, fresh, probe, served_again, status, user};

/// From the tombstone to the last reader, with what the local cloud adds: a request to it takes up to 100 ms.
const HONOURED_WITHIN: Duration = Duration::from_millis(1_500);

fn of_pool(probe: &Probe, event_id: &str) -> Value {
    json!({
        "version": "1", "source": {"name": "operator", "event_id": event_id},
        "sub_id": {"format": "pool", "user_pool_id": probe.facts.user_pool_id}, "reason": "compromise",
        "initiator": {"kind": "admin", "id": "arn:aws:iam::111122223333:user/ops"},
    })
}

fn is_active(probe: &Probe, token: &str) -> bool {
    let authorization = format!("Basic {}", STANDARD.encode(format!("local:{}", probe.facts.introspection_secret)));
    let headers = [("authorization", &*authorization), ("content-type", "application/x-www-form-urlencoded")];
    let body = format!("token={token}");
    probe.post(&probe.facts.introspect_url, &headers, body.as_bytes()).unwrap().body["active"] == true
}

#[tokio::test]
async fn a_revoked_pool_refuses_everybody_who_signed_in_before_and_serves_who_signs_in_after() {
    let _alone = ALONE.lock().await;
    let probe = probe();
    let (alice, of_alice) = user(&probe, "everybody").await;
    let (bob, of_bob) = user(&probe, "everybody").await;
    let urls = [&probe.facts.api_url, &probe.facts.token_api_url, &probe.facts.http_api_url];
    // Twice, so that every reader knows that the pool is not revoked, and must find out that it is.
    for _ in 0..2 {
        for token in [&of_alice.access, &of_bob.access] {
            assert!(urls.iter().all(|url| probe.call_at(url, Some(token)).unwrap().status == 200));
            assert!(is_active(&probe, token));
        }
    }
    let event_id = fresh("pool");
    let (asked, id) = (of_pool(&probe, &event_id), RevocationId::derive("operator", &event_id));
    ask(&probe, &asked).await;
    ask(&probe, &asked).await;
    let everyone = SubjectKey::everyone(&UserPoolId(probe.facts.user_pool_id.clone()));
    let is_ours = |by: &AttributeValue| by.as_s().is_ok_and(|by| *by == id.0);
    let written = async || {
        let item = probe.tombstone_item(&everyone).await?;
        Ok(item.filter(|item| item.get("revocation_id").is_some_and(is_ours)))
    };
    let (item, took) = until("the pool's tombstone", LIMIT, written).await.unwrap();
    let since = Instant::now();
    let refused = async || {
        let seen =
            [&of_alice.access, &of_bob.access].map(|token| [status(&probe, token) == 401, !is_active(&probe, token)]);
        Ok(seen.as_flattened().iter().all(|refused| *refused).then_some(()))
    };
    until("everybody to be refused", LIMIT, refused).await.unwrap();
    let honoured = since.elapsed();
    println!(
        "pool tombstoned {} ms after it was asked for, honoured by every reader {} ms later",
        took.as_millis(),
        honoured.as_millis()
    );
    assert!(honoured < HONOURED_WITHIN, "{honoured:?}");
    for url in urls {
        assert!([401, 403].contains(&probe.call_at(url, Some(&of_bob.id)).unwrap().status), "{url}");
    }
    // One write: nobody's own item was touched, and nobody was signed out or locked.
    for person in [&alice, &bob] {
        assert!(probe.tombstone_item(&person.key).await.unwrap().is_none());
        assert!(probe.is_enabled(person).await.unwrap());
    }
    let ours = async || {
        let mut records = probe.records_of(&everyone).await?;
        records.retain(|record| record.revocation_id == id);
        Ok((!records.is_empty()).then_some(records))
    };
    let (records, _) = until("the record", LIMIT, ours).await.unwrap();
    assert_eq!(records.len(), 1, "asked for twice, done once");
    let record = &records[0];
    assert_eq!((record.outcome, record.sessions_ended, record.steps.len()), (Outcome::Complete, None, 2));
    // The gate lets people in at once; their tokens are served when the cutoff, which allows for clocks, has passed.
    for person in [&alice, &bob] {
        assert!(probe.sign_in(person).await.unwrap().is_ok());
        let session = served_again(&probe, person).await;
        assert!(is_active(&probe, &session.access));
    }
    assert_eq!(status(&probe, &of_alice.access), 401);
    let again = probe.tombstone_item(&everyone).await.unwrap().unwrap();
    assert_eq!(again["not_before"], item["not_before"], "fixed when it was asked for first");
}
