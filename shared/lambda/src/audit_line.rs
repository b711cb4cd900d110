//! The audit record as one JSON log line beside its item in the table: readable even if the table is not.

use std::io::Write as _;

use revocation_core::domain::audit::AuditRecord;

/// Writes the record without personal data (I10): `{"audit":{…}}`.
pub fn write(record: &AuditRecord) {
    let line = serde_json::json!({ "audit": record.for_log() });
    // One write a line. The item in the table is the record; a closed stderr must not fail a revocation.
    let _ = std::io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}
