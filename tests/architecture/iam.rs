//! I14: a function's role allows exactly the actions of the ports it holds.

use std::collections::BTreeSet;

use yaml_serde::Value;

use crate::sources::sources;
use crate::template::{dig, resources};

/// What Lambda itself needs to feed a function and to keep its logs: statements, and exactly what each allows.
const OF_LAMBDA: [(&str, &[&str]); 3] = [
    ("PollSource", &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]),
    ("WriteLogs", &["logs:CreateLogStream", "logs:PutLogEvents"]),
    ("SendTraces", &["xray:PutTraceSegments", "xray:PutTelemetryRecords"]),
];

/// The actions a role allows, and the statements that allow them.
fn allowed(role: &str) -> (BTreeSet<String>, Vec<Value>) {
    let role = resources("AWS::IAM::Role").remove(role).unwrap_or_else(|| panic!("no role {role}"));
    assert!(role["Properties"]["ManagedPolicyArns"].is_null(), "a managed policy allows more than the ports need");
    let mut statements = Vec::new();
    for policy in role["Properties"]["Policies"].as_sequence().unwrap() {
        collect(&policy["PolicyDocument"]["Statement"], &mut statements);
    }
    statements.retain(|statement| statement["Effect"].as_str() == Some("Allow"));
    statements.retain(|statement| {
        let of_lambda = OF_LAMBDA.iter().find(|(sid, _)| Some(*sid) == statement["Sid"].as_str());
        if let Some((sid, actions)) = of_lambda {
            assert_eq!(texts(&statement["Action"]), *actions, "{sid}");
        }
        of_lambda.is_none()
    });
    let actions = statements.iter().flat_map(|statement| texts(&statement["Action"])).collect();
    (actions, statements)
}

/// Statements, those behind an `!If` included.
fn collect(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Mapping(_) if !value["Effect"].is_null() => found.push(value.clone()),
        Value::Sequence(entries) => entries.iter().for_each(|entry| collect(entry, found)),
        Value::Tagged(tagged) => collect(&tagged.value, found),
        _ => {}
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Sequence(entries) => entries.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn needed(actions: &[&[&str]]) -> BTreeSet<String> {
    actions.iter().flat_map(|actions| actions.iter()).map(|action| (*action).to_owned()).collect()
}

fn check(role: &str, folder: &str, ports: &[&[&str]]) {
    check_role(role, ports);
    let folder = format!("functions/{folder}/src");
    every_adapter_is_listed(&folder, &[&folder]);
}

/// An intake stands on the adapters of the edge, and may have its own besides.
fn check_intake(role: &str, folder: &str, own: &[&[&str]]) {
    check_role(role, &[revocation_edge::IAM_ACTIONS, own].concat());
    let folder = format!("functions/{folder}/src");
    every_adapter_is_listed(&folder, &[&folder, EDGE]);
}

const EDGE: &str = "shared/edge/src";

fn check_role(role: &str, ports: &[&[&str]]) {
    let (allowed, statements) = allowed(role);
    assert_eq!(allowed, needed(ports), "{role}");
    for statement in statements {
        let sid = statement["Sid"].as_str().unwrap().to_owned();
        // SMS go to phone numbers, which have no ARN, and the opt-out question to none at all.
        let no_arn = ["SendTextMessages", "AskForOptOuts"].contains(&sid.as_str());
        assert!(no_arn || statement["Resource"].as_str() != Some("*"), "{role}: {sid} allows every resource");
        assert!(texts(&statement["Action"]).iter().all(|action| !action.contains('*')), "{role}: {sid}");
    }
}

/// What the names of adapters begin with: a service, or the whole name.
const ADAPTERS: [&str; 14] = [
    "Cognito",
    "Dynamo",
    "EventBridge",
    "Firehose",
    "Kms",
    "LedgerRecorder",
    "S3",
    "SecretsManager",
    "Ses",
    "SnapshotReader",
    "Sns",
    "Sqs",
    "Ssm",
    "StrictReader",
];

/// An adapter that is used but not listed would make the comparison of a role with its ports a lie.
fn every_adapter_is_listed(folder: &str, lists: &[&str]) {
    let lists: Vec<_> = lists.iter().flat_map(|list| sources(list)).collect();
    for (path, text) in sources(folder) {
        for line in text.lines().filter(|line| line.contains("::new(") && !line.trim_start().starts_with("//")) {
            for adapter in ADAPTERS {
                let Some(at) = line.find(adapter) else { continue };
                let name: String = line[at..].chars().take_while(char::is_ascii_alphanumeric).collect();
                let listed = lists.iter().any(|(_, text)| text.contains(&format!("{name}::IAM_ACTIONS")));
                assert!(listed, "{path} uses {name}, which is not in IAM_ACTIONS");
            }
        }
    }
}

#[test]
fn i14_revoke() {
    check("RevokeRole", "revoke", revoke::IAM_ACTIONS);
}

#[test]
fn i14_bulk() {
    check("BulkRole", "bulk", bulk::IAM_ACTIONS);
}

#[test]
fn i14_intake_partner() {
    check("IntakeRole", "intake-partner", intake_partner::IAM_ACTIONS);
}

#[test]
fn i14_sign_out() {
    check("SignOutRole", "sign-out", sign_out::IAM_ACTIONS);
}

#[test]
fn i14_notify() {
    check("NotifyRole", "notify", notify::IAM_ACTIONS);
}

#[test]
fn i14_compromise_counter() {
    let mut ports = compromise_counter::IAM_ACTIONS.to_vec();
    ports.push(compromise_counter::IAM_ACTIONS_WITH_PAGERDUTY);
    check("CompromiseRole", "compromise-counter", &ports);
}

#[test]
fn i14_the_edge_of_the_intakes_lists_its_adapters() {
    every_adapter_is_listed(EDGE, &[EDGE]);
}

#[test]
fn i14_intake_scim() {
    check_intake("ScimRole", "intake-scim", intake_scim::IAM_ACTIONS);
}

#[test]
fn i14_intake_siem() {
    check_intake("SiemRole", "intake-siem", intake_siem::IAM_ACTIONS);
}

#[test]
fn i14_intake_role_change() {
    check_intake("RoleChangeRole", "intake-role-change", intake_role_change::IAM_ACTIONS);
}

#[test]
fn i14_the_authorizer_writes_nothing_but_sessions() {
    check("AuthorizerRole", "authorizer", authorizer::IAM_ACTIONS);
    let (_, statements) = allowed("AuthorizerRole");
    for statement in statements {
        let writes = texts(&statement["Action"]).iter().any(|action| !READS.contains(&action.as_str()));
        let on_sessions = format!("{:?}", statement["Resource"]).contains("SessionsTable");
        assert!(!writes || on_sessions, "{:?}", statement["Sid"]);
    }
}

/// What reads a table.
const READS: [&str; 4] = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan"];

/// Whoever may write tombstones may lock people out, or let them in again.
#[test]
fn i14_only_revoke_and_bulk_write_tombstones() {
    for role in resources("AWS::IAM::Role").keys() {
        for statement in allowed(role).1 {
            let on_tombstones = format!("{:?}", statement["Resource"]).contains("TombstonesTable");
            let writes = texts(&statement["Action"]).iter().any(|action| !READS.contains(&action.as_str()));
            assert!(!on_tombstones || !writes || ["RevokeRole", "BulkRole"].contains(&role.as_str()), "{role}");
        }
    }
}

#[test]
fn i14_the_token_gate_reads_tombstones_and_nothing_else() {
    check("TokenGateRole", "token-gate", token_gate::IAM_ACTIONS);
    assert_eq!(allowed("TokenGateRole").0, BTreeSet::from(["dynamodb:GetItem".to_owned()]));
}

#[test]
fn i14_sweeper() {
    check("SweeperRole", "sweeper", sweeper::IAM_ACTIONS);
}

/// The intake table also says who was reported by whom, if only by digests.
#[test]
fn i14_of_the_intake_table_the_sweeper_reads_when_sources_were_heard_of_and_nothing_else() {
    let (_, statements) = allowed("SweeperRole");
    let of_table = statements.iter().filter(|one| format!("{:?}", one["Resource"]).contains("IntakeTable"));
    let of_table: Vec<_> = of_table.collect();
    assert_eq!(of_table.len(), 1);
    assert_eq!(texts(&of_table[0]["Action"]), ["dynamodb:GetItem"]);
    let keys = dig(of_table[0], &["Condition", "ForAllValues:StringLike", "dynamodb:LeadingKeys"]);
    assert_eq!(texts(keys), ["heard#*"]);
}

#[test]
fn i14_audit_chain() {
    let mut ports = audit_chain::IAM_ACTIONS.to_vec();
    ports.push(audit_chain::IAM_ACTIONS_WITH_KEY);
    check("AuditChainRole", "audit-chain", &ports);
}

#[test]
fn i14_the_canary_changes_no_account() {
    check("CanaryRole", "canary", canary::IAM_ACTIONS);
    let admin: Vec<_> =
        allowed("CanaryRole").0.into_iter().filter(|action| action.starts_with("cognito-idp:")).collect();
    assert_eq!(admin, ["cognito-idp:AdminInitiateAuth"], "a sign-in still wants the password");
}

#[test]
fn i14_report() {
    check("ReportRole", "report", report::IAM_ACTIONS);
}

#[test]
fn i14_introspect() {
    check("IntrospectRole", "introspect", introspect::IAM_ACTIONS);
}

#[test]
fn i14_siem_feed() {
    let mut ports = siem_feed::IAM_ACTIONS.to_vec();
    ports.push(siem_feed::IAM_ACTIONS_WITH_FIREHOSE);
    check("SiemFeedRole", "siem-feed", &ports);
}

/// Statements whose resource has a wildcard in it, and why none is narrower. What is not here names its resource whole.
const WIDE: [(&str, &str); 8] = [
    ("SendTextMessages", "a phone number has no ARN; every topic is excluded"),
    ("AskForOptOuts", "the question is about a phone number, which has no ARN"),
    (
        "ReadSecretsOfSources",
        "Secrets Manager ends an ARN with six random characters, and the document names the secrets",
    ),
    ("SendTraces", "X-Ray knows no resource for segments"),
    ("ReadClientSecrets", "the same; the parameter names the clients"),
    ("FeedStreams", "one stream a class of events, named by a pattern"),
    ("KeepDigests", "objects below one prefix of one bucket"),
    ("KeepReports", "the same"),
];

/// Every statement of every role: what Lambda itself needs, too.
fn every_statement() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (role, resource) in resources("AWS::IAM::Role") {
        let mut statements = Vec::new();
        for policy in resource["Properties"]["Policies"].as_sequence().unwrap() {
            collect(&policy["PolicyDocument"]["Statement"], &mut statements);
        }
        assert!(statements.len() >= 2, "{role} has no statements");
        found.extend(statements.into_iter().map(|statement| (role.clone(), statement)));
    }
    found
}

#[test]
fn i14_no_statement_has_a_wildcard_where_something_narrower_exists() {
    let mut wide = BTreeSet::new();
    for (role, statement) in every_statement() {
        let sid = statement["Sid"].as_str().unwrap().to_owned();
        let actions = texts(&statement["Action"]);
        assert!(statement["NotAction"].is_null() && !actions.is_empty(), "{role}: {sid}");
        assert!(actions.iter().all(|action| !action.contains('*')), "{role}: {sid} allows actions by a wildcard");
        let resource = format!("{:?}{:?}", statement["Resource"], statement["NotResource"]);
        if resource.contains('*') {
            assert!(WIDE.iter().any(|(known, _)| *known == sid), "{role}: {sid} allows {resource}");
            wide.insert(sid);
        }
    }
    let unneeded: Vec<_> = WIDE.iter().filter(|(sid, _)| !wide.contains(*sid)).collect();
    assert!(unneeded.is_empty(), "no longer wide: {unneeded:?}");
}

/// A role that another service, or another account, could take on would be a way around every statement in it.
#[test]
fn i14_only_lambda_takes_on_a_role() {
    for (role, resource) in resources("AWS::IAM::Role") {
        let statements = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"].as_sequence().unwrap();
        assert_eq!(statements.len(), 1, "{role}");
        let statement = &statements[0];
        assert_eq!(statement["Principal"].as_mapping().map(yaml_serde::Mapping::len), Some(1), "{role}: nobody else");
        assert_eq!(dig(statement, &["Principal", "Service"]).as_str(), Some("lambda.amazonaws.com"), "{role}");
        assert_eq!(texts(&statement["Action"]), ["sts:AssumeRole"], "{role}");
    }
    // A policy beside the roles would be seen by no test here.
    for kind in ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy"] {
        assert!(resources(kind).is_empty(), "{kind}");
    }
}

/// A function whose role no test compares with its ports could be allowed anything.
#[test]
fn i14_every_role_is_compared_with_its_ports_and_every_function_has_its_own() {
    let compared = include_str!("iam.rs");
    let roles = resources("AWS::IAM::Role");
    for role in roles.keys() {
        assert!(compared.contains(&format!("(\"{role}\", \"")), "nothing compares {role} with its function's ports");
    }
    let functions = resources("AWS::Serverless::Function");
    let mut taken = BTreeSet::new();
    for (id, function) in &functions {
        let role = format!("{:?}", function["Properties"]["Role"]);
        let own = roles.keys().find(|known| role.contains(&format!("\"{known}.Arn\"")));
        assert!(taken.insert(own.unwrap_or_else(|| panic!("{id} has no role of this template"))), "{id} shares a role");
    }
    assert_eq!(taken.len(), roles.len());
}

/// Whoever may invoke a function hands it what event they like.
#[test]
fn i14_a_function_is_invoked_by_one_api_or_pool_and_nobody_else() {
    let permissions = resources("AWS::Lambda::Permission");
    assert!(permissions.len() >= 10);
    for (id, permission) in permissions {
        let of = &permission["Properties"];
        assert_eq!(of["Action"].as_str(), Some("lambda:InvokeFunction"), "{id}");
        let by = of["Principal"].as_str().unwrap();
        assert!(["apigateway.amazonaws.com", "cognito-idp.amazonaws.com"].contains(&by), "{id}: {by}");
        let from = format!("{:?}", of["SourceArn"]);
        assert!(from.contains("${AWS::AccountId}"), "{id}: any account's {by} may invoke it: {from}");
        assert!(from.contains("Api}") || !of["SourceAccount"].is_null(), "{id}: {from}");
    }
    for (id, function) in resources("AWS::Serverless::Function") {
        assert!(function["Properties"]["FunctionUrlConfig"].is_null(), "{id} has a public address of its own");
    }
}
