use std::slice;

use serde_json::json;

use super::*;
use crate::changes::Changes;
use crate::error::ScimType;
use crate::schema::{Schema, UserSchema};

const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

fn user() -> Value {
    json!({
        "id": "1", "userName": "ada", "active": true, "name": {"givenName": "Ada", "familyName": "King"},
        "emails": [
            {"value": "ada@example.com", "type": "work", "primary": true},
            {"value": "ada@example.org", "type": "home"},
        ],
        "meta": {"resourceType": "User"},
    })
}

fn patch(operations: &Value) -> Result<(Value, Changes), ScimError> {
    let body = json!({"schemas": [urn::PATCH_OP], "Operations": operations});
    let mut resource = user();
    let changes = PatchRequest::parse(&body).and_then(|patch| patch.apply(&mut resource, &UserSchema::all()));
    if changes.is_err() {
        assert_eq!(resource, user(), "atomic");
    }
    changes.map(|changes| (resource, changes))
}

/// The members that differ after the patch; what is gone is null.
fn difference(operations: &Value) -> Value {
    let (after, _) = patch(operations).unwrap_or_else(|error| panic!("{operations}: {error}"));
    let before = user();
    let (before, after) = (before.as_object().unwrap(), after.as_object().unwrap());
    let keys = before.keys().chain(after.keys());
    let differing = keys.filter(|key| before.get(*key) != after.get(*key));
    differing.map(|key| (key.clone(), after.get(key).cloned().unwrap_or(Value::Null))).collect()
}

fn emails(values: &[Value]) -> Value {
    json!({ "emails": values })
}

#[test]
fn entra_s_bodies_do_what_they_mean() {
    let home = json!({"value": "ada@example.org", "type": "home"});
    let work = |value: &str| json!({"value": value, "type": "work", "primary": true});
    let cases = [
        // Disabling, by either of the two forms in use.
        (json!([{"op": "Replace", "path": "active", "value": "False"}]), json!({"active": false})),
        (json!([{"op": "replace", "path": "active", "value": false}]), json!({"active": false})),
        // "Update User [Multi-valued properties]".
        (
            json!([{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "new@example.com"},
                   {"op": "Replace", "path": "name.familyName", "value": "Lovelace"}]),
            json!({"emails": [work("new@example.com"), home], "name": {"givenName": "Ada", "familyName": "Lovelace"}}),
        ),
        (json!([{"op": "Replace", "path": "userName", "value": "lovelace"}]), json!({"userName": "lovelace"})),
        // Adding a value that is not there yet, then its other parts (the SCIM validator).
        (
            json!([{"op": "add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+1 555"},
                   {"op": "replace", "path": "phoneNumbers[type eq \"mobile\"].display", "value": "D"},
                   {"op": "add", "path": "phoneNumbers[type eq \"mobile\"].primary", "value": "True"}]),
            json!({"phoneNumbers": [{"value": "+1 555", "type": "mobile", "display": "D", "primary": true}]}),
        ),
        (
            json!([{"op": "Add", "path": "roles[primary eq \"True\"].value", "value": "admin"}]),
            json!({"roles": [{"value": "admin", "primary": true}]}),
        ),
        // Several attributes without a path, keys being paths (thomaspoignant/scim-patch issue 132).
        (
            json!([{"op": "add", "value": {"name.givenName": "A", "name.formatted": "A King", DEPARTMENT: "D",
                    "emails[type eq \"work\"].value": "a@example.com", "externalId": "x", "addresses[type eq \"work\"].region": "R"}}]),
            json!({"name": {"givenName": "A", "familyName": "King", "formatted": "A King"}, "externalId": "x",
                   "emails": [work("a@example.com"), home], urn::ENTERPRISE_USER: {"department": "D"},
                   "addresses": [{"type": "work", "region": "R"}]}),
        ),
        // The manager, as a string, an object, an old array.
        (
            json!([{"op": "Add", "path": MANAGER, "value": "7"}]),
            json!({urn::ENTERPRISE_USER: {"manager": {"value": "7"}}}),
        ),
        (
            json!([{"op": "Add", "path": MANAGER, "value": [{"$ref": "../Users/7", "value": "7"}]}]),
            json!({urn::ENTERPRISE_USER: {"manager": {"value": "7", "$ref": "../Users/7"}}}),
        ),
        (
            json!([{"op": "Add", "path": MANAGER, "value": {"value": "7", "displayName": "not ours to set"}},
                   {"op": "Add", "path": DEPARTMENT, "value": "D"}, {"op": "Remove", "path": MANAGER}]),
            json!({urn::ENTERPRISE_USER: {"department": "D"}}),
        ),
        (json!([{"op": "Add", "path": DEPARTMENT, "value": "D"}, {"op": "Remove", "path": DEPARTMENT}]), json!({})),
        (
            json!([{"op": "Remove", "path": "emails", "value": [{"value": "ADA@example.org"}]}]),
            emails(&[work("ada@example.com")]),
        ),
        (json!([{"op": "Remove", "path": "emails", "value": []}]), json!({})),
        (
            json!([{"op": "Remove", "path": "emails", "value": [{"value": "ada@example.org", "type": "work"}]}]),
            json!({}),
        ),
        (
            json!([{"op": "Replace", "path": "emails[type eq \"home\"].value", "value": ""}]),
            emails(&[work("ada@example.com")]),
        ),
        (json!([{"op": "Replace", "path": "displayName", "value": null}]), json!({})),
        (json!([{"op": "Replace", "value": {"fax[type eq \"x\"].value": "y", "userType.a": 1, "!": 2}}]), json!({})),
    ];
    for (operations, expected) in cases {
        assert_eq!(difference(&operations), expected, "{operations}");
    }
}

#[test]
fn okta_s_bodies_do_what_they_mean() {
    let body = json!({"Operations": [{"op": "replace", "value": {"active": false}}]});
    let mut resource = user();
    let changes = PatchRequest::parse(&body).unwrap().apply(&mut resource, &UserSchema::all()).unwrap();
    assert_eq!(changes.get("active").and_then(|change| change.after.clone()), Some(json!(false)));
    assert_eq!(changes.iter().count(), 1);
    let whole =
        json!([{"op": "replace", "value": {"id": "1", "schemas": ["x"], "meta": {}, "groups": [], "title": "T"}}]);
    assert_eq!(difference(&whole), json!({"title": "T"}), "what is the provider's is left alone");
}

#[test]
fn operations_follow_the_rfc() {
    let home = json!({"value": "ada@example.org", "type": "home"});
    let work = json!({"value": "ada@example.com", "type": "work", "primary": true});
    let cases = [
        // 3.5.2.1
        (json!([{"op": "add", "path": "emails", "value": [work, home]}]), json!({})),
        (
            json!([{"op": "add", "value": {"emails": [{"value": "b@example.org", "type": "other", "primary": true}], "nickname": "Babs"}}]),
            json!({"nickName": "Babs", "emails": [
                {"value": "ada@example.com", "type": "work", "primary": false}, home,
                {"value": "b@example.org", "type": "other", "primary": true}]}),
        ),
        (
            json!([{"op": "add", "path": "emails[type eq \"home\"]", "value": {"display": "H", "primary": true}}]),
            emails(&[
                json!({"value": "ada@example.com", "type": "work", "primary": false}),
                json!({"value": "ada@example.org", "type": "home", "display": "H", "primary": true}),
            ]),
        ),
        (
            json!([{"op": "add", "path": "name", "value": {"middleName": "B"}}]),
            json!({"name": {"givenName": "Ada", "familyName": "King", "middleName": "B"}}),
        ),
        // 3.5.2.2
        (json!([{"op": "remove", "path": "emails"}]), json!({"emails": null})),
        (
            json!([{"op": "remove", "path": "emails[type eq \"work\" and value ew \"example.com\"]"}]),
            emails(slice::from_ref(&home)),
        ),
        (json!([{"op": "remove", "path": "emails[type eq \"none\"]"}]), json!({})),
        (
            json!([{"op": "remove", "path": "emails.type"}]),
            emails(&[json!({"value": "ada@example.com", "primary": true}), json!({"value": "ada@example.org"})]),
        ),
        (
            json!([{"op": "remove", "path": "name.givenName"}, {"op": "remove", "path": "name.familyName"}]),
            json!({"name": null}),
        ),
        // 3.5.2.3
        (json!([{"op": "replace", "path": "emails", "value": [home]}]), emails(slice::from_ref(&home))),
        (json!([{"op": "replace", "path": "emails", "value": []}]), json!({"emails": null})),
        (
            json!([{"op": "replace", "path": "name", "value": {"givenName": null, "familyName": "L"}}]),
            json!({"name": {"familyName": "L"}}),
        ),
        (
            json!([{"op": "replace", "path": "emails[type eq \"home\"]", "value": {"value": "c"}}]),
            emails(&[work.clone(), json!({"value": "c"})]),
        ),
        (
            json!([{"op": "replace", "path": "emails[type eq \"home\"]", "value": "c"}]),
            emails(&[work.clone(), json!({"value": "c", "type": "home"})]),
        ),
        (json!([{"op": "replace", "path": "nickName", "value": "new"}]), json!({"nickName": "new"})),
        (json!([{"op": "replace", "path": "roles.value", "value": "r"}]), json!({"roles": [{"value": "r"}]})),
        // Extensions as a whole.
        (
            json!([{"op": "add", "path": urn::ENTERPRISE_USER, "value": {"Department": "D"}}]),
            json!({urn::ENTERPRISE_USER: {"department": "D"}}),
        ),
        (
            json!([{"op": "add", "value": {urn::ENTERPRISE_USER: {"division": "V"}}}, {"op": "remove", "path": urn::ENTERPRISE_USER}]),
            json!({}),
        ),
        (json!([{"op": "replace", "path": urn::USER, "value": {"title": "T"}}]), json!({"title": "T"})),
        // In order, and judged at the end.
        (
            json!([{"op": "remove", "path": "userName"}, {"op": "add", "path": "userName", "value": "b"}]),
            json!({"userName": "b"}),
        ),
        (json!([{"op": "replace", "path": "", "value": {"title": "T"}}, {"op": "remove", "path": "TITLE"}]), json!({})),
    ];
    for (operations, expected) in cases {
        assert_eq!(difference(&operations), expected, "{operations}");
    }
}

#[test]
fn mistakes_have_their_type_and_change_nothing() {
    let cases = [
        (json!({"op": "replace", "path": "emails[type eq \"other\"].value", "value": "x"}), ScimType::NoTarget),
        (json!({"op": "add", "path": "emails[type sw \"x\" and value pr].display", "value": "x"}), ScimType::NoTarget),
        (json!({"op": "add", "path": "emails[value gt \"z\"].display", "value": "x"}), ScimType::NoTarget),
        (json!({"op": "remove"}), ScimType::NoTarget),
        (json!({"op": "replace", "path": "id", "value": "2"}), ScimType::Mutability),
        (json!({"op": "replace", "path": "meta.version", "value": "2"}), ScimType::Mutability),
        (json!({"op": "add", "path": "groups", "value": [{"value": "g"}]}), ScimType::Mutability),
        (json!({"op": "remove", "path": "schemas"}), ScimType::Mutability),
        (json!({"op": "replace", "path": format!("{MANAGER}.displayName"), "value": "x"}), ScimType::Mutability),
        (json!({"op": "replace", "path": "colour", "value": "x"}), ScimType::InvalidPath),
        (json!({"op": "replace", "path": "name.colour", "value": "x"}), ScimType::InvalidPath),
        (json!({"op": "replace", "path": "urn:example:User:title", "value": "x"}), ScimType::InvalidPath),
        (json!({"op": "replace", "path": "name[givenName eq \"x\"]", "value": "x"}), ScimType::InvalidPath),
        (json!({"op": "replace", "path": "a b", "value": "x"}), ScimType::InvalidPath),
        (json!({"op": "replace", "path": 5, "value": "x"}), ScimType::InvalidPath),
        (json!({"op": "replace", "path": "emails[type]", "value": "x"}), ScimType::InvalidFilter),
        (json!({"op": "remove", "path": "userName"}), ScimType::InvalidValue),
        (json!({"op": "replace", "value": {"userName": ""}}), ScimType::InvalidValue),
        (json!({"op": "replace", "path": "active", "value": "perhaps"}), ScimType::InvalidValue),
        (json!({"op": "replace", "path": "active"}), ScimType::InvalidValue),
        (json!({"op": "replace", "value": "x"}), ScimType::InvalidValue),
        (json!({"op": "replace", "path": urn::ENTERPRISE_USER, "value": "x"}), ScimType::InvalidValue),
        (json!({"op": "replace", "path": "name", "value": "x"}), ScimType::InvalidValue),
        (json!({"op": "replace", "path": "emails.primary", "value": true}), ScimType::InvalidValue),
        (json!({"op": "move", "path": "title", "value": "x"}), ScimType::InvalidSyntax),
        (json!({"op": "add", "OP": "remove", "path": "title", "value": "x"}), ScimType::InvalidSyntax),
        (json!({"path": "title", "value": "x"}), ScimType::InvalidSyntax),
        (json!("add"), ScimType::InvalidSyntax),
    ];
    for (operation, expected) in cases {
        // The first one works and must be undone.
        let operations = json!([{"op": "replace", "path": "title", "value": "T"}, operation]);
        let error = patch(&operations).expect_err(&operations.to_string());
        assert_eq!(error.scim_type, Some(expected), "{operations}: {error}");
    }
}

#[test]
fn requests_are_bounded_and_of_the_message_s_form() {
    let operation = json!({"op": "add", "path": "title", "value": "x"});
    let bodies = [
        json!([]),
        json!({}),
        json!({"Operations": {}}),
        json!({"Operations": []}),
        json!({"schemas": [urn::USER], "Operations": [operation]}),
        json!({"Operations": [operation], "operations": [operation]}),
        json!({"Operations": vec![operation.clone(); 1_001]}),
    ];
    for body in bodies {
        assert!(PatchRequest::parse(&body).is_err());
    }
    assert!(PatchRequest::parse(&json!({"operations": vec![operation; 1_000]})).is_ok());
    let roles: Vec<String> = (0..200).map(|index| index.to_string()).collect();
    let more: Vec<String> = (200..300).map(|index| index.to_string()).collect();
    let add = |roles: &[String]| json!({"op": "add", "path": "roles", "value": roles});
    assert!(patch(&json!([add(&roles)])).is_ok());
    assert_eq!(patch(&json!([add(&roles), add(&more)])).unwrap_err().scim_type, Some(ScimType::InvalidValue));
}

#[test]
fn work_is_bounded() {
    let roles: Vec<String> = (0..250).map(|index| index.to_string()).collect();
    let filter = vec!["value co \"z\""; 90].join(" or ");
    let select = json!({"op": "remove", "path": format!("roles[{filter}]")});
    let mut operations = vec![json!({"op": "add", "path": "roles", "value": roles})];
    operations.extend(vec![select.clone(); 10]);
    assert!(patch(&json!(operations)).is_ok());
    operations.extend(vec![select; 40]);
    assert_eq!(patch(&json!(operations)).unwrap_err().scim_type, Some(ScimType::TooMany));
}

#[test]
fn changes_are_named_with_before_and_after() {
    let operations = json!([
        {"op": "replace", "path": "active", "value": true}, {"op": "add", "path": DEPARTMENT, "value": "D"},
        {"op": "remove", "path": "name"}, {"op": "add", "path": "password", "value": "hunter2"},
    ]);
    let (_, changes) = patch(&operations).unwrap();
    let names: Vec<&str> = changes.iter().map(|change| change.attribute).collect();
    assert_eq!(names, ["name", "password", "department"], "`active` was true before");
    assert!(changes.get("name").is_some_and(|change| change.before.is_some() && change.after.is_none()));
    assert_eq!(changes.get("Department").and_then(|change| change.extension), Some(urn::ENTERPRISE_USER));
    let patch = PatchRequest::parse(&json!({"Operations": operations})).unwrap();
    assert!(!format!("{patch:?} {changes:?}").contains("hunter2"), "I10");
}

#[test]
fn a_small_group_can_be_patched_whole() {
    let schema = Schema::group();
    let mut group = json!({"id": "g", "displayName": "G", "members": [{"value": "a"}, {"value": "b"}]});
    let body = json!({"Operations": [
        {"op": "remove", "path": "members[value eq \"a\"]"}, {"op": "add", "path": "members", "value": [{"value": "c", "$ref": null}]},
        {"op": "Remove", "path": "members", "value": [{"value": "b"}]},
    ]});
    PatchRequest::parse(&body).unwrap().apply(&mut group, &schema).unwrap();
    assert_eq!(group["members"], json!([{"value": "c"}]));
    let body = json!({"Operations": [{"op": "replace", "path": "members[value eq \"c\"].display", "value": "x"}]});
    let error = PatchRequest::parse(&body).unwrap().apply(&mut group, &schema).unwrap_err();
    assert_eq!(error.scim_type, Some(ScimType::Mutability));
}

#[test]
fn what_the_rfc_has_and_the_provider_does_not_keep_is_left_out() {
    let schema = UserSchema::with(["displayName"]).unwrap();
    let mut user = json!({"userName": "ada", "active": true});
    let operations = json!([
        {"op": "Add", "path": "title", "value": "Countess"},
        {"op": "Replace", "path": "addresses[type eq \"work\"].locality", "value": "London"},
        {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Engines"},
        {"op": "Replace", "path": "active", "value": "False"},
    ]);
    let patch = PatchRequest::parse(&json!({"Operations": operations})).unwrap();
    patch.apply(&mut user, &schema).unwrap();
    assert_eq!(user, json!({"userName": "ada", "active": false}));
    let unknown = PatchRequest::parse(&json!({"Operations": [{"op": "add", "path": "colour", "value": "x"}]})).unwrap();
    assert_eq!(unknown.apply(&mut user, &schema).unwrap_err().scim_type, Some(ScimType::InvalidPath));
}
