use serde_json::json;

use super::*;
use crate::error::ScimType;
use crate::projection::Projection;
use crate::schema::UserSchema;
use crate::urn;

fn user(members: Value) -> Result<Value, ScimError> {
    let Value::Object(mut body) = members else { panic!("an object is needed") };
    body.entry("schemas").or_insert_with(|| json!([urn::USER]));
    body.entry("userName").or_insert_with(|| json!("ada"));
    read(&Value::Object(body), &UserSchema::all())
}

#[test]
fn entra_s_new_user_is_read() {
    // learn.microsoft.com, "Create User".
    let body = json!({
        "schemas": [urn::USER, urn::ENTERPRISE_USER],
        "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef", "userName": "Test_User_00aa00aa", "active": true,
        "emails": [{"primary": true, "type": "work", "value": "Test_User_11bb11bb@example.com"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"},
        "roles": []
    });
    assert_eq!(
        read(&body, &UserSchema::all()).unwrap(),
        json!({
            "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef", "userName": "Test_User_00aa00aa", "active": true,
            "emails": [{"primary": true, "type": "work", "value": "Test_User_11bb11bb@example.com"}],
            "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"},
        })
    );
}

#[test]
fn okta_s_new_user_is_read() {
    // developer.okta.com, "Create the User".
    let body = json!({
        "schemas": [urn::USER], "userName": "test.user@okta.local", "name": {"givenName": "Test", "familyName": "User"},
        "emails": [{"primary": true, "value": "test.user@okta.local", "type": "work"}], "displayName": "Test User",
        "locale": "en-US", "externalId": "00ujl29u0le5T6Aj10h7", "groups": [], "password": "1mz050nq", "active": true
    });
    let read = read(&body, &UserSchema::all()).unwrap();
    assert_eq!(read["password"], "1mz050nq");
    assert!(read.get("groups").is_none() && read.get("schemas").is_none());
}

#[test]
fn reading_is_lenient_where_clients_need_it() {
    let cases = [
        (json!({"ACTIVE": "False"}), json!({"userName": "ada", "active": false})),
        (json!({"nickName": null, "title": "", "emails": []}), json!({"userName": "ada"})),
        (json!({"id": "x", "meta": {}, "groups": [{"value": "g"}], "favourite": "blue"}), json!({"userName": "ada"})),
        (json!({"roles": ["admin"]}), json!({"userName": "ada", "roles": [{"value": "admin"}]})),
        (json!({"emails": {"VALUE": "a", "x": 1}}), json!({"userName": "ada", "emails": [{"value": "a"}]})),
        (
            json!({"roles": [{"primary": "True", "type": "WindowsAzureActiveDirectoryRole", "value": "{\"id\":1}"}]}),
            json!({"userName": "ada", "roles": [
                {"primary": true, "type": "WindowsAzureActiveDirectoryRole", "value": "{\"id\":1}"}]}),
        ),
        (
            json!({urn::ENTERPRISE_USER: {"manager": "7", "Department": "D"}}),
            json!({"userName": "ada", urn::ENTERPRISE_USER: {"manager": {"value": "7"}, "department": "D"}}),
        ),
        (
            json!({"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "D", "name.givenName": "A"}),
            json!({"userName": "ada", urn::ENTERPRISE_USER: {"department": "D"}, "name": {"givenName": "A"}}),
        ),
        (json!({"urn:example:other:2.0:User": {"a": 1}}), json!({"userName": "ada"})),
    ];
    for (body, expected) in cases {
        assert_eq!(user(body.clone()), Ok(expected), "{body}");
    }
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let long = "x".repeat(2_049);
    let many: Vec<String> = (0..251).map(|index| index.to_string()).collect();
    let cases = [
        (json!({"userName": ""}), ScimType::InvalidValue),
        (json!({"userName": "  "}), ScimType::InvalidValue),
        (json!({"userName": null}), ScimType::InvalidValue),
        (json!({"userName": 5}), ScimType::InvalidValue),
        (json!({"active": "yes"}), ScimType::InvalidValue),
        (json!({"active": 0}), ScimType::InvalidValue),
        (json!({"name": "Ada"}), ScimType::InvalidValue),
        (json!({"nickName": long}), ScimType::InvalidValue),
        (json!({"nickName": "a\u{0}"}), ScimType::InvalidValue),
        (json!({"nickName": ["a", "b"]}), ScimType::InvalidValue),
        (json!({"roles": many}), ScimType::InvalidValue),
        (json!({"emails": [5]}), ScimType::InvalidValue),
        (json!({"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}), ScimType::InvalidValue),
        (json!({"username": "eve"}), ScimType::InvalidSyntax),
        (json!({"name": {"givenName": "a"}, "name.givenName": "b"}), ScimType::InvalidSyntax),
        (json!({"emails": [{"value": "a", "Value": "b"}]}), ScimType::InvalidSyntax),
        (json!({urn::ENTERPRISE_USER: "x"}), ScimType::InvalidSyntax),
        (json!({"schemas": []}), ScimType::InvalidSyntax),
        (json!({"schemas": [urn::GROUP]}), ScimType::InvalidSyntax),
        (json!({"schemas": null}), ScimType::InvalidSyntax),
    ];
    for (body, expected) in cases {
        let error = user(body.clone()).expect_err(&body.to_string());
        assert_eq!(error.scim_type, Some(expected), "{body}: {error}");
        for secret in ["Ada", "eve", "yes"] {
            assert!(!error.detail.contains(secret), "I10: {error}");
        }
    }
    for body in [json!(null), json!([]), json!("x"), json!({"userName": "ada"})] {
        assert!(read(&body, &UserSchema::all()).is_err(), "{body}");
    }
    assert!(read(&json!({"schemas": [urn::GROUP]}), &Schema::group()).is_err(), "a group needs a name");
}

#[test]
fn writing_is_strict_and_in_order() {
    let schema = UserSchema::all();
    let mut resource = json!({
        "id": "1", "userName": "ada", "nickName": "", "roles": [], "phoneNumbers": [{"type": "work"}], "password": "p",
        "emails": [{"primary": true, "value": "a@example.com"}], "unknown": 1, "name": {"givenName": "A", "formatted": "A"},
        "meta": {"version": "W/\"1\"", "resourceType": "User"}, urn::ENTERPRISE_USER: {"department": ""},
    });
    let projection = Projection::default();
    let write = |resource: &Value| serde_json::to_string(&Rendering::new(resource, &schema, &projection)).unwrap();
    assert_eq!(
        write(&resource),
        concat!(
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"ada","#,
            r#""name":{"formatted":"A","givenName":"A"},"emails":[{"value":"a@example.com","primary":true}],"#,
            r#""phoneNumbers":[{"type":"work"}],"meta":{"resourceType":"User","version":"W/\"1\""}}"#
        )
    );
    resource[urn::ENTERPRISE_USER]["department"] = json!("D");
    let text = write(&resource);
    assert!(text.contains(r#"User":{"department":"D"}"#) && text.contains(&format!("{}\"]", urn::ENTERPRISE_USER)));
}
