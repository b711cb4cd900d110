//! What the template leaves open to whoever is outside: plain text on the wire or at rest, public resources, secrets.

use std::collections::{BTreeMap, BTreeSet};

use yaml_serde::Value;

use crate::template::{dig, resources, template};

/// Topics that are not encrypted, and why.
const PLAIN_TOPICS: [(&str, &str); 1] =
    [("OperationsTopic", "CloudWatch cannot publish under alias/aws/sns; alarms carry no personal data (I10)")];
/// Tables under the key DynamoDB owns (always on) instead of KMS's, and why.
const DYNAMODB_KEY: [(&str, &str); 1] =
    [("TombstonesTable", "a KMS key would put KMS on the path of every API request")];

/// Resources that a statement over plain HTTP is denied for, by the ids of what the policies of `kind` name under `over`.
fn refused_in_the_clear(kind: &str, over: &str, action: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (id, policy) in resources(kind) {
        let statements = dig(&policy, &["Properties", "PolicyDocument", "Statement"]).as_sequence().unwrap();
        let clear =
            |statement: &Value| dig(statement, &["Condition", "Bool", "aws:SecureTransport"]).as_str() == Some("false");
        let denial = statements.iter().find(|one| one["Effect"].as_str() == Some("Deny") && clear(one));
        let denial = denial.unwrap_or_else(|| panic!("{id} takes plain HTTP"));
        assert_eq!((denial["Principal"].as_str(), denial["Action"].as_str()), (Some("*"), Some(action)), "{id}");
        let (resource, of) = (format!("{:?}", denial["Resource"]), references(&policy["Properties"][over]));
        for one in of {
            assert!(resource.contains(&format!("\"{one}")) || resource.contains(&format!("${{{one}")), "{id}: {one}");
            found.insert(one);
        }
    }
    found
}

/// The logical ids that `!Ref` names in a value.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Tagged(tagged) if tagged.tag == "Ref" => vec![tagged.value.as_str().unwrap().to_owned()],
        Value::Sequence(all) => all.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn ids(kind: &str) -> BTreeSet<String> {
    resources(kind).into_keys().collect()
}

#[test]
fn every_queue_topic_and_bucket_refuses_plain_http() {
    assert_eq!(refused_in_the_clear("AWS::SQS::QueuePolicy", "Queues", "sqs:*"), ids("AWS::SQS::Queue"));
    assert_eq!(refused_in_the_clear("AWS::SNS::TopicPolicy", "Topics", "sns:Publish"), ids("AWS::SNS::Topic"));
    assert_eq!(refused_in_the_clear("AWS::S3::BucketPolicy", "Bucket", "s3:*"), ids("AWS::S3::Bucket"));
}

/// SNS: "Policy statement must apply to a single resource!", told when the stack is made and by nobody before.
#[test]
fn a_topic_policy_is_of_one_topic() {
    for (id, policy) in resources("AWS::SNS::TopicPolicy") {
        let topics = references(dig(&policy, &["Properties", "Topics"]));
        assert_eq!(topics.len(), 1, "{id}");
        for statement in dig(&policy, &["Properties", "PolicyDocument", "Statement"]).as_sequence().unwrap() {
            assert!(statement["Resource"].as_sequence().is_none(), "{id}: a list");
            assert_eq!(references(&statement["Resource"]), topics, "{id}");
        }
    }
}

/// A principal outside the account, or one of another account's rules, must not write to a queue or a topic.
#[test]
fn no_resource_policy_lets_anybody_in_without_a_condition() {
    for kind in ["AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy"] {
        for (id, policy) in resources(kind) {
            for statement in dig(&policy, &["Properties", "PolicyDocument", "Statement"]).as_sequence().unwrap() {
                if statement["Effect"].as_str() == Some("Deny") {
                    continue;
                }
                let service = dig(statement, &["Principal", "Service"]).as_str();
                assert!(service.is_some_and(|name| name.ends_with(".amazonaws.com")), "{id}");
                let condition = format!("{:?}", statement["Condition"]);
                assert!(condition.contains("aws:SourceArn") || condition.contains("aws:SourceAccount"), "{id}");
                assert!(!condition.contains('*'), "{id}: anybody's of that service: {condition}");
                // One of our own rules, not a text that may name somebody else's.
                let queue = kind == "AWS::SQS::QueuePolicy";
                assert!(
                    !queue || condition.contains("ArnEquals") && condition.contains("!GetAtt"),
                    "{id}: {condition}"
                );
            }
        }
    }
    for other in ["AWS::Events::EventBusPolicy", "AWS::SQS::QueueInlinePolicy", "AWS::SNS::TopicInlinePolicy"] {
        assert!(ids(other).is_empty(), "{other}: a policy that is not looked at here");
    }
    for kind in ["AWS::Events::EventBus", "AWS::DynamoDB::Table"] {
        for (id, one) in resources(kind) {
            let open = [&one["Properties"]["Policy"], &one["Properties"]["ResourcePolicy"]];
            assert!(open.iter().all(|policy| policy.is_null()), "{id} has a policy of its own");
        }
    }
}

#[test]
fn everything_at_rest_is_encrypted() {
    for (id, queue) in resources("AWS::SQS::Queue") {
        assert_eq!(queue["Properties"]["SqsManagedSseEnabled"].as_bool(), Some(true), "{id}");
    }
    let encrypted = |kind: &str, test: &dyn Fn(&Value) -> bool| -> BTreeSet<String> {
        resources(kind).into_iter().filter(|(_, one)| test(&one["Properties"])).map(|(id, _)| id).collect()
    };
    let topics = encrypted("AWS::SNS::Topic", &|of| !of["KmsMasterKeyId"].is_null());
    let tables =
        encrypted("AWS::DynamoDB::Table", &|of| dig(of, &["SSESpecification", "SSEEnabled"]).as_bool() == Some(true));
    for (kind, encrypted, except) in
        [("AWS::SNS::Topic", topics, &PLAIN_TOPICS), ("AWS::DynamoDB::Table", tables, &DYNAMODB_KEY)]
    {
        let plain: Vec<String> = ids(kind).difference(&encrypted).cloned().collect();
        assert_eq!(plain, except.map(|(id, _)| id), "{kind}");
    }
    for (id, bucket) in resources("AWS::S3::Bucket") {
        let rules = dig(&bucket, &["Properties", "BucketEncryption", "ServerSideEncryptionConfiguration"]);
        assert!(format!("{rules:?}").contains("SSEAlgorithm"), "{id}");
    }
}

/// CloudWatch Logs encrypts every group; what a template can get wrong is to keep them for ever.
#[test]
fn every_log_group_is_ours_and_ends() {
    let groups = resources("AWS::Logs::LogGroup");
    for (id, group) in &groups {
        assert!(!group["Properties"]["RetentionInDays"].is_null(), "{id} keeps its lines for ever");
    }
    for (id, function) in resources("AWS::Serverless::Function") {
        let group = references(dig(&function, &["Properties", "LoggingConfig", "LogGroup"]));
        assert!(
            group.first().is_some_and(|group| groups.contains_key(group)),
            "{id} logs where nothing ends: {group:?}"
        );
    }
}

#[test]
fn no_bucket_is_public() {
    let buckets = resources("AWS::S3::Bucket");
    assert!(!buckets.is_empty());
    for (id, bucket) in buckets {
        let block = bucket["Properties"]["PublicAccessBlockConfiguration"].as_mapping().unwrap();
        let on: BTreeMap<_, _> = block.iter().map(|(k, v)| (k.as_str().unwrap(), v.as_bool())).collect();
        let all = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
        assert_eq!(on, all.map(|name| (name, Some(true))).into(), "{id}");
        assert!(format!("{:?}", bucket["Properties"]["OwnershipControls"]).contains("BucketOwnerEnforced"), "{id}");
    }
}

/// Words in the name of something that holds a secret.
const SECRET_WORDS: [&str; 6] = ["SECRET", "PASSWORD", "TOKEN", "KEY", "CREDENTIAL", "PRIVATE"];
/// What has such a word in its name and holds where a secret is, or something else.
const NO_SECRETS: [&str; 17] = [
    "AUDIT_SIGNING_KEY_ARN",
    "AuditSigningKeyArn",
    "CLIENT_SECRETS_PREFIX",
    "CanaryScimSecret",
    "CanarySiemSecret",
    "DeployTokenGate",
    "IntrospectionSecretsPrefix",
    "PAGERDUTY_ROUTING_KEY_SECRET_ARN",
    "PASSWORD_SECRET",
    "PagerDutyRoutingKeySecretArn",
    "SCIM_SECRET",
    "SIEM_SECRET",
    "SourceSecretsPrefix",
    "TOKEN_POOLS",
    "TOKEN_USES",
    "TokenPools",
    "TokenUses",
];

/// A secret in a variable is read by whoever may read the function's configuration; one in a parameter, by whoever may
/// describe the stack. Functions are told where a secret is, and read it.
#[test]
fn no_secret_is_in_a_variable_or_a_parameter() {
    let functions = resources("AWS::Serverless::Function");
    let variables = functions.values().flat_map(|function| {
        let variables = dig(function, &["Properties", "Environment", "Variables"]).as_mapping().unwrap();
        variables.keys().map(|name| name.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    });
    let template = template();
    let parameters = template["Parameters"].as_mapping().unwrap().keys().map(|name| name.as_str().unwrap().to_owned());
    let names: BTreeSet<String> = variables.chain(parameters).collect();
    assert!(names.len() > 60);
    let suspicious = names.iter().filter(|name| {
        let name = name.to_uppercase();
        SECRET_WORDS.iter().any(|word| name.contains(word)) && !name.starts_with("TOKENGATE")
    });
    assert_eq!(suspicious.collect::<Vec<_>>(), NO_SECRETS.iter().collect::<Vec<_>>());
}

/// What secrets of the kinds we and our senders use begin with, and anything that has no words in it.
#[test]
fn the_infrastructure_has_no_literal_that_looks_like_a_secret() {
    let folder = crate::sources::root().join("infra");
    for file in ["template.yaml", "samconfig.toml"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        for beginning in ["whsec_", "AKIA", "ASIA", "-----BEGIN", "xoxb-", "ghp_", "eyJ"] {
            assert!(!text.contains(beginning), "{file} has a literal {beginning}…");
        }
        let literals = text.split(|c: char| !c.is_ascii_alphanumeric() && !"+=_-".contains(c));
        let random = |word: &&str| {
            let digits = word.bytes().filter(u8::is_ascii_digit).count();
            word.len() >= 24 && digits >= 4 && word.bytes().any(|b| b.is_ascii_alphabetic())
        };
        let found: Vec<_> = literals.filter(random).collect();
        assert!(found.is_empty(), "{file}: {found:?}");
    }
}

/// The account's concurrency is shared: a flood at an API would leave `revoke` none.
#[test]
fn revoke_can_be_given_a_capacity_of_its_own() {
    let functions = resources("AWS::Serverless::Function");
    for (id, function) in &functions {
        let reserved = format!("{:?}", function["Properties"]["ReservedConcurrentExecutions"]);
        assert_eq!(reserved.contains("RevokeReservedConcurrency"), id == "RevokeFunction", "{id}: {reserved}");
    }
    let template = template();
    let default = &dig(&template, &["Parameters", "RevokeReservedConcurrency", "Default"]);
    assert_eq!(default.as_u64(), Some(0), "a new account could not deploy");
}
