use serde_json::{Value, json};

use super::*;
use crate::resource::Rendering;
use crate::schema::UserSchema;
use crate::urn;

fn render(attributes: Option<&str>, excluded: Option<&str>) -> Value {
    let schema = UserSchema::all();
    let user = json!({
        "id": "1", "externalId": "e", "userName": "u", "password": "secret", "name": {"givenName": "g", "familyName": "f"},
        "emails": [{"value": "a@example.com", "type": "work"}, {"type": "home"}], "active": false,
        urn::ENTERPRISE_USER: {"department": "d", "employeeNumber": "7"},
        "meta": {"resourceType": "User", "location": "https://example.com/Users/1"},
    });
    let projection = Projection::parse(attributes, excluded, &schema).unwrap();
    let mut rendered = serde_json::to_value(Rendering::new(&user, &schema, &projection)).unwrap();
    assert_eq!(rendered["id"], "1", "always");
    assert!(rendered.get("password").is_none(), "never");
    let members = rendered.as_object_mut().unwrap();
    members.remove("id");
    members.remove("schemas");
    rendered
}

#[test]
fn only_what_is_asked_for() {
    let cases = [
        ("userName", json!({"userName": "u"})),
        ("USERNAME, active", json!({"userName": "u", "active": false})),
        ("name.givenName", json!({"name": {"givenName": "g"}})),
        ("name", json!({"name": {"givenName": "g", "familyName": "f"}})),
        ("emails.value", json!({"emails": [{"value": "a@example.com"}]})),
        ("password,id,nothing", json!({})),
        ("meta.location", json!({"meta": {"location": "https://example.com/Users/1"}})),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName", json!({"userName": "u"})),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            json!({urn::ENTERPRISE_USER: {"department": "d"}}),
        ),
        (urn::ENTERPRISE_USER, json!({urn::ENTERPRISE_USER: {"department": "d", "employeeNumber": "7"}})),
        ("department", json!({})),
        (
            urn::USER,
            json!({
                "externalId": "e", "userName": "u", "name": {"givenName": "g", "familyName": "f"}, "active": false,
                "emails": [{"value": "a@example.com", "type": "work"}, {"type": "home"}],
                "meta": {"resourceType": "User", "location": "https://example.com/Users/1"},
            }),
        ),
    ];
    for (attributes, expected) in cases {
        assert_eq!(render(Some(attributes), None), expected, "{attributes}");
        assert_eq!(render(Some(attributes), Some(" ")), expected, "{attributes}");
    }
}

#[test]
fn all_but_what_is_excluded() {
    let all = render(None, None);
    assert_eq!(all.as_object().unwrap().len(), 7);
    assert_eq!(render(Some(""), Some("")), all);
    let without = |excluded: &str, pointer: &str| {
        assert!(all.pointer(pointer).is_some(), "{pointer}");
        assert!(render(None, Some(excluded)).pointer(pointer).is_none(), "{excluded}");
    };
    without("Emails", "/emails");
    without("name.givenName", "/name/givenName");
    without("name.givenName,name.familyName", "/name");
    without(
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        &format!("/{}/department", urn::ENTERPRISE_USER),
    );
    without("meta", "/meta");
    assert_eq!(render(None, Some("id,nothing")), all, "what is always returned cannot be excluded");
    assert_eq!(render(None, Some("emails.type"))["emails"], json!([{"value": "a@example.com"}]));
}

#[test]
fn both_lists_and_what_is_no_name_are_refused() {
    let schema = UserSchema::all();
    for (attributes, excluded) in [(Some("id"), Some("meta")), (Some("a b"), None), (None, Some("emails[type pr]"))] {
        assert!(Projection::parse(attributes, excluded, &schema).is_err(), "{attributes:?} {excluded:?}");
    }
    assert!(Projection::parse(Some(&"a,".repeat(2_049)), None, &schema).is_err());
}

#[test]
fn it_says_what_need_not_be_read() {
    let schema = Schema::group();
    let includes =
        |attributes, excluded| Projection::parse(attributes, excluded, &schema).unwrap().includes("members", &schema);
    assert!(includes(None, None) && includes(Some("members.value"), None) && includes(None, Some("members.display")));
    assert!(!includes(None, Some("members")) && !includes(Some("displayName"), None));
    let all = Projection::default();
    assert!(all.includes("department", &UserSchema::all()) && !all.includes("password", &UserSchema::all()));
}
