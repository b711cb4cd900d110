use serde_json::json;

use super::*;
use crate::error::ScimType;
use crate::schema::UserSchema;

const LIMITS: Limits = Limits { max: 200, default: 100 };

fn parse(pairs: &[(&str, &str)]) -> Result<ListQuery, ScimError> {
    ListQuery::parse(pairs.iter().copied(), &UserSchema::all(), LIMITS)
}

#[test]
fn pages_are_bounded_as_the_rfc_says() {
    let page = |pairs: &[(&str, &str)]| parse(pairs).map(|query| (query.start_index, query.count)).unwrap();
    assert_eq!(page(&[]), (1, 100));
    assert_eq!(page(&[("startIndex", "0"), ("count", "-1")]), (1, 0));
    assert_eq!(page(&[("startIndex", "-5"), ("count", "0")]), (1, 0));
    assert_eq!(page(&[("startIndex", "7"), ("count", "9999999999")]), (7, 200));
    // Okta's first request.
    assert_eq!(page(&[("startIndex", "1"), ("count", "2")]), (1, 2));
}

#[test]
fn what_real_clients_ask_is_understood() {
    let entra = parse(&[("excludedAttributes", "members"), ("filter", "userName eq \"x\"")]).unwrap();
    assert_eq!(entra.filter, Some(Filter::parse("userName eq \"x\"").unwrap()));
    assert!(parse(&[("filter", ""), ("unknown", "1"), ("unknown", "2")]).unwrap().filter.is_none());
}

#[test]
fn mistakes_are_named() {
    let cases = [
        (vec![("count", "ten")], ScimType::InvalidValue),
        (vec![("startIndex", "99999999999999999999")], ScimType::InvalidValue),
        (vec![("count", "1"), ("count", "2")], ScimType::InvalidValue),
        (vec![("sortBy", "userName")], ScimType::InvalidValue),
        (vec![("filter", "userName")], ScimType::InvalidFilter),
        (vec![("filter", "password eq \"x\"")], ScimType::InvalidFilter),
        (vec![("attributes", "id"), ("excludedAttributes", "meta")], ScimType::InvalidValue),
    ];
    for (pairs, expected) in cases {
        assert_eq!(parse(&pairs).unwrap_err().scim_type, Some(expected), "{pairs:?}");
    }
}

#[test]
fn a_search_says_the_same_as_a_query() {
    let schema = UserSchema::all();
    let body = json!({
        "schemas": [urn::SEARCH_REQUEST], "attributes": ["displayName", "userName"], "filter": "displayName sw \"smith\"",
        "startIndex": 1, "count": 10, "sortOrder": "ascending",
    });
    let pairs = [("attributes", "displayName,userName"), ("filter", "displayName sw \"smith\""), ("count", "10")];
    assert_eq!(ListQuery::parse_search(&body, &schema, LIMITS), parse(&pairs));
    for (bad, expected) in [
        (json!([]), ScimType::InvalidSyntax),
        (json!({"filter": "id pr"}), ScimType::InvalidSyntax),
        (json!({"schemas": [urn::SEARCH_REQUEST], "filter": 5}), ScimType::InvalidValue),
        (json!({"schemas": [urn::SEARCH_REQUEST], "attributes": [5]}), ScimType::InvalidValue),
        (json!({"schemas": [urn::SEARCH_REQUEST], "count": "5"}), ScimType::InvalidValue),
        (json!({"schemas": [urn::SEARCH_REQUEST], "sortBy": "id"}), ScimType::InvalidValue),
    ] {
        assert_eq!(ListQuery::parse_search(&bad, &schema, LIMITS).unwrap_err().scim_type, Some(expected), "{bad}");
    }
}
