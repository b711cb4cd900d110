//! Counts, as CloudWatch embedded metric format: a log line from which CloudWatch makes a metric, without a call.
//!
//! Format: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Clock as _;
use serde_json::{Value, json};

use crate::clock::SystemClock;
use crate::lines;

/// The namespace of all metrics, as `infra/template.yaml` names it in its alarms.
pub const NAMESPACE: &str = "SessionRevocation";

/// Adds one to `metric`, without dimensions (for alarms) and with one dimension.
pub fn count(metric: &str, dimension: &str, value: &str) {
    lines::write(&emf(SystemClock.now(), metric, "Count", 1.0, dimension, value));
}

/// Notes a duration in milliseconds.
pub fn milliseconds(metric: &str, elapsed: u64, dimension: &str, value: &str) {
    #[expect(clippy::cast_precision_loss, reason = "no duration here comes near 2^52 ms")]
    lines::write(&emf(SystemClock.now(), metric, "Milliseconds", elapsed as f64, dimension, value));
}

fn emf(at: EpochMillis, metric: &str, unit: &str, amount: f64, dimension: &str, value: &str) -> Value {
    let mut line = json!({
        "_aws": {
            "Timestamp": at.0,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [[], [dimension]],
                "Metrics": [{ "Name": metric, "Unit": unit }],
            }],
        },
    });
    if let Some(members) = line.as_object_mut() {
        members.insert(metric.to_owned(), json!(amount));
        members.insert(dimension.to_owned(), json!(value));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_every_metric_and_dimension_it_declares() {
        let line = emf(EpochMillis(5), "Parked", "Count", 1.0, "function", "revoke");
        assert_eq!(line["Parked"], 1.0);
        assert_eq!(line["function"], "revoke");
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "Parked");
    }
}
