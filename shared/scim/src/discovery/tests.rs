use super::*;
use crate::schema::UserSchema;

const BASE: &str = "https://example.com/scim/v2";

fn both() -> (Schema, Schema) {
    (UserSchema::all(), Schema::group())
}

#[test]
fn the_configuration_is_true() {
    let capabilities = Capabilities { max_results: 200, etag: false, change_password: true, documentation_uri: None };
    let config = service_provider_config(&capabilities, BASE);
    let supported = |name: &str| config[name]["supported"].as_bool().unwrap();
    assert!(supported("patch") && supported("filter") && supported("changePassword"));
    assert!(!supported("bulk") && !supported("sort") && !supported("etag"));
    assert_eq!(config["filter"]["maxResults"], 200);
    assert_eq!(config["authenticationSchemes"][0]["type"], "oauthbearertoken");
    assert_eq!(config["meta"]["location"], "https://example.com/scim/v2/ServiceProviderConfig");
    assert!(config.get("documentationUri").is_none(), "no nulls");
}

#[test]
fn resource_types_name_their_schemas() {
    let (user, group) = both();
    let list = resource_types(&[&user, &group], BASE);
    assert_eq!(list.total_results, 2);
    let found = resource_type("User", &[&user, &group], BASE).unwrap();
    assert_eq!(found, list.resources[0]);
    assert_eq!(found["endpoint"], "/Users");
    assert_eq!(found["schemaExtensions"], json!([{"schema": urn::ENTERPRISE_USER, "required": false}]));
    assert_eq!(resource_type("Device", &[&user], BASE).unwrap_err().status, 404);
    assert_eq!(resource_type("Group", &[&group], BASE).unwrap()["schemaExtensions"], json!([]));
}

#[test]
fn schemas_describe_every_attribute_in_full() {
    let (user, group) = both();
    let list = schemas(&[&user, &group], BASE);
    let ids: Vec<&Value> = list.resources.iter().map(|schema| &schema["id"]).collect();
    assert_eq!(ids, [urn::USER, urn::ENTERPRISE_USER, urn::GROUP]);
    let mut seen = 0;
    for schema in &list.resources {
        check(&schema["attributes"], &mut seen);
    }
    assert!(seen > 60, "{seen} attributes");
    assert_eq!(
        schema(urn::GROUP, &[&group], BASE).unwrap()["meta"]["location"],
        format!("{BASE}/Schemas/{}", urn::GROUP)
    );
    assert_eq!(schema("urn:example", &[&user, &group], BASE).unwrap_err().status, 404);
}

fn check(attributes: &Value, seen: &mut usize) {
    for attribute in attributes.as_array().unwrap() {
        *seen += 1;
        let texts = ["name", "type", "description", "mutability", "returned", "uniqueness"];
        assert!(texts.iter().all(|member| attribute[member].is_string()), "{attribute}");
        assert!(
            ["multiValued", "required", "caseExact"].iter().all(|member| attribute[member].is_boolean()),
            "{attribute}"
        );
        assert_eq!(attribute["type"] == "complex", attribute.get("subAttributes").is_some(), "{attribute}");
        assert_eq!(attribute["type"] == "reference", attribute.get("referenceTypes").is_some(), "{attribute}");
        attribute.get("subAttributes").into_iter().for_each(|subs| check(subs, seen));
    }
}
