use revocation_core::domain::account::AccountStatus;
use revocation_core::domain::profile::Sub;
use revocation_core::domain::time::EpochMillis;
use revocation_sources::Sources;

use super::*;

fn mapping(attributes: &str) -> Result<Mapping, BadMapping> {
    let document =
        format!("version: 1\nscim:\n  a:\n    tokens: s/a\n    pool: eu-central-1_A\n    attributes: {attributes}\n");
    let sources = Sources::parse(&document).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    Mapping::new(&sources.scim["a"])
}

fn account(attributes: &[(&str, &str)]) -> Account {
    Account {
        sub: Sub("1".into()),
        username: "jane".into(),
        enabled: true,
        status: AccountStatus::Local,
        attributes: attributes.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        created: EpochMillis(0),
        modified: EpochMillis(0),
    }
}

#[test]
fn what_is_read_is_written_back_unchanged() {
    let mapping = mapping(
        "{external_id: 'custom:x', roles: 'custom:r', entitlements: 'custom:e', more: {department: 'custom:d', \
         'manager.value': 'custom:m', title: 'custom:t', 'phoneNumbers.value': phone_number, \
         'addresses.formatted': address, 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter': 'custom:c'}}",
    )
    .unwrap();
    let kept = [
        ("address", "1 Road"),
        ("custom:c", "42"),
        ("custom:d", "Sales"),
        ("custom:e", r#"["a","b,c"]"#),
        ("custom:m", "26118915"),
        ("custom:r", r#"["editor"]"#),
        ("custom:t", "Dr"),
        ("custom:x", "00u1"),
        ("email", "jane@example.com"),
        ("family_name", "Doe"),
        ("phone_number", "+4930123456"),
    ];
    let account = account(&kept);
    let user = mapping.user(&account);
    assert_eq!(
        user["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["manager"],
        json!({"value": "26118915"})
    );
    assert_eq!(user["addresses"], json!([{"type": "work", "primary": true, "formatted": "1 Road"}]));
    assert_eq!(mapping.attributes(&user), account.attributes);
    assert!(mapping.changes(&account, &account.attributes).is_empty());
}

#[test]
fn of_several_values_the_primary_or_the_one_for_work_is_kept() {
    let mapping = mapping("{}").unwrap();
    let kept = |emails: Value| mapping.attributes(&json!({ "emails": emails })).remove("email");
    let (home, work) = (json!({"value": "h", "type": "home"}), json!({"value": "w", "type": "Work"}));
    assert_eq!(kept(json!([home, work])).as_deref(), Some("w"));
    assert_eq!(kept(json!([work, {"value": "p", "primary": true}])).as_deref(), Some("p"));
    assert_eq!(kept(json!([home])).as_deref(), Some("h"));
    assert_eq!(kept(json!([])), None);
    assert_eq!(kept(json!([{"value": ""}])), None);
}

#[test]
fn values_somebody_else_wrote_are_one_value() {
    let mapping = mapping("{roles: 'custom:r'}").unwrap();
    let roles = |text: &str| mapping.values("roles", &account(&[("custom:r", text)]).attributes).unwrap();
    assert_eq!(roles("admin"), BTreeSet::from(["admin".to_owned()]));
    assert_eq!(roles(r#"["a","b"]"#).len(), 2);
    assert_eq!(roles("[1]"), BTreeSet::from(["[1]".to_owned()]));
    assert_eq!(mapping.values("entitlements", &BTreeMap::new()), None);
}

#[test]
fn the_configuration_goes_before_the_defaults() {
    let mapping = mapping("{more: {'emails.value': 'custom:mail', nickName: given_name}}").unwrap();
    let user = mapping.user(&account(&[("email", "e"), ("custom:mail", "m"), ("given_name", "g")]));
    assert_eq!((&user["emails"][0]["value"], &user["nickName"]), (&json!("m"), &json!("g")));
    assert!(user.get("name").is_none(), "{user}");
    assert_eq!(mapping.searchable("emails.value"), None);
    assert_eq!(mapping.searchable("userName"), Some(Searchable::Username));
}

#[test]
fn what_cannot_be_mapped_is_a_mistake() {
    for more in
        ["nonsense: email", "active: 'custom:a'", "'groups.value': 'custom:g'", "name: 'custom:n'", "id: 'custom:i'"]
    {
        assert!(mapping(&format!("{{more: {{{more}}}}}")).is_err(), "{more}");
    }
}
