//! Webhooks through API Gateway to the refused token.

use std::sync::Arc;

use revocation_aws::clients::AwsConfig;
use revocation_aws::dynamodb::{DynamoIntakeLedger, DynamoLastHeardReader, DynamoLastHeardWriter};
use revocation_core::domain::audit::Outcome;
use revocation_core::domain::request::Effect;
use revocation_core::domain::revocation_id::PayloadDigest;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{
    Admission, Clock as _, LastHeardReader as _, LastHeardWriter as _, Receipt, ReceiptLedger as _, SubjectFence as _,
};
use revocation_lambda::clock::SystemClock;
use revocation_probe::{Answer, Probe, User, sign_github, until};
use serde_json::{Value, json};

use crate::world::{ALONE, LIMIT, fresh, probe, record, status, user, variable};

fn now() -> i64 {
    SystemClock.now().seconds().0
}

fn alert(event_id: &str, users: &[&User]) -> Value {
    let subjects: Vec<&str> = users.iter().map(|user| user.email.as_str()).collect();
    json!({"event_id": event_id, "severity": "high", "reason": "policy_violation", "subjects": subjects, "title": "t"})
}

fn send(probe: &Probe, source: &str, body: &Value) -> Answer {
    probe.post_signed(source, &fresh("msg"), now(), body.to_string().as_bytes()).unwrap()
}

#[tokio::test]
async fn i11_every_method_of_authentication_works_and_its_forgery_does_not() {
    let _alone = ALONE.lock().await;
    let probe = probe();
    let people = [user(&probe, "datadog").await, user(&probe, "splunk").await, user(&probe, "github").await];
    let [(datadog, _), (splunk, _), (github, _)] = &people;

    let alert = json!({"signal_id": fresh("signal"), "event_id": "1", "last_updated": now().to_string(),
                       "severity": "high", "title": "t", "rule_name": "Impossible travel",
                       "group_by": {"@usr.email": datadog.email}})
    .to_string();
    let secret = probe.secret_of("siem/datadog").unwrap();
    let url = probe.hook_url("siem/datadog").unwrap();
    let post = |secret: &str| probe.post(&url, &[("x-revocation-secret", secret)], alert.as_bytes()).unwrap().status;
    assert_eq!(post(&secret.replace(&secret[..4], "0000")), 401);
    assert_eq!(post(secret), 202);

    let alert = json!({"sid": fresh("sid"), "search_name": null, "result": {"user": splunk.email}}).to_string();
    let url = probe.hook_url("siem/splunk").unwrap();
    let post = |secret: &str| probe.post(&format!("{url}/{secret}"), &[], alert.as_bytes()).unwrap().status;
    assert_eq!(post("not-the-secret-of-this-source"), 401);
    assert_eq!(post(probe.secret_of("siem/splunk").unwrap()), 202);

    let alert = json!({"event_id": fresh("e"), "severity": "high", "reason": "anomaly", "subjects": [github.email]});
    let (alert, url) = (alert.to_string(), probe.hook_url("siem/github").unwrap());
    let signature = sign_github(probe.secret_of("siem/github").unwrap(), alert.as_bytes());
    let post = |body: &str| probe.post(&url, &[("x-hub-signature-256", &signature)], body.as_bytes()).unwrap().status;
    assert_eq!(post(&alert.replace(&github.email, "other@example.com")), 401);
    assert_eq!(post(&alert), 202);

    for ((person, session), source) in people.iter().zip(["siem/datadog", "siem/splunk", "siem/github"]) {
        let record = record(&probe, &person.key).await;
        assert_eq!((record.source.name.as_str(), record.outcome), (source, Outcome::Complete), "{record:?}");
        assert_eq!(status(&probe, &session.access), 401);
    }
    probe.settled(LIMIT).await.unwrap();
}

#[tokio::test]
async fn i08_the_same_alert_twenty_times_at_once_is_one_revocation() {
    let probe = Arc::new(probe());
    let (person, session) = user(&probe, "storm").await;
    let body = alert(&fresh("e"), &[&person]);
    let posts = (0..20).map(|_| {
        let (probe, body) = (probe.clone(), body.clone());
        tokio::task::spawn_blocking(move || send(&probe, "siem/plain", &body).status)
    });
    for post in posts.collect::<Vec<_>>() {
        let status = post.await.unwrap();
        assert!([200, 202].contains(&status), "{status}");
    }
    record(&probe, &person.key).await;
    probe.settled(LIMIT).await.unwrap();
    assert_eq!(probe.records_of(&person.key).await.unwrap().len(), 1);
    assert_eq!(status(&probe, &session.access), 401);
}

#[tokio::test]
async fn i11_beyond_the_blast_radius_requests_wait_until_an_operator_releases_them() {
    let _alone = ALONE.lock().await;
    let probe = probe();
    let (first, second, third) = (user(&probe, "a").await, user(&probe, "b").await, user(&probe, "c").await);
    let mut body = alert(&fresh("e"), &[&first.0, &second.0, &third.0]);
    body["reason"] = json!("anomaly");
    let answer = send(&probe, "siem/tiny", &body);
    assert_eq!((answer.status, &answer.body["status"]), (202, &json!("parked")), "{}", answer.body);
    let one_is_parked = async || Ok((probe.parked().await? == 1).then_some(()));
    until("the parked request", LIMIT, one_is_parked).await.unwrap();
    // Two of the three; which ones is the order of their digests.
    let people = [first, second, third];
    let ended = async || {
        let mut ended = 0;
        for (person, _) in &people {
            ended += probe.records_of(&person.key).await?.len();
        }
        Ok((ended == 2).then_some(()))
    };
    until("two records", LIMIT, ended).await.unwrap();
    let served = people.iter().filter(|(_, session)| status(&probe, &session.access) == 200).count();
    assert_eq!(served, 1, "whoever is parked is served");
    assert_eq!(probe.release_parked().await.unwrap(), 1);
    for (person, session) in &people {
        record(&probe, &person.key).await;
        assert_eq!(status(&probe, &session.access), 401);
    }
    probe.settled(LIMIT).await.unwrap();
}

#[tokio::test]
async fn a_downgrade_with_claims_only_refuses_by_iat_and_leaves_the_session() {
    let probe = probe();
    let (person, session) = user(&probe, "claims").await;
    let event = json!({
        "type": "role.updated", "timestamp": SystemClock.now().rfc3339(),
        "data": {"subject": {"format": "email", "email": person.email},
                 "old": {"permissions": ["read", "export"]}, "new": {"permissions": ["read"]}},
    });
    assert_eq!(send(&probe, "role-change/crm", &event).status, 202);
    let record = record(&probe, &person.key).await;
    assert_eq!((record.effect, record.source.name.as_str()), (Effect::Refresh, "role-change/crm"));
    assert_eq!(status(&probe, &session.access), 401);
    let served = async || {
        let session = probe.refresh(&session).await?.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        Ok((probe.call(&session.access)?.status == 200).then_some(()))
    };
    until("to be served after a refresh", LIMIT, served).await.unwrap();
}

#[tokio::test]
async fn what_is_too_large_too_deep_or_nowhere_is_refused_with_a_problem() {
    let probe = probe();
    let url = probe.hook_url("siem/plain").unwrap();
    let signed = |body: &[u8]| probe.post_signed("siem/plain", &fresh("msg"), now(), body).unwrap();
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    for (answer, status) in [
        (signed(&vec![b' '; 256 * 1024 + 1]), 413),
        (signed(deep.as_bytes()), 400),
        (probe.post(&url, &[], b"{}").unwrap(), 401),
        (probe.request("PUT", &url, &[], Some(b"{}")).unwrap(), 404),
        (probe.post(&format!("{}/nobody", probe.facts.siem_url), &[], b"{}").unwrap(), 404),
    ] {
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    let health = probe.request("GET", &format!("{}/healthz", probe.facts.intakes_url), &[], None).unwrap();
    assert_eq!(health.status, 204);
}

fn ledger(probe: &Probe) -> DynamoIntakeLedger {
    DynamoIntakeLedger::new(&aws(probe), &probe.facts.intake_table)
}

fn aws(probe: &Probe) -> AwsConfig {
    AwsConfig::from_env(&|name| variable(&probe.facts, name)).unwrap()
}

#[tokio::test]
async fn of_notes_of_who_was_heard_of_the_latest_time_stands_in_whatever_order_they_come() {
    let probe = probe();
    let (aws, source, table) = (aws(&probe), fresh("source"), &probe.facts.intake_table);
    let (writer, reader) = (DynamoLastHeardWriter::new(&aws, table), DynamoLastHeardReader::new(&aws, table));
    assert_eq!(reader.last_heard(&source).await.unwrap(), None);
    let now = SystemClock.now();
    for (noted, stands) in [(20, 20), (10, 20), (20, 20), (21, 21)] {
        writer.heard(&source, EpochMillis(now.0 + noted)).await.unwrap();
        assert_eq!(reader.last_heard(&source).await.unwrap(), Some(EpochMillis(now.0 + stands)));
    }
    assert_eq!(reader.last_heard(&fresh("source")).await.unwrap(), None, "each source has its own");
}

#[tokio::test]
async fn i11_the_count_of_subjects_is_exact_under_concurrency() {
    let probe = probe();
    let (ledger, source, at) = (Arc::new(ledger(&probe)), fresh("source"), SystemClock.now());
    let admit = |n: usize| {
        let (ledger, source) = (ledger.clone(), source.clone());
        async move { ledger.admit(&source, &PayloadDigest(format!("s{n}")), 5, at).await.unwrap() }
    };
    // Ten subjects, each three times, all at once: five of them are admitted, whenever they come.
    let tasks: Vec<_> = (0..30).map(|n| tokio::spawn(admit(n % 10))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    let mut admitted = 0;
    for n in 0..10 {
        admitted += usize::from(admit(n).await == Admission::Admitted);
    }
    assert_eq!(admitted, 5);
}

#[tokio::test]
async fn i08_receipts_tell_repetitions_from_conflicts() {
    let probe = probe();
    let (ledger, source, at) = (ledger(&probe), fresh("source"), SystemClock.now());
    let digest = |text: &str| PayloadDigest(text.to_owned());
    let receive = async |id: &str, text: &str| ledger.receive(&source, id, &digest(text), at).await.unwrap();
    assert_eq!(receive("e1", "a").await, Receipt::Open);
    assert_eq!(receive("e1", "a").await, Receipt::Open, "it did not get to its end");
    assert_eq!(receive("e1", "b").await, Receipt::Conflict);
    ledger.accept(&source, "e1", at).await.unwrap();
    assert_eq!(receive("e1", "a").await, Receipt::Accepted);
    assert_eq!(receive("e1", "b").await, Receipt::Conflict);
    assert_eq!(receive("e2", "b").await, Receipt::Open);
}
