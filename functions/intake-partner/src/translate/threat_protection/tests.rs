use serde_json::{Value, json};

use super::super::tests::{irrelevant, requests, settings, translated_with, with};
use super::*;

fn entry() -> Value {
    json!({
        "eventTimestamp": "1767259800000", "eventSource": "USER_ACTIVITY", "logLevel": "INFO",
        "message": {
            "version": "1", "eventId": "f0000000-0000-4000-8000-000000000001", "eventType": "SignIn",
            "userSub": "11112222-3333-4444-5555-666677778888", "userName": "jane", "userPoolId": "eu-central-1_Pool1",
            "riskLevel": "High", "riskDecision": "PASS", "compromisedCredentialDetected": "false", "idpName": null,
        },
        "logSourceId": {"userPoolId": "eu-central-1_Pool1"},
    })
}

fn translated(detail: &Value) -> Result<Verdict, MalformedEvent> {
    translated_with(&settings(), "com.example.log-forwarder", "Cognito User Activity", detail)
}

fn request(members: &[(&str, Value)]) -> Result<Verdict, MalformedEvent> {
    let mut request = json!({
        "version": "1",
        "source": {"name": "cognito-threat-protection", "event_id": "f0000000-0000-4000-8000-000000000001"},
        "sub_id": {
            "format": "iss_sub", "iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Pool1",
            "sub": "11112222-3333-4444-5555-666677778888",
        },
        "reason": "anomaly",
        "initiator": {"kind": "policy", "id": "cognito-threat-protection"},
        "reason_admin": {"en": "Cognito threat protection: high risk at SignIn"},
        "occurred_at": "2026-01-01T09:30:00.000Z",
    });
    for (pointer, value) in members {
        request = with(&request, pointer, value.clone());
    }
    requests(&json!([request]))
}

#[test]
fn a_high_risk_is_an_anomaly() {
    assert_eq!(translated(&entry()), request(&[]));
    assert_eq!(translated(&with(&entry(), "/message/riskLevel", json!("HIGH"))), request(&[]));
}

#[test]
fn compromised_credentials_are_a_compromise_however_true_is_written() {
    let text = json!("Cognito threat protection: compromised credentials at SignIn");
    for flag in [json!("true"), json!("True"), json!("TRUE"), json!(true)] {
        for level in [json!("Low"), json!(""), json!(null)] {
            let detail = with(&entry(), "/message/compromisedCredentialDetected", flag.clone());
            let detail = with(&detail, "/message/riskLevel", level);
            assert_eq!(
                translated(&detail),
                request(&[("/reason", json!("compromise")), ("/reason_admin/en", text.clone())])
            );
        }
    }
}

#[test]
fn lower_risks_are_below_the_floor() {
    for level in [json!("Low"), json!("Medium"), json!(""), json!(null)] {
        for flag in [json!("false"), json!(false), json!(""), json!(null)] {
            let detail = with(&entry(), "/message/compromisedCredentialDetected", flag);
            assert_eq!(translated(&with(&detail, "/message/riskLevel", level.clone())), irrelevant("risk_below_floor"));
        }
    }
}

#[test]
fn entries_of_other_pools_are_irrelevant() {
    let detail = with(&entry(), "/logSourceId/userPoolId", json!("eu-central-1_Other"));
    assert_eq!(translated(&detail), irrelevant("other_pool"));
    let detail = with(&entry(), "/logSourceId", json!(null));
    assert_eq!(translated(&detail), request(&[]), "the message names the pool as well");
    assert_eq!(translated(&with(&detail, "/message/userPoolId", json!(null))), irrelevant("other_pool"));
}

#[test]
fn a_user_without_a_sub_is_named_by_name_and_one_without_either_is_malformed() {
    let detail = with(&entry(), "/message/userSub", json!(null));
    let name = json!({"format": "username", "username": "jane"});
    assert_eq!(translated(&detail), request(&[("/sub_id", name)]));
    assert_eq!(translated(&with(&detail, "/message/userName", json!(""))), Err(MalformedEvent::NoUser));
    assert_eq!(translated(&with(&entry(), "/message", json!(null))), Err(MalformedEvent::NoUser));
}

#[test]
fn timestamps_are_numbers_or_text_and_absurd_ones_are_left_out() {
    let at = |stamp: Value| match translated(&with(&entry(), "/eventTimestamp", stamp)) {
        Ok(Verdict::Requests(all)) => all[0].occurred_at.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(at(json!(1_767_259_800_000_i64)).as_deref(), Some("2026-01-01T09:30:00.000Z"));
    for absurd in [json!(""), json!("soon"), json!("٢٠"), json!(i64::MIN), json!("9".repeat(40)), json!(1.5), json!([])]
    {
        assert_eq!(at(absurd.clone()), None, "{absurd}");
    }
    assert_eq!(at(json!(null)), None);
}

#[test]
fn an_entry_without_an_id_is_known_by_the_id_of_its_event() {
    let detail = with(&entry(), "/message/eventId", json!(null));
    let id = json!("e0000000-0000-4000-8000-000000000001");
    assert_eq!(translated(&detail), request(&[("/source/event_id", id)]));
}

#[test]
fn a_changed_schema_is_malformed() {
    assert_eq!(translated(&with(&entry(), "/message/version", json!("2"))), Err(MalformedEvent::Version));
    let detail = with(&entry(), "/message/compromisedCredentialDetected", json!(1));
    assert!(matches!(translated(&detail), Err(MalformedEvent::Shape { .. })));
}
