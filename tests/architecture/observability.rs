//! Dashboard, alarms, queries and traces (docs/OBSERVABILITY.md): what they name is there.

use std::collections::BTreeSet;

use yaml_serde::Value;

use crate::sources::{root, sources};
use crate::template::resources;

/// Metrics of AWS itself, as its documentation names them.
const OF_AWS: [(&str, &str); 5] = [
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
    ("AWS/Lambda", "Throttles"),
    ("AWS/DynamoDB", "ReadThrottleEvents"),
    ("AWS/DynamoDB", "WriteThrottleEvents"),
];
/// Namespace of the product's own.
const OURS: &str = "SessionRevocation";
/// The canary's, by path.
const OF_THE_CANARY: &str = "TimeToEnforcement";

/// The text of a property, whether or not it is an `!Sub`.
fn text(value: &Value) -> &str {
    match value {
        Value::Tagged(tagged) => tagged.value.as_str().unwrap(),
        other => other.as_str().unwrap(),
    }
}

/// A dashboard's body. What stands in place of a number is a parameter.
fn body(dashboard: &Value) -> serde_json::Value {
    let text = text(&dashboard["Properties"]["DashboardBody"]).replace("${QueueAgeAlarmSeconds}", "1");
    serde_json::from_str(&text).unwrap()
}

/// Namespace, name and dimension of every metric of a widget, those in search expressions included.
fn metrics(widget: &serde_json::Value) -> Vec<(String, String, Option<String>)> {
    let rows = widget["properties"]["metrics"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of_row = |row: &serde_json::Value| {
        let part = |n: usize| row[n].as_str().map(str::to_owned);
        if let Some(search) = row[0]["expression"].as_str() {
            let (set, rest) = search.split_once('{').unwrap().1.split_once('}').unwrap();
            let (namespace, dimension) = set.split_once(',').unwrap();
            let name = rest.split('"').nth(1).unwrap();
            return (namespace.to_owned(), name.to_owned(), Some(dimension.to_owned()));
        }
        (part(0).unwrap(), part(1).unwrap(), part(2))
    };
    rows.iter().map(of_row).collect()
}

fn code() -> String {
    ["functions", "shared"].into_iter().flat_map(sources).map(|(_, text)| text).collect()
}

#[test]
fn every_metric_of_the_dashboard_is_emitted_with_the_dimension_it_is_asked_for() {
    let (dashboards, code) = (resources("AWS::CloudWatch::Dashboard"), code());
    let mut shown = BTreeSet::new();
    for dashboard in dashboards.values() {
        for widget in body(dashboard)["widgets"].as_array().unwrap() {
            for (namespace, name, dimension) in metrics(widget) {
                let emitted = code.contains(&format!("\"{name}\""));
                let ours = namespace == OURS && (emitted || name == OF_THE_CANARY);
                assert!(
                    ours || OF_AWS.contains(&(namespace.as_str(), name.as_str())),
                    "nobody emits {namespace} {name}"
                );
                if let Some(dimension) = dimension.filter(|_| namespace == OURS && name != OF_THE_CANARY) {
                    let told = code.lines().any(|line| {
                        line.contains(&format!("\"{name}\"")) && line.contains(&format!("\"{dimension}\""))
                    });
                    // `Revoked` or `NoSuchUser`, chosen a line before.
                    let chosen = name == "Revoked" && code.contains("metrics::count(metric, \"reason\"");
                    assert!(told || chosen, "{name} has no dimension {dimension}");
                }
                shown.insert(name);
            }
        }
    }
    for name in
        ["TimeToTombstone", "TimeToSeal", "StoreLatency", "Revoked", "Denied", "OldestUnsealedAge", OF_THE_CANARY]
    {
        assert!(shown.contains(name), "{name} is on no dashboard");
    }
}

#[test]
fn widgets_lie_beside_each_other_and_not_on_top() {
    for dashboard in resources("AWS::CloudWatch::Dashboard").values() {
        let mut taken = BTreeSet::new();
        for widget in body(dashboard)["widgets"].as_array().unwrap() {
            let at = |name: &str| widget[name].as_u64().unwrap();
            assert!(at("x") + at("width") <= 24, "{widget}");
            for cell in
                (at("x")..at("x") + at("width")).flat_map(|x| (at("y")..at("y") + at("height")).map(move |y| (x, y)))
            {
                assert!(taken.insert(cell), "on top of another: {widget}");
            }
        }
    }
}

#[test]
fn every_queue_that_alarms_is_on_the_dashboard() {
    let dashboard = format!("{:?}", resources("AWS::CloudWatch::Dashboard"));
    for (id, queue) in resources("AWS::SQS::Queue") {
        // Of parts that are deployed only where they are asked for, the dashboard knows nothing.
        let always = queue["Condition"].is_null();
        assert!(!always || dashboard.contains(&format!("{id}.QueueName")), "{id} is not shown");
    }
}

#[test]
fn every_alarm_says_where_the_runbook_is_and_what_to_look_for_there() {
    for (id, alarm) in resources("AWS::CloudWatch::Alarm") {
        let told = text(&alarm["Properties"]["AlarmDescription"]);
        assert!(told.contains("${RunbookUrl}") && told.contains(&format!("({id})")), "{id}: {told}");
        assert!(told.len() < 1_000, "{id}: CloudWatch takes 1,024 characters");
    }
}

/// What is in neither the metrics table nor the code is a story; what is emitted and not in it is found by nobody.
#[test]
fn the_table_of_metrics_has_every_metric_once() {
    let page = std::fs::read_to_string(root().join("docs/OBSERVABILITY.md")).unwrap();
    let table = page.split("| metric | unit | dimensions | it says |\n").nth(1).expect("no table of metrics");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let mut told = BTreeSet::new();
    for name in rows.flat_map(|row| row.split('|').nth(1).unwrap().split(',')) {
        assert!(told.insert(name.trim().trim_matches('`').to_owned()), "{name} has two rows");
    }
    let code = code();
    let mut emitted = BTreeSet::from(["Revoked", "NoSuchUser", OF_THE_CANARY].map(str::to_owned));
    for call in ["count(", "count_by(", "gauge(", "milliseconds(", "many_milliseconds("] {
        let start = format!("metrics::{call}\"");
        let calls = code.split(start.as_str()).skip(1);
        emitted.extend(calls.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
    }
    let missing: Vec<_> = emitted.difference(&told).collect();
    let gone: Vec<_> = told.difference(&emitted).collect();
    assert!(missing.is_empty() && gone.is_empty(), "without a row: {missing:?}; emitted by nobody: {gone:?}");
}

#[test]
fn every_function_is_traced_and_may_say_so() {
    let template = crate::template::template();
    assert_eq!(template["Globals"]["Function"]["Tracing"].as_str(), Some("Active"));
    for (id, role) in resources("AWS::IAM::Role") {
        assert!(format!("{role:?}").contains("xray:PutTraceSegments"), "{id} may not send traces");
    }
    for (id, function) in resources("AWS::Serverless::Function") {
        assert!(function["Properties"]["Tracing"].is_null(), "{id} chooses otherwise");
    }
}

/// Queries that ask for a field nobody writes answer nothing, and look as if all were well.
#[test]
fn queries_ask_for_fields_that_are_written() {
    let queries = resources("AWS::Logs::QueryDefinition");
    assert!(queries.len() >= 4);
    let code = code();
    for (id, query) in queries {
        let text = text(&query["Properties"]["QueryString"]);
        for field in
            ["without_outcome", "number", "revocation_id", "elapsed_to_seal_ms", "trace_id", "Denied", "looked_at"]
        {
            assert!(!text.contains(field) || code.contains(field), "{id} asks for {field}");
        }
        assert!(text.contains("limit "), "{id} has no limit");
    }
}
