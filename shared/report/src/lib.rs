//! Reports for auditors, from the audit trail's records: a CSV file, a self-contained HTML page that prints to PDF, and a
//! manifest with the SHA-256 of both and the id of every record.
//!
//! Entries are given one at a time and go straight into the CSV and the manifest; the page keeps a bounded number of them.
//! No AWS and no I/O of its own: whoever calls brings the entries, and what to write into.
//!
//! A report holds personal data: it is for auditors, and never logged (I10).

mod chart;
mod counts;
mod entry;
mod hashing;
mod manifest;
mod page;
mod row;
mod writer;

pub use counts::{Counts, Distribution};
pub use entry::{Entry, Facts, Person, Scope, Who};
pub use manifest::FileFacts;
pub use page::{MOST_FAILURES, MOST_ROWS};
pub use writer::{Finished, ReportError, ReportWriter};

/// Name and version of what made a report.
pub const GENERATOR: &str = concat!("session-revocation-report ", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests;
