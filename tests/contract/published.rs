//! What the pipeline writes, built from Rust values, against its schemas.

use std::collections::{BTreeMap, BTreeSet};

use revocation_core::domain::action::{AccountAction, ActionOutcome, ActionRecord, HoldTerms};
use revocation_core::domain::audit::{AuditRecord, Started, Step, StepOutcome, StepRecord};
use revocation_core::domain::event::{Event, RevocationFailed, SessionsRevoked};
use revocation_core::domain::incident::{Page, Stage};
use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{EventSource, RevocationRequest};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::session::{SessionRecord, SessionScope};
use revocation_core::domain::text::LocalizedText;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use serde_json::{Value, json};

use crate::files::{self, assert_valid};

const RECEIVED: EpochMillis = EpochMillis(1_768_469_400_000);

fn started(reason: ReasonCode, refresh: bool) -> Started {
    let mut request = json!({
        "version": "1", "source": {"name": "okta/acme", "event_id": "ab62"},
        "sub_id": {"format": "email", "email": "jane@example.com"}, "reason": reason,
        "initiator": {"kind": "admin", "id": "00u1"}, "reason_admin": {"en": "Left"},
    });
    if refresh {
        request["effect"] = json!("refresh");
    }
    let request = RevocationRequest::parse(&request.to_string()).unwrap();
    Started {
        revocation_id: request.id(),
        digest: request.digest(),
        not_before: RECEIVED.seconds(),
        received_at: RECEIVED,
        request,
    }
}

fn record(started: &Started, subject: bool, steps: &[(Step, StepOutcome)]) -> AuditRecord {
    let key = SubjectKey::new("eu-central-1_Sample001", "11112222-3333-4444-8555-666677778888");
    let at = |n: usize| EpochMillis(RECEIVED.0 + 100 * i64::try_from(n).unwrap());
    let steps: BTreeMap<Step, StepRecord> = steps
        .iter()
        .enumerate()
        .map(|(n, (step, outcome))| (*step, StepRecord { step: *step, outcome: outcome.clone(), at: at(n) }))
        .collect();
    AuditRecord::sum_up(started, subject.then_some(&key), &steps)
}

fn failed() -> StepOutcome {
    StepOutcome::Failed { code: "not_authorized".into() }
}

pub(crate) fn complete() -> AuditRecord {
    let all = [Step::Tombstone, Step::Disable, Step::GlobalSignOut, Step::Seal].map(|step| (step, StepOutcome::Done));
    record(&started(ReasonCode::Offboarding, false), true, &all)
}

/// Everything a record can say: of all sessions but one, of which the ledger knew two.
pub(crate) fn with_sessions() -> AuditRecord {
    let mut started = started(ReasonCode::UserRequest, false);
    started.request.session = Some(SessionScope::AllBut("o-1".into()));
    started.request.reason_admin = LocalizedText::english("Lost telephone");
    let session = SessionRecord {
        origin_jti: "o-2".into(),
        client_id: "client".into(),
        auth_time: Some(RECEIVED.seconds()),
        first_seen: RECEIVED,
        last_seen: RECEIVED,
        ip: Some("192.0.2.7".into()),
        user_agent: Some("curl/8".into()),
    };
    let record = record(&started, true, &[(Step::Tombstone, StepOutcome::Done)]);
    record.with_sessions(Some(vec![session.clone(), session]))
}

pub(crate) fn partial() -> AuditRecord {
    let steps = [
        (Step::Tombstone, StepOutcome::Done),
        (Step::ResetPassword, failed()),
        (Step::GlobalSignOut, StepOutcome::Done),
        (Step::ForgetDevices, StepOutcome::not_needed("no_devices")),
        (Step::Seal, StepOutcome::not_needed("sealed_by_another")),
    ];
    record(&started(ReasonCode::Compromise, false), true, &steps)
}

/// Everybody's.
pub(crate) fn whole_pool() -> AuditRecord {
    let request = json!({
        "version": "1", "source": {"name": "operator", "event_id": "5b0c"}, "reason": "compromise",
        "sub_id": {"format": "pool", "user_pool_id": "eu-central-1_Sample001"},
        "initiator": {"kind": "admin", "id": "arn:aws:sts::111122223333:assumed-role/Operators/on-call"},
    });
    let request = RevocationRequest::parse(&request.to_string()).unwrap();
    let started = Started { revocation_id: request.id(), request, ..started(ReasonCode::Compromise, false) };
    let steps = [(Step::Tombstone, StepOutcome::Done), (Step::Seal, StepOutcome::Done)];
    let everyone = SubjectKey::new("eu-central-1_Sample001", "*");
    AuditRecord { subject: Some(everyone), ..record(&started, true, &steps) }
}

/// An operator's action on an account.
pub(crate) fn action(action: AccountAction, outcome: ActionOutcome, code: Option<&str>) -> ActionRecord {
    ActionRecord {
        version: "1".into(),
        id: RevocationId("rv_00112233445566778899aabbccddeeff".into()),
        source: EventSource { name: "operator".into(), event_id: "5b0d".into() },
        initiator: Initiator {
            kind: InitiatorKind::Admin,
            id: "arn:aws:sts::111122223333:assumed-role/Operators/on-call".into(),
        },
        subject: Some(SubjectKey::new("eu-central-1_Sample001", "11112222-3333-4444-8555-666677778888")),
        action,
        hold: HoldTerms::default(),
        override_protection: false,
        reason_admin: LocalizedText::english("INC-4711"),
        outcome,
        code: code.map(str::to_owned),
        still_barred_by: None,
        received_at: RECEIVED,
        at: EpochMillis(RECEIVED.0 + 100),
    }
}

pub(crate) fn refresh() -> AuditRecord {
    record(&started(ReasonCode::RoleChange, true), true, &[(Step::Tombstone, StepOutcome::Done)])
}

fn no_such_user() -> AuditRecord {
    record(&started(ReasonCode::Anomaly, false), false, &[])
}

fn gone() -> AuditRecord {
    let steps = [
        (Step::Tombstone, StepOutcome::Done),
        (Step::GlobalSignOut, StepOutcome::not_needed("user_not_found")),
        (Step::Seal, StepOutcome::Done),
    ];
    record(&started(ReasonCode::Anomaly, false), true, &steps)
}

pub(crate) fn page(stage: Stage, subjects: usize) -> Page {
    Page {
        version: "1".into(),
        incident_id: "inc-1768469400000-7".into(),
        stage,
        window_minutes: 60,
        threshold: 3,
        count: subjects.max(4),
        subjects: (0..subjects).map(|n| format!("sub-{n}")).collect(),
        first_at: EpochSeconds(1_768_466_000),
        last_at: EpochSeconds(1_768_469_400),
        runbook_url: "https://runbooks.example.com/compromise".into(),
    }
}

/// As `PutEvents` gets it.
fn detail(event: &Event) -> Value {
    serde_json::from_str(&event.detail().unwrap()).unwrap()
}

fn members(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn described(schemas: &[&Value]) -> BTreeSet<String> {
    schemas.iter().flat_map(|schema| schema["properties"].as_object().unwrap().keys().cloned()).collect()
}

#[test]
fn audit_records_are_valid_as_stored_and_as_logged() {
    let validator = files::validator(files::AUDIT_RECORD);
    for record in [complete(), partial(), refresh(), no_such_user(), gone(), with_sessions(), whole_pool()] {
        for record in [record.for_log(), record] {
            assert_valid(&validator, &serde_json::to_value(&record).unwrap(), &format!("{record:?}"));
        }
    }
}

#[test]
fn sessions_revoked_is_valid_with_and_without_text() {
    let validator = files::validator(files::SESSIONS_REVOKED);
    for record in [complete(), partial(), refresh(), with_sessions(), whole_pool()] {
        for reason_user in [LocalizedText::default(), LocalizedText::english("Please sign in again.")] {
            let event = Event::SessionsRevoked(SessionsRevoked { record: record.clone(), reason_user });
            assert_valid(&validator, &detail(&event), event.detail_type());
        }
    }
    let nobody = SessionsRevoked { record: no_such_user(), reason_user: LocalizedText::default() };
    assert!(!validator.is_valid(&detail(&Event::SessionsRevoked(nobody))), "nobody's sessions cannot have ended");
}

#[test]
fn revocation_failed_is_valid_and_names_a_failed_step() {
    let validator = files::validator(files::REVOCATION_FAILED);
    let event = |record| detail(&Event::RevocationFailed(RevocationFailed { record }));
    assert_valid(&validator, &event(partial()), "partial");
    for other in [complete(), refresh(), no_such_user()] {
        assert!(!validator.is_valid(&event(other)));
    }
}

#[test]
fn pages_are_valid_from_beginning_to_end() {
    let validator = files::validator(files::COMPROMISE_THRESHOLD_EXCEEDED);
    for stage in [Stage::Triggered, Stage::Resolved] {
        for subjects in [0, 4, 10] {
            let event = Event::CompromiseThresholdExceeded(page(stage, subjects));
            assert_valid(&validator, &detail(&event), event.detail_type());
        }
    }
    let crowded = Event::CompromiseThresholdExceeded(page(Stage::Triggered, 11));
    assert!(!validator.is_valid(&detail(&crowded)));
}

/// Readers ignore members they do not know, so the schemas are open; a member that is written and not described would
/// go unnoticed without this.
#[test]
fn every_member_that_is_written_is_described_and_the_other_way_round() {
    let [audit, revoked, page_schema, request] = [
        files::AUDIT_RECORD,
        files::SESSIONS_REVOKED,
        files::COMPROMISE_THRESHOLD_EXCEEDED,
        files::REVOCATION_REQUESTED,
    ]
    .map(files::schema);
    let owned = |names: BTreeSet<&str>| -> BTreeSet<String> { names.into_iter().map(str::to_owned).collect() };
    let everything = with_sessions();
    let written = serde_json::to_value(&everything).unwrap();
    assert_eq!(owned(members(&written)), described(&[&audit]));
    assert_eq!(owned(members(&written["sessions"][0])), described(&[&audit["$defs"]["session"]]));
    let text = LocalizedText::english("Please sign in again.");
    let written = serde_json::to_value(SessionsRevoked { record: everything, reason_user: text }).unwrap();
    assert_eq!(owned(members(&written)), described(&[&audit, &revoked]));
    let written = serde_json::to_value(page(Stage::Triggered, 4)).unwrap();
    assert_eq!(owned(members(&written)), described(&[&page_schema]));
    let reasons: Vec<Value> = ReasonCode::ALL.iter().map(|reason| json!(reason)).collect();
    assert_eq!(request["$defs"]["reason"]["enum"], json!(reasons));
    let step = &serde_json::to_value(partial()).unwrap()["steps"][1];
    assert_eq!(owned(members(step)), described(&[&audit["$defs"]["step"]]));
}

#[test]
fn records_that_say_something_else_are_refused() {
    let validator = files::validator(files::AUDIT_RECORD);
    let good = serde_json::to_value(partial()).unwrap();
    for (place, value) in [
        ("/version", json!("2")),
        ("/revocation_id", json!("rv_1")),
        ("/reason", json!("fired")),
        ("/outcome", json!("done")),
        ("/sessions_ended", json!(-1)),
        ("/received_at", json!("2026-01-15T09:30:00Z")),
        ("/steps/0/step", json!("tombstoned")),
        ("/steps/0/code", json!("x")),
        ("/source/extra", json!(1)),
        ("/subject", json!("eu-central-1_Sample001#1")),
    ] {
        let mut bad = good.clone();
        let (parent, name) = place.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).unwrap()[name] = value;
        assert!(!validator.is_valid(&bad), "{place}");
    }
    for name in ["outcome", "subject", "sealed_at", "steps"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(name);
        assert!(!validator.is_valid(&bad), "{name}");
    }
}
