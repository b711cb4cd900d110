//! SCIM filters: what is parsed is written as a filter that means the same, and can be matched against a user.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use revocation_scim::{Filter, Schema, UserSchema};
use serde_json::{Value, json};

static SCHEMA: LazyLock<Schema> = LazyLock::new(UserSchema::all);
static USER: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "id": "1", "userName": "Jürgen", "active": true, "name": {"givenName": "J", "familyName": "O'Brien"},
        "emails": [{"value": "j@example.com", "type": "work", "primary": true}, {"value": "x@example.org"}],
        "meta": {"created": "2026-01-01T00:00:00Z", "lastModified": "2026-01-02T00:00:00Z"}, "roles": [],
    })
});

fuzz_target!(|text: &str| {
    let Ok(filter) = Filter::parse(text) else { return };
    let written = filter.to_string();
    // Escapes may make the written form longer than what is taken.
    assert!(written.len() > 2_048 || Filter::parse(&written).as_ref() == Ok(&filter), "{written}");
    let matches = filter.matches(&USER, &SCHEMA);
    // An equality pushed down to the store must be one that the filter implies.
    let _ = (filter.equality(), filter.conjunct_equalities(), filter.check(&SCHEMA), matches);
});
