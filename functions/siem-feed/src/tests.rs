use std::sync::Mutex;

use revocation_core::domain::disposition::{Disposed as _, Disposition};
use revocation_core::domain::event::Envelope;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{PortError, SiemEvent};
use serde_json::{Value, json};

use super::*;
use crate::translate::{BadEvent, translate};

/// Remembers what it was handed.
#[derive(Default)]
struct FakeExporter(Mutex<Vec<SiemEvent>>);

#[async_trait]
impl SiemExporter for FakeExporter {
    async fn export(&self, events: &[SiemEvent]) -> Result<(), PortError> {
        self.0.lock().unwrap().extend_from_slice(events);
        Ok(())
    }
}

fn record(steps: &[(&str, Value)]) -> Value {
    let steps: Vec<Value> = steps
        .iter()
        .enumerate()
        .map(|(n, (step, outcome))| {
            let mut step = json!({"step": step, "at": 1_768_469_400_100_i64 + 100 * i64::try_from(n).unwrap()});
            step.as_object_mut().unwrap().extend(outcome.as_object().unwrap().clone());
            step
        })
        .collect();
    json!({
        "version": "1", "revocation_id": "rv_00112233445566778899aabbccddeeff",
        "source": {"name": "okta/acme", "event_id": "ab62"}, "initiator": {"kind": "admin", "id": "00u1"},
        "subject": {"user_pool_id": "eu-central-1_Sample001", "sub": "11112222-3333-4444-8555-666677778888"},
        "reason": "compromise", "effect": "sign_out", "outcome": "complete", "steps": steps, "sessions_ended": 2,
        "received_at": 1_768_469_400_000_i64, "tombstoned_at": 1_768_469_400_100_i64, "sealed_at": null,
        "not_before": 1_768_469_402, "elapsed_to_tombstone_ms": 100, "elapsed_to_seal_ms": null,
    })
}

fn event(detail_type: &str, detail: &Value) -> String {
    json!({
        "id": "e-1", "source": "revocation.revoke", "detail-type": detail_type, "account": "111122223333",
        "region": "eu-central-1", "time": "2026-01-15T09:30:01Z", "detail": detail,
    })
    .to_string()
}

fn told(text: &str) -> Result<Option<Vec<Value>>, BadEvent> {
    let envelope: Envelope<'_> = serde_json::from_str(text).unwrap();
    let events = translate(&envelope, EpochMillis(5))?;
    Ok(events.map(|events| events.iter().map(|event| serde_json::from_str(&event.line).unwrap()).collect()))
}

fn done() -> Value {
    json!({"outcome": "done"})
}

#[test]
fn a_compromise_is_a_logoff_and_each_change_of_the_account() {
    let steps = ["tombstone", "reset_password", "global_sign_out", "seal"].map(|step| (step, done()));
    let events = told(&event("Sessions Revoked", &record(&steps))).unwrap().unwrap();
    let types: Vec<_> = events.iter().map(|event| (&event["type_uid"], event["type_name"].as_str().unwrap())).collect();
    let expected = [(&json!(300_202), "Authentication: Logoff"), (&json!(300_104), "Account Change: Password Reset")];
    assert_eq!(types, expected);
    assert_eq!(events[0]["time"], 1_768_469_400_400_i64, "when it was sealed");
    assert_eq!(events[1]["time"], 1_768_469_400_200_i64, "when it was reset");
    assert_eq!(events[0]["severity"], "Medium");
    assert_eq!(events[0]["cloud"]["account"]["uid"], "111122223333");
    assert_ne!(events[0]["metadata"]["uid"], events[1]["metadata"]["uid"]);
    assert_eq!(events[0]["metadata"]["correlation_uid"], events[1]["metadata"]["correlation_uid"]);
}

/// A record with a step that failed may be on the bus as `Sessions Revoked`, as `Revocation Failed`, or as both.
#[test]
fn what_was_done_and_what_failed_is_told_once_each() {
    let failed = json!({"outcome": "failed", "code": "not_authorized"});
    let ended = [("tombstone", done()), ("disable", failed.clone()), ("global_sign_out", done()), ("seal", done())];
    let mut ended = record(&ended);
    ended["sealed_at"] = json!(1_768_469_400_400_i64);
    let open = record(&[("tombstone", done()), ("disable", done()), ("global_sign_out", failed)]);
    let told = |detail_type: &str, record: &Value| -> Vec<(String, u64)> {
        let events = told(&event(detail_type, record)).unwrap().unwrap();
        let each = events
            .iter()
            .map(|event| (event["type_name"].as_str().unwrap().into(), event["status_id"].as_u64().unwrap()));
        each.collect()
    };
    let pair = |name: &str, status| (name.to_owned(), status);
    assert_eq!(told("Sessions Revoked", &ended), [pair("Authentication: Logoff", 1)]);
    assert_eq!(told("Revocation Failed", &ended), [pair("Account Change: Disable", 2)]);
    let both = [pair("Authentication: Logoff", 2), pair("Account Change: Disable", 1)];
    assert_eq!(told("Revocation Failed", &open), both);
}

#[test]
fn a_member_of_a_bulk_job_is_tied_to_the_job() {
    let mut record = record(&[("tombstone", done()), ("seal", done())]);
    record["source"] = json!({"name": "bulk", "event_id": "rv_job/eu-central-1_Sample001#1"});
    let events = told(&event("Sessions Revoked", &record)).unwrap().unwrap();
    assert_eq!(events[0]["metadata"]["correlation_uid"], "rv_job");
}

#[test]
fn a_whole_pool_is_one_logoff_of_everybody() {
    let mut record = record(&[("tombstone", done()), ("seal", done())]);
    record["subject"]["sub"] = json!("*");
    let events = told(&event("Sessions Revoked", &record)).unwrap().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0]["user"]["uid"], &events[0]["user"]["type"]), (&json!("*"), &json!("Everybody")));
    assert_eq!(events[0]["severity"], "Critical");
    assert!(events[0]["observables"].is_null());
}

#[test]
fn a_line_break_in_a_value_makes_no_second_event() {
    let hostile = "a\n{\"class_uid\":1}\r\n\u{2028}\"}";
    let mut record = record(&[("tombstone", done()), ("seal", done())]);
    record["initiator"]["id"] = json!(hostile);
    record["source"] = json!({"name": hostile, "event_id": hostile});
    record["steps"][0]["outcome"] = json!("failed");
    record["steps"][0]["code"] = json!(hostile);
    let text = event("Sessions Revoked", &record);
    let envelope: Envelope<'_> = serde_json::from_str(&text).unwrap();
    let events = translate(&envelope, EpochMillis(5)).unwrap().unwrap();
    assert!(
        events.iter().any(|one| one.line.contains(r#"a\n{\"class_uid\":1}"#)),
        "it is in there, escaped: {events:?}"
    );
    for one in events {
        assert!(!one.line.trim_end_matches('\n').contains(['\n', '\r']), "{}", one.line);
        let read: Value = serde_json::from_str(&one.line).unwrap();
        assert_eq!(read["class_uid"], one.class_uid);
    }
}

#[test]
fn i10_no_address_number_or_text_is_handed_on() {
    let mut record = record(&[("tombstone", done()), ("seal", done())]);
    record["initiator"] = json!({"kind": "admin", "id": "jane@example.com"});
    record["source"]["event_id"] = json!("+12025550100");
    record["reason_admin"] = json!({"en": "Jane lost it"});
    record["reason_user"] = json!({"en": "Sorry, Jane"});
    let text = format!("{:?}", told(&event("Sessions Revoked", &record)).unwrap().unwrap());
    for personal in ["jane", "Jane", "12025550100"] {
        assert!(!text.contains(personal), "{text}");
    }
}

#[test]
fn a_page_opens_and_closes_one_incident() {
    let page = |stage: &str, last: i64| {
        json!({
            "version": "1", "incident_id": "inc-1", "stage": stage, "window_minutes": 60, "threshold": 3, "count": 4,
            "subjects": ["a", "b"], "first_at": 10, "last_at": last, "runbook_url": "https://runbook.example.com",
        })
    };
    let told =
        |stage, last| told(&event("Compromise Threshold Exceeded", &page(stage, last))).unwrap().unwrap().remove(0);
    let (opened, closed, later) = (told("triggered", 20), told("resolved", 20), told("resolved", 30));
    assert_eq!((&opened["type_uid"], &closed["type_uid"]), (&json!(200_501), &json!(200_503)));
    assert_eq!((&opened["status"], &closed["status"]), (&json!("New"), &json!("Resolved")));
    assert_eq!(opened["finding_info_list"][0]["uid"], closed["finding_info_list"][0]["uid"]);
    assert_ne!(closed["metadata"]["uid"], later["metadata"]["uid"], "resolved once more");
    assert_eq!(opened["observables"].as_array().unwrap().len(), 2);
}

#[test]
fn an_operators_action_is_a_change_of_the_account_done_or_not() {
    let record = |action: &str, outcome: &str, code: Option<&str>| {
        json!({
            "version": "1", "id": "rv_00112233445566778899aabbccddeeff", "code": code, "outcome": outcome, "action": action,
            "source": {"name": "operator", "event_id": "7"}, "initiator": {"kind": "admin", "id": "arn:aws:iam::1:user/ops"},
            "subject": {"user_pool_id": "eu-central-1_Sample001", "sub": "1"}, "hold": {"message": "Call Jane"},
            "still_barred_by": null, "received_at": 1_768_469_400_000_i64, "at": 1_768_469_400_100_i64,
        })
    };
    for (action, outcome, code, type_uid, status_id) in [
        ("disable", "done", None, 300_105, 1),
        ("enable", "done", None, 300_102, 1),
        ("reset_password", "failed", Some("not_authorized"), 300_104, 2),
        ("hold", "refused", Some("protected_group"), 300_109, 2),
        ("release", "superseded", None, 300_199, 99),
    ] {
        let events = told(&event("Account Action Completed", &record(action, outcome, code))).unwrap().unwrap();
        assert_eq!(
            (&events[0]["type_uid"], &events[0]["status_id"]),
            (&json!(type_uid), &json!(status_id)),
            "{action}"
        );
        assert_eq!(events[0]["actor"]["user"]["uid"], "arn:aws:iam::1:user/ops");
        assert!(!events[0].to_string().contains("Jane"), "{action}");
    }
    let mut nobody = record("hold", "no_such_user", None);
    nobody["subject"] = Value::Null;
    assert_eq!(told(&event("Account Action Completed", &nobody)), Ok(Some(Vec::new())));
}

#[test]
fn what_is_malformed_is_parked_and_what_is_no_business_is_not() {
    assert_eq!(told(&event("Revocation Requested", &json!({}))), Ok(None));
    for detail_type in ["Sessions Revoked", "Revocation Failed", "Compromise Threshold Exceeded"] {
        for (detail, error) in [
            (json!({}), BadEvent::Shape("a member is missing or of the wrong type")),
            (json!({"version": "2"}), BadEvent::Version),
            (json!({"version": "1"}), BadEvent::Shape("a member is missing or of the wrong type")),
        ] {
            assert_eq!(told(&event(detail_type, &detail)).unwrap_err(), error);
            assert_eq!(error.disposition(), Disposition::Reject);
        }
    }
}

#[tokio::test]
async fn delivered_twice_an_event_is_the_same() {
    let exporter = Arc::new(FakeExporter::default());
    let handler = SiemFeedHandler::new(exporter.clone());
    let text = event("Sessions Revoked", &record(&[("tombstone", done()), ("seal", done())]));
    for received_at in [EpochMillis(5), EpochMillis(6)] {
        let envelope = serde_json::from_str(&text).unwrap();
        assert!(handler.handle(Delivery { envelope, received_at }).await.is_ok());
    }
    let events = exporter.0.lock().unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0], events[1]);
    assert!(!events[0].line.contains('\n'));
}
