//! Which service and action a request is for, and which step of the pipeline.

use hyper::Method;
use hyper::header::HeaderMap;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A request, as far as faults are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// As in an IAM policy: `dynamodb:PutItem`.
    pub(crate) action: String,
    /// The body as text; forms are decoded.
    pub(crate) text: String,
    /// For people: which item, which step.
    pub(crate) about: String,
    /// A read that may be behind.
    pub(crate) eventually_consistent: bool,
}

/// Prefixes of `X-Amz-Target`, and the services in IAM's words.
const TARGETS: [(&str, &str); 7] = [
    ("DynamoDB_", "dynamodb"),
    ("AWSCognitoIdentityProviderService.", "cognito-idp"),
    ("AWSEvents.", "events"),
    ("AmazonSQS.", "sqs"),
    ("AmazonSSM.", "ssm"),
    ("secretsmanager.", "secretsmanager"),
    ("TrentService.", "kms"),
];

impl Call {
    pub(crate) fn read(method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let raw = String::from_utf8_lossy(body).into_owned();
        if let Some(target) = headers.get("x-amz-target").and_then(|value| value.to_str().ok()) {
            let json: Value = serde_json::from_str(&raw).unwrap_or_default();
            let operation = target.rsplit('.').next().unwrap_or_default();
            let service =
                TARGETS.iter().find(|(prefix, _)| target.starts_with(prefix)).map_or("other", |(_, name)| name);
            let reads = matches!(operation, "GetItem" | "Query" | "Scan");
            let consistent = json.get("ConsistentRead").and_then(Value::as_bool).unwrap_or(false);
            return Self {
                action: format!("{service}:{operation}"),
                about: about(&json),
                eventually_consistent: service == "dynamodb" && reads && !consistent,
                text: raw,
            };
        }
        let text = percent_decode_str(&raw.replace('+', " ")).decode_utf8_lossy().into_owned();
        let action = match form_action(&raw) {
            Some(action) => format!("sns:{action}"),
            None if path.trim_end_matches('/') == "/v2/email/outbound-emails" => "ses:SendEmail".to_owned(),
            None => format!("http:{method} {}", path.split('/').nth(1).unwrap_or_default()),
        };
        // A form's plus is a space only there; numbers begin with one that is written %2B.
        let text = if action.starts_with("sns:") { text } else { raw };
        Self { action, text, about: String::new(), eventually_consistent: false }
    }
}

fn form_action(body: &str) -> Option<&str> {
    body.split('&').find_map(|pair| pair.strip_prefix("Action="))
}

/// A word that tells calls of the same action apart: the kind of item, of event, of step.
fn about(json: &Value) -> String {
    let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str);
    let step = text("/Item/step/S").or_else(|| text("/Key/step/S")).map(|step| {
        let (kind, rest) = step.split_once('/').unwrap_or((step, ""));
        match (kind, rest.rsplit_once('/')) {
            ("step", Some((_, name))) => name.to_owned(),
            _ => kind.to_owned(),
        }
    });
    let detail = text("/Entries/0/DetailType").map(str::to_owned);
    let table = text("/TableName").map(table).unwrap_or_default();
    step.or(detail).unwrap_or_else(|| table.to_owned())
}

/// `local-TombstonesTable-1A2B` and `local-tombstones` are both `tombstones`.
fn table(name: &str) -> &'static str {
    let name = name.to_lowercase();
    let known = [
        ("tombstonefeed", "feed"),
        ("tombstone-feed", "feed"),
        ("tombstones", "tombstone"),
        ("revocations", "trail"),
        ("sessions", "ledger"),
        ("compromises", "compromises"),
        ("intake", "receipts"),
        ("bulk", "job"),
    ];
    known.iter().find(|(part, _)| name.contains(part)).map_or("", |(_, word)| word)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn json(target: &'static str, body: &str) -> Call {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", HeaderValue::from_static(target));
        Call::read(&Method::POST, "/", &headers, body.as_bytes())
    }

    #[test]
    fn actions_are_iams() {
        assert_eq!(json("DynamoDB_20120810.PutItem", "{}").action, "dynamodb:PutItem");
        assert_eq!(json("AWSCognitoIdentityProviderService.ListUsers", "{}").action, "cognito-idp:ListUsers");
        assert_eq!(json("AmazonSQS.ChangeMessageVisibility", "{}").action, "sqs:ChangeMessageVisibility");
        let form = b"Action=Publish&Version=2010-03-31&PhoneNumber=%2B12025550123&Message=a+b";
        let call = Call::read(&Method::POST, "/", &HeaderMap::new(), form);
        assert_eq!(call.action, "sns:Publish");
        assert!(call.text.contains("+12025550123"), "{}", call.text);
        let call = Call::read(&Method::POST, "/v2/email/outbound-emails", &HeaderMap::new(), b"{}");
        assert_eq!(call.action, "ses:SendEmail");
    }

    #[test]
    fn steps_have_names() {
        let put = |step: &str| {
            let body = format!(r#"{{"TableName":"x-RevocationsTable-1","Item":{{"step":{{"S":"{step}"}}}}}}"#);
            json("DynamoDB_20120810.PutItem", &body).about
        };
        assert_eq!(put("started"), "started");
        assert_eq!(put("step/us-east-1_A#0a/seal"), "seal");
        assert_eq!(put("completed/us-east-1_A#0a"), "completed");
        assert_eq!(json("DynamoDB_20120810.UpdateItem", r#"{"TableName":"s-TombstonesTable-9"}"#).about, "tombstone");
    }

    #[test]
    fn only_reads_that_do_not_ask_for_consistency_may_be_behind() {
        assert!(json("DynamoDB_20120810.Query", "{}").eventually_consistent);
        assert!(!json("DynamoDB_20120810.Query", r#"{"ConsistentRead":true}"#).eventually_consistent);
        assert!(!json("DynamoDB_20120810.PutItem", "{}").eventually_consistent);
    }
}
