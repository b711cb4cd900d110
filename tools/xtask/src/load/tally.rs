//! What the audit trail says of the events that were sent.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::Probe;
use serde::Serialize;

use super::bus::{SOURCE, Sent};

/// What came of the events of a phase.
#[derive(Debug, Serialize)]
pub(super) struct Tally {
    pub(super) sent: usize,
    /// Neither recorded nor in a dead-letter queue.
    pub(super) lost: usize,
    /// Recorded more than once.
    pub(super) twice: usize,
    /// In the dead-letter queue of `revoke`.
    pub(super) parked: usize,
    /// Recorded, but not sealed.
    pub(super) unsealed: usize,
    /// From `PutEvents` to the durable tombstone, milliseconds: median, p99, the most.
    pub(super) enforced_ms: [i64; 3],
    /// From `PutEvents` to the seal.
    pub(super) sealed_ms: [i64; 3],
}

pub(super) async fn of(probe: &Probe, sent: &Sent) -> Result<Tally> {
    let earliest = sent.values().min().context("nothing was sent")?;
    let mut days = vec![earliest.utc_day(), SystemClock.now().utc_day()];
    days.dedup();
    let mut records: HashMap<String, usize> = HashMap::new();
    let (mut enforced, mut sealed, mut unsealed) = (Vec::new(), Vec::new(), 0);
    for day in &days {
        for record in probe.records_on(day).await?.iter().filter(|record| record.source.name == SOURCE) {
            let Some(at) = sent.get(&record.source.event_id) else { continue };
            *records.entry(record.source.event_id.clone()).or_default() += 1;
            enforced.extend(record.tombstoned_at.map(|then| then.0 - at.0));
            sealed.extend(record.sealed_at.map(|then| then.0 - at.0));
            unsealed += usize::from(record.sealed_at.is_none());
        }
    }
    let parked = usize::try_from(probe.depth(&probe.facts.revoke_dlq_url).await?).unwrap_or(usize::MAX);
    Ok(Tally {
        sent: sent.len(),
        lost: sent.len().saturating_sub(records.len() + parked),
        twice: records.values().filter(|count| **count > 1).count(),
        parked,
        unsealed,
        enforced_ms: spread(enforced),
        sealed_ms: spread(sealed),
    })
}

/// Median, p99 and the most.
fn spread(mut times: Vec<i64>) -> [i64; 3] {
    times.sort_unstable();
    let at = |per_cent: usize| {
        let index = (times.len() * per_cent).div_ceil(100).saturating_sub(1);
        times.get(index).copied().unwrap_or_default()
    };
    [at(50), at(99), at(100)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_the_sorted_times() {
        assert_eq!(spread((1..=200).rev().collect()), [100, 198, 200]);
        assert_eq!(spread(Vec::new()), [0, 0, 0]);
    }
}
