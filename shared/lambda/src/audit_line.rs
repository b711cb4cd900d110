//! The audit record as one JSON log line beside its item in the table: readable even if the table is not.

use revocation_core::domain::action::ActionRecord;
use revocation_core::domain::audit::AuditRecord;
use revocation_core::trace;
use serde_json::{Value, json};

use crate::lines;

/// Writes the record without personal data (I10): `{"audit":{…}}`.
pub fn write(record: &AuditRecord) {
    lines::write(&in_trace(json!({ "audit": record.for_log() })));
}

/// The same of an action on an account: `{"action":{…}}`.
pub fn write_action(record: &ActionRecord) {
    lines::write(&in_trace(json!({ "action": record.for_log() })));
}

/// The line with the id of the trace it was written in.
fn in_trace(mut line: Value) -> Value {
    if let (Some(header), Some(members)) = (trace::current(), line.as_object_mut()) {
        members.insert("trace_id".to_owned(), json!(header.id()));
    }
    line
}
