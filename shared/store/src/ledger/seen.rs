//! Which sessions were noted lately: two generations of hashes, so that it is bounded and forgets the oldest.

use std::collections::HashMap;
use std::mem::take;
use std::time::Duration;

use revocation_core::domain::time::EpochMillis;

/// After a note that could not be written it is left alone for so long.
const PAUSE: Duration = Duration::from_secs(30);
/// Sessions of one generation: two make 10,000.
const GENERATION: usize = 5_000;

/// Hashes of sessions and when they were noted. Two sessions of one hash cost a note, once in a very long time.
pub(super) struct Seen {
    /// A session is news again after so long.
    noted_for: Duration,
    young: HashMap<u64, EpochMillis>,
    old: HashMap<u64, EpochMillis>,
}

impl Seen {
    /// Nothing noted yet.
    pub(super) fn new(noted_for: Duration) -> Self {
        Self { noted_for, young: HashMap::new(), old: HashMap::new() }
    }

    /// Whether a session is to be noted.
    pub(super) fn is_news(&self, session: u64, now: EpochMillis) -> bool {
        let noted = self.young.get(&session).or_else(|| self.old.get(&session));
        // A clock set back by as much counts too, or the session would be silent until it catches up.
        noted.is_none_or(|noted| now.since(*noted).max(noted.since(now)) >= self.noted_for)
    }

    /// Remembers that a session was noted.
    pub(super) fn remember(&mut self, session: u64, now: EpochMillis) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&session) {
            self.old = take(&mut self.young);
        }
        self.young.insert(session, now);
    }

    /// The note was not written: the session is news again after a pause.
    pub(super) fn retry(&mut self, session: u64, noted: EpochMillis) {
        let back = i64::try_from(self.noted_for.saturating_sub(PAUSE).as_millis()).unwrap_or(0);
        self.remember(session, EpochMillis(noted.0.saturating_sub(back)));
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_news_once_in_five_minutes() {
        let mut seen = Seen::new(Duration::from_mins(5));
        assert!(seen.is_news(1, EpochMillis(0)));
        seen.remember(1, EpochMillis(0));
        assert!(!seen.is_news(1, EpochMillis(299_999)) && seen.is_news(1, EpochMillis(300_000)));
        assert!(seen.is_news(1, EpochMillis(-300_000)) && seen.is_news(2, EpochMillis(0)));
        seen.retry(1, EpochMillis(0));
        assert!(!seen.is_news(1, EpochMillis(29_999)) && seen.is_news(1, EpochMillis(30_000)));
    }

    #[test]
    fn it_is_bounded_and_forgets_the_oldest() {
        let mut seen = Seen::new(Duration::from_mins(5));
        for session in 0..100_000 {
            seen.remember(session, EpochMillis(0));
            assert!(seen.len() <= 2 * GENERATION);
        }
        assert!(!seen.is_news(99_999, EpochMillis(1)) && !seen.is_news(96_000, EpochMillis(1)));
        assert!(seen.is_news(0, EpochMillis(1)));
    }
}
