//! SCIM's questions and resources: query strings, searches, lists of attributes, bodies of users and groups.
//!
//! Input: a line with the query string; the rest is a body.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use revocation_scim::{Limits, ListQuery, Schema, UserSchema, read};
use revocation_sources::json::parse_json;

static SCHEMA: LazyLock<Schema> = LazyLock::new(UserSchema::all);
const LIMITS: Limits = Limits { max: 100, default: 20 };

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let query = std::str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    if let Ok(query) = ListQuery::parse(pairs, &SCHEMA, LIMITS) {
        assert!(query.count <= LIMITS.max && query.start_index >= 1);
    }
    let Ok(body) = parse_json(lines.next().unwrap_or_default()) else { return };
    if let Ok(query) = ListQuery::parse_search(&body, &SCHEMA, LIMITS) {
        assert!(query.count <= LIMITS.max && query.start_index >= 1);
    }
    if let Ok(resource) = read(&body, &SCHEMA) {
        // With the schemas it named (in whatever case: RFC 7643, section 2.1), what is read is read again as it is.
        let mut again = resource.clone();
        let members = body.as_object().into_iter().flatten();
        let mut schemas =
            members.filter(|(name, _)| name.eq_ignore_ascii_case("schemas")).map(|(_, value)| value.clone());
        again["schemas"] = schemas.next().unwrap_or_default();
        assert_eq!(read(&again, &SCHEMA).ok().as_ref(), Some(&resource));
    }
});
