//! Ports on DynamoDB: one module a table and role. Item layouts are in ARCHITECTURE.md, "Data".

mod action_log;
mod audit_chain;
mod audit_log;
mod begun_reader;
mod bulk_jobs;
mod compromises;
mod intake_ledger;
mod item;
mod job_reader;
mod notice_log;
mod pacer;
mod records;
mod session_ledger;
mod session_refusals;
mod tombstone_feed;
mod tombstone_holds;
mod tombstone_sessions;
mod tombstone_writer;

pub use action_log::DynamoActionLog;
pub use audit_chain::DynamoAuditChain;
pub use audit_log::DynamoAuditLog;
pub use begun_reader::DynamoBegunReader;
pub use bulk_jobs::DynamoBulkJobs;
pub use compromises::DynamoCompromises;
pub use intake_ledger::DynamoIntakeLedger;
pub use job_reader::DynamoJobReader;
pub use notice_log::DynamoNoticeLog;
pub use pacer::DynamoPacer;
pub use records::DynamoRecords;
pub use session_ledger::DynamoSessionLedger;
pub use session_refusals::DynamoSessionRefusals;
pub use tombstone_writer::DynamoTombstoneWriter;
