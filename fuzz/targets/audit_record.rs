//! The bodies of the audit trail, as they are read back out of the table: whatever stands there is a record or none, and what
//! of it is logged has no identifier that may be an address (I10).

#![no_main]

use libfuzzer_sys::fuzz_target;
use revocation_core::domain::action::ActionRecord;
use revocation_core::domain::audit::{AuditRecord, Started};

/// Nothing but the characters of ids and ARNs.
fn is_plain(id: &str) -> bool {
    id == "[redacted]" || id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:/-".contains(&b))
}

fuzz_target!(|text: &str| {
    if let Ok(record) = serde_json::from_str::<AuditRecord>(text) {
        let written = serde_json::to_string(&record).expect("a record is JSON");
        assert_eq!(serde_json::from_str::<AuditRecord>(&written).ok().as_ref(), Some(&record));
        let logged = record.for_log();
        assert!(logged.reason_admin.is_empty() && logged.sessions.is_empty());
        assert!(is_plain(&logged.initiator.id) && is_plain(&logged.source.event_id));
        let _ = (record.has_ended(), record.is_own_sign_out());
    }
    if let Ok(record) = serde_json::from_str::<ActionRecord>(text) {
        let logged = record.for_log();
        assert!(is_plain(&logged.initiator.id) && is_plain(&logged.source.event_id));
    }
    if let Ok(started) = serde_json::from_str::<Started>(text) {
        // What stands in the table need not be what was checked when it was written.
        let _ = (started.request.check(), started.request.id(), started.request.digest());
    }
});
