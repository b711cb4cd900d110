//! Why sessions end: a closed list, because policy, notices and paging hang on it.

use serde::{Deserialize, Serialize};

/// The reason of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// The person left.
    Offboarding,
    /// The account is known to be in somebody else's hands.
    Compromise,
    /// Something about the account's use is suspicious.
    Anomaly,
    /// Rights were reduced.
    RoleChange,
    /// A contract or project ended.
    ProjectEnd,
    /// A rule was broken.
    PolicyViolation,
    /// The person asked for it.
    UserRequest,
    /// The canary tests the pipeline.
    Canary,
}

impl ReasonCode {
    /// Every reason, for tables and tests.
    pub const ALL: [Self; 8] = [
        Self::Offboarding,
        Self::Compromise,
        Self::Anomaly,
        Self::RoleChange,
        Self::ProjectEnd,
        Self::PolicyViolation,
        Self::UserRequest,
        Self::Canary,
    ];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offboarding => "offboarding",
            Self::Compromise => "compromise",
            Self::Anomaly => "anomaly",
            Self::RoleChange => "role_change",
            Self::ProjectEnd => "project_end",
            Self::PolicyViolation => "policy_violation",
            Self::UserRequest => "user_request",
            Self::Canary => "canary",
        }
    }
}

impl std::fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
