//! A clock that stands still until it is moved.

use std::sync::Mutex;
use std::time::Duration;

use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Clock;

/// Begins on 2026-01-01T00:00:00Z.
#[derive(Debug)]
pub struct FakeClock(Mutex<EpochMillis>);

impl Default for FakeClock {
    fn default() -> Self {
        Self(Mutex::new(EpochMillis(1_767_225_600_000)))
    }
}

impl FakeClock {
    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.plus(by);
    }

    /// Moves it anywhere.
    pub fn set(&self, to: EpochMillis) {
        *self.0.lock().unwrap() = to;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> EpochMillis {
        *self.0.lock().unwrap()
    }
}
