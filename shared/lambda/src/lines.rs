//! Lines on standard error that are not log events: audit records and embedded metrics. CloudWatch takes them all.

use serde_json::Value;

/// Writes one line, whole.
#[expect(clippy::print_stderr, reason = "the one place that writes lines; test harnesses capture this macro's output")]
pub(crate) fn write(line: &Value) {
    eprintln!("{line}");
}
