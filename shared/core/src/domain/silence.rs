//! Sources that are to be heard of regularly, and when one of them has fallen silent.
//!
//! A source that sends nothing looks like one that has nothing to send. Only whoever runs it knows how long it may be quiet.

use std::time::Duration;

use super::time::EpochMillis;

/// The longest silence that can be allowed (`silent_after_hours` in the document of sources).
pub const LONGEST_SILENCE: Duration = Duration::from_hours(30 * 24);

/// A source of which something authentic is to be heard again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its name, such as `siem/datadog-prod`.
    pub source: String,
    /// How long after the last time it counts as silent.
    pub silent_after: Duration,
}

/// A source that has fallen silent, or was never heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silent {
    /// Which, and how long it may be quiet.
    pub expected: Expected,
    /// When it was heard of last; `None`: never, or too long ago to be remembered.
    pub heard_at: Option<EpochMillis>,
}

// === impl Expected ===

impl Expected {
    /// Whether it is silent at `now`, having been heard of at `heard_at`. A time to come is another machine's clock, and counts
    /// as now.
    #[must_use]
    pub fn silent(&self, heard_at: Option<EpochMillis>, now: EpochMillis) -> Option<Silent> {
        let is_silent = heard_at.is_none_or(|at| now.since(at) >= self.silent_after);
        is_silent.then(|| Silent { expected: self.clone(), heard_at })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn expected(hours: u64) -> Expected {
        Expected { source: "siem/soc".into(), silent_after: Duration::from_hours(hours) }
    }

    #[test]
    fn a_source_is_silent_from_the_last_millisecond_of_its_time_on_and_not_before() {
        let (one, now) = (expected(24), EpochMillis(1_000 * HOUR_MS));
        let heard = |ago_ms: i64| one.silent(Some(EpochMillis(now.0 - ago_ms)), now);
        assert_eq!(heard(0), None);
        assert_eq!(heard(24 * HOUR_MS - 1), None);
        let at = EpochMillis(now.0 - 24 * HOUR_MS);
        assert_eq!(heard(24 * HOUR_MS), Some(Silent { expected: one.clone(), heard_at: Some(at) }));
    }

    #[test]
    fn one_that_was_never_heard_of_is_silent_and_one_heard_of_in_the_future_is_not() {
        let (one, now) = (expected(1), EpochMillis(0));
        assert_eq!(one.silent(None, now), Some(Silent { expected: one.clone(), heard_at: None }));
        assert_eq!(one.silent(Some(EpochMillis(5 * HOUR_MS)), now), None);
        assert_eq!(one.silent(Some(EpochMillis(i64::MAX)), EpochMillis(i64::MIN)), None);
    }

    proptest! {
        /// Heard of in the future is heard of now, and being heard of never makes a source silent.
        #[test]
        fn silence_is_what_has_lasted_its_time(hours in 1_u64..=720, ago in -800 * HOUR_MS..800 * HOUR_MS, now in 0..i64::MAX / 2) {
            let (one, now) = (expected(hours), EpochMillis(now));
            let is_silent = one.silent(Some(EpochMillis(now.0 - ago)), now).is_some();
            prop_assert_eq!(is_silent, ago.max(0) >= i64::try_from(hours).unwrap() * HOUR_MS);
            let heard_later = one.silent(Some(EpochMillis(now.0 - ago + 1)), now).is_some();
            prop_assert!(is_silent || !heard_later);
        }
    }
}
