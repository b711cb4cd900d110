//! From the event to the refused token, and what must not happen on the way.

use std::sync::Arc;

use async_trait::async_trait;
use revocation_aws::clients::AwsConfig;
use revocation_core::domain::audit::Outcome;
use revocation_core::domain::profile::Profile;
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Acted, Clock as _, PortError, SessionTerminator};
use revocation_lambda::clock::SystemClock;
use revocation_probe::{Probe, until};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::world::{LIMIT, ask, fresh, probe, record, request, served_again, status, user};

#[tokio::test]
async fn an_offboarded_user_is_refused_everywhere_and_nobody_else_is() {
    let probe = probe();
    let (leaver, session) = user(&probe, "leaver").await;
    let (stayer, stayers) = user(&probe, "stayer").await;
    let at = |url: &str, token: &str| probe.call_at(url, Some(token)).unwrap().status;
    let urls = [&probe.facts.api_url, &probe.facts.token_api_url, &probe.facts.http_api_url];
    for url in urls {
        assert_eq!((at(url, &session.access), at(url, &session.id)), (200, 200), "{url}");
    }
    ask(&probe, &request(&fresh("e"), &leaver.email, "offboarding")).await;
    let record = record(&probe, &leaver.key).await;
    assert_eq!(record.outcome, Outcome::Complete, "{record:?}");
    for url in urls {
        for token in [&session.access, &session.id] {
            let status = at(url, token);
            assert!([401, 403].contains(&status), "{url}: {status}");
        }
        assert_eq!(at(url, &stayers.access), 200, "{url}");
    }
    assert!(probe.refresh(&session).await.unwrap().is_err(), "refresh is refused by Cognito");
    assert!(probe.sign_in(&leaver).await.unwrap().is_err());
    assert!(!probe.is_enabled(&leaver).await.unwrap());
    assert!(probe.is_enabled(&stayer).await.unwrap());
}

#[tokio::test]
async fn a_refusal_tells_the_client_to_sign_in_again() {
    let probe = probe();
    let (person, session) = user(&probe, "told").await;
    ask(&probe, &request(&fresh("e"), &person.email, "role_change")).await;
    record(&probe, &person.key).await;
    let answer = probe.call(&session.access).unwrap();
    assert_eq!(answer.status, 401);
    let challenge = answer.www_authenticate.unwrap();
    assert!(challenge.starts_with("Bearer") && challenge.contains("invalid_token"), "{challenge}");
    served_again(&probe, &person).await;
}

/// Cognito's sign-out, held back until the test lets it through.
struct HeldBack {
    real: Arc<dyn SessionTerminator>,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl SessionTerminator for HeldBack {
    async fn sign_out_everywhere(&self, profile: &Profile) -> Result<Acted, PortError> {
        let _pass = self.gate.acquire().await.unwrap();
        self.real.sign_out_everywhere(profile).await
    }
}

/// The deployed function's own revoker, with the adapters it has there.
fn revoker(probe: &Probe) -> revocation_core::usecase::revoke::Revoker {
    let facts = &probe.facts;
    let variables = [
        ("AWS_REGION", facts.region.as_str()),
        ("AWS_ACCESS_KEY_ID", &facts.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &facts.secret_access_key),
        ("AWS_ENDPOINT_URL", &facts.endpoint),
        ("TOMBSTONES_TABLE", &facts.tombstones_table),
        ("TOMBSTONE_FEED_TABLE", &facts.tombstone_feed_table),
        ("SESSIONS_TABLE", &facts.sessions_table),
        ("REVOCATIONS_TABLE", &facts.revocations_table),
        ("EVENT_BUS_NAME", &facts.bus_name),
        ("USER_POOL_IDS", &facts.user_pool_id),
        ("QUEUE_URL", &facts.revoke_queue_url),
        ("DEAD_LETTER_QUEUE_URL", &facts.revoke_dlq_url),
    ];
    let get = |name: &str| revocation_lambda::env::Variables::get(&variables, name);
    let aws = AwsConfig::from_env(&get).unwrap();
    revoke::revoker(&aws, &revoke::config::Config::read(&variables).unwrap())
}

#[tokio::test]
async fn i03_a_token_refreshed_between_tombstone_and_sign_out_is_refused() {
    let probe = probe();
    let (person, session) = user(&probe, "gap").await;
    let gate = Arc::new(Semaphore::new(0));
    let mut revoker = revoker(&probe);
    revoker.terminator = Arc::new(HeldBack { real: revoker.terminator, gate: gate.clone() });
    let asked: RevocationRequest = serde_json::from_value(request(&fresh("e"), &person.email, "anomaly")).unwrap();
    let received: EpochMillis = SystemClock.now();
    let running = tokio::spawn(async move { revoker.revoke(asked, received).await });

    // Tombstoned, and the sign-out held back: the old tokens are refused already.
    let look = async || Ok((probe.call(&session.access)?.status == 401).then_some(()));
    until("the tombstone", LIMIT, look).await.unwrap();
    // In a second after the cutoff the old session would still refresh, but for the gate.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(probe.refresh(&session).await.unwrap().err().as_deref(), Some("UserLambdaValidationException"));
    // A gate that looked just before the tombstone was written lets it: as if there were none yet.
    let tombstone = probe.tombstone_item(&person.key).await.unwrap();
    probe.put_tombstone_item(&person.key, None).await.unwrap();
    let refreshed = probe.refresh(&session).await.unwrap().expect("Cognito has not been told yet");
    probe.put_tombstone_item(&person.key, tombstone).await.unwrap();

    gate.add_permits(1);
    running.await.unwrap().unwrap();
    assert_eq!(status(&probe, &refreshed.access), 401, "minted in the gap, refused by the seal");
    assert_eq!(status(&probe, &refreshed.id), 401);
    assert!(probe.refresh(&session).await.unwrap().is_err());
    served_again(&probe, &person).await;
}

#[tokio::test]
async fn i08_twenty_deliveries_at_once_are_one_revocation() {
    let probe = probe();
    let (person, _) = user(&probe, "often").await;
    let asked = request(&fresh("e"), &person.email, "role_change");
    for _ in 0..20 {
        ask(&probe, &asked).await;
    }
    record(&probe, &person.key).await;
    probe.settled(LIMIT).await.unwrap();
    let cutoff = |item: &std::collections::HashMap<_, _>| format!("{:?}", item.get("not_before"));
    let before = cutoff(&probe.tombstone_item(&person.key).await.unwrap().unwrap());
    let session = served_again(&probe, &person).await;
    for _ in 0..3 {
        ask(&probe, &asked).await;
    }
    probe.settled(LIMIT).await.unwrap();
    assert_eq!(probe.records_of(&person.key).await.unwrap().len(), 1);
    assert_eq!(cutoff(&probe.tombstone_item(&person.key).await.unwrap().unwrap()), before);
    assert_eq!(status(&probe, &session.access), 200, "the honest new session goes on");
}

#[tokio::test]
async fn claims_only_lets_the_client_refresh_and_go_on() {
    let probe = probe();
    let (person, session) = user(&probe, "claims").await;
    let mut asked = request(&fresh("e"), &person.email, "role_change");
    asked["effect"] = json!("refresh");
    ask(&probe, &asked).await;
    record(&probe, &person.key).await;
    assert_eq!(status(&probe, &session.access), 401);
    let look = async || {
        let refreshed = probe.refresh(&session).await?.map_err(|code| anyhow::anyhow!("refresh refused: {code}"))?;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        Ok((probe.call(&refreshed.access)?.status == 200).then_some(()))
    };
    until("the refreshed token to be served", LIMIT, look).await.unwrap();
}

#[tokio::test]
async fn a_sub_is_revoked_by_its_issuer_and_by_itself() {
    let probe = probe();
    for format in ["iss_sub", "opaque"] {
        let (person, session) = user(&probe, "by-sub").await;
        let mut asked = request(&fresh("e"), "", "role_change");
        let iss = person.key.user_pool_id.issuer();
        asked["sub_id"] = match format {
            "iss_sub" => json!({"format": format, "iss": iss, "sub": person.key.sub.0}),
            _ => json!({"format": format, "id": person.key.sub.0}),
        };
        ask(&probe, &asked).await;
        assert_eq!(record(&probe, &person.key).await.outcome, Outcome::Complete);
        assert_eq!(status(&probe, &session.access), 401, "{format}");
    }
}
