//! What a report adds up: members by what came of them, and how long it took.

use serde::Serialize;

/// Entries by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All of them.
    pub entries: u64,
    /// Every step is done, or was not needed.
    pub complete: u64,
    /// A step failed for good; the tombstone stands.
    pub partial: u64,
    /// Nobody of that name, or deleted meanwhile.
    pub no_such_user: u64,
    /// Called off between tombstone and sign-out.
    pub cancelled: u64,
    /// No audit record.
    pub without_record: u64,
    /// Entries whose subject was in the report already.
    pub duplicates: u64,
    /// Sessions ended, as far as the ledger knew.
    pub sessions_ended: u64,
    /// Records of which the ledger knew nothing.
    pub sessions_unknown: u64,
    /// What operators did to accounts; not among the entries.
    pub actions: u64,
    /// Of these, those that were refused or failed.
    pub actions_not_done: u64,
    /// Entries confirmed by an actual request that was refused.
    pub confirmed: u64,
}

/// Durations, kept to the last one: 4 bytes each.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    milliseconds: Vec<u32>,
    sorted: bool,
}

impl Distribution {
    /// Adds one.
    pub fn add(&mut self, milliseconds: u64) {
        self.milliseconds.push(u32::try_from(milliseconds).unwrap_or(u32::MAX));
        self.sorted = false;
    }

    /// The durations in order.
    pub fn sorted(&mut self) -> &[u32] {
        if !self.sorted {
            self.milliseconds.sort_unstable();
            self.sorted = true;
        }
        &self.milliseconds
    }

    /// The smallest duration that at least `percent` of 100 do not exceed; `None` without any.
    pub fn percentile(&mut self, percent: usize) -> Option<u32> {
        let sorted = self.sorted();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied()
    }
}

/// A duration for people: `850 ms`, `12.5 s`, `4.2 min`, `3.1 h`.
pub(crate) fn duration(milliseconds: u32) -> String {
    let ms = f64::from(milliseconds);
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{} s", round(ms / 1e3)),
        60_000..3_600_000 => format!("{} min", round(ms / 6e4)),
        _ => format!("{} h", round(ms / 3.6e6)),
    }
}

/// Two digits, or whole.
fn round(value: f64) -> String {
    let text = if value < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut distribution = Distribution::default();
        assert_eq!(distribution.percentile(50), None);
        for value in (1..=200).rev() {
            distribution.add(value);
        }
        assert_eq!([50, 99, 100].map(|percent| distribution.percentile(percent)), [Some(100), Some(198), Some(200)]);
        distribution.add(u64::MAX);
        assert_eq!(distribution.percentile(100), Some(u32::MAX));
    }

    #[test]
    fn durations_are_short() {
        let cases =
            [(0, "0 ms"), (999, "999 ms"), (1_000, "1 s"), (12_345, "12.3 s"), (90_000, "1.5 min"), (7_200_000, "2 h")];
        for (ms, text) in cases {
            assert_eq!(duration(ms), text);
        }
    }
}
