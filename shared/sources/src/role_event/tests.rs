//! Role events: every sample, and the bounds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Sources;
use crate::json::parse_json;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/samples/role-change")
}

fn source(more: &str) -> RoleSource {
    let text = format!(
        "version: 1\npools: [eu-central-1_Sample001]\nrole_change:\n  erp:\n    \
         authentication: {{ method: standard_webhooks, secret: revocation/erp }}\n{more}"
    );
    Sources::parse(&text).unwrap_or_else(|mistakes| panic!("{mistakes}")).role_change.remove("erp").unwrap()
}

fn ranked() -> RoleSource {
    source("    compare: { ranking: [viewer, editor, admin] }\n    effect: refresh\n")
}

fn summary(source: &RoleSource, body: Value) -> Value {
    match RoleEvent::parse(body).and_then(|event| source.translate(&event, Some("msg_1"))) {
        Ok(RoleVerdict::Request(request)) => {
            json!({"request": request.effect, "event_id": request.source.event_id, "by": request.initiator.kind})
        }
        Ok(RoleVerdict::NotADowngrade(change)) => json!({"nothing": change.as_str()}),
        Err(error) => json!({"refused": error.code()}),
    }
}

#[test]
fn every_sample_means_what_is_expected_of_it() {
    let read = |name: &str| parse_json(&fs::read(samples().join(name)).unwrap()).unwrap();
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    for entry in fs::read_dir(samples()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name != "expectations.json" {
            found.insert(name.clone(), summary(&ranked(), read(&name)));
        }
    }
    let found = serde_json::to_value(found).unwrap();
    assert!(found == read("expectations.json"), "expected in samples/role-change/expectations.json:\n{found:#}");
}

/// What the schema cannot say: that a source may not name a group.
#[test]
fn the_schema_says_valid_where_the_parser_says_ok() {
    let schemas = samples().join("../../schemas");
    let schema = |name: &str| parse_json(&fs::read(schemas.join(name)).unwrap()).unwrap();
    let request = schema("revocation-requested.v1.json");
    let id = request["$id"].as_str().unwrap().to_owned();
    let registry = jsonschema::Registry::new().add(id, request).unwrap().prepare().unwrap();
    let options = jsonschema::options().with_registry(&registry).should_validate_formats(true);
    let validator = options.build(&schema("role-updated.v1.json")).unwrap();
    let mut bodies: Vec<Value> = Vec::new();
    for entry in fs::read_dir(samples()).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("expectations.json") {
            bodies.push(parse_json(&fs::read(path).unwrap()).unwrap());
        }
    }
    let good =
        bodies.iter().find(|body| body["data"]["actor"].is_object() && validator.is_valid(body)).unwrap().clone();
    for (place, new) in [
        ("/id", json!("")),
        ("/id", json!("x".repeat(257))),
        ("/id", json!("é")),
        ("/id", json!(null)),
        ("/id", json!(1)),
        ("/data/old", json!({"roles": null})),
        ("/data/old", json!({})),
        ("/data/old/roles", json!([" "])),
        ("/data/old/roles", json!(["x".repeat(256)])),
        ("/data/old/roles", json!(["x".repeat(257)])),
        ("/data/old/roles", json!(vec!["x"; 1_000])),
        ("/data/old/roles", json!(vec!["x"; 1_001])),
        ("/data/actor", json!(null)),
        ("/data/actor", json!({})),
        ("/data/actor", json!({"id": 1})),
        ("/timestamp", json!("2026-02-30T00:00:00Z")),
        ("/timestamp", json!(1)),
        ("/data", json!([])),
    ] {
        let mut body = good.clone();
        match body.pointer_mut(place) {
            Some(old) => *old = new,
            None => body["id"] = new,
        }
        bodies.push(body);
    }
    for body in bodies {
        let parsed = RoleEvent::parse(body.clone());
        assert_eq!(
            validator.is_valid(&body),
            parsed.is_ok(),
            "{parsed:?} {}",
            body.to_string().chars().take(300).collect::<String>()
        );
    }
}

fn event(old: &Value, new: &Value) -> Value {
    json!({"type": "role.updated", "timestamp": "2026-11-20T09:15:00Z",
        "data": {"subject": {"format": "email", "email": "jane@example.com"}, "old": old, "new": new}})
}

#[test]
fn the_comparison_is_the_sources() {
    let by_inclusion = source("    compare: inclusion\n");
    let body = event(&json!({"roles": ["viewer", "admin"]}), &json!({"roles": ["admin"]}));
    assert_eq!(summary(&ranked(), body.clone()), json!({"nothing": "lateral"}));
    assert_eq!(summary(&by_inclusion, body)["request"], "sign_out");
}

#[test]
fn a_request_says_what_was_lost() {
    let body = event(&json!({"roles": ["editor", "admin"]}), &json!({"roles": ["editor"]}));
    let parsed = RoleEvent::parse(body).unwrap();
    let Ok(RoleVerdict::Request(request)) = ranked().translate(&parsed, Some("msg_1")) else { panic!() };
    assert_eq!(request.reason_admin, LocalizedText::english("Lost: admin"));
    assert_eq!((request.reason, request.effect), (ReasonCode::RoleChange, Effect::Refresh));
    assert_eq!(request.initiator, Initiator { kind: InitiatorKind::System, id: "role-change/erp".into() });
    assert_eq!(request.pools, ranked().grant.pools);
    assert_eq!(ranked().translate(&parsed, None), Err(BadRoleEvent::NoEventId));
}

#[test]
fn events_out_of_bounds_are_refused_with_a_reason_that_quotes_nothing() {
    let many: Vec<String> = (0..=MAX_ROLES).map(|n| format!("r{n}")).collect();
    let (some, none) = (json!({"roles": ["admin"]}), json!({"roles": []}));
    let parse = |body: &Value| RoleEvent::parse(body.clone()).map(drop);
    assert_eq!(parse(&event(&some, &none)), Ok(()));
    for (old, new, why) in [
        (json!({ "roles": many }), none.clone(), BadRoleEvent::Names("old")),
        (some.clone(), json!({"roles": ["x".repeat(257)]}), BadRoleEvent::Names("new")),
        (json!({"roles": [""]}), none.clone(), BadRoleEvent::Names("old")),
        (json!({"roles": ["a\nhunter2"]}), none.clone(), BadRoleEvent::Names("old")),
        (json!({"permissions": ["a"]}), none.clone(), BadRoleEvent::Sides),
        (json!({"roles": [], "permissions": []}), none.clone(), BadRoleEvent::Sides),
        (json!({}), json!({}), BadRoleEvent::Sides),
        (json!({"roles": "hunter2"}), none.clone(), BadRoleEvent::Shape("a value of the wrong type")),
        (json!({"roles": [1]}), none.clone(), BadRoleEvent::Shape("a value of the wrong type")),
        (json!({"hunter2": []}), none.clone(), BadRoleEvent::Shape("an unknown member")),
    ] {
        let error = parse(&event(&old, &new)).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert_eq!(error, why);
    }
    for body in [json!(null), json!([]), json!({}), json!({"type": 1}), json!({"type": "role.created"})] {
        assert_eq!(parse(&body), Err(BadRoleEvent::Type), "{body}");
    }
}

proptest! {
    #[test]
    fn a_downgrade_by_inclusion_is_a_loss(old in proptest::collection::btree_set("[a-d]", 0..4), new in proptest::collection::btree_set("[a-d]", 0..4)) {
        let body = event(&json!({"roles": old}), &json!({"roles": new}));
        let said = summary(&source("    compare: inclusion\n"), body);
        prop_assert_eq!(said.get("request").is_some(), !old.is_subset(&new));
    }
}
