//! The schema of `Revocation Requested` says valid exactly when its parser says `Ok`.
//!
//! It cannot say three things the parser checks: the size in bytes, members that stand twice, and that the approver is not the initiator. And the parser forgives
//! a few spellings that the schema does not promise; the last test pins them.

use jsonschema::Validator;
use proptest::prelude::*;
use revocation_core::domain::request::{MAX_DETAIL_BYTES, RevocationRequest};
use serde_json::{Map, Value, json};

use crate::files::{self, REVOCATION_REQUESTED};

/// Valid requests that together have every member and every subject format.
fn honest() -> Vec<Value> {
    let request = |sub_id: Value| {
        json!({
            "version": "1", "source": {"name": "soc/tool", "event_id": "case-1"}, "sub_id": sub_id,
            "reason": "role_change", "initiator": {"kind": "admin", "id": "00u1"},
            "reason_admin": {"en": "Case 1"}, "reason_user": {"en": "Sorry", "de-CH": "Pardon"},
            "occurred_at": "2026-01-15T09:30:00.5+01:00", "effect": "refresh", "lockout": true, "txn": "t1",
        })
    };
    let formats = json!([
        {"format": "account", "uri": "acct:jane@example.com"},
        {"format": "email", "email": "jane@example.com"},
        {"format": "iss_sub", "iss": "https://idp.example.com/", "sub": "1"},
        {"format": "opaque", "id": "11112222"},
        {"format": "phone_number", "phone_number": "+12025550100"},
        {"format": "username", "username": "Okta_00u1"},
        {"format": "group", "group": "contractors"},
        {"format": "list", "list": "0123456789abcdef".repeat(4)},
        {"format": "ended"},
        {"format": "aliases", "identifiers": [
            {"format": "email", "email": "jane@example.com"}, {"format": "username", "username": "jane"},
        ]},
    ]);
    let mut all: Vec<Value> = formats.as_array().unwrap().iter().cloned().map(request).collect();
    for sub_id in [json!({"format": "group", "group": "contractors"}), json!({"format": "ended"})] {
        let mut request = request(sub_id);
        request["approve_by"] = json!("arn:aws:iam::123456789012:user/bob");
        all.push(request);
    }
    for session in [json!({"only": "o-1"}), json!({"all_but": "o-1"})] {
        let mut request = request(json!({"format": "opaque", "id": "11112222"}));
        request["reason"] = json!("user_request");
        request["session"] = session;
        request.as_object_mut().unwrap().remove("effect");
        all.push(request);
    }
    let mut everybody = request(json!({"format": "pool", "user_pool_id": "eu-central-1_Sample001"}));
    everybody["reason"] = json!("compromise");
    everybody["lockout"] = json!(false);
    everybody.as_object_mut().unwrap().remove("effect");
    all.insert(0, everybody);
    all
}

/// Replacements that break some members and suit others.
pub(crate) fn replacements() -> Vec<Value> {
    let mut all = vec![
        json!(null),
        json!(true),
        json!(99),
        json!(-1.5),
        json!([]),
        json!({}),
        json!([null]),
        json!({"en": "text"}),
    ];
    let texts = [
        "",
        " ",
        "text",
        "1",
        "2",
        "refresh",
        "sign_out",
        "offboarding",
        "Offboarding",
        "admin",
        "root",
        "email",
        "\u{a0}",
        "\u{3000}",
        "\u{feff}",
        "\u{85}",
        "\u{200b}",
        "a\nb",
        "a\u{0}",
        "a\u{7f}",
        "a\u{9f}b",
        "\u{2028}",
        "a\u{202e}b",
        "a\u{2066}b",
        "a\u{2027}b",
        "o\"brien\\",
        "李 小龍",
        "a@b",
        "@b",
        "a@",
        "a@b@",
        "a@b@c",
        "acct:a@b",
        "acct:@b",
        "ACCT:a@b",
        "+1",
        "+12",
        "+012",
        "+1206555010012345",
        "+120655501001234",
        "+٤٩٣٠١٢٣",
        "12",
        "okta/Acme",
        "okta acme",
        "2026-01-15T09:30:00Z",
        "2026-02-30T09:30:00Z",
        "2026-01-15",
        "2026-01-15T09:30:00",
    ];
    all.extend(texts.map(Value::from));
    // Around every bound of the schema, in characters of one and of four bytes.
    for length in [35, 36, 128, 129, 254, 255, 256, 257, 512, 513, 1_000, 1_001] {
        all.push("x".repeat(length).into());
        all.push("𝒳".repeat(length).into());
        all.push(format!("a@{}", "b".repeat(length - 2)).into());
        all.push(format!("acct:a@{}", "b".repeat(length - 7)).into());
    }
    for count in [16, 17, 32, 33] {
        all.push(vec![json!({"format": "opaque", "id": "x"}); count].into());
        all.push((0..count).map(|n| (format!("l{n}"), json!("text"))).collect::<Map<_, _>>().into());
    }
    all
}

/// Every place in `value`, as JSON pointers, and the value itself.
pub(crate) fn places(value: &Value) -> Vec<String> {
    let mut all = vec![String::new()];
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in inner {
        all.extend(places(value).into_iter().map(|rest| format!("/{name}{rest}")));
    }
    all
}

pub(crate) fn with(value: &Value, place: &str, new: Value) -> Value {
    let mut value = value.clone();
    *value.pointer_mut(place).unwrap() = new;
    value
}

pub(crate) fn without(value: &Value, place: &str) -> Option<Value> {
    let (parent, name) = place.rsplit_once('/')?;
    let mut value = value.clone();
    match value.pointer_mut(parent)? {
        Value::Object(members) => members.remove(name),
        Value::Array(items) => Some(items.remove(name.parse().ok()?)),
        _ => None,
    }?;
    Some(value)
}

/// The common answer, or the disagreement.
fn judged(validator: &Validator, value: &Value) -> Result<bool, String> {
    let parsed = RevocationRequest::parse(&value.to_string());
    match (validator.is_valid(value), parsed) {
        (true, Ok(_)) => Ok(true),
        (false, Err(_)) => Ok(false),
        (by_schema, parsed) => Err(format!("schema: {by_schema}, parser: {parsed:?}, of {value}")),
    }
}

#[test]
fn every_honest_request_is_accepted_by_both() {
    let validator = files::validator(REVOCATION_REQUESTED);
    for request in honest() {
        files::assert_valid(&validator, &request, "schema");
        assert_eq!(judged(&validator, &request), Ok(true));
    }
}

#[test]
fn both_agree_on_every_dropped_added_and_replaced_member() {
    let validator = files::validator(REVOCATION_REQUESTED);
    let (mut accepted, mut refused, mut disagreements) = (0, 0, Vec::new());
    for request in honest() {
        let mut mutants = Vec::new();
        for place in places(&request) {
            mutants.extend(without(&request, &place));
            mutants.extend(replacements().into_iter().map(|new| with(&request, &place, new)));
            if let Some(Value::Object(members)) = request.pointer(&place) {
                let mut members = members.clone();
                members.insert("x-unknown".into(), json!("text"));
                mutants.push(with(&request, &place, members.into()));
            }
        }
        for mutant in mutants {
            match judged(&validator, &mutant) {
                Ok(true) => accepted += 1,
                Ok(false) => refused += 1,
                Err(disagreement) => disagreements.push(disagreement),
            }
        }
    }
    assert!(disagreements.is_empty(), "{}: {:#?}", disagreements.len(), &disagreements[..disagreements.len().min(8)]);
    assert!(accepted > 1_000 && refused > 5_000, "{accepted} {refused}");
}

#[test]
fn both_agree_on_session_and_reason_together() {
    let validator = files::validator(REVOCATION_REQUESTED);
    let of_one = honest().pop().unwrap();
    for (reason, is_fine) in [("user_request", true), ("anomaly", true), ("canary", true), ("offboarding", false)] {
        assert_eq!(judged(&validator, &with(&of_one, "/reason", json!(reason))), Ok(is_fine), "{reason}");
    }
}

#[test]
fn both_agree_on_a_whole_pool_and_reason_together() {
    let validator = files::validator(REVOCATION_REQUESTED);
    let everybody = &honest()[0];
    for (reason, is_fine) in
        [("compromise", true), ("policy_violation", true), ("offboarding", false), ("canary", false)]
    {
        let request = with(everybody, "/reason", json!(reason));
        assert_eq!(judged(&validator, &request), Ok(is_fine), "{reason}");
        assert_eq!(judged(&validator, &with(&request, "/lockout", json!(true))), Ok(false), "{reason}");
    }
}

#[test]
fn both_agree_on_whom_an_approver_is_for() {
    let validator = files::validator(REVOCATION_REQUESTED);
    for request in honest() {
        let many = ["group", "list", "ended"].map(Value::from).contains(&request["sub_id"]["format"]);
        let mut named = request.clone();
        named["approve_by"] = json!("bob");
        assert_eq!(judged(&validator, &named), Ok(many), "{}", request["sub_id"]["format"]);
    }
}

#[test]
fn both_agree_on_effect_and_reason_together() {
    let validator = files::validator(REVOCATION_REQUESTED);
    for reason in ["offboarding", "role_change", "canary"] {
        for (effect, is_fine) in [("sign_out", true), ("refresh", reason == "role_change")] {
            let request = with(&with(&honest()[1], "/reason", json!(reason)), "/effect", json!(effect));
            assert_eq!(judged(&validator, &request), Ok(is_fine), "{reason} {effect}");
        }
    }
}

proptest! {
    #[test]
    fn both_agree_on_any_text_anywhere(
        which in 0_usize..15, place in any::<prop::sample::Index>(), text in prop_oneof![".{0,40}", "[\\s\\S]{0,8}"],
    ) {
        let validator = files::validator(REVOCATION_REQUESTED);
        let request = &honest()[which];
        let places = places(request);
        let mutant = with(request, place.get(&places).as_str(), text.into());
        prop_assert!(judged(&validator, &mutant).is_ok(), "{:?}", judged(&validator, &mutant));
    }
}

#[test]
fn the_size_is_the_parsers_to_check() {
    let texts: Map<String, Value> = (0..32).map(|n| (format!("l{n}"), "𝒳".repeat(1_000).into())).collect();
    let huge = with(&honest()[1], "/reason_admin", texts.into());
    assert!(huge.to_string().len() > MAX_DETAIL_BYTES);
    assert!(files::validator(REVOCATION_REQUESTED).is_valid(&huge));
    assert!(RevocationRequest::parse(&huge.to_string()).is_err());
}

/// serde reads structs from arrays, unit variants from objects and nested tags from their position in the enum; jiff
/// reads other forms of ISO 8601. No sender may rely on it: the schema is the contract.
#[test]
fn what_the_parser_forgives_and_the_schema_does_not_promise() {
    let validator = files::validator(REVOCATION_REQUESTED);
    for (place, forgiven) in [
        ("/source", json!(["soc/tool", "case-1"])),
        ("/sub_id", json!({"format": "aliases", "identifiers": [{"format": 1, "email": "jane@example.com"}]})),
        ("/initiator", json!(["admin", "00u1"])),
        ("/reason", json!({"role_change": null})),
        ("/occurred_at", json!("2026-01-15 09:30:00+01:00")),
        ("/occurred_at", json!("20260115T093000Z")),
    ] {
        let request = with(&honest()[1], place, forgiven);
        assert!(RevocationRequest::parse(&request.to_string()).is_ok(), "{request}");
        assert!(!validator.is_valid(&request), "{request}");
    }
}
