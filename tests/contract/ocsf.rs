//! What a SIEM is fed: against what OCSF requires of each class, and as `events/samples/ocsf` shows it.
//!
//! `ocsf-1.3.0.json` is written by hand, of what is required or enumerated in the schema's files, which it names.

use std::path::Path;

use jsonschema::Validator;
use revocation_core::domain::action::{AccountAction, ActionOutcome};
use revocation_core::domain::audit::AuditRecord;
use revocation_core::domain::bulk::{BulkJob, BulkRevocationCompleted, Control, Stage, Tally};
use revocation_core::domain::event::{Envelope, Event, RevocationFailed, SessionsRevoked};
use revocation_core::domain::incident::Stage as IncidentStage;
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::text::LocalizedText;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::SiemEvent;
use serde_json::{Value, json};
use siem_feed::translate::translate;

use crate::files::{self, assert_valid, read_json};
use crate::published::{action, complete, page, partial, refresh, whole_pool, with_sessions};

fn validator() -> Validator {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("contract/ocsf-1.3.0.json");
    jsonschema::options().build(&read_json(&schema)).unwrap()
}

/// As the queue hands it over.
fn told(event: &Event) -> Vec<Value> {
    let detail: Value = serde_json::from_str(&event.detail().unwrap()).unwrap();
    let text = json!({
        "id": "e-1", "source": "revocation.revoke", "detail-type": event.detail_type(), "time": "2026-01-15T09:30:01Z",
        "account": "111122223333", "region": "eu-central-1", "detail": detail,
    })
    .to_string();
    let envelope: Envelope<'_> = serde_json::from_str(&text).unwrap();
    let events = translate(&envelope, EpochMillis(0)).unwrap().unwrap();
    let read = |SiemEvent { class_uid, line }: &SiemEvent| {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["class_uid"], *class_uid);
        event
    };
    events.iter().map(read).collect()
}

/// The end of a bulk revocation of ten people, of whom so many failed.
fn bulk(stage: Stage, failed: u64) -> BulkRevocationCompleted {
    let request = json!({
        "version": "1", "source": {"name": "operator", "event_id": "e1"}, "reason": "project_end",
        "sub_id": {"format": "group", "group": "contractors-acme"},
        "initiator": {"kind": "admin", "id": "arn:aws:iam::111122223333:user/alice"},
    });
    let request = RevocationRequest::parse(&request.to_string()).unwrap();
    let received_at = EpochMillis(1_768_469_400_000);
    let job = BulkJob::new(request, received_at, false);
    let tally = Tally { listed: 10, locked_out: 10, ended: 10 - failed, failed, ..Tally::default() };
    let (locked_out_at, ended_at) = (Some(EpochMillis(1_768_469_402_000)), Some(EpochMillis(1_768_469_409_000)));
    let job = BulkJob { stage, tally, locked_out_at, ended_at, pass: 2, pages_listed: 1, ..job };
    let control = Control { approved_by: Some("bob@example.com".into()), ..Control::default() };
    BulkRevocationCompleted::of(&job, &control)
}

fn revoked(record: AuditRecord) -> Event {
    Event::SessionsRevoked(SessionsRevoked { record, reason_user: LocalizedText::english("Sorry") })
}

/// Every situation with a sample.
fn situations() -> Vec<(&'static str, Event)> {
    vec![
        ("sessions-revoked", revoked(complete())),
        ("single-sessions-revoked", revoked(with_sessions())),
        ("claims-only", revoked(refresh())),
        ("revocation-failed", Event::RevocationFailed(RevocationFailed { record: partial() })),
        ("whole-pool-revoked", revoked(whole_pool())),
        ("account-held", Event::AccountActionCompleted(action(AccountAction::Hold, ActionOutcome::Done, None))),
        (
            "account-not-disabled",
            Event::AccountActionCompleted(action(
                AccountAction::Disable,
                ActionOutcome::Refused,
                Some("protected_group"),
            )),
        ),
        ("bulk-completed", Event::BulkRevocationCompleted(bulk(Stage::Completed, 0))),
        ("bulk-needs-a-look", Event::BulkRevocationCompleted(bulk(Stage::Completed, 2))),
        ("bulk-cancelled", Event::BulkRevocationCompleted(bulk(Stage::Cancelled, 0))),
        ("incident-created", Event::CompromiseThresholdExceeded(page(IncidentStage::Triggered, 4))),
        ("incident-closed", Event::CompromiseThresholdExceeded(page(IncidentStage::Resolved, 4))),
    ]
}

#[test]
fn what_is_fed_is_of_the_classes_of_ocsf_and_as_the_samples_show_it() {
    let validator = validator();
    for (name, event) in situations() {
        let told = told(&event);
        assert!(!told.is_empty(), "{name}");
        for event in &told {
            assert_valid(&validator, event, name);
        }
        let sample = files::events().join(format!("samples/ocsf/{name}.json"));
        let told = Value::from(told);
        assert!(sample.exists() && read_json(&sample) == told, "{}: {told:#}", sample.display());
    }
}

#[test]
fn every_sample_is_of_a_situation() {
    let folder = std::fs::read_dir(files::events().join("samples/ocsf")).unwrap();
    let names = folder.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
    for name in names {
        assert!(situations().iter().any(|(situation, _)| *situation == name), "{name}");
    }
}

#[test]
fn i10_a_bulk_revocation_is_told_without_its_groups_name_and_without_addresses() {
    let line = told(&Event::BulkRevocationCompleted(bulk(Stage::Completed, 0))).remove(0).to_string();
    assert!(!line.contains("contractors-acme") && !line.contains("bob@"), "{line}");
}

/// The validator is not one that lets everything pass.
#[test]
fn what_ocsf_requires_is_asked_for() {
    let validator = validator();
    for (_, event) in situations() {
        let good = told(&event).remove(0);
        let required = ["activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time", "metadata"];
        let own: &[&str] = match good["class_uid"].as_u64() {
            Some(2_005) => &["finding_info_list", "status_id", "assignee_group"],
            Some(3_002) => &["user", "service"],
            Some(3_004) => &["entity"],
            _ => &["user"],
        };
        for name in required.iter().chain(own) {
            let mut bad = good.clone();
            bad.as_object_mut().unwrap().remove(*name);
            assert!(!validator.is_valid(&bad), "{name}");
        }
        for (place, value) in [
            ("/type_uid", json!(1)),
            ("/activity_id", json!(77)),
            ("/severity_id", json!(7)),
            ("/time", json!("2026-01-15T09:30:01Z")),
            ("/metadata/version", json!("1.1.0")),
            ("/category_uid", json!(6)),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(place).unwrap() = value;
            assert!(!validator.is_valid(&bad), "{place}");
        }
    }
}
