//! Who was heard of: noted beside the work, so that an answer does not wait for it, and rarely, so that it costs nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Clock, LastHeardWriter};
use tokio::time::timeout;

/// An instance notes a source this often at most: silence is counted in hours.
const NOTED_EVERY: Duration = Duration::from_mins(1);
/// A note takes milliseconds, with a new connection some hundred. Longer an answer does not wait for one.
const LIMIT: Duration = Duration::from_secs(1);

/// Notes of whom something authentic has come.
pub struct LastHeard {
    writer: Arc<dyn LastHeardWriter>,
    clock: Arc<dyn Clock>,
    noted: Mutex<BTreeMap<String, EpochMillis>>,
}

// === impl LastHeard ===

impl LastHeard {
    /// Has noted nobody yet.
    #[must_use]
    pub fn new(writer: Arc<dyn LastHeardWriter>, clock: Arc<dyn Clock>) -> Self {
        Self { writer, clock, noted: Mutex::default() }
    }

    /// Does the work a source has asked for, once it is known to be the source, and notes beside it that it was heard of, where
    /// its silence would be told. What comes of the note does not change what comes of the work.
    pub async fn beside<T>(&self, source: &str, silent_after: Option<Duration>, work: impl Future<Output = T>) -> T {
        let note = async {
            if silent_after.is_some() {
                self.note(source).await;
            }
        };
        tokio::join!(work, note).0
    }

    async fn note(&self, source: &str) {
        let now = self.clock.now();
        if !self.is_due(source, now) {
            return;
        }
        match timeout(LIMIT, self.writer.heard(source, now)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(source, %error, "could not be noted as heard of"),
            Err(_) => tracing::warn!(source, "could not be noted as heard of: it took too long"),
        }
    }

    /// One that fails is not due again sooner: where the table is down, not every request shall wait for it.
    fn is_due(&self, source: &str, now: EpochMillis) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = noted.get(source).is_none_or(|at| now.since(*at) >= NOTED_EVERY);
        if is_due {
            noted.insert(source.to_owned(), now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use revocation_core::ports::PortError;
    use revocation_testkit::clock::FakeClock;
    use revocation_testkit::intake::FakeIntake;

    use super::*;

    const DAY: Option<Duration> = Some(Duration::from_hours(24));

    fn notes(fake: &FakeIntake) -> usize {
        fake.state().calls.iter().filter(|call| **call == "heard").count()
    }

    #[tokio::test]
    async fn a_source_is_noted_once_a_minute_and_one_that_may_be_quiet_never() {
        let fake = Arc::new(FakeIntake::default());
        let last_heard = LastHeard::new(fake.clone(), fake.clock.clone());
        for _ in 0..3 {
            assert_eq!(last_heard.beside("siem/a", DAY, async { 7 }).await, 7);
            assert_eq!(last_heard.beside("siem/b", DAY, async { 8 }).await, 8);
            assert_eq!(last_heard.beside("siem/quiet", None, async { 9 }).await, 9);
        }
        assert_eq!(notes(&fake), 2);
        fake.clock.advance(NOTED_EVERY);
        last_heard.beside("siem/a", DAY, async {}).await;
        assert_eq!(fake.state().heard.keys().collect::<Vec<_>>(), ["siem/a", "siem/b"]);
        assert_eq!((notes(&fake), fake.state().heard["siem/a"]), (3, fake.clock.now()));
    }

    #[tokio::test]
    async fn a_note_that_fails_changes_nothing_and_is_not_tried_with_every_request() {
        let fake = Arc::new(FakeIntake::default());
        let last_heard = LastHeard::new(fake.clone(), fake.clock.clone());
        fake.fail("heard", PortError::retry("heard", "throttled"));
        for _ in 0..3 {
            assert_eq!(last_heard.beside("siem/a", DAY, async { 7 }).await, 7);
        }
        assert_eq!(notes(&fake), 0);
        fake.clock.advance(NOTED_EVERY);
        last_heard.beside("siem/a", DAY, async {}).await;
        assert_eq!(notes(&fake), 1);
    }

    /// Never answers.
    struct Hangs;

    #[async_trait]
    impl LastHeardWriter for Hangs {
        async fn heard(&self, _: &str, _: EpochMillis) -> Result<(), PortError> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_waits_a_second_at_most_for_a_note_and_not_at_all_if_it_takes_longer_itself() {
        let last_heard = LastHeard::new(Arc::new(Hangs), Arc::new(FakeClock::default()));
        let began = tokio::time::Instant::now();
        last_heard.beside("siem/a", DAY, async {}).await;
        assert_eq!(began.elapsed(), LIMIT);
        let began = tokio::time::Instant::now();
        last_heard.beside("siem/b", DAY, tokio::time::sleep(LIMIT * 2)).await;
        assert_eq!(began.elapsed(), LIMIT * 2);
    }
}
