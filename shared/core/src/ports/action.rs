//! Ports of operators' actions on accounts.

use async_trait::async_trait;

use super::{Acted, PortError};
use crate::domain::action::{AccountAction, ActionRecord, ActionStarted, ActionTrail};
use crate::domain::hold::{ActionStamp, Bar, HoldChange, HoldChanged};
use crate::domain::profile::{Profile, SubjectKey};
use crate::domain::revocation_id::RevocationId;
use crate::domain::time::{EpochMillis, EpochSeconds};

/// Places and releases holds, by conditional writes that match
/// [`Tombstone::change_hold`](crate::domain::tombstone::Tombstone::change_hold).
#[async_trait]
pub trait TombstoneHolder: Send + Sync {
    /// Places or releases a hold unless a later change stands. Durable when it returns; a second time changes nothing.
    async fn change_hold(&self, subject: &SubjectKey, change: &HoldChange) -> Result<HoldChanged, PortError>;

    /// What in the tombstone keeps new tokens from being made at `now`.
    async fn bars(&self, subject: &SubjectKey, now: EpochSeconds) -> Result<Vec<Bar>, PortError>;
}

/// Lets people sign in again.
#[async_trait]
pub trait AccountEnabler: Send + Sync {
    /// Enables the account.
    async fn enable(&self, profile: &Profile) -> Result<Acted, PortError>;
}

/// Knows who belongs to which group.
#[async_trait]
pub trait MembershipReader: Send + Sync {
    /// The names of the user's groups; none if there is no such user.
    async fn groups_of(&self, profile: &Profile) -> Result<Vec<String>, PortError>;
}

/// Whether a start was written or stood there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionBegun {
    /// This delivery is the first.
    New,
    /// An earlier one began; this is what it left.
    Before(Box<ActionTrail>),
}

/// The audit trail of actions: append-only, and by that the memory of what is done already (I8).
#[async_trait]
pub trait ActionLog: Send + Sync {
    /// Writes the start unless there is one, in which case the whole trail is returned.
    async fn begin(&self, started: &ActionStarted) -> Result<ActionBegun, PortError>;

    /// Writes whom the identifier means. A second writing changes nothing.
    async fn resolved(&self, id: &RevocationId, profiles: &[Profile], at: EpochMillis) -> Result<(), PortError>;

    /// Whether an action that was requested after `stamp` and sets the same as `action` was done to the account already.
    /// What was recorded within the last moments may be missed.
    async fn was_superseded(
        &self,
        subject: &SubjectKey,
        action: AccountAction,
        stamp: &ActionStamp,
    ) -> Result<bool, PortError>;

    /// Writes an account's record. A second writing changes nothing; returns the record that stands.
    async fn completed(&self, record: &ActionRecord) -> Result<ActionRecord, PortError>;

    /// Writes that an account's outcome was published.
    async fn published(&self, id: &RevocationId, subject: &SubjectKey, at: EpochMillis) -> Result<(), PortError>;

    /// Writes that nothing is left to do.
    async fn finished(&self, id: &RevocationId, at: EpochMillis) -> Result<(), PortError>;
}
