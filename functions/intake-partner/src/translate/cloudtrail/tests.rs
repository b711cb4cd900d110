use serde_json::{Value, json};

use super::super::tests::{irrelevant, requests, settings, translated_with, with};
use super::*;

fn removal() -> Value {
    json!({
        "eventVersion": "1.08", "eventTime": "2026-01-01T09:30:00Z", "eventSource": "cognito-idp.amazonaws.com",
        "eventName": "AdminRemoveUserFromGroup", "eventID": "c0000000-0000-4000-8000-000000000001",
        "userIdentity": {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": "arn:aws:iam::111122223333:user/ann"},
        "requestParameters": {
            "userPoolId": "eu-central-1_Pool1", "username": "HIDDEN_DUE_TO_SECURITY_REASONS", "groupName": "admins",
        },
        "responseElements": null, "errorCode": null,
        "additionalEventData": {"sub": "11112222-3333-4444-5555-666677778888"},
    })
}

fn translated(detail: &Value) -> Result<Verdict, MalformedEvent> {
    translated_with(&settings(), "aws.cognito-idp", "AWS API Call via CloudTrail", detail)
}

fn request(members: &[(&str, Value)]) -> Result<Verdict, MalformedEvent> {
    let mut request = json!({
        "version": "1",
        "source": {"name": "cloudtrail", "event_id": "c0000000-0000-4000-8000-000000000001"},
        "sub_id": {
            "format": "iss_sub", "iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Pool1",
            "sub": "11112222-3333-4444-5555-666677778888",
        },
        "reason": "role_change",
        "initiator": {"kind": "admin", "id": "arn:aws:iam::111122223333:user/ann"},
        "reason_admin": {"en": "Removed from group admins"},
        "occurred_at": "2026-01-01T09:30:00.000Z",
    });
    for (pointer, value) in members {
        request = with(&request, pointer, value.clone());
    }
    requests(&json!([request]))
}

#[test]
fn a_removal_is_a_role_change_of_the_sub() {
    assert_eq!(translated(&removal()), request(&[]));
}

#[test]
fn without_a_sub_the_name_is_used_unless_it_is_hidden() {
    let detail = with(&removal(), "/additionalEventData", json!(null));
    for marker in ["HIDDEN_DUE_TO_SECURITY_REASONS", "HIDDEN_FOR_SECURITY_REASONS"] {
        let detail = with(&detail, "/requestParameters/username", json!(marker));
        assert_eq!(translated(&detail), Err(MalformedEvent::NoUser), "{marker}");
    }
    let detail = with(&detail, "/requestParameters/username", json!("jane"));
    let name = json!({"format": "username", "username": "jane"});
    assert_eq!(translated(&detail), request(&[("/sub_id", name)]));
}

#[test]
fn failed_calls_other_calls_and_other_pools_are_irrelevant() {
    for (pointer, value, code) in [
        ("/errorCode", json!("UserNotFoundException"), "call_failed"),
        ("/eventName", json!("AdminAddUserToGroup"), "event_type"),
        ("/eventName", json!(null), "event_type"),
        ("/requestParameters/userPoolId", json!("eu-central-1_Other"), "other_pool"),
        ("/requestParameters/userPoolId", json!(null), "other_pool"),
    ] {
        assert_eq!(translated(&with(&removal(), pointer, value)), irrelevant(code), "{pointer}");
    }
    assert_eq!(translated(&with(&removal(), "/errorCode", json!(""))), request(&[]), "empty is none");
}

#[test]
fn what_our_own_functions_did_ends_no_sessions_again() {
    let own_roles = vec!["arn:aws:iam::111122223333:role/path/scim".to_owned()];
    let settings = Settings { own_roles, ..settings() };
    let verdict = |identity: &Value| {
        let detail = with(&removal(), "/userIdentity", identity.clone());
        translated_with(&settings, "aws.cognito-idp", "AWS API Call via CloudTrail", &detail)
    };
    let issued = |arn: &str| json!({"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": arn}}});
    let session = |arn: &str| json!({"type": "AssumedRole", "arn": arn});
    assert_eq!(verdict(&issued("arn:aws:iam::111122223333:role/path/scim")), irrelevant("our_own_call"));
    assert_eq!(verdict(&session("arn:aws:sts::111122223333:assumed-role/scim/f")), irrelevant("our_own_call"));
    for other in [
        issued("arn:aws:iam::111122223333:role/scim-2"),
        session("arn:aws:sts::444455556666:assumed-role/scim/f"),
        session("arn:aws:sts::111122223333:assumed-role/admin/scim"),
        session("arn:aws:iam::111122223333:user/scim"),
        json!({"type": "AssumedRole", "sessionContext": null}),
    ] {
        assert!(matches!(verdict(&other), Ok(Verdict::Requests(_))), "{other}");
    }
}

#[test]
fn a_caller_is_named_by_arn_or_principal() {
    let detail = with(&removal(), "/userIdentity/arn", json!(null));
    assert_eq!(translated(&detail), request(&[("/initiator/id", json!("AIDAEXAMPLE"))]));
    let detail = with(&removal(), "/userIdentity", json!(null));
    assert_eq!(translated(&detail), request(&[("/initiator", json!({"kind": "system", "id": "cloudtrail"}))]));
}

#[test]
fn what_is_missing_is_malformed_and_what_is_hostile_is_cleaned() {
    assert_eq!(translated(&with(&removal(), "/requestParameters", json!(null))), Err(MalformedEvent::NoUser));
    assert_eq!(translated(&with(&removal(), "/eventID", json!(null))), Err(MalformedEvent::NoId));
    let detail = with(&removal(), "/requestParameters/groupName", json!("ad\u{0}mins\r\nx"));
    assert_eq!(translated(&detail), request(&[("/reason_admin/en", json!("Removed from group admins  x"))]));
    let huge = with(&removal(), "/additionalEventData/sub", json!("x".repeat(1_000_000)));
    assert!(matches!(translated(&huge), Err(MalformedEvent::Request(_))));
}
