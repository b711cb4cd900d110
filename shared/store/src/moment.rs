//! Points in time by both clocks, by which the age of what is kept is told.

use std::time::Duration;

use revocation_core::domain::feed::MOST_SKEW;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Clock;
use tokio::time::Instant;

/// A point in time by both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) wall: EpochMillis,
    pub(crate) monotonic: Instant,
}

impl Moment {
    pub(crate) fn now(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), monotonic: Instant::now() }
    }

    /// How long ago that was: by the clock that says longer, since the monotonic one may stand still while a Lambda function
    /// is frozen. `None` if the wall clock was set back: nobody knows.
    pub(crate) fn age(&self, wall: EpochMillis) -> Option<Duration> {
        (wall >= self.wall).then(|| self.monotonic.elapsed().max(wall.since(self.wall)))
    }

    /// Whether the feed still reaches back to it. A clock set back by more than clocks may differ was wrong then or is now.
    pub(crate) fn is_within(&self, most: Duration, wall: EpochMillis) -> bool {
        let set_back = wall.plus(2 * MOST_SKEW) < self.wall;
        !set_back && self.monotonic.elapsed().max(wall.since(self.wall)) <= most
    }
}
