//! What was measured. Times in microseconds unless the name says otherwise.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;

/// How times spread.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the unit belongs to the name")]
pub(crate) struct Spread {
    pub(crate) min_us: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

/// Warm invocations of one variant, or one of the floors.
#[derive(Debug, Serialize)]
pub(crate) struct Warm {
    pub(crate) name: String,
    pub(crate) invocations: usize,
    pub(crate) time: Spread,
    /// The least and the greatest median of a block of invocations: the noise.
    pub(crate) block_p50_us: [f64; 2],
    /// Of the instance, per invocation; a floor within the harness has none.
    pub(crate) cpu_us: Option<f64>,
    pub(crate) rss_kib: Option<u64>,
    pub(crate) rss_anon_kib: Option<u64>,
    pub(crate) reads_per_invocation: f64,
    /// What it answered.
    pub(crate) answer: Option<serde_json::Value>,
}

/// Starts of one variant; medians.
#[derive(Debug, Serialize)]
pub(crate) struct Cold {
    pub(crate) name: String,
    pub(crate) runs: usize,
    /// From the start of the process until it first asks for an event.
    pub(crate) init_us: f64,
    /// From that event until its answer was read.
    pub(crate) first_us: f64,
    /// Both, of each run.
    pub(crate) total_us: f64,
    /// The CPU of the init phase, and of the first invocation.
    pub(crate) init_cpu_us: f64,
    pub(crate) first_cpu_us: f64,
}

/// The first invocation with a share of a core; the init phase had all of it.
#[derive(Debug, Serialize)]
pub(crate) struct Throttled {
    pub(crate) name: String,
    pub(crate) runs: usize,
    pub(crate) first_us: f64,
    /// Of any run.
    pub(crate) least_us: f64,
    pub(crate) most_us: f64,
}

/// Several instances at once.
#[derive(Debug, Serialize)]
pub(crate) struct Throughput {
    pub(crate) name: String,
    pub(crate) instances: usize,
    /// Of all together; the median of the rounds, and all rounds.
    pub(crate) per_second: f64,
    pub(crate) rounds: Vec<f64>,
}

// === impl Spread ===

impl Spread {
    pub(crate) fn of(times: &[Duration]) -> Result<Self> {
        let sorted = sorted(times.iter().map(|time| micros(*time)).collect());
        Ok(Self { min_us: at(&sorted, 0)?, p50_us: at(&sorted, 50)?, p99_us: at(&sorted, 99)? })
    }
}

/// The middle one.
pub(crate) fn median(values: Vec<f64>) -> Result<f64> {
    at(&sorted(values), 50)
}

/// The least and the greatest.
pub(crate) fn extremes(values: Vec<f64>) -> Result<[f64; 2]> {
    let sorted = sorted(values);
    Ok([at(&sorted, 0)?, at(&sorted, 100)?])
}

/// A duration as a number.
pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// The value below which so many per cent of them are.
fn at(sorted: &[f64], per_cent: usize) -> Result<f64> {
    let index = (sorted.len() * per_cent).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied().context("nothing was measured")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let times: Vec<Duration> = (1..=200).rev().map(Duration::from_micros).collect();
        let spread = Spread::of(&times).unwrap();
        assert_eq!(format!("{:.0} {:.0} {:.0}", spread.min_us, spread.p50_us, spread.p99_us), "1 100 198");
        assert!(median(vec![3.0, 1.0, 2.0]).unwrap().total_cmp(&2.0).is_eq());
        assert!(median(Vec::new()).is_err());
    }
}
