//! How long the store takes: measured with every read, told a hundred at a time. A line for each API request would cost more
//! than the request.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::tombstone::Tombstone;
use revocation_core::ports::{PortError, TombstoneReader};
use revocation_lambda::metrics;
use tokio::time::Instant;

/// What was measured is told no later than with the first read after this.
const TOLD_WITHIN: Duration = Duration::from_mins(1);

/// Reads, and measures how long that takes; failures as well.
pub(crate) struct Timed {
    reader: Arc<dyn TombstoneReader>,
    function: String,
    noted: Mutex<Noted>,
}

/// Milliseconds, and when the first of them was noted.
#[derive(Default)]
struct Noted {
    since: Option<Instant>,
    elapsed: Vec<f64>,
}

// === impl Timed ===

impl Timed {
    /// Measures `reader` for the function of this name.
    pub(crate) fn new(reader: Arc<dyn TombstoneReader>, function: String) -> Self {
        Self { reader, function, noted: Mutex::default() }
    }
}

#[async_trait]
impl TombstoneReader for Timed {
    async fn read(&self, subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        let began = Instant::now();
        let read = self.reader.read(subject).await;
        let full = self.noted.lock().unwrap_or_else(PoisonError::into_inner).note(began, Instant::now());
        if let Some(elapsed) = full {
            metrics::many_milliseconds("StoreLatency", &elapsed, "function", &self.function);
        }
        read
    }

    async fn read_pool(&self, pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        self.reader.read_pool(pool).await
    }
}

// === impl Noted ===

impl Noted {
    /// Notes a read; answers what is to be told, once there is enough, or it is time.
    fn note(&mut self, began: Instant, ended: Instant) -> Option<Vec<f64>> {
        let since = *self.since.get_or_insert(began);
        self.elapsed.push(ended.duration_since(began).as_secs_f64() * 1_000.0);
        if self.elapsed.len() < metrics::MOST_VALUES && ended.duration_since(since) < TOLD_WITHIN {
            return None;
        }
        self.since = None;
        Some(std::mem::take(&mut self.elapsed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_reads_are_told_at_once_or_those_of_a_minute_and_none_twice() {
        let mut noted = Noted::default();
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let told: Vec<_> = (0..250).filter_map(|n| noted.note(at(n), at(n + 4))).collect();
        assert_eq!(told.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100]);
        assert!(told[0].iter().all(|elapsed| (elapsed - 4.0).abs() < 0.001));
        assert_eq!(noted.note(at(59_000), at(59_001)), None);
        assert_eq!(noted.note(at(61_000), at(61_002)).map(|told| told.len()), Some(52));
        assert_eq!(noted.note(at(62_000), at(62_002)), None);
    }
}
