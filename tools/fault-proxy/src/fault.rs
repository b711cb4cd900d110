//! What can go wrong with a call.

use std::time::Duration;

use serde::Serialize;

/// Below the functions' time limit for an attempt (3 s, `shared/aws/src/clients.rs`): late, and still in time.
pub(crate) const LATE: Duration = Duration::from_millis(1_500);
/// Far beyond every client's patience.
pub(crate) const NEVER: Duration = Duration::from_mins(1);

/// A fault of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The service throttles.
    Throttled,
    /// 503, from a load balancer that speaks no protocol of the service's.
    ServerError,
    /// No answer; the service never saw the request.
    Timeout,
    /// The connection is reset before the service saw the request.
    Reset,
    /// The answer comes late.
    Slow,
    /// The service did it, and the answer is lost.
    Lost,
    /// The service did it, and the answer is no answer of it.
    Garbage,
    /// The process is killed before the service saw the request.
    KillBefore,
    /// The service did it, and the process is killed before it learns of it.
    KillAfter,
    /// The role does not allow it, as after a bad deployment.
    Denied,
    /// 200, with entries that failed (`PutEvents`).
    Partial,
    /// An eventually consistent read that finds nothing yet.
    Stale,
}

impl Fault {
    /// As it is written in tables and filters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::ServerError => "server-error",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Slow => "slow",
            Self::Lost => "lost",
            Self::Garbage => "garbage",
            Self::KillBefore => "kill-before",
            Self::KillAfter => "kill-after",
            Self::Denied => "denied",
            Self::Partial => "partial",
            Self::Stale => "stale",
        }
    }

    /// Whether the service carries the call out although the caller does not learn of it.
    #[must_use]
    pub fn hides_success(self) -> bool {
        matches!(self, Self::Lost | Self::Garbage | Self::KillAfter)
    }
}
