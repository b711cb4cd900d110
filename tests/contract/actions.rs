//! Actions on accounts: the schema of a request says valid exactly when its parser says `Ok`, the samples are what they say,
//! and what is told of an action is as its schema has it.

use std::collections::BTreeSet;

use jsonschema::Validator;
use revocation_core::domain::action::{AccountActionRequest, ActionOutcome, ActionRecord, ActionStarted};
use revocation_core::domain::event::{ACCOUNT_ACTION_REQUESTED, Event};
use revocation_core::domain::hold::Bar;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::time::EpochMillis;
use serde_json::{Map, Value, json};

use crate::agreement::{places, replacements, with, without};
use crate::files::{self, assert_valid, read_json, sample_paths};
use crate::rules::queues_of;

/// Valid requests that together have every member.
fn honest() -> Vec<Value> {
    let request = |action: &str| {
        json!({
            "version": "1", "source": {"name": "operator", "event_id": "e1"},
            "sub_id": {"format": "username", "username": "jane"}, "action": action,
            "initiator": {"kind": "admin", "id": "arn:aws:iam::111122223333:user/ops"},
            "override_protection": true, "reason_admin": {"en": "Case 1"},
            "occurred_at": "2026-01-15T09:30:00.5+01:00",
        })
    };
    let mut hold = request("hold");
    hold["hold"] = json!({"until": "2026-01-16T09:30:00Z", "message": "Call us."});
    let mut empty = request("disable");
    empty["hold"] = json!({});
    let mut all = vec![hold, empty];
    all.extend(["disable", "enable", "reset_password", "hold", "release"].map(request));
    all
}

fn judged(validator: &Validator, value: &Value) -> Result<bool, String> {
    let parsed = AccountActionRequest::parse(&value.to_string());
    match (validator.is_valid(value), parsed) {
        (true, Ok(_)) => Ok(true),
        (false, Err(_)) => Ok(false),
        (by_schema, parsed) => Err(format!("schema: {by_schema}, parser: {parsed:?}, of {value}")),
    }
}

#[test]
fn schema_and_parser_agree_on_every_dropped_added_and_replaced_member() {
    let validator = files::validator(files::ACCOUNT_ACTION_REQUESTED);
    let mut more = replacements();
    more.extend(["disable", "hold", "release"].map(Value::from));
    more.extend([300, 301].map(|length| Value::from("𝒳".repeat(length))));
    let (mut accepted, mut refused, mut disagreements) = (0, 0, Vec::new());
    for request in honest() {
        assert_valid(&validator, &request, "schema");
        assert_eq!(judged(&validator, &request), Ok(true));
        for place in places(&request) {
            let mut mutants: Vec<Value> = without(&request, &place).into_iter().collect();
            // serde reads structs from arrays, which the schema does not promise.
            let forgiven = |new: &&Value| place == "/hold" && (**new == json!([]) || **new == json!([null]));
            let new = more.iter().filter(|new| !forgiven(new)).cloned();
            mutants.extend(new.map(|new| with(&request, &place, new)));
            if let Some(Value::Object(members)) = request.pointer(&place) {
                let mut members: Map<_, _> = members.clone();
                members.insert("x-unknown".into(), json!("text"));
                mutants.push(with(&request, &place, members.into()));
            }
            for mutant in mutants {
                match judged(&validator, &mutant) {
                    Ok(true) => accepted += 1,
                    Ok(false) => refused += 1,
                    Err(disagreement) => disagreements.push(disagreement),
                }
            }
        }
    }
    assert!(disagreements.is_empty(), "{}: {:#?}", disagreements.len(), &disagreements[..disagreements.len().min(8)]);
    assert!(accepted > 500 && refused > 3_000, "{accepted} {refused}");
}

#[test]
fn samples_are_valid_reach_revoke_and_are_read_back() {
    let validator = files::validator(files::ACCOUNT_ACTION_REQUESTED);
    let mut count = 0;
    for path in sample_paths() {
        let event = read_json(&files::events().join("samples").join(&path));
        if event["detail-type"] != ACCOUNT_ACTION_REQUESTED {
            continue;
        }
        count += 1;
        assert_eq!(queues_of(&event), ["RevokeQueue"], "{path}");
        let is_good = path.starts_with("account-action/");
        assert_eq!(validator.is_valid(&event["detail"]), is_good, "{path}");
        if is_good {
            let request = AccountActionRequest::parse(&event["detail"].to_string()).unwrap();
            assert_eq!(serde_json::to_value(request).unwrap(), event["detail"], "{path}");
        }
    }
    assert!(count >= 9, "{count}");
}

/// A record that says everything a record can.
fn record(outcome: ActionOutcome, code: Option<&str>) -> ActionRecord {
    let request = AccountActionRequest::parse(&honest()[0].to_string()).unwrap();
    let at = EpochMillis(1_768_469_400_000);
    let started = ActionStarted { id: request.id(), digest: request.digest(), received_at: at, request };
    let key = SubjectKey::new("eu-central-1_Sample001", "11112222-3333-4444-8555-666677778888");
    let record = ActionRecord::of(&started, Some(key), (outcome, code.map(str::to_owned)), at);
    ActionRecord { still_barred_by: Some(vec![Bar::Hold, Bar::Unsealed]), ..record }
}

#[test]
fn account_action_completed_is_valid_and_described_member_by_member() {
    let validator = files::validator(files::ACCOUNT_ACTION_COMPLETED);
    let written = |record: ActionRecord| -> Value {
        serde_json::from_str(&Event::AccountActionCompleted(record).detail().unwrap()).unwrap()
    };
    for (outcome, code) in [
        (ActionOutcome::Done, None),
        (ActionOutcome::Superseded, Some("later_action")),
        (ActionOutcome::Refused, Some("protected_group")),
        (ActionOutcome::Failed, Some("invalid_parameter")),
        (ActionOutcome::NoSuchUser, Some("user_not_found")),
    ] {
        assert_valid(&validator, &written(record(outcome, code)), outcome.as_str());
        // What was done needs no code, and what was not needs one.
        let other = if code.is_some() { None } else { Some("x") };
        assert!(!validator.is_valid(&written(record(outcome, other))), "{outcome:?}");
    }
    let mut nobody = record(ActionOutcome::NoSuchUser, Some("user_not_found"));
    (nobody.subject, nobody.still_barred_by) = (None, None);
    assert_valid(&validator, &written(nobody), "nobody");
    let everything = written(record(ActionOutcome::Done, None));
    let names: BTreeSet<&str> = everything.as_object().unwrap().keys().map(String::as_str).collect();
    let schema = files::schema(files::ACCOUNT_ACTION_COMPLETED);
    let described: BTreeSet<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, described);
    for (place, value) in
        [("/id", json!("rv_00112233445566778899aabbccddeeff")), ("/outcome", json!("ok")), ("/at", json!("now"))]
    {
        assert!(!validator.is_valid(&with(&everything, place, value)), "{place}");
    }
}
