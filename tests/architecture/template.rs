//! What must hold of `infra/template.yaml`.

use std::collections::BTreeMap;

use yaml_serde::Value;

use crate::sources::{root, sources};

pub(crate) fn template() -> Value {
    yaml_serde::from_str(&std::fs::read_to_string(root().join("infra/template.yaml")).unwrap()).unwrap()
}

/// Resources of a type, by logical id.
pub(crate) fn resources(kind: &str) -> BTreeMap<String, Value> {
    let template = template();
    let all = template["Resources"].as_mapping().unwrap();
    let of_kind = all.iter().filter(|(_, resource)| resource["Type"].as_str() == Some(kind));
    of_kind.map(|(id, resource)| (id.as_str().unwrap().to_owned(), resource.clone())).collect()
}

#[test]
fn no_answer_of_an_authorizer_is_cached() {
    let rest = resources("AWS::ApiGateway::Authorizer");
    let http = resources("AWS::ApiGatewayV2::Authorizer");
    assert!(!rest.is_empty() && !http.is_empty());
    for (id, authorizer) in rest.iter().chain(&http) {
        let ttl = &authorizer["Properties"]["AuthorizerResultTtlInSeconds"];
        assert_eq!(ttl.as_u64(), Some(0), "{id} answers from a cache: a revoked token would be served");
    }
}

#[test]
fn i07_every_queue_has_a_dead_letter_queue_with_an_alarm() {
    let queues = resources("AWS::SQS::Queue");
    let alarms = format!("{:?}", resources("AWS::CloudWatch::Alarm"));
    let (dead, fed): (Vec<_>, Vec<_>) = queues.iter().partition(|(id, _)| id.ends_with("DeadLetters"));
    assert_eq!(dead.len(), fed.len());
    for (id, queue) in fed {
        assert!(!queue["Properties"]["RedrivePolicy"].is_null(), "{id} loses what fails");
    }
    for (id, _) in dead {
        assert!(alarms.contains(id), "nobody is told of {id}");
    }
}

#[test]
fn i07_every_rule_feeds_a_queue_and_has_a_dead_letter_queue() {
    let rules = resources("AWS::Events::Rule");
    assert!(rules.len() >= 6);
    for (id, rule) in rules {
        for target in rule["Properties"]["Targets"].as_sequence().unwrap() {
            let text = format!("{:?}", target["Arn"]);
            assert!(text.contains("Queue"), "{id} does not feed a queue: {text}");
            assert!(!target["DeadLetterConfig"].is_null() && !target["RetryPolicy"].is_null(), "{id} may drop events");
        }
    }
}

/// EventBridge says nothing if it may not write to a queue, and the emulator does not ask: only this test notices.
#[test]
fn i07_every_rule_may_write_to_its_queue_and_its_dead_letters() {
    let policies = resources("AWS::SQS::QueuePolicy");
    for (id, rule) in resources("AWS::Events::Rule") {
        for target in rule["Properties"]["Targets"].as_sequence().unwrap() {
            for queue in [&target["Arn"], &target["DeadLetterConfig"]["Arn"]] {
                let Value::Tagged(arn) = queue else { panic!("{id}: {queue:?}") };
                let name = arn.value.as_str().unwrap().trim_end_matches(".Arn");
                let allowed = policies.values().any(|policy| {
                    let of_queue = format!("{:?}", policy["Properties"]["Queues"]).contains(&format!("\"{name}\""));
                    of_queue
                        && format!("{:?}", policy["Properties"]["PolicyDocument"]).contains(&format!("\"{id}.Arn\""))
                });
                assert!(allowed, "{id} may not write to {name}: its ARN is not in the queue's policy");
            }
        }
    }
}

#[test]
fn i12_batches_report_single_failures() {
    for (id, function) in resources("AWS::Serverless::Function") {
        let Some(events) = function["Properties"]["Events"].as_mapping() else { continue };
        for event in events.values().filter(|event| event["Type"].as_str() == Some("SQS")) {
            let responses = format!("{:?}", event["Properties"]["FunctionResponseTypes"]);
            assert!(responses.contains("ReportBatchItemFailures"), "{id} fails whole batches");
        }
    }
}

#[test]
fn the_audit_trail_and_the_tombstones_are_kept() {
    let tables = resources("AWS::DynamoDB::Table");
    assert_eq!(tables.len(), 3);
    for (id, table) in &tables {
        let recovery = &table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        assert_eq!(recovery.as_bool(), Some(true), "{id}");
    }
    for id in ["TombstonesTable", "RevocationsTable"] {
        assert_eq!(tables[id]["DeletionPolicy"].as_str(), Some("Retain"), "{id}");
    }
}

#[test]
fn every_metric_that_alarms_is_counted_somewhere() {
    let code: String = ["functions", "shared"].into_iter().flat_map(sources).map(|(_, text)| text).collect();
    for (id, alarm) in resources("AWS::CloudWatch::Alarm") {
        if alarm["Properties"]["Namespace"].as_str() == Some("SessionRevocation") {
            let metric = alarm["Properties"]["MetricName"].as_str().unwrap();
            assert!(code.contains(&format!("\"{metric}\"")), "{id} waits for {metric}, which nobody counts");
        }
    }
}
