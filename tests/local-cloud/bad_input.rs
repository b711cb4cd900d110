//! Hostile and broken input, from the bus and at the API.

use revocation_core::domain::audit::Outcome;
use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::until;
use serde_json::{Value, json};

use crate::world::{LIMIT, ask, fresh, probe, record, request, status, user};

#[tokio::test]
async fn a_malformed_request_is_parked_with_the_reason() {
    let probe = probe();
    let marker = fresh("marker");
    let mut version = request(&fresh("e"), "a@example.com", "anomaly");
    version["version"] = json!("9");
    version["initiator"]["id"] = json!(marker);
    ask(&probe, &version).await;
    let parked = async || probe.take_one(&probe.facts.revoke_dlq_url, &marker).await;
    let ((body, reason), _) = until("the dead letter", LIMIT, parked).await.unwrap();
    assert_eq!(reason.as_deref(), Some("unknown version; this build reads version 1"));
    assert!(serde_json::from_str::<Value>(&body).unwrap()["detail"]["version"] == "9", "the whole event is kept");
}

#[tokio::test]
async fn a_request_of_nobody_is_parked_too() {
    let probe = probe();
    let marker = fresh("marker");
    let mut asked = request(&fresh("e"), "a@example.com", "offboarding");
    asked["sub_id"] = json!({"email": "a@example.com"});
    asked["initiator"]["id"] = json!(marker);
    ask(&probe, &asked).await;
    let parked = async || probe.take_one(&probe.facts.revoke_dlq_url, &marker).await;
    let ((_, reason), _) = until("the dead letter", LIMIT, parked).await.unwrap();
    assert!(reason.is_some_and(|reason| reason.contains("sub_id")));
}

#[tokio::test]
async fn a_malformed_partner_event_is_parked_and_an_irrelevant_one_is_not() {
    let probe = probe();
    let marker = fresh("marker");
    let okta = |event_type: &str, target: Value| {
        json!({"uuid": marker, "published": SystemClock.now().rfc3339(), "eventType": event_type,
               "outcome": {"result": "SUCCESS"}, "actor": {"id": "00u1", "type": "User"}, "target": target})
    };
    let source = "aws.partner/okta.com/acme/prod";
    let nobody = okta("user.lifecycle.deactivate", json!([{"id": "00g1", "type": "UserGroup", "alternateId": "x"}]));
    probe.put_event(source, "SystemLog", &nobody).await.unwrap();
    let parked = async || probe.take_one(&probe.facts.intake_dlq_url, &marker).await;
    let ((_, reason), _) = until("the dead letter", LIMIT, parked).await.unwrap();
    assert!(reason.is_some_and(|reason| !reason.is_empty()));
    probe.put_event(source, "SystemLog", &okta("user.session.start", json!(null))).await.unwrap();
    probe.settled(LIMIT).await.unwrap();
    assert!(probe.take(&probe.facts.intake_dlq_url).await.unwrap().is_empty(), "irrelevant is not malformed");
}

#[tokio::test]
async fn an_address_cannot_change_the_question_asked_of_cognito() {
    let probe = probe();
    let (victim, session) = user(&probe, "victim").await;
    for attack in [
        format!("x@y\" or email = \"{}", victim.email),
        format!("{}\\", victim.email),
        "*@example.com".to_owned(),
        format!("\" ^= \"{}", victim.email),
    ] {
        ask(&probe, &request(&fresh("e"), &attack, "offboarding")).await;
    }
    probe.settled(LIMIT).await.unwrap();
    assert_eq!(status(&probe, &session.access), 200);
    assert!(probe.is_enabled(&victim).await.unwrap());
    assert!(probe.records_of(&victim.key).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_sub_never_means_whoever_has_it_for_a_name() {
    let probe = probe();
    // A user whose *name* is a UUID, and a request for the user whose `sub` is that UUID, who does not exist.
    let name = format!("{:08x}-1111-4222-8333-{:012x}", std::process::id(), 0x00ab_cdef);
    let namesake = probe.add_user(&revocation_probe::NewUser { name: &name, ..Default::default() }).await.unwrap();
    let session = probe.sign_in(&namesake).await.unwrap().unwrap();
    let mut asked = request(&fresh("e"), "", "policy_violation");
    asked["sub_id"] = json!({"format": "opaque", "id": name});
    ask(&probe, &asked).await;
    let nobody = revocation_core::domain::profile::SubjectKey::new(&probe.facts.user_pool_id, &name);
    assert_eq!(record(&probe, &nobody).await.outcome, Outcome::NoSuchUser);
    assert!(probe.is_enabled(&namesake).await.unwrap());
    assert_eq!(status(&probe, &session.access), 200);
    assert!(probe.refresh(&session).await.unwrap().is_ok());
}

#[tokio::test]
async fn i07_nobody_found_is_recorded() {
    let probe = probe();
    let event = fresh("ghost");
    ask(&probe, &request(&event, "ghost@example.com", "offboarding")).await;
    let look = async || {
        let records = probe.records_on(&SystemClock.now().utc_day()).await?;
        Ok(records.into_iter().find(|record| record.source.event_id == event))
    };
    let (record, _) = until("the record", LIMIT, look).await.unwrap();
    assert_eq!((record.outcome, record.subject), (Outcome::NoSuchUser, None));
}

#[tokio::test]
async fn i08_the_same_id_with_another_payload_is_parked() {
    let probe = probe();
    let (person, _) = user(&probe, "first").await;
    let (other, others) = user(&probe, "second").await;
    let event = fresh("e");
    ask(&probe, &request(&event, &person.email, "role_change")).await;
    record(&probe, &person.key).await;
    ask(&probe, &request(&event, &other.email, "role_change")).await;
    let parked = async || probe.take_one(&probe.facts.revoke_dlq_url, &other.email).await;
    let ((_, reason), _) = until("the dead letter", LIMIT, parked).await.unwrap();
    assert!(reason.unwrap().contains("another payload"));
    assert_eq!(status(&probe, &others.access), 200);
}

#[tokio::test]
async fn i06_what_is_no_token_of_the_pool_is_refused() {
    let probe = probe();
    let (_, session) = user(&probe, "forged").await;
    let parts: Vec<&str> = session.access.split('.').collect();
    let none = "eyJhbGciOiJub25lIiwia2lkIjoieCJ9";
    let forged = [
        String::new(),
        "garbage".to_owned(),
        session.access.trim_end_matches(|c: char| c != '.').to_owned(),
        format!("{}.{}.", none, parts[1]),
        format!("{}.{}.{}", none, parts[1], parts[2]),
        format!("{}.{}A.{}", parts[0], parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], parts[2].chars().rev().collect::<String>()),
        session.refresh.clone(),
    ];
    for url in [&probe.facts.api_url, &probe.facts.token_api_url, &probe.facts.http_api_url] {
        assert_eq!(probe.call_at(url, Some(&session.access)).unwrap().status, 200);
        for token in &forged {
            let status = probe.call_at(url, Some(token)).unwrap().status;
            assert!([401, 403].contains(&status), "{url}: {status} for a forged token of {} bytes", token.len());
        }
        let status = probe.call_at(url, None).unwrap().status;
        assert!([401, 403].contains(&status), "{url}: {status} without a token");
    }
}

#[tokio::test]
async fn i10_the_logs_have_neither_tokens_nor_personal_data() {
    let probe = probe();
    let (person, session) = user(&probe, "private").await;
    let mut asked = request(&fresh("e"), &person.email, "role_change");
    let phone = "+12065550177";
    asked["reason_admin"] = json!({"en": format!("PLANTED-ADMIN {phone}")});
    asked["reason_user"] = json!({"en": "PLANTED-USER"});
    asked["initiator"]["id"] = json!("planted-boss@example.com");
    ask(&probe, &asked).await;
    record(&probe, &person.key).await;
    let mut malformed = request(&fresh("e"), "planted-victim@example.com", "PLANTED-REASON");
    malformed["PLANTED-MEMBER"] = json!(1);
    ask(&probe, &malformed).await;
    status(&probe, &session.access);
    probe.settled(LIMIT).await.unwrap();
    // The functions' lines are JSON; the emulator's own, which show what it was sent, are not ours.
    let log = std::fs::read_to_string(&probe.facts.log).unwrap();
    let log: String = log.lines().filter(|line| line.starts_with('{')).collect();
    assert!(log.contains(&person.key.sub.0), "the functions' lines are in this log");
    let email = &person.email;
    for marker in [email, phone, "PLANTED-ADMIN", "PLANTED-USER", "planted-boss", "planted-victim", "PLANTED-REASON"] {
        assert!(!log.contains(marker), "the log has {marker}");
    }
    for token in [&session.access, &session.id, &session.refresh] {
        let signature = token.rsplit('.').next().unwrap();
        assert!(!log.contains(signature), "the log has a token");
    }
}
