//! Ports on DynamoDB: one module a table and role. Item layouts are in ARCHITECTURE.md, "Data".

mod audit_log;
mod audit_reader;
mod compromises;
mod intake_ledger;
mod item;
mod notice_log;
mod session_ledger;
mod tombstone_feed;
mod tombstone_sessions;
mod tombstone_survey;
mod tombstone_writer;

pub use audit_log::DynamoAuditLog;
pub use audit_reader::{Cursor, DynamoAuditReader, Entry, EntryPage, Listing};
pub use compromises::DynamoCompromises;
pub use intake_ledger::DynamoIntakeLedger;
pub use notice_log::DynamoNoticeLog;
pub use session_ledger::DynamoSessionLedger;
pub use tombstone_survey::{DynamoTombstoneSurvey, Survey};
pub use tombstone_writer::DynamoTombstoneWriter;
