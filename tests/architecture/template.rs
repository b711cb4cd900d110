//! What must hold of `infra/template.yaml`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use revocation_core::domain::sweep::LONGEST_DELIVERY;
use revocation_lambda::queue::{LONGEST_WAIT, shortest_wait};
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

/// What is at a path of members, an `!If`'s two branches not looked into; `Null` where there is nothing.
pub(crate) fn dig<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, name| &value[*name])
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
    let target = |queue: &Value| match &queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"] {
        Value::Tagged(arn) => arn.value.as_str().map(|arn| arn.trim_end_matches(".Arn").to_owned()),
        _ => None,
    };
    let targets: BTreeSet<String> = queues.values().filter_map(target).collect();
    let (dead, fed): (Vec<_>, Vec<_>) = queues.iter().partition(|(id, _)| targets.contains(*id));
    assert_eq!(dead.len(), fed.len());
    for (id, queue) in fed {
        assert!(!queue["Properties"]["RedrivePolicy"].is_null(), "{id} loses what fails");
    }
    for (id, _) in dead {
        assert!(alarms.contains(id), "nobody is told of {id}");
    }
}

/// Ticks are left out: the next one does their work. Their messages live for an hour at most.
#[test]
fn i07_an_outage_of_ten_minutes_is_outlived_and_the_sweeper_waits_for_it() {
    let mut outlived = 0;
    for (id, queue) in resources("AWS::SQS::Queue") {
        let queue = &queue["Properties"];
        let Some(deliveries) = queue["RedrivePolicy"]["maxReceiveCount"].as_u64() else { continue };
        if queue["MessageRetentionPeriod"].as_u64().is_some_and(|kept| kept <= 3600) {
            continue;
        }
        let deliveries = u32::try_from(deliveries).unwrap();
        let waits: Duration = (1..deliveries).map(shortest_wait).sum();
        assert!(waits >= Duration::from_mins(10), "{id}: {waits:?}");
        outlived += 1;
        if id == "RevokeQueue" {
            let work = Duration::from_secs(template()["Globals"]["Function"]["Timeout"].as_u64().unwrap());
            let visibility = Duration::from_secs(queue["VisibilityTimeout"].as_u64().unwrap());
            let apart = visibility.max(work + LONGEST_WAIT);
            assert!(apart * deliveries <= LONGEST_DELIVERY, "the sweeper would repeat what is still being tried");
        }
    }
    assert!(outlived >= 8);
    let least = &template()["Parameters"]["SweepAfterMinutes"]["MinValue"];
    assert!(Duration::from_mins(least.as_u64().unwrap()) > LONGEST_DELIVERY);
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

/// CloudTrail reports these calls, and they would end the sessions of the same people once more.
#[test]
fn i11_every_role_that_takes_users_out_of_groups_is_known_as_our_own() {
    let functions = resources("AWS::Serverless::Function");
    let own = format!("{:?}", dig(&functions["IntakePartnerFunction"], &["Properties", "Environment", "Variables"]));
    let roles = resources("AWS::IAM::Role");
    let may = roles.iter().filter(|(_, role)| format!("{role:?}").contains("cognito-idp:AdminRemoveUserFromGroup"));
    let may: Vec<_> = may.map(|(id, _)| id).collect();
    assert!(!may.is_empty());
    for id in may {
        assert!(own.contains(&format!("\"{id}.Arn\"")), "{id} is not among OWN_ROLE_ARNS");
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
    assert_eq!(tables.len(), 9);
    for (id, table) in &tables {
        let recovery = &table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        assert_eq!(recovery.as_bool(), Some(true), "{id}");
    }
    for id in ["TombstonesTable", "RevocationsTable", "AuditChainTable", "BulkTable"] {
        assert_eq!(tables[id]["DeletionPolicy"].as_str(), Some("Retain"), "{id}");
    }
    // One that goes with the stack must go: DynamoDB refuses to delete a protected table, and a first deployment that fails
    // could not be rolled back.
    for (id, table) in &tables {
        let (stays, protected) = (&table["DeletionPolicy"], &table["Properties"]["DeletionProtectionEnabled"]);
        assert_eq!(stays, &table["UpdateReplacePolicy"], "{id}");
        let as_chosen = format!("{protected:?}").contains("DeletionProtection");
        assert_eq!(stays.as_str() == Some("Retain"), as_chosen, "{id}: {protected:?}");
        assert!(as_chosen || protected.is_null(), "{id}: {protected:?}");
    }
}

/// Or uninstalling takes its groups, with everybody's membership, and its app client from a pool that is kept.
#[test]
fn a_pool_is_kept_whole() {
    let whole = [("AWS::Cognito::UserPool", "UserPool"), ("AWS::Cognito::UserPoolClient", "UserPoolClient")];
    let groups = ["AdminsGroup", "StaffGroup"].map(|id| ("AWS::Cognito::UserPoolGroup", id));
    for (kind, id) in whole.into_iter().chain(groups) {
        let part = &resources(kind)[id];
        assert_eq!(part["DeletionPolicy"].as_str(), Some("Retain"), "{id}");
        assert_eq!(part["UpdateReplacePolicy"].as_str(), Some("Retain"), "{id}");
    }
}

/// The path may hold a secret, a query or a header a name, a body anything (I10).
#[test]
fn i10_no_access_log_has_a_path_header_or_body() {
    for stage in ["IntakesStage", "EnforcementStage"] {
        i10_the_access_log_is_harmless(stage);
    }
}

fn i10_the_access_log_is_harmless(stage: &str) {
    let stages = resources("AWS::ApiGatewayV2::Stage");
    let format = stages[stage]["Properties"]["AccessLogSettings"]["Format"].as_str().unwrap();
    let logged: serde_json::Value = serde_json::from_str(format).unwrap();
    let mut variables: Vec<&str> = logged.as_object().unwrap().values().map(|value| value.as_str().unwrap()).collect();
    variables.sort_unstable();
    let harmless = [
        "$context.error.responseType",
        "$context.identity.sourceIp",
        "$context.integrationErrorMessage",
        "$context.integrationStatus",
        "$context.requestId",
        "$context.requestTimeEpoch",
        "$context.responseLatency",
        "$context.responseLength",
        "$context.routeKey",
        "$context.status",
    ];
    assert_eq!(variables, harmless, "{stage}");
}

/// Settings for a route that is not there are refused by API Gateway; a route without any has the account's limits.
#[test]
fn i11_every_route_of_a_public_api_is_throttled() {
    for api in ["Intakes", "Enforcement"] {
        every_route_is_throttled(api);
    }
}

fn every_route_is_throttled(api: &str) {
    let stage = &resources("AWS::ApiGatewayV2::Stage")[&format!("{api}Stage")];
    let settings = stage["Properties"]["RouteSettings"].as_mapping().unwrap();
    for (route, limits) in settings {
        for limit in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
            assert!(!limits[limit].is_null(), "{api}, {route:?}: no {limit}");
        }
    }
    let throttled: BTreeSet<&str> = settings.keys().map(|key| key.as_str().unwrap()).collect();
    let waits: BTreeSet<&str> = stage["DependsOn"].as_sequence().unwrap().iter().filter_map(Value::as_str).collect();
    let routes = resources("AWS::ApiGatewayV2::Route");
    let of_api = routes.iter().filter(|(_, route)| format!("{:?}", route["Properties"]["ApiId"]).contains(api));
    let (ids, keys): (BTreeSet<_>, BTreeSet<_>) =
        of_api.map(|(id, route)| (id.as_str(), route["Properties"]["RouteKey"].as_str().unwrap())).unzip();
    assert_eq!(throttled, keys);
    assert_eq!(waits, ids);
}

#[test]
fn a_function_behind_the_intakes_outlives_its_own_deadline_and_no_sender() {
    let functions = resources("AWS::Serverless::Function");
    for id in [
        "IntakeScimFunction",
        "IntakeSiemFunction",
        "IntakeRoleChangeFunction",
        "IntrospectFunction",
        "SignOutFunction",
    ] {
        assert_eq!(functions[id]["Properties"]["Timeout"].as_u64(), Some(15), "{id}");
    }
    let integrations = resources("AWS::ApiGatewayV2::Integration");
    let lambda = integrations.values().filter(|one| one["Properties"]["IntegrationType"].as_str() == Some("AWS_PROXY"));
    let limits: Vec<_> = lambda.map(|one| one["Properties"]["TimeoutInMillis"].as_u64()).collect();
    assert_eq!(limits, [Some(15_000); 5]);
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

/// The pool names the function; a function or a role that named the pool would make a circle no deployment gets out of.
#[test]
fn the_token_gate_is_allowed_to_be_asked_before_the_pool_asks_and_does_not_know_the_pool() {
    let pool = &resources("AWS::Cognito::UserPool")["UserPool"];
    assert!(format!("{:?}", pool["Properties"]["LambdaConfig"]).contains("TokenGateFunction.Arn"));
    assert!(format!("{:?}", pool["Properties"]["UserPoolTags"]).contains("CognitoMayInvokeTokenGate"));
    let permission = &resources("AWS::Lambda::Permission")["CognitoMayInvokeTokenGate"]["Properties"];
    assert_eq!(permission["Principal"].as_str(), Some("cognito-idp.amazonaws.com"));
    assert!(!permission["SourceAccount"].is_null() && !permission["SourceArn"].is_null());
    for (kind, id) in [
        ("AWS::Serverless::Function", "TokenGateFunction"),
        ("AWS::IAM::Role", "TokenGateRole"),
        ("AWS::Lambda::Permission", "CognitoMayInvokeTokenGate"),
    ] {
        assert!(!format!("{:?}", resources(kind)[id]).contains("UserPool"), "{id} names the pool");
    }
}

/// Or people would prolong their own access.
#[test]
fn people_cannot_write_their_end_date() {
    let clients = resources("AWS::Cognito::UserPoolClient");
    assert!(clients.contains_key("UserPoolClient") && clients.contains_key("CanaryClient"));
    for (id, client) in clients {
        let writable = client["Properties"]["WriteAttributes"].as_sequence().unwrap_or_else(|| panic!("{id}: all"));
        let writable: Vec<&str> = writable.iter().filter_map(Value::as_str).collect();
        assert_eq!(writable, ["locale", "zoneinfo"], "{id}");
    }
}
