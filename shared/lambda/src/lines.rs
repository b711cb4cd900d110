//! Lines on standard error that are not log events: audit records, embedded metrics, events for a SIEM. CloudWatch takes them
//! all.

use std::fmt::Display;

/// Writes one line, whole.
#[expect(clippy::print_stderr, reason = "the one place that writes lines; test harnesses capture this macro's output")]
pub(crate) fn write(line: &dyn Display) {
    eprintln!("{line}");
}
