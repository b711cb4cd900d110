use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

/// A value that no error may quote (I10).
const SECRET: &str = "jane.secret@example.com";

pub(super) fn settings() -> Settings {
    Settings { user_pools: vec![UserPoolId("eu-central-1_Pool1".into())], ..Settings::default() }
}

pub(super) fn translated_with(
    settings: &Settings,
    source: &str,
    detail_type: &str,
    detail: &Value,
) -> Result<Verdict, MalformedEvent> {
    let event = json!({
        "version": "0", "id": "e0000000-0000-4000-8000-000000000001", "source": source, "detail-type": detail_type,
        "time": "2026-01-01T00:00:00Z", "region": "eu-central-1", "resources": [], "detail": detail,
    });
    let text = event.to_string();
    translate(&serde_json::from_str(&text).unwrap(), settings)
}

/// What the wire form of each request would be, read back as requests.
#[expect(clippy::unnecessary_wraps, reason = "compared with what a translation returns")]
pub(super) fn requests(expected: &Value) -> Result<Verdict, MalformedEvent> {
    let read = |one: &Value| RevocationRequest::parse(&one.to_string()).unwrap();
    Ok(Verdict::Requests(expected.as_array().unwrap().iter().map(read).collect()))
}

#[expect(clippy::unnecessary_wraps, reason = "compared with what a translation returns")]
pub(super) fn irrelevant(code: &'static str) -> Result<Verdict, MalformedEvent> {
    Ok(Verdict::Irrelevant(code))
}

/// `event` with another value at `pointer`.
pub(super) fn with(event: &Value, pointer: &str, value: Value) -> Value {
    let mut event = event.clone();
    *event.pointer_mut(pointer).unwrap() = value;
    event
}

#[test]
fn events_from_elsewhere_are_irrelevant() {
    let detail = json!({"eventSource": "s3.amazonaws.com", "eventType": "user.lifecycle.deactivate"});
    for (source, detail_type) in [
        ("com.example.hris", "SystemLog"),
        ("aws.partner/okta.community/acme", "SystemLog"),
        ("aws.cognito-idp", "AWS API Call via CloudTrail"),
        ("", ""),
    ] {
        assert_eq!(translated_with(&settings(), source, detail_type, &detail), irrelevant("source"), "{source}");
    }
    for detail in [json!(null), json!([]), json!("USER_ACTIVITY"), json!({"eventSource": ["USER_ACTIVITY"]})] {
        assert_eq!(translated_with(&settings(), "x", "y", &detail), irrelevant("source"), "{detail}");
    }
}

#[test]
fn a_partner_detail_of_another_shape_is_malformed_and_named_by_path() {
    let detail = json!({"target": SECRET});
    let error = translated_with(&settings(), "aws.partner/okta.com/acme/prod", "SystemLog", &detail).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the detail is not as its source documents it: at `target`, a value of the wrong type"
    );
    assert_eq!(error.disposition(), Disposition::Reject);
    assert!(translated_with(&settings(), "aws.partner/auth0.com/acme/auth0.logs", "x", &json!(7)).is_err());
}

#[test]
fn nesting_without_end_is_malformed() {
    let deep = format!(r#"{{"debugContext":{{"debugData":{{"risk":{}{}}}}}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    let text = format!(r#"{{"id":"1","source":"aws.partner/okta.com/a","detail-type":"t","detail":{deep}}}"#);
    let envelope: Envelope<'_> = serde_json::from_str(&text).unwrap();
    assert!(matches!(translate(&envelope, &settings()), Err(MalformedEvent::Shape { .. })));
}

// === whatever a partner sends ===

/// An event that is translated, of every source.
fn honest(which: usize) -> (&'static str, &'static str, Value) {
    match which {
        0 => (
            "aws.partner/okta.com/acme/prod",
            "SystemLog",
            json!({"uuid": "u", "published": "2026-01-01T00:00:00Z", "eventType": "user.risk.detect",
                "displayMessage": "Risk", "actor": {"id": "00u1", "type": "User"}, "outcome": {"result": "SUCCESS"},
                "target": [{"id": "00u2", "type": "User", "alternateId": SECRET},
                    {"id": "00u3", "type": "User", "alternateId": "joe"}],
                "debugContext": {"debugData": {"risk": "{level=HIGH}"}}}),
        ),
        1 => (
            "aws.partner/auth0.com/acme/auth0.logs",
            "Auth0 log",
            json!({"log_id": "l", "data": {"type": "sapi", "date": "2026-01-01T00:00:00Z", "client_id": "c",
                "details": {"request": {"method": "patch", "path": "/api/v2/users/auth0%7C1",
                    "body": {"blocked": true}, "auth": {"user": {"user_id": SECRET}}},
                    "response": {"body": {"email": SECRET}}}}}),
        ),
        2 => (
            "revocation.log-forwarder",
            "Cognito User Activity",
            json!({"eventTimestamp": "1767225600000", "eventSource": "USER_ACTIVITY",
                "message": {"version": "1", "eventId": "v", "userSub": "s", "userName": SECRET, "eventType": "SignIn",
                    "riskLevel": "High", "compromisedCredentialDetected": "false"},
                "logSourceId": {"userPoolId": "eu-central-1_Pool1"}}),
        ),
        _ => (
            "aws.cognito-idp",
            "AWS API Call via CloudTrail",
            json!({"eventSource": "cognito-idp.amazonaws.com", "eventName": "AdminRemoveUserFromGroup",
                "eventID": "i", "eventTime": "2026-01-01T00:00:00Z", "userIdentity": {"arn": "arn:aws:iam::1:user/a"},
                "requestParameters": {"userPoolId": "eu-central-1_Pool1", "username": SECRET, "groupName": "admins"},
                "additionalEventData": {"sub": "s"}}),
        ),
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop_oneof![
            Just(SECRET),
            Just("SUCCESS"),
            Just("User"),
            Just("sdu"),
            Just("sapi"),
            Just("true"),
            Just("\u{0}")
        ]
        .prop_map(Value::from),
        Just(Value::from("x".repeat(2_000))),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let name = prop_oneof!["[a-z_A-Z]{0,10}", Just("id".to_owned()), Just("type".to_owned())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..5).prop_map(|all| Value::from(Map::from_iter(all))),
        ]
    })
}

/// Every place in `value`, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found));
        }
        Value::Array(all) => all.iter().enumerate().for_each(|(n, value)| places(value, &format!("{at}/{n}"), found)),
        _ => {}
    }
}

/// Requests pass their own check, and errors quote nothing.
fn assert_sound(verdict: Result<Verdict, MalformedEvent>) -> Result<(), TestCaseError> {
    match verdict {
        Ok(Verdict::Requests(requests)) => {
            prop_assert!(!requests.is_empty());
            for request in requests {
                prop_assert_eq!(request.check(), Ok(()));
            }
        }
        Ok(Verdict::Irrelevant(code)) => prop_assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')),
        Err(error) => prop_assert!(!error.to_string().contains(SECRET), "{}", error),
    }
    Ok(())
}

#[test]
fn honest_events_are_translated() {
    for which in 0..4 {
        let (source, detail_type, detail) = honest(which);
        let verdict = translated_with(&settings(), source, detail_type, &detail);
        assert!(matches!(verdict, Ok(Verdict::Requests(_))), "{verdict:?}");
    }
}

proptest! {
    #[test]
    fn i10_no_detail_makes_a_translation_panic_or_quote_it(which in 0_usize..4, detail in any_json()) {
        let (source, detail_type, _) = honest(which);
        assert_sound(translated_with(&settings(), source, detail_type, &detail))?;
    }

    #[test]
    fn i10_no_member_makes_a_translation_panic_or_quote_it(
        which in 0_usize..4, place in any::<prop::sample::Index>(), value in any_json(), federated in any::<bool>(),
    ) {
        let (source, detail_type, detail) = honest(which);
        let mut all: Vec<String> = Vec::new();
        places(&detail, "", &mut all);
        let detail = with(&detail, place.get(&all).as_str(), value);
        let provider = federated.then(|| "Idp".to_owned());
        let settings = Settings { okta_provider: provider.clone(), auth0_provider: provider, ..settings() };
        assert_sound(translated_with(&settings, source, detail_type, &detail))?;
    }
}
