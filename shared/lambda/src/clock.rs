//! The wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Clock;

/// The machine's clock. AWS keeps Lambda's within milliseconds of the truth (Amazon Time Sync Service).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    fn now(&self) -> EpochMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        EpochMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
