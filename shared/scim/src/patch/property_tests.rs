use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::resource::coerce::coerce;
use crate::resource::{Rendering, check_required};
use crate::schema::{Mutability, Schema, UserSchema};
use crate::{Filter, Projection};

fn paths() -> impl Strategy<Value = String> {
    let known = [
        "userName",
        "USERNAME",
        "active",
        "name",
        "name.givenName",
        "emails",
        "emails.value",
        "emails.primary",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "emails[primary eq true].primary",
        "emails[value co \"a\"].type",
        "emails[not (type pr)].display",
        "addresses[type eq \"home\"].region",
        "roles",
        "roles.value",
        "addresses",
        "groups",
        "id",
        "meta",
        "schemas",
        "password",
        "displayName",
        "members",
        "externalId",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "members[value eq \"a\"]",
        "emails[",
        "",
        "colour",
    ];
    prop_oneof![9 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop::sample::select(vec!["True", "false", "work", "home", "a", "", "ada@example.com"]).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let key = prop_oneof![
        paths(),
        prop::sample::select(vec!["value", "type", "primary", "Value", "givenName", "region", "$ref"])
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::hash_map(key.clone(), inner, 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Operations that mostly make sense, in any order.
fn sensible() -> impl Strategy<Value = Value> {
    let op = prop::sample::select(vec!["add", "replace", "remove"]);
    let kind = prop::sample::select(vec!["work", "home", "other"]);
    let list = prop::sample::select(vec!["emails", "phoneNumbers", "roles"]);
    let text = prop::sample::select(vec!["a", "b", "A", "a@example.com", "", "\u{e9}"]);
    (op, list, kind, text, any::<bool>(), 0..12).prop_map(|(op, list, kind, text, flag, form)| {
        let (path, value) = match form {
            0 => (format!("{list}[type eq \"{kind}\"].value"), json!(text)),
            1 => (format!("{list}[type eq \"{kind}\"].primary"), json!(flag)),
            2 => (format!("{list}[type eq \"{kind}\"]"), json!({"value": text, "type": kind, "primary": flag})),
            3 => (list.to_owned(), json!([{"value": text, "type": kind, "primary": flag}, {"value": "z"}])),
            4 => (list.to_owned(), json!([{"value": text}])),
            5 => (format!("{list}.display"), json!(text)),
            6 => ("name".to_owned(), json!({"givenName": text, "familyName": null})),
            7 => ("name.givenName".to_owned(), json!(text)),
            8 => (format!("{}:manager", urn::ENTERPRISE_USER), json!(text)),
            9 => (urn::ENTERPRISE_USER.to_owned(), json!({"department": text, "manager": {"value": kind}})),
            10 => (format!("{list}[value sw \"{text}\" and primary eq {flag}].type"), json!(kind)),
            _ => (format!("addresses[type eq \"{kind}\"].region"), json!(text)),
        };
        if flag && op != "remove" {
            json!({"op": op, "value": {path: value}})
        } else {
            json!({"op": op, "path": path, "value": value})
        }
    })
}

fn bodies() -> impl Strategy<Value = Value> {
    let operation =
        (prop::sample::select(vec!["add", "Replace", "remove", "REMOVE"]), prop::option::of(paths()), values());
    let wild = operation.prop_map(|(op, path, value)| json!({"op": op, "path": path, "value": value})).boxed();
    let operations = prop_oneof![
        prop::collection::vec(wild.clone(), 1..4),
        prop::collection::vec(sensible(), 1..6),
        prop::collection::vec(prop_oneof![4 => sensible().boxed(), 1 => wild], 1..6),
    ];
    operations.prop_map(|operations| json!({ "Operations": operations }))
}

/// Every attribute has the type and spelling of the schema: reading it again changes nothing.
fn check_valid(resource: &Value, schema: &Schema) -> Result<(), TestCaseError> {
    let check = |holder: &Value, attributes: &[crate::Attribute]| {
        for attribute in attributes.iter().filter(|attribute| attribute.mutability != Mutability::ReadOnly) {
            if let Some(value) = holder.get(attribute.name) {
                prop_assert_eq!(coerce(attribute, value), Ok(Some(value.clone())), "{}", attribute.name);
            }
        }
        Ok(())
    };
    let own = schema.common.iter().chain(&schema.core.attributes).map(|attribute| attribute.name);
    let known: Vec<&str> = own.chain(schema.extensions.iter().map(|part| part.urn)).collect();
    prop_assert!(resource.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())));
    check(resource, &schema.common)?;
    check(resource, &schema.core.attributes)?;
    for part in &schema.extensions {
        if let Some(holder) = resource.get(part.urn) {
            prop_assert!(!holder.as_object().unwrap().is_empty());
            check(holder, &part.attributes)?;
        }
    }
    check_required(resource, schema).map_err(|error| TestCaseError::fail(error.to_string()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn whatever_is_sent_the_resource_stays_valid_or_as_it_was(body in bodies()) {
        let before = json!({
            "id": "1", "userName": "ada", "active": true, "name": {"givenName": "Ada"}, "groups": [{"value": "g"}],
            "emails": [{"value": "a@example.com", "type": "work", "primary": true}, {"value": "b@example.com", "type": "home"}],
            "roles": [{"value": "a"}],
        });
        let schema = UserSchema::all();
        let Ok(patch) = PatchRequest::parse(&body) else { return Ok(()) };
        let mut after = before.clone();
        match patch.apply(&mut after, &schema) {
            Err(_) => prop_assert_eq!(after, before),
            Ok(changes) => {
                check_valid(&after, &schema)?;
                prop_assert_eq!(changes.is_empty(), after == before);
                prop_assert_eq!(&after["id"], "1");
                prop_assert_eq!(&after["groups"], &before["groups"]);
                let projection = Projection::default();
                let written = serde_json::to_value(Rendering::new(&after, &schema, &projection)).unwrap();
                prop_assert!(written.get("password").is_none());
                // What is written can be read as the same.
                let again = crate::read(&written, &schema).unwrap();
                for attribute in ["userName", "emails", "name", "roles", "active"] {
                    prop_assert_eq!(again.get(attribute), after.get(attribute));
                }
            }
        }
    }

    #[test]
    fn no_patch_of_a_group_makes_it_panic(body in bodies()) {
        if let Ok(patch) = PatchRequest::parse(&body) {
            let _ = patch.group_change();
        }
    }

    #[test]
    fn no_body_makes_reading_panic(body in values()) {
        let schema = UserSchema::all();
        let _ = (PatchRequest::parse(&body), crate::read(&body, &schema), crate::read(&body, &Schema::group()));
        let _ = Filter::parse("emails[type eq \"work\"].value sw \"a\"").unwrap().matches(&body, &schema);
        let _ = serde_json::to_string(&Rendering::new(&body, &schema, &Projection::default())).unwrap();
    }
}
