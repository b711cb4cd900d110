use proptest::prelude::*;

use super::*;
use crate::error::ScimType;
use crate::schema::{Schema, UserSchema};
use crate::urn;

fn plain(urn: Option<&str>, name: &str, sub: Option<&str>) -> AttributePath {
    AttributePath { urn: urn.map(str::to_owned), name: name.to_owned(), sub: sub.map(str::to_owned) }
}

#[test]
fn the_forms_of_the_rfc_are_read() {
    let cases = [
        ("members", plain(None, "members", None), None),
        ("name.familyName", plain(None, "name", Some("familyName")), None),
        ("addresses[type eq \"work\"]", plain(None, "addresses", None), Some("type eq \"work\"")),
        ("members[value eq \"2819\"]", plain(None, "members", None), Some("value eq \"2819\"")),
        (
            "members[value eq \"2819\"].displayName",
            plain(None, "members", Some("displayName")),
            Some("value eq \"2819\""),
        ),
        (
            "emails[Type EQ \"a]b\" and primary eq true].$ref",
            plain(None, "emails", Some("$ref")),
            Some("Type eq \"a]b\" and primary eq true"),
        ),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName", plain(Some(urn::USER), "userName", None), None),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            plain(Some(urn::ENTERPRISE_USER), "manager", Some("value")),
            None,
        ),
    ];
    for (text, attribute, filter) in cases {
        let path = Path::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(path.attribute, attribute, "{text}");
        assert_eq!(path.filter.as_ref().map(ToString::to_string).as_deref(), filter, "{text}");
    }
}

#[test]
fn what_is_no_path_is_refused() {
    let cases = [
        "",
        ".",
        "a.",
        ".a",
        "a.b.c",
        "/userName",
        "a b",
        "a[type pr",
        "a.b[type pr]",
        "a[type pr].b.c",
        "a[type pr]b",
        "a[type pr][type pr]",
        "urn:",
        ":a",
        "http://example.com/a",
        "a:b",
        "a]",
        "ä",
        "a[]",
        "a[b[c pr]]",
        "a[type pr] .b",
    ];
    for text in cases {
        let error = Path::parse(text).expect_err(text);
        let in_brackets = ["a[type pr", "a[]", "a[b[c pr]]"].contains(&text);
        let expected = if in_brackets { ScimType::InvalidFilter } else { ScimType::InvalidPath };
        assert_eq!(error.scim_type, Some(expected), "{text}");
    }
    assert!(Path::parse(&"a".repeat(Path::MAX_BYTES + 1)).is_err());
}

#[test]
fn a_schema_s_own_urn_is_recognised() {
    let path = AttributePath::parse(urn::ENTERPRISE_USER).unwrap();
    assert!(path.is_urn(urn::ENTERPRISE_USER) && path.is_urn(&urn::ENTERPRISE_USER.to_uppercase()));
    assert!(!path.is_urn(urn::USER));
    assert!(!AttributePath::parse("User").unwrap().is_urn(urn::USER));
}

#[test]
fn names_are_found_in_any_case() {
    let schema = UserSchema::all();
    let key = |text: &str| schema.resolve(&AttributePath::parse(text).unwrap()).map(|found| found.key());
    assert_eq!(key("USERNAME").as_deref(), Some("userName"));
    assert_eq!(key("Name.GivenName").as_deref(), Some("name.givenName"));
    assert_eq!(key("urn:ietf:params:scim:schemas:CORE:2.0:user:active").as_deref(), Some("active"));
    assert_eq!(
        key("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:Manager").as_deref(),
        Some("manager.value")
    );
    assert_eq!(key("externalid").as_deref(), Some("externalId"));
    assert_eq!(key("members"), None);
    assert_eq!(key("name.nickName"), None);
    assert!(Schema::group().resolve(&AttributePath::parse("members").unwrap()).is_some());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![any::<String>(), "[a-z$:.\\[\\]\"() é]{0,40}", "(urn:|emails|\\[|\\]|type pr|\\.value){0,8}"]) {
        if let Ok(path) = Path::parse(&text) {
            prop_assert_eq!(Path::parse(&path.to_string()), Ok(path));
        }
    }
}
