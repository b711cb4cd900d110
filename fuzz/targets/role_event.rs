//! Role changes: whatever body, what comes out is a request that passes its own checks, within the grant.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use revocation_core::domain::reason::ReasonCode;
use revocation_sources::Sources;
use revocation_sources::json::parse_json;
use revocation_sources::role_event::{RoleEvent, RoleVerdict};

static SOURCES: LazyLock<Sources> = LazyLock::new(|| {
    let text = "version: 1\npools: [eu-central-1_One]\nrole_change:\n  \
                erp:\n    authentication: { method: bearer, secret: s }\n    compare: { ranking: [viewer, editor, admin] }\n  \
                crm:\n    authentication: { method: bearer, secret: s }\n    compare: inclusion\n    effect: refresh\n";
    Sources::parse(text).expect("two sources")
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(body) = parse_json(bytes) else { return };
    let Ok(event) = RoleEvent::parse(body) else { return };
    for source in SOURCES.role_change.values() {
        if let Ok(RoleVerdict::Request(request)) = source.translate(&event, Some("id")) {
            assert_eq!(request.check(), Ok(()));
            assert_eq!(request.reason, ReasonCode::RoleChange);
            assert_eq!(request.pools, source.grant.pools);
        }
    }
});
