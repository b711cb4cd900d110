//! What follows from a reason (the table in README): defaults, and a deployment's changes to single cells.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::profile::Profile;
use super::reason::ReasonCode;
use super::request::{Effect, RevocationRequest};

/// What a deployment does for each reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    rows: BTreeMap<ReasonCode, PolicyRow>,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyRow {
    /// How new sign-ins are prevented.
    pub lock: Lock,
    /// Whether remembered devices are forgotten, so that a stolen one must pass MFA again.
    pub forget_devices: bool,
    /// How the person is told.
    pub notice: NoticeChannel,
    /// Whether an account with this reason counts towards a security page (I9).
    pub counts_as_compromise: bool,
}

/// How new sign-ins are prevented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lock {
    /// Not at all: the person may sign in again.
    None,
    /// The account is disabled.
    Disable,
    /// The password must be reset first; a federated account, which has none here, is disabled.
    ResetPassword,
}

/// How the person is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeChannel {
    /// Not at all.
    None,
    /// By SMS to the verified number, else by e-mail.
    Sms,
    /// By e-mail.
    Email,
    /// To a topic: the manager's or HR's.
    Topic,
}

/// A deployment's changes, cell by cell: JSON such as `{"offboarding":{"notice":"topic"}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyOverrides(BTreeMap<ReasonCode, RowOverride>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RowOverride {
    lock: Option<Lock>,
    forget_devices: Option<bool>,
    notice: Option<NoticeChannel>,
    counts_as_compromise: Option<bool>,
}

/// What is to be done in Cognito for one profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actions {
    /// End every session.
    pub sign_out: bool,
    /// Prevent new ones.
    pub lock: Lock,
    /// Forget remembered devices.
    pub forget_devices: bool,
}

// === impl Policy ===

impl Default for Policy {
    fn default() -> Self {
        Self { rows: ReasonCode::ALL.into_iter().map(|reason| (reason, default_row(reason))).collect() }
    }
}

impl Policy {
    /// The defaults with a deployment's changes. The canary never counts and never notifies, whatever is configured.
    #[must_use]
    pub fn with(overrides: &PolicyOverrides) -> Self {
        let mut policy = Self::default();
        for (reason, cells) in overrides.0.iter().filter(|(reason, _)| **reason != ReasonCode::Canary) {
            if let Some(row) = policy.rows.get_mut(reason) {
                row.lock = cells.lock.unwrap_or(row.lock);
                row.forget_devices = cells.forget_devices.unwrap_or(row.forget_devices);
                row.notice = cells.notice.unwrap_or(row.notice);
                row.counts_as_compromise = cells.counts_as_compromise.unwrap_or(row.counts_as_compromise);
            }
        }
        policy
    }

    /// The row of a reason.
    #[must_use]
    pub fn row(&self, reason: ReasonCode) -> PolicyRow {
        self.rows.get(&reason).copied().unwrap_or_else(|| default_row(reason))
    }

    /// What is to be done in Cognito for `profile` because of `request`.
    #[must_use]
    pub fn actions(&self, request: &RevocationRequest, profile: &Profile) -> Actions {
        let row = self.row(request.reason);
        // Cognito can end one session only for whoever holds its refresh token; all else there is for the whole account.
        if request.effect == Effect::Refresh || request.session.is_some() {
            return Actions { sign_out: false, lock: Lock::None, forget_devices: false };
        }
        let lock = match row.lock {
            Lock::ResetPassword if request.lockout || profile.federated => Lock::Disable,
            lock => lock,
        };
        Actions { sign_out: true, lock, forget_devices: row.forget_devices }
    }
}

fn default_row(reason: ReasonCode) -> PolicyRow {
    let (lock, notice) = match reason {
        ReasonCode::Offboarding | ReasonCode::PolicyViolation => (Lock::Disable, NoticeChannel::None),
        ReasonCode::Compromise => (Lock::ResetPassword, NoticeChannel::Sms),
        ReasonCode::Anomaly => (Lock::None, NoticeChannel::Sms),
        ReasonCode::ProjectEnd => (Lock::Disable, NoticeChannel::Email),
        ReasonCode::RoleChange | ReasonCode::UserRequest => (Lock::None, NoticeChannel::Email),
        ReasonCode::Canary => (Lock::None, NoticeChannel::None),
    };
    let suspicious = matches!(reason, ReasonCode::Compromise | ReasonCode::Anomaly);
    PolicyRow { lock, forget_devices: reason == ReasonCode::Compromise, notice, counts_as_compromise: suspicious }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::SubjectKey;

    #[test]
    fn a_deployment_changes_single_cells_but_never_the_canary() {
        let json = r#"{"offboarding":{"notice":"topic"},"canary":{"lock":"disable","counts_as_compromise":true}}"#;
        let policy = Policy::with(&serde_json::from_str(json).unwrap());
        let row = policy.row(ReasonCode::Offboarding);
        assert_eq!((row.notice, row.lock), (NoticeChannel::Topic, Lock::Disable));
        assert_eq!(policy.row(ReasonCode::Canary), default_row(ReasonCode::Canary));
        assert_eq!(policy.row(ReasonCode::Compromise), default_row(ReasonCode::Compromise));
    }

    #[test]
    fn what_is_done_in_cognito_follows_from_reason_account_and_scope() {
        let request = |reason: &str, more: serde_json::Value| {
            let mut request = serde_json::json!({
                "version": "1", "source": {"name": "test", "event_id": "1"}, "reason": reason,
                "sub_id": {"format": "opaque", "id": "4f6b1c1e-0000-4000-8000-000000000001"},
                "initiator": {"kind": "system", "id": "test"},
            });
            request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value::<RevocationRequest>(request).unwrap()
        };
        let account = |federated| Profile { key: SubjectKey::new("p", "s"), username: "jane".into(), federated };
        let actions = |reason: &str, more: serde_json::Value, federated| {
            let Actions { sign_out, lock, forget_devices } =
                Policy::default().actions(&request(reason, more), &account(federated));
            (sign_out, lock, forget_devices)
        };
        let none = || serde_json::json!({});
        for (reason, lock) in [
            ("offboarding", Lock::Disable),
            ("policy_violation", Lock::Disable),
            ("project_end", Lock::Disable),
            ("anomaly", Lock::None),
            ("role_change", Lock::None),
            ("user_request", Lock::None),
            ("canary", Lock::None),
        ] {
            assert_eq!(actions(reason, none(), false), (true, lock, false), "{reason}");
        }
        assert_eq!(actions("compromise", none(), false), (true, Lock::ResetPassword, true));
        assert_eq!(actions("compromise", none(), true), (true, Lock::Disable, true), "no password here to reset");
        let lockout = serde_json::json!({"lockout": true});
        assert_eq!(actions("compromise", lockout, false), (true, Lock::Disable, true));
        for part in [serde_json::json!({"effect": "refresh"}), serde_json::json!({"session": {"only": "origin-1"}})] {
            assert_eq!(actions("compromise", part, false), (false, Lock::None, false));
        }
        let counted = ReasonCode::ALL.into_iter().filter(|reason| Policy::default().row(*reason).counts_as_compromise);
        assert_eq!(counted.collect::<Vec<_>>(), [ReasonCode::Compromise, ReasonCode::Anomaly]);
    }

    #[test]
    fn an_unknown_reason_or_cell_is_an_error() {
        for json in [r#"{"fired":{}}"#, r#"{"anomaly":{"notify":"sms"}}"#, r#"{"anomaly":{"notice":"pigeon"}}"#] {
            assert!(serde_json::from_str::<PolicyOverrides>(json).is_err(), "{json}");
        }
    }
}
