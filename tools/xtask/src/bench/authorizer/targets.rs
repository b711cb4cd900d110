//! What was promised of the authorizer, and whether it is met: ratios, because times are this machine's.

use serde::Serialize;

use super::Figures;
use super::plan::{NODE, NOTHING, OURS, READ};

/// One figure against its targets.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) value: f64,
    pub(super) must: f64,
    pub(super) stretch: f64,
    /// More is better; elsewhere less is.
    pub(super) more_is_better: bool,
}

/// How a figure stands to its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Standing {
    Missed,
    Must,
    Stretch,
}

// === impl Target ===

impl Target {
    fn less(name: &'static str, value: f64, must: f64, stretch: f64) -> Self {
        Self { name, value, must, stretch, more_is_better: false }
    }

    pub(super) fn standing(&self) -> Standing {
        let reaches = |target: f64| if self.more_is_better { self.value >= target } else { self.value <= target };
        match (reaches(self.must), reaches(self.stretch)) {
            (_, true) => Standing::Stretch,
            (true, false) => Standing::Must,
            (false, false) => Standing::Missed,
        }
    }
}

/// Every target whose figures are there.
pub(super) fn of(figures: &Figures) -> Vec<Target> {
    let mut targets = Vec::new();
    if let (Some(ours), Some(node)) = (figures.warm(OURS), figures.warm(NODE)) {
        targets.push(Target::less("warm p50 against Node", ours.time.p50_us / node.time.p50_us, 0.15, 0.08));
        if let (Some(floor), Some(ours_cpu), Some(node_cpu)) = (figures.floor_us(), ours.cpu_us, node.cpu_us) {
            // No must is set: shown beside the stretch, which is meant to be within 1.3 of it.
            targets.push(Target::less(
                "warm p50 against the floors' sum",
                ours.time.p50_us / floor,
                f64::INFINITY,
                1.3,
            ));
            targets.push(Target::less("CPU per request against Node", ours_cpu / node_cpu, 0.12, 0.06));
        }
        targets.push(Target::less("warm p99 against Node", ours.time.p99_us / node.time.p99_us, 0.06, 0.03));
    }
    if let (Some(ours), Some(node)) = (figures.cold(OURS), figures.cold(NODE)) {
        targets.push(Target::less("cold start against Node", ours.total_us / node.total_us, 0.04, 0.025));
    }
    if let (Some(ours), Some(node)) = (figures.throttled(OURS), figures.throttled(NODE)) {
        let ratio = ours.first_us / node.first_us;
        targets.push(Target::less("first invocation at 1/14 of a core against Node", ratio, 0.02, 0.002));
    }
    if let Some(ours) = figures.warm(OURS) {
        targets.push(Target::less("reads per request", ours.reads_per_invocation, 1.0, 1.0));
        if let Some(kib) = ours.rss_kib {
            targets.push(Target::less("RSS warm, MB", mb(kib * 1_024), 7.0, 4.5));
        }
    }
    targets.push(Target::less("binary, stripped, MB", mb(figures.binary_bytes), 6.0, 3.0));
    if let (Some(ours), Some(node)) = (figures.throughput(OURS), figures.throughput(NODE)) {
        let value = ours.per_second / node.per_second;
        let name = "throughput, an instance on each core, against Node";
        targets.push(Target { name, value, must: 8.0, stretch: 14.0, more_is_better: true });
    }
    targets
}

/// Of bytes; decimal, the stricter reading.
pub(super) fn mb(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let bytes = bytes as f64;
    bytes / 1e6
}

// === impl Figures ===

impl Figures {
    /// Signature, read and invocation, each measured alone in this run.
    pub(super) fn floor_us(&self) -> Option<f64> {
        let verify = self.verify_us?;
        Some(verify + self.warm(NOTHING)?.time.p50_us + self.warm(READ)?.time.p50_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_reached_from_its_own_side() {
        let less = Target::less("x", 0.1, 0.15, 0.08);
        assert_eq!(less.standing(), Standing::Must);
        let more = Target { name: "x", value: 15.0, must: 8.0, stretch: 14.0, more_is_better: true };
        assert_eq!(more.standing(), Standing::Stretch);
        assert_eq!(Target { value: 7.0, ..more }.standing(), Standing::Missed);
    }
}
