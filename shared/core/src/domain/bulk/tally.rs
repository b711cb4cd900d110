//! How many members came to what.

use serde::{Deserialize, Serialize};

/// Members by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Found, each once.
    pub listed: u64,
    /// Tombstoned: refused by every reader.
    pub locked_out: u64,
    /// Done: every step taken, or not needed.
    pub ended: u64,
    /// A step failed for good, or the member cannot be revoked.
    pub failed: u64,
    /// Left to the function `revoke`, which tries longer than a job waits for one member.
    pub handed_over: u64,
    /// Entries of a list that mean nobody.
    pub unknown: u64,
    /// Not carried out, because the job was cancelled.
    pub called_off: u64,
}

// === impl Tally ===

impl Tally {
    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.zip(other, u64::saturating_add)
    }

    /// The difference; nothing goes below zero.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.zip(other, u64::saturating_sub)
    }

    fn zip(self, other: Self, with: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            listed: with(self.listed, other.listed),
            locked_out: with(self.locked_out, other.locked_out),
            ended: with(self.ended, other.ended),
            failed: with(self.failed, other.failed),
            handed_over: with(self.handed_over, other.handed_over),
            unknown: with(self.unknown, other.unknown),
            called_off: with(self.called_off, other.called_off),
        }
    }
}
