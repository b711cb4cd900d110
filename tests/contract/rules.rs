//! The template's rules let through what the translators understand, to the queue where it is understood.
//!
//! A matcher for the part of EventBridge's pattern language that the template uses, after
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html>: lists of alternatives, `prefix`,
//! `anything-but`, `exists`. Anything else in a pattern fails the test, so that it cannot be passed over.

use serde_json::Value;
use yaml_serde::Value as Yaml;

use crate::files::{events, read_json, sample_paths};

/// A rule: the queue it feeds, and its pattern.
struct Rule {
    queue: String,
    pattern: Yaml,
}

fn rules() -> Vec<Rule> {
    let text = std::fs::read_to_string(events().join("../infra/template.yaml")).unwrap();
    let template: Yaml = yaml_serde::from_str(&text).unwrap();
    let resources = template["Resources"].as_mapping().unwrap();
    let rules = resources.values().filter(|resource| resource["Type"].as_str() == Some("AWS::Events::Rule"));
    let with_pattern = rules.filter(|rule| !rule["Properties"]["EventPattern"].is_null());
    let read = |rule: &Yaml| {
        let target = &rule["Properties"]["Targets"][0]["Arn"];
        let arn = if let Yaml::Tagged(tagged) = target { tagged.value.as_str().unwrap() } else { panic!("{target:?}") };
        let queue = arn.trim_end_matches(".Arn").to_owned();
        Rule { queue, pattern: rule["Properties"]["EventPattern"].clone() }
    };
    with_pattern.map(read).collect()
}

pub(crate) fn queues_of(event: &Value) -> Vec<String> {
    let mut queues: Vec<String> =
        rules().into_iter().filter(|rule| matches(&rule.pattern, Some(event))).map(|rule| rule.queue).collect();
    queues.sort();
    queues.dedup();
    queues
}

fn matches(pattern: &Yaml, value: Option<&Value>) -> bool {
    match pattern {
        Yaml::Mapping(members) => members
            .iter()
            .all(|(name, inner)| matches(inner, value.and_then(|value| value.get(name.as_str().unwrap())))),
        Yaml::Sequence(alternatives) => alternatives.iter().any(|alternative| matches_one(alternative, value)),
        // The one parameter in a pattern, by its default.
        Yaml::Tagged(tagged) if tagged.value.as_str() == Some("CompromiseReasons") => {
            ["compromise", "anomaly"].iter().any(|reason| value == Some(&Value::from(*reason)))
        }
        other => panic!("not understood: {other:?}"),
    }
}

fn matches_one(alternative: &Yaml, value: Option<&Value>) -> bool {
    if let Some(text) = alternative.as_str() {
        return value.and_then(Value::as_str) == Some(text);
    }
    if let Some(prefix) = alternative["prefix"].as_str() {
        return value.and_then(Value::as_str).is_some_and(|text| text.starts_with(prefix));
    }
    if let Some(others) = alternative["anything-but"].as_sequence() {
        return value.is_some_and(|value| !others.iter().any(|other| other.as_str() == value.as_str()));
    }
    if let Some(exists) = alternative["exists"].as_bool() {
        return value.is_some() == exists;
    }
    panic!("not understood: {alternative:?}");
}

#[test]
fn every_sample_that_means_something_reaches_the_queue_where_it_is_understood() {
    let expectations = read_json(&events().join("samples/expectations.json"));
    for path in sample_paths() {
        let event = read_json(&events().join("samples").join(&path));
        let queues = queues_of(&event);
        let expected = &expectations[&path];
        if expected["requests"].is_null() {
            continue;
        }
        if path.starts_with("canonical/") {
            let suspicious = ["compromise", "anomaly"].contains(&expected["reason"].as_str().unwrap());
            let many = ["group", "list", "ended"].map(Value::from).contains(&event["detail"]["sub_id"]["format"]);
            let queue = if many { "BulkQueue" } else { "RevokeQueue" };
            let mut wanted = if suspicious { vec![queue, "CompromiseQueue"] } else { vec![queue] };
            wanted.sort_unstable();
            assert_eq!(queues, wanted, "{path}");
        } else {
            assert_eq!(queues, ["IntakeQueue"], "{path}");
        }
    }
}

#[test]
fn whatever_is_called_a_revocation_reaches_one_queue() {
    let people = ["sub_id", "subject"].map(|name| serde_json::json!({name: {"email": "jane@example.com"}}));
    let others = [
        serde_json::json!({}),
        serde_json::json!({"sub_id": "jane"}),
        serde_json::json!({"sub_id": {"format": 7}}),
        serde_json::json!({"sub_id": {"format": {"email": "x"}}}),
        serde_json::json!({"sub_id": {"format": "unheard-of"}}),
    ];
    for detail in people.into_iter().chain(others) {
        let event = serde_json::json!({"source": "hr", "detail-type": "Revocation Requested", "detail": detail});
        assert_eq!(queues_of(&event), ["RevokeQueue"], "{event}");
    }
}

#[test]
fn what_happens_elsewhere_and_what_failed_is_dropped_by_rule() {
    for path in ["elsewhere/guardduty-finding.json", "cloudtrail/failed-call.json"] {
        assert_eq!(queues_of(&read_json(&events().join("samples").join(path))), [""; 0], "{path}");
    }
}

#[test]
fn only_our_own_word_reaches_the_notices_and_the_siem() {
    let event = |source: &str| serde_json::json!({"source": source, "detail-type": "Sessions Revoked", "detail": {}});
    assert_eq!(queues_of(&event("revocation.revoke")), ["NotifyQueue", "SiemFeedQueue"]);
    assert_eq!(queues_of(&event("somebody.else")), [""; 0]);
}
