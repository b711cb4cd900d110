//! Every sample through its preset, and what configuration can change.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::reason::ReasonCode;
use serde_json::json;

use super::*;
use crate::Sources;
use crate::json::parse_json;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/samples/siem")
}

/// A source with these further lines, at six spaces.
fn source(preset: &str, more: &str) -> SiemSource {
    let text = format!(
        "version: 1\npools: [eu-central-1_Sample001]\nsiem:\n  soc:\n    preset: {preset}\n    \
         authentication: {{ method: standard_webhooks, secret: revocation/soc }}\n{more}"
    );
    Sources::parse(&text).unwrap_or_else(|mistakes| panic!("{mistakes}")).siem.remove("soc").unwrap()
}

fn sample(name: &str) -> Value {
    parse_json(&fs::read(samples().join(name)).unwrap()).unwrap()
}

fn translated(source: &SiemSource, body: &Value) -> Vec<RevocationRequest> {
    match source.translate(body, None).unwrap() {
        Verdict::Requests { requests, .. } => requests,
        Verdict::Ignored(code) => panic!("{code}"),
    }
}

/// What a sample means, in the form of `expectations.json`.
fn summary(outcome: &Result<Verdict, Untranslatable>) -> Value {
    match outcome {
        Ok(Verdict::Requests { requests, unusable, .. }) => {
            let mut subjects: Vec<Value> =
                requests.iter().map(|request| serde_json::to_value(&request.sub_id).unwrap()).collect();
            subjects.sort_by_key(ToString::to_string);
            let mut all = json!({"reason": requests[0].reason, "subjects": subjects});
            if *unusable > 0 {
                all["unusable"] = json!(unusable);
            }
            all
        }
        Ok(Verdict::Ignored(code)) => json!({ "ignored": code }),
        Err(error) => json!({ "refused": error.code() }),
    }
}

#[test]
fn every_sample_means_what_is_expected_of_it() {
    let expectations = sample("expectations.json");
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    for entry in fs::read_dir(samples()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name == "expectations.json" {
            continue;
        }
        let preset = name.split('-').next().unwrap();
        let source = source(preset, "    severity_floor: medium\n");
        found.insert(name.clone(), summary(&source.translate(&sample(&name), None)));
    }
    let found = serde_json::to_value(found).unwrap();
    assert!(found == expectations, "expected in samples/siem/expectations.json:\n{found:#}");
}

#[test]
fn every_preset_has_samples_and_reads_without_mistakes() {
    for preset in Preset::ALL {
        let source = source(preset.as_str(), "");
        assert_eq!(source.preset, preset);
        let count = fs::read_dir(samples())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with(preset.as_str()))
            .count();
        assert!(count >= 2, "{preset:?}");
    }
}

#[test]
fn a_request_has_everything_the_alert_says_and_the_fence_of_its_source() {
    let requests = translated(&source("plain", ""), &sample("plain-one.json"));
    let written = serde_json::to_value(&requests[0]).unwrap();
    let expected = json!({
        "version": "1", "source": {"name": "siem/soc", "event_id": "case-4711"},
        "sub_id": {"format": "email", "email": "jane@example.com"}, "reason": "compromise",
        "initiator": {"kind": "policy", "id": "threat-intel"},
        "reason_admin": {"en": "Session cookie sold on a forum"}, "occurred_at": "2026-11-20T09:15:00.000Z",
        "txn": "case-4711", "pools": ["eu-central-1_Sample001"],
    });
    assert_eq!(written, expected);
    assert_eq!(requests[0].pools, [UserPoolId("eu-central-1_Sample001".into())]);
    let bare = translated(&source("plain", ""), &sample("plain-only-what-is-required.json"));
    assert_eq!(bare[0].initiator.id, "siem/soc");
    assert_eq!(bare[0].source.event_id, "4711");
    assert_eq!((bare[0].reason, bare[0].occurred_at.as_deref()), (ReasonCode::Anomaly, None));
}

#[test]
fn i08_a_redelivery_in_another_order_is_the_same_and_two_subjects_are_two() {
    let source = source("plain", "");
    let body = |subjects: &[&str]| json!({"event_id": "e", "subjects": subjects});
    let ids = |subjects: &[&str]| {
        translated(&source, &body(subjects)).into_iter().map(|one| (one.id(), one.digest().0)).collect::<Vec<_>>()
    };
    let first = ids(&["jane@example.com", "joe", "joe"]);
    assert_eq!(first.len(), 2);
    assert_ne!(first[0].0, first[1].0);
    assert_eq!(first, ids(&["joe", "jane@example.com"]));
    let one = translated(&source, &body(&["joe"]));
    assert_eq!(one[0].source.event_id, "e");
}

#[test]
fn i08_each_row_of_a_splunk_search_is_an_event_and_a_retry_is_not() {
    let source = source("splunk", "");
    let id = |body: &Value| translated(&source, body)[0].source.event_id.clone();
    let mut row = sample("splunk-password-spraying.json");
    let first = id(&row);
    assert!(first.starts_with("sha256:"), "{first}");
    assert_eq!(first, id(&row));
    row["result"]["src_ip"] = json!("198.51.100.8");
    assert_ne!(first, id(&row));
}

#[test]
fn an_id_is_the_alerts_or_the_signed_one_or_missing() {
    let source = source("plain", "");
    let id = |event_id: Value, envelope: Option<&str>| match source
        .translate(&json!({"event_id": event_id, "subject": "joe"}), envelope)
    {
        Ok(Verdict::Requests { event_id, .. }) => Some(event_id),
        Err(Untranslatable::NoEventId) => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(id(json!("e"), Some("msg_1")).as_deref(), Some("e"));
    assert_eq!(id(json!(17), None).as_deref(), Some("17"));
    for nothing in [json!(null), json!(""), json!(" "), json!(true), json!([]), json!({})] {
        assert_eq!(id(nothing.clone(), Some("msg_1")).as_deref(), Some("msg_1"), "{nothing}");
        assert_eq!(id(nothing, None), None);
    }
    for strange in [json!("a\nb"), json!("x".repeat(10_000)), json!(["a", 1])] {
        let id = id(strange, None).unwrap();
        assert!(id.starts_with("sha256:") && id.len() == 39, "{id}");
    }
}

#[test]
fn the_time_is_read_in_the_forms_that_are_met() {
    let source = source("plain", "");
    let at = |said: Value| {
        translated(&source, &json!({"event_id": "e", "subject": "joe", "occurred_at": said}))[0].occurred_at.clone()
    };
    for said in [
        json!("2026-11-20T09:15:00Z"),
        json!("2026-11-20T10:15:00.000+01:00"),
        json!(1_795_166_100),
        json!("1795166100"),
        json!(1_795_166_100_000_i64),
        json!("1795166100000"),
        json!("1795166100.0"),
        json!(" 1795166100 "),
    ] {
        assert_eq!(at(said.clone()).as_deref(), Some("2026-11-20T09:15:00.000Z"), "{said}");
    }
    for said in [
        json!("yesterday"),
        json!(-1),
        json!(1e300),
        json!("NaN"),
        json!("inf"),
        json!(null),
        json!([]),
        json!("$LAST_UPDATED"),
    ] {
        assert_eq!(at(said.clone()), None, "{said}");
    }
}

#[test]
fn reasons_and_severities_are_mapped_as_configured() {
    let more = "    severity_floor: high\n    grant: { reasons: [compromise, anomaly, policy_violation] }\n    mapping:\n      \
                reason_map: { Phishing: compromise, DLP: policy_violation }\n      severity_map: { sev3: medium }\n";
    let source = source("plain", more);
    let reason =
        |word: &str| translated(&source, &json!({"event_id": "e", "subject": "joe", "reason": word}))[0].reason;
    assert_eq!(reason("phishing"), ReasonCode::Compromise);
    assert_eq!(reason(" dlp "), ReasonCode::PolicyViolation);
    assert_eq!(reason("compromise"), ReasonCode::Compromise);
    assert_eq!(reason("something new"), ReasonCode::Anomaly);
    let with =
        |severity: Value| source.translate(&json!({"event_id": "e", "subject": "joe", "severity": severity}), None);
    assert_eq!(with(json!("SEV3")), Ok(Verdict::Ignored("severity_below_floor")));
    assert!(matches!(with(json!("sev2")), Ok(Verdict::Requests { .. })), "unknown counts as high");
    assert!(matches!(with(json!(null)), Ok(Verdict::Requests { .. })), "missing counts as high");
}

#[test]
fn text_of_any_length_and_kind_becomes_a_valid_request() {
    let huge = "ü\u{202e}\n".repeat(20_000);
    let body = json!({"event_id": huge, "subject": "joe", "title": huge, "rule": huge, "txn": huge, "reason": huge});
    let requests = translated(&source("plain", ""), &body);
    assert_eq!(requests[0].check(), Ok(()));
    assert_eq!(RevocationRequest::parse(&serde_json::to_string(&requests[0]).unwrap()).as_ref(), Ok(&requests[0]));
}

#[test]
fn i11_a_source_gets_no_more_than_it_is_granted() {
    let outcome = |name: &str| summary(&source("plain", "").translate(&sample(name), None));
    for name in ["plain-reason-not-granted.json", "plain-group.json", "plain-other-pool.json"] {
        assert_eq!(outcome(name), json!({"refused": "not_granted"}), "{name}");
    }
    let mut without = source("plain", "");
    without.lockout = true;
    let refused = without.translate(&sample("plain-one.json"), None);
    assert_eq!(refused, Err(Untranslatable::NotGranted(NotGranted::Action("lockout"))));
    let with = source("plain", "    lockout: true\n    grant: { actions: [sign_out, lockout] }\n");
    assert!(translated(&with, &sample("plain-one.json"))[0].lockout);
}

#[test]
fn i10_errors_quote_nothing() {
    for body in [
        json!({"subjects": ["hunter2@"]}),
        json!({"event_id": "e", "subjects": [{"format": "hunter2"}]}),
        json!({"event_id": "hunter2", "subjects": [{"format": "group", "group": "hunter2"}]}),
    ] {
        let error = source("plain", "").translate(&body, None).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("jane@example.com")),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        let name = "(event|data|object|properties|relatedEntities|kind|subjects?|result|user|alerts|group_by|body|details|event_id|[a-z]{1,3})";
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_body_makes_a_preset_panic_or_pass_an_invalid_request(body in any_json(), preset in proptest::sample::select(&Preset::ALL[..])) {
        static SOURCES: std::sync::LazyLock<Vec<SiemSource>> =
            std::sync::LazyLock::new(|| Preset::ALL.iter().map(|preset| source(preset.as_str(), "")).collect());
        let source = SOURCES.iter().find(|source| source.preset == preset).unwrap();
        if let Ok(Verdict::Requests { requests, .. }) = source.translate(&body, Some("msg_1")) {
            for request in requests {
                prop_assert_eq!(request.check(), Ok(()));
                prop_assert_eq!(&request.pools, &source.grant.pools);
            }
        }
    }

    #[test]
    fn a_sample_with_a_member_changed_does_not_panic(new in any_json(), at in any::<proptest::sample::Index>(), which in any::<proptest::sample::Index>()) {
        let names = ["datadog-impossible-travel.json", "splunk-several-users.json", "sentinel-three-accounts.json", "elastic-two-alerts.json",
            "crowdstrike-credential-dumping.json", "pagerduty-triggered.json", "plain-many-forms.json"];
        let name = names[which.index(names.len())];
        let mut body = sample(name);
        let mut places = Vec::new();
        collect("", &body, &mut places);
        *body.pointer_mut(&places[at.index(places.len())]).unwrap() = new;
        let _ = source(name.split('-').next().unwrap(), "").translate(&body, None);
    }
}

fn collect(place: &str, value: &Value, all: &mut Vec<String>) {
    all.push(place.to_owned());
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                collect(&format!("{place}/{name}"), inner, all);
            }
        }
        Value::Array(items) => {
            for (n, inner) in items.iter().enumerate() {
                collect(&format!("{place}/{n}"), inner, all);
            }
        }
        _ => {}
    }
}
