//! Reports for auditors, from the audit trail's records: a CSV file, a self-contained HTML page that prints to PDF, and a
//! manifest with the SHA-256 of both and the id of every record.
//!
//! Entries are given one at a time and go straight into the CSV and the manifest; the page keeps a bounded number of them.
//! No AWS and no I/O of its own: [`Sources`] gathers entries over ports, and whoever calls brings what to write into.
//!
//! A report holds personal data: it is for auditors, and never logged (I10).

mod chart;
mod counts;
mod entry;
mod gather;
mod hashing;
mod manifest;
mod page;
mod row;
mod writer;

pub use counts::{Counts, Distribution};
pub use entry::{Entry, Facts, Scope, Who};
pub use gather::{GatherError, Made, Sources};
pub use manifest::FileFacts;
pub use page::{MOST_FAILURES, MOST_ROWS};
pub use row::harmless;
pub use writer::{Finished, ReportError, ReportWriter};

/// Where a report's files are kept in the evidence bucket: CSV, page, manifest. `day` is a day of what it covers, `name` the
/// job's id or the period.
#[must_use]
pub fn keys(day: &str, name: &str) -> [String; 3] {
    let year = day.get(..4).unwrap_or("unknown");
    ["report.csv", "report.html", "manifest.json"].map(|file| format!("reports/{year}/{name}/{file}"))
}

/// Name and version of what made a report.
pub const GENERATOR: &str = concat!("session-revocation-report ", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests;
