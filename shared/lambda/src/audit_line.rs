//! The audit record as one JSON log line beside its item in the table: readable even if the table is not.

use revocation_core::domain::action::ActionRecord;
use revocation_core::domain::audit::AuditRecord;

use crate::lines;

/// Writes the record without personal data (I10): `{"audit":{…}}`.
pub fn write(record: &AuditRecord) {
    lines::write(&serde_json::json!({ "audit": record.for_log() }));
}

/// The same of an action on an account: `{"action":{…}}`.
pub fn write_action(record: &ActionRecord) {
    lines::write(&serde_json::json!({ "action": record.for_log() }));
}
