//! What the canary's runs come to: it signs a test user in, revokes them, and watches their tokens be refused.

use serde::{Deserialize, Serialize};

use super::time::EpochMillis;

/// The way by which a run asks for the revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CanaryPath {
    /// `PutEvents`.
    Bus,
    /// A signed webhook to the SIEM intake.
    Siem,
    /// Deactivation over SCIM.
    Scim,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CanaryOutcome {
    /// Served before, refused after, and nobody else was touched.
    Enforced,
    /// One of the two users could not sign in.
    SignInFailed,
    /// The API did not serve a fresh token, so that nothing can be learnt from its refusing it.
    NotServed,
    /// The intake did not take the request.
    IntakeRefused,
    /// A token was not refused within the hard limit.
    NotRefused,
    /// Tokens were refused, but the refresh token still made new ones at the hard limit.
    RefreshWorks,
    /// The control user, whom nobody revoked, was refused.
    ControlRefused,
}

/// One run. It names nobody but the test user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryRun {
    /// The tick it was made for: sorts by time, the same for every delivery.
    pub tick: String,
    /// When it began.
    pub began_at: EpochMillis,
    /// How it asked.
    pub path: CanaryPath,
    /// How it ended; `None` while it runs, and of one that never ended.
    pub outcome: Option<CanaryOutcome>,
    /// More of a failure, as a stable code such as `cognito-idp:AdminInitiateAuth: not_authorized`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What was measured.
    #[serde(default)]
    pub times: CanaryTimes,
}

/// From just before the request until something was refused, and stayed so; milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryTimes {
    /// The access token.
    pub access_ms: Option<u64>,
    /// The ID token; `None` also where the API takes none.
    pub id_ms: Option<u64>,
    /// The refresh token.
    pub refresh_ms: Option<u64>,
    /// All of them, and what was refreshed in between.
    pub all_ms: Option<u64>,
}

// === impl CanaryPath ===

impl CanaryPath {
    /// Every path.
    pub const ALL: [Self; 3] = [Self::Bus, Self::Siem, Self::Scim];

    /// The name in metrics and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bus => "bus",
            Self::Siem => "siem",
            Self::Scim => "scim",
        }
    }
}

// === impl CanaryOutcome ===

impl CanaryOutcome {
    /// The name in metrics and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::SignInFailed => "sign_in_failed",
            Self::NotServed => "not_served",
            Self::IntakeRefused => "intake_refused",
            Self::NotRefused => "not_refused",
            Self::RefreshWorks => "refresh_works",
            Self::ControlRefused => "control_refused",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_on_the_wire() {
        let all = [
            CanaryOutcome::Enforced,
            CanaryOutcome::SignInFailed,
            CanaryOutcome::NotServed,
            CanaryOutcome::IntakeRefused,
            CanaryOutcome::NotRefused,
            CanaryOutcome::RefreshWorks,
            CanaryOutcome::ControlRefused,
        ];
        for outcome in all {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
        }
        for path in CanaryPath::ALL {
            assert_eq!(serde_json::to_value(path).unwrap(), path.as_str());
        }
    }
}
