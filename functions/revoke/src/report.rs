//! What is told of a revocation that ended: its audit line, and metrics.

use revocation_core::domain::audit::{AuditRecord, Outcome};
use revocation_lambda::{audit_line, metrics};

/// Tells a record.
pub(crate) fn report(record: &AuditRecord) {
    audit_line::write(record);
    // Apart, because it may mean that a directory deletes accounts before it reports them: their tokens live on.
    let metric = if record.outcome == Outcome::NoSuchUser { "NoSuchUser" } else { "Revoked" };
    metrics::count(metric, "reason", record.reason.as_str());
    let source = source_family(&record.source.name);
    metrics::count_by("Outcome", &[("outcome", record.outcome.as_str()), ("source", source)]);
    for step in record.steps.iter().filter(|step| step.outcome.is_failed()) {
        metrics::count("StepFailedForGood", "step", step.step.as_str());
    }
    if let Some(elapsed) = record.elapsed_to_tombstone_ms {
        metrics::milliseconds("TimeToTombstone", elapsed, "reason", record.reason.as_str());
    }
    if let Some(elapsed) = record.elapsed_to_seal_ms {
        metrics::milliseconds("TimeToSeal", elapsed, "reason", record.reason.as_str());
    }
}

/// What a source's name begins with: `okta` of `okta/<org>`. One that may be personal, or is long, is `other` (I10): each name is
/// a metric that is paid for.
fn source_family(name: &str) -> &str {
    let family = name.split('/').next().unwrap_or_default();
    let plain = !family.is_empty() && family.len() <= 24;
    if plain && family.bytes().all(|c| c.is_ascii_lowercase() || matches!(c, b'-' | b'.')) { family } else { "other" }
}

#[cfg(test)]
mod tests {
    use super::source_family;

    #[test]
    fn i10_a_sources_name_becomes_no_metric_of_its_own_beyond_its_family() {
        assert_eq!((source_family("okta/acme"), source_family("aws.cloudtrail")), ("okta", "aws.cloudtrail"));
        for name in ["jane@example.com", "4711", "", "/x", "a-source-with-a-very-long-name"] {
            assert_eq!(source_family(name), "other", "{name}");
        }
    }
}
