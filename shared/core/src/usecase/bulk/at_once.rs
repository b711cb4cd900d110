//! How much is done at the same time: as much as uses the quota up, and no more, since whoever waits for a turn cannot stop.

/// The most members: more need more memory and connections than they save time.
const MOST_MEMBERS: f64 = 32.0;
/// The most searches.
const MOST_SEARCHES: f64 = 8.0;
/// How long one takes that waits for no turn. So many of them are begun as have a turn in that time: a slice that is over then
/// waits a few seconds for those it has begun, also where the share is small and other jobs draw from the same row.
const ONE_TAKES_SECONDS: f64 = 2.0;

/// What is done at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtOnce {
    /// Members whose sessions are being ended.
    pub members: usize,
    /// Entries of a list that are being looked up.
    pub searches: usize,
}

// === impl AtOnce ===

impl AtOnce {
    /// What makes use of so many turns a second.
    #[must_use]
    pub fn within(updates_per_second: f64, searches_per_second: f64) -> Self {
        Self {
            members: fitting(updates_per_second, MOST_MEMBERS),
            searches: fitting(searches_per_second, MOST_SEARCHES),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and a few dozen")]
fn fitting(per_second: f64, most: f64) -> usize {
    (per_second * ONE_TAKES_SECONDS).ceil().clamp(1.0, most) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i13_a_small_share_has_few_wait_for_their_turns() {
        assert_eq!(AtOnce::within(25.0 * 0.6, 30.0 * 0.6), AtOnce { members: 30, searches: 8 });
        assert_eq!(AtOnce::within(25.0, 30.0), AtOnce { members: 32, searches: 8 });
        assert_eq!(AtOnce::within(2.5, 3.0), AtOnce { members: 5, searches: 6 });
        assert_eq!(AtOnce::within(0.25, 0.3), AtOnce { members: 1, searches: 1 });
    }
}
