//! Holds: "no token at all until released". Placed and released by operators, beside a tombstone's cutoffs.
//!
//! A hold is a register that the latest *request* decides, not the latest delivery: every change carries when its action
//! was requested, and one that is older than what stands has no effect. So deliveries may come late, twice and out of order
//! without placing again what was released (I8). Nothing else of the tombstone is touched: a release brings no token back
//! that a cutoff refuses (I2).

use serde::{Deserialize, Serialize};

use super::revocation_id::RevocationId;
use super::time::{EpochMillis, EpochSeconds};
use super::tombstone::{LONGEST_REFRESH_LIFE, Tombstone};

/// A hold by an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Until when; `None` until it is released.
    pub until: Option<EpochSeconds>,
    /// What the refused person is told.
    pub message: String,
}

/// When an action on an account was requested, and which one it is: of two, the greater one decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ActionStamp {
    /// When the queue first took the request, epoch milliseconds.
    pub at: EpochMillis,
    /// The action; decides between two of the same millisecond.
    pub by: RevocationId,
}

/// A hold to be placed or released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldChange {
    /// The action it belongs to.
    pub stamp: ActionStamp,
    /// What is placed; `None` releases what stands.
    pub hold: Option<Hold>,
}

/// What came of a [`HoldChange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldChanged {
    /// It stands, now or already.
    Stands,
    /// A later one stands; nothing was changed.
    Superseded,
}

/// What in a tombstone keeps new tokens from being made (`token-gate`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bar {
    /// The account is on hold.
    Hold,
    /// A sign-out is under way, or was never confirmed.
    Unsealed,
}

// === impl Hold ===

impl Hold {
    /// Whether it stands at `now`.
    #[must_use]
    pub fn stands(&self, now: EpochSeconds) -> bool {
        self.until.is_none_or(|until| now <= until)
    }
}

// === impl HoldChange ===

impl HoldChange {
    /// When DynamoDB may delete the item that holds this change (I5). Ten years for each: a hold may have no end, and what
    /// is known of a release must outlive every redelivery of the hold before it.
    #[must_use]
    pub fn expires_at(&self) -> EpochSeconds {
        self.stamp.at.seconds().plus(LONGEST_REFRESH_LIFE)
    }
}

// === impl Tombstone ===

impl Tombstone {
    /// Places or releases a hold. The reference that store adapters must match.
    pub fn change_hold(&mut self, change: &HoldChange) -> HoldChanged {
        if self.hold_changed.as_ref().is_some_and(|standing| *standing > change.stamp) {
            return HoldChanged::Superseded;
        }
        self.hold.clone_from(&change.hold);
        self.hold_changed = Some(change.stamp.clone());
        self.expires_at = self.expires_at.max(Some(change.expires_at()));
        HoldChanged::Stands
    }

    /// Whether the account is on hold at `now`.
    #[must_use]
    pub fn is_held(&self, now: EpochSeconds) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.stands(now))
    }

    /// What keeps new tokens from being made at `now`.
    #[must_use]
    pub fn bars(&self, now: EpochSeconds) -> Vec<Bar> {
        let hold = self.is_held(now).then_some(Bar::Hold);
        let unsealed = (self.not_before.is_some() && !self.sealed).then_some(Bar::Unsealed);
        hold.into_iter().chain(unsealed).collect()
    }
}

#[cfg(test)]
mod tests;
