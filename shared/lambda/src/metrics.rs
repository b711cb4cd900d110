//! Metrics, as CloudWatch embedded metric format: a log line from which CloudWatch makes a metric, without a call.
//!
//! Format: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Clock as _;
use revocation_core::trace;
use serde_json::{Value, json};

use crate::clock::SystemClock;
use crate::lines;

/// The namespace of all metrics, as `infra/template.yaml` names it in its alarms.
pub const NAMESPACE: &str = "SessionRevocation";
/// The most values of one metric in one line (the format's specification).
pub const MOST_VALUES: usize = 100;

/// Adds one to `metric`, without dimensions (for alarms) and with one dimension.
pub fn count(metric: &str, dimension: &str, value: &str) {
    count_by(metric, &[(dimension, value)]);
}

/// The same with each of several dimensions. Each value of a dimension is a metric that is paid for: what a sender chooses
/// freely is none.
pub fn count_by(metric: &str, dimensions: &[(&str, &str)]) {
    lines::write(&emf(SystemClock.now(), metric, "Count", &json!(1.0), dimensions));
}

/// Notes a duration in milliseconds.
pub fn milliseconds(metric: &str, elapsed: u64, dimension: &str, value: &str) {
    lines::write(&emf(SystemClock.now(), metric, "Milliseconds", &json!(elapsed), &[(dimension, value)]));
}

/// Notes many durations at once, in milliseconds, of which at most [`MOST_VALUES`] are taken: what is measured with every API
/// request must not cost a line each.
pub fn many_milliseconds(metric: &str, elapsed: &[f64], dimension: &str, value: &str) {
    let elapsed = elapsed.get(..MOST_VALUES).unwrap_or(elapsed);
    if !elapsed.is_empty() {
        lines::write(&emf(SystemClock.now(), metric, "Milliseconds", &json!(elapsed), &[(dimension, value)]));
    }
}

/// Tells how much there is of something now. `unit` is one of CloudWatch's (API reference, `MetricDatum`).
pub fn gauge(metric: &str, unit: &str, amount: u64) {
    lines::write(&emf(SystemClock.now(), metric, unit, &json!(amount), &[]));
}

fn emf(at: EpochMillis, metric: &str, unit: &str, amount: &Value, dimensions: &[(&str, &str)]) -> Value {
    let none: Vec<&str> = Vec::new();
    let sets: Vec<Vec<&str>> = std::iter::once(none).chain(dimensions.iter().map(|(name, _)| vec![*name])).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": at.0,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": sets,
                "Metrics": [{ "Name": metric, "Unit": unit }],
            }],
        },
    });
    if let Some(members) = line.as_object_mut() {
        members.insert(metric.to_owned(), amount.clone());
        members.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        if let Some(header) = trace::current() {
            members.insert("trace_id".to_owned(), json!(header.id()));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_every_metric_and_dimension_it_declares() {
        let line = emf(EpochMillis(5), "Parked", "Count", &json!(1.0), &[("function", "revoke"), ("why", "shape")]);
        assert_eq!(line["Parked"], 1.0);
        assert_eq!((&line["function"], &line["why"]), (&json!("revoke"), &json!("shape")));
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(declared["Metrics"][0]["Name"], "Parked");
        assert_eq!(declared["Dimensions"], json!([[], ["function"], ["why"]]));
    }

    #[test]
    fn a_gauge_has_no_dimension_and_a_line_of_a_trace_its_id() {
        let line = emf(EpochMillis(5), "UnsealedTombstones", "Count", &json!(0), &[]);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
        assert_eq!(line.get("trace_id"), None);
        let header = trace::TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793");
        let within = trace::traced(header, async { emf(EpochMillis(5), "Parked", "Count", &json!(1), &[]) });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(within)["trace_id"], "1-5759e988-bd862e3fe1be46a994272793");
    }
}
