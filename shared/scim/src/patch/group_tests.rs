use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::error::ScimType;
use crate::schema::Schema;
use crate::urn;

fn change(operations: &Value) -> Result<GroupChange, ScimError> {
    PatchRequest::parse(&json!({"schemas": [urn::PATCH_OP], "Operations": operations}))?.group_change()
}

fn ids(members: &[Member]) -> Vec<&str> {
    members.iter().map(|member| member.value.as_str()).collect()
}

#[test]
fn the_forms_in_use_are_understood() {
    let entra_add =
        change(&json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": "a"}]}])).unwrap();
    assert_eq!(ids(&entra_add.members.add), ["a"]);
    let entra_remove = [
        json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "a"}]}]),
        json!([{"op": "Remove", "path": "members[value eq \"a\"]"}]),
        json!([{"op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:MEMBERS[Value EQ \"a\"]"}]),
    ];
    for operations in entra_remove {
        let MemberChange { replace, remove_all, add, remove } = change(&operations).unwrap().members;
        assert_eq!((replace, remove_all, add, remove), (None, false, vec![], vec!["a".to_owned()]));
    }
    let okta_rename = change(&json!([{"op": "replace", "value": {"id": "g", "displayName": "New"}}])).unwrap();
    assert_eq!(okta_rename.display_name.as_deref(), Some("New"));
    assert!(okta_rename.members.is_empty());
    let okta_push = change(
        &json!([{"op": "replace", "path": "members", "value": [{"value": "b", "display": "B"}, {"value": "a"}]}]),
    );
    assert_eq!(okta_push.unwrap().members.replace.as_deref().map(ids), Some(vec!["a", "b"]));
    let both = change(&json!([{"op": "remove", "path": "members[value eq \"a\" or value eq \"b\"]"}])).unwrap();
    assert_eq!(both.members.remove, ["a", "b"]);
    let external = change(&json!([{"op": "Replace", "path": "externalId", "value": "x"}])).unwrap();
    assert_eq!(external.external_id, Some(Some("x".to_owned())));
    assert_eq!(change(&json!([{"op": "Remove", "path": "externalId"}])).unwrap().external_id, Some(None));
}

#[test]
fn everybody_is_removed_only_when_that_is_said() {
    assert!(change(&json!([{"op": "remove", "path": "members"}])).unwrap().members.remove_all);
    assert!(change(&json!([{"op": "remove", "path": "members", "value": []}])).unwrap().members.is_empty());
    assert_eq!(
        change(&json!([{"op": "replace", "path": "members", "value": []}])).unwrap().members.replace,
        Some(vec![])
    );
    assert!(change(&json!([{"op": "add", "path": "members", "value": []}])).unwrap().members.is_empty());
}

#[test]
fn mistakes_are_named() {
    let cases = [
        (json!({"op": "remove", "path": "members[display eq \"a\"]"}), ScimType::InvalidFilter),
        (json!({"op": "remove", "path": "members[value sw \"a\"]"}), ScimType::InvalidFilter),
        (json!({"op": "replace", "path": "members[value eq \"a\"]", "value": {"value": "b"}}), ScimType::Mutability),
        (json!({"op": "replace", "path": "members.value", "value": "b"}), ScimType::Mutability),
        (json!({"op": "replace", "path": "id", "value": "b"}), ScimType::Mutability),
        (json!({"op": "replace", "path": "colour", "value": "b"}), ScimType::InvalidPath),
        (json!({"op": "remove", "path": "displayName[value eq \"a\"]"}), ScimType::InvalidPath),
        (json!({"op": "remove", "path": "displayName"}), ScimType::InvalidValue),
        (json!({"op": "replace", "value": {"displayName": " "}}), ScimType::InvalidValue),
        (json!({"op": "add", "path": "members", "value": [{"display": "x"}]}), ScimType::InvalidValue),
        (json!({"op": "add", "path": "members", "value": [5]}), ScimType::InvalidValue),
    ];
    for (operation, expected) in cases {
        assert_eq!(
            change(&json!([operation])).expect_err(&operation.to_string()).scim_type,
            Some(expected),
            "{operation}"
        );
    }
    let many: Vec<String> = (0..10_001).map(|id| id.to_string()).collect();
    assert!(change(&json!([{"op": "add", "path": "members", "value": many}])).is_err());
    assert!(change(&json!([{"op": "add", "path": "members", "value": many[..10_000]}])).is_ok());
}

fn operations() -> impl Strategy<Value = Vec<Value>> {
    let members = || prop::collection::vec("[a-e]", 0..4);
    let named = |ids: Vec<String>| ids.into_iter().map(|id| json!({"value": id})).collect::<Vec<_>>();
    let operation = prop_oneof![
        members().prop_map(move |ids| json!({"op": "add", "path": "members", "value": named(ids)})),
        members().prop_map(move |ids| json!({"op": "remove", "path": "members", "value": named(ids)})),
        members().prop_map(move |ids| json!({"op": "replace", "value": {"members": named(ids)}})),
        "[a-e]".prop_map(|id| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")})),
        Just(json!({"op": "remove", "path": "members"})),
    ];
    prop::collection::vec(operation, 1..8)
}

fn members_of(group: &Value) -> BTreeSet<String> {
    let members = group["members"].as_array().into_iter().flatten();
    members.map(|member| member["value"].as_str().unwrap().to_owned()).collect()
}

proptest! {
    #[test]
    fn the_net_change_is_what_the_operations_do(operations in operations(), before in prop::collection::btree_set("[a-e]", 0..5)) {
        let members: Vec<Value> = before.iter().map(|id| json!({"value": id})).collect();
        let mut group = json!({"displayName": "G", "members": members});
        let request = PatchRequest::parse(&json!({"Operations": operations})).unwrap();
        request.apply(&mut group, &Schema::group()).unwrap();

        let change = request.group_change().unwrap().members;
        let mut after = before;
        if let Some(members) = &change.replace {
            prop_assert!(!change.remove_all && change.add.is_empty() && change.remove.is_empty());
            after = members.iter().map(|member| member.value.clone()).collect();
        }
        if change.remove_all {
            prop_assert!(change.remove.is_empty());
            after.clear();
        }
        for id in &change.remove {
            prop_assert!(!ids(&change.add).contains(&id.as_str()));
            after.remove(id);
        }
        after.extend(change.add.iter().map(|member| member.value.clone()));
        prop_assert_eq!(after, members_of(&group));
    }
}
