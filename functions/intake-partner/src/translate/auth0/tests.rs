use serde_json::{Value, json};

use super::super::tests::{irrelevant, requests, settings, translated_with, with};
use super::*;

fn deletion() -> Value {
    json!({"log_id": "90020260101", "data": {
        "date": "2026-01-01T09:30:00.000Z", "log_id": "90020260101", "type": "sdu", "user_id": "auth0|5f7c",
        "user_name": "jane@example.com", "ip": "192.0.2.1", "client_id": "client1", "connection": "staff",
    }})
}

fn operation() -> Value {
    json!({"log_id": "90020260102", "data": {
        "date": "2026-01-01T09:30:00.000Z", "log_id": "90020260102", "type": "sapi", "description": "Update a User",
        "user_id": "auth0|admin", "user_name": "admin@example.com", "client_id": "client1",
        "details": {
            "request": {
                "method": "patch", "path": "/api/v2/users/auth0%7C5f7c", "query": {}, "body": {"blocked": true},
                "auth": {"user": {"user_id": "auth0|admin", "name": "Admin"}},
            },
            "response": {"statusCode": 200, "body": {"email": "jane@example.com", "blocked": true}},
        },
    }})
}

fn translated(detail: &Value) -> Result<Verdict, MalformedEvent> {
    translated_with(&settings(), "aws.partner/auth0.com/acme-1a2b/auth0.logs", "Auth0 log", detail)
}

fn request(members: &[(&str, Value)]) -> Value {
    let mut request = json!({
        "version": "1",
        "source": {"name": "auth0/acme-1a2b", "event_id": "90020260101"},
        "sub_id": {"format": "email", "email": "jane@example.com"},
        "reason": "offboarding",
        "initiator": {"kind": "system", "id": "client1"},
        "reason_admin": {"en": "Auth0 user deleted"},
        "occurred_at": "2026-01-01T09:30:00.000Z",
    });
    for (pointer, value) in members {
        request = with(&request, pointer, value.clone());
    }
    request
}

/// What is expected of `operation()`, with other members.
fn blocked(members: &[(&str, Value)]) -> Result<Verdict, MalformedEvent> {
    let mut all = vec![
        ("/source/event_id", json!("90020260102")),
        ("/initiator", json!({"kind": "admin", "id": "auth0|admin"})),
        ("/reason_admin/en", json!("Auth0 user blocked")),
    ];
    all.extend_from_slice(members);
    requests(&json!([request(&all)]))
}

#[test]
fn a_deleted_user_is_an_offboarding() {
    assert_eq!(translated(&deletion()), requests(&json!([request(&[])])));
}

#[test]
fn a_blocked_user_is_an_offboarding_of_the_user_in_the_path() {
    assert_eq!(translated(&operation()), blocked(&[]));
    let loud = with(&operation(), "/data/details/request/method", json!("PATCH"));
    assert_eq!(translated(&loud), blocked(&[]));
}

#[test]
fn a_user_deleted_by_the_management_api_is_named_by_id_and_never_by_its_caller() {
    let detail = with(&operation(), "/data/details/request/method", json!("delete"));
    let detail = with(&detail, "/data/details/request/body", json!({}));
    let detail = with(&detail, "/data/details/response", json!({"statusCode": 204, "body": {}}));
    let name = json!({"format": "username", "username": "auth0|5f7c"});
    assert_eq!(translated(&detail), blocked(&[("/sub_id", name), ("/reason_admin/en", json!("Auth0 user deleted"))]));
}

#[test]
fn other_operations_are_irrelevant() {
    for (pointer, value) in [
        ("/data/type", json!("s")),
        ("/data/type", json!("fdu")),
        ("/data/type", json!(null)),
        ("/data", json!(null)),
        ("/data/details", json!(null)),
        ("/data/details", json!([1])),
        ("/data/details/request/method", json!("post")),
        ("/data/details/request/method", json!(["patch"])),
        ("/data/details/request/path", json!("/api/v2/users")),
        ("/data/details/request/path", json!("/api/v2/users/")),
        ("/data/details/request/path", json!("/api/v2/users/auth0%7C5f7c/roles")),
        ("/data/details/request/path", json!("/api/v2/clients/auth0%7C5f7c")),
        ("/data/details/request/body", json!([{"blocked": true}])),
        ("/data/details/request/body/blocked", json!(false)),
        ("/data/details/request/body/blocked", json!("true")),
    ] {
        let verdict = translated(&with(&operation(), pointer, value.clone()));
        assert_eq!(verdict, irrelevant("event_type"), "{pointer} {value}");
    }
}

#[test]
fn a_configured_provider_adds_the_federated_user_name() {
    let settings = Settings { auth0_provider: Some("Auth0".into()), ..settings() };
    let translated = |detail: &Value| translated_with(&settings, "aws.partner/auth0.com/acme-1a2b/x", "y", detail);
    let federated = json!({"format": "username", "username": "Auth0_auth0|5f7c"});
    let aliases = json!({"format": "aliases", "identifiers": [
        {"format": "email", "email": "jane@example.com"}, federated,
    ]});
    assert_eq!(translated(&deletion()), requests(&json!([request(&[("/sub_id", aliases)])])));
    let detail = with(&deletion(), "/data/user_name", json!("jane"));
    assert_eq!(translated(&detail), requests(&json!([request(&[("/sub_id", federated)])])));
}

#[test]
fn who_acted_is_the_caller_the_client_or_the_source() {
    let caller = "/data/details/request/auth/user/user_id";
    let detail = with(&operation(), caller, json!("auth0|5f7c"));
    assert_eq!(translated(&detail), blocked(&[("/initiator", json!({"kind": "user", "id": "auth0|5f7c"}))]));
    let detail = with(&operation(), caller, json!(null));
    assert_eq!(translated(&detail), blocked(&[("/initiator", json!({"kind": "system", "id": "client1"}))]));
    let detail = with(&detail, "/data/client_id", json!(""));
    assert_eq!(translated(&detail), blocked(&[("/initiator", json!({"kind": "system", "id": "auth0/acme-1a2b"}))]));
}

#[test]
fn what_is_missing_is_malformed() {
    assert_eq!(translated(&with(&deletion(), "/data/user_id", json!(null))), Err(MalformedEvent::NoUser));
    let detail = with(&with(&deletion(), "/log_id", json!(null)), "/data/log_id", json!(null));
    assert_eq!(translated(&detail), Err(MalformedEvent::NoId));
    for path in ["%", "%7", "%7g", "%ff", "%+1"] {
        let detail = with(&operation(), "/data/details/request/path", json!(format!("{USERS_PATH}{path}")));
        assert_eq!(translated(&detail), Err(MalformedEvent::NoUser), "{path}");
    }
    let detail = with(&deletion(), "/data/user_id", json!(["auth0|5f7c"]));
    assert!(matches!(translated(&detail), Err(MalformedEvent::Shape { .. })));
}

#[test]
fn ids_in_paths_are_decoded_once() {
    assert_eq!(percent_decoded("google-apps%7Ca%2525b").as_deref(), Some("google-apps|a%25b"));
    assert_eq!(percent_decoded("%E6%9D%8E").as_deref(), Some("李"));
}
