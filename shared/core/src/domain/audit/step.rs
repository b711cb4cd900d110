//! The steps of a revocation, and how each ended.

use serde::{Deserialize, Serialize};

use crate::domain::time::EpochMillis;

/// A step that is done for one subject, in the order in which it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The cutoff became durable.
    Tombstone,
    /// The account was disabled.
    Disable,
    /// The password was reset.
    ResetPassword,
    /// Cognito ended every session.
    GlobalSignOut,
    /// The cutoff was moved past the sign-out.
    Seal,
    /// Remembered devices were forgotten.
    ForgetDevices,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum StepOutcome {
    /// Done.
    Done,
    /// There was nothing to do: `code` says why, such as `user_not_found`.
    NotNeeded {
        /// Stable, machine-readable.
        code: String,
    },
    /// It cannot be done by trying again: `code` says why, such as `not_authorized`.
    Failed {
        /// Stable, machine-readable.
        code: String,
    },
}

/// A step with its outcome and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Which.
    pub step: Step,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: StepOutcome,
    /// When, epoch milliseconds.
    pub at: EpochMillis,
}

// === impl Step ===

impl Step {
    /// The name in keys and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tombstone => "tombstone",
            Self::Disable => "disable",
            Self::ResetPassword => "reset_password",
            Self::GlobalSignOut => "global_sign_out",
            Self::ForgetDevices => "forget_devices",
            Self::Seal => "seal",
        }
    }
}

// === impl StepOutcome ===

impl StepOutcome {
    /// Nothing to do, because of `code`.
    #[must_use]
    pub fn not_needed(code: &str) -> Self {
        Self::NotNeeded { code: code.to_owned() }
    }

    /// Whether the step failed for good.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}
