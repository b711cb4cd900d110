//! SCIM PATCH: the path grammar, and bodies applied to a user; a patch that fails changes nothing.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use revocation_scim::{PatchRequest, Path, Schema, UserSchema};
use revocation_sources::json::parse_json;
use serde_json::{Value, json};

static SCHEMA: LazyLock<Schema> = LazyLock::new(UserSchema::all);
static USER: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "userName": "j", "active": true, "name": {"givenName": "J"},
        "emails": [{"value": "j@example.com", "type": "work", "primary": true}, {"value": "x@example.org"}],
    })
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(path) = Path::parse(text)
    {
        assert_eq!(Path::parse(&path.to_string()), Ok(path));
    }
    // The body as it stands, or, so that mutation gets further, as the list of operations.
    let Ok(body) = parse_json(bytes) else { return };
    let body = if body.is_array() { json!({ "Operations": body }) } else { body };
    let Ok(patch) = PatchRequest::parse(&body) else { return };
    let _ = patch.group_change();
    let mut user = USER.clone();
    if patch.apply(&mut user, &SCHEMA).is_err() {
        assert_eq!(user, *USER);
    }
});
