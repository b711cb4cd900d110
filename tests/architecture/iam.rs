//! I14: a function's role allows exactly the actions of the ports it holds.

use std::collections::BTreeSet;

use yaml_serde::Value;

use crate::sources::sources;
use crate::template::resources;

/// What Lambda itself needs to feed a function and to keep its logs.
const OF_LAMBDA: [&str; 3] = ["PollSource", "WriteLogs", "SendTraces"];

/// The actions a role allows, and the statements that allow them.
fn allowed(role: &str) -> (BTreeSet<String>, Vec<Value>) {
    let role = resources("AWS::IAM::Role").remove(role).unwrap_or_else(|| panic!("no role {role}"));
    assert!(role["Properties"]["ManagedPolicyArns"].is_null(), "a managed policy allows more than the ports need");
    let mut statements = Vec::new();
    for policy in role["Properties"]["Policies"].as_sequence().unwrap() {
        collect(&policy["PolicyDocument"]["Statement"], &mut statements);
    }
    statements.retain(|statement| {
        statement["Effect"].as_str() == Some("Allow") && !OF_LAMBDA.contains(&statement["Sid"].as_str().unwrap())
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

#[test]
fn i14_audit_chain() {
    let mut ports = audit_chain::IAM_ACTIONS.to_vec();
    ports.push(audit_chain::IAM_ACTIONS_WITH_KEY);
    check("AuditChainRole", "audit-chain", &ports);
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
