//! What the pipeline publishes on the bus, and the envelope in which everything on the bus arrives.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::action::{AccountActionRequest, ActionRecord};
use super::audit::AuditRecord;
use super::bulk::{BulkRevocationCompleted, ControlRequest};
use super::incident::Page;
use super::request::RevocationRequest;
use super::text::LocalizedText;

/// `detail-type` of [`RevocationRequest`].
pub const REVOCATION_REQUESTED: &str = "Revocation Requested";
/// `detail-type` of [`SessionsRevoked`].
pub const SESSIONS_REVOKED: &str = "Sessions Revoked";
/// `detail-type` of [`RevocationFailed`].
pub const REVOCATION_FAILED: &str = "Revocation Failed";
/// `detail-type` of [`AccountActionRequest`].
pub const ACCOUNT_ACTION_REQUESTED: &str = "Account Action Requested";
/// `detail-type` of [`ActionRecord`].
pub const ACCOUNT_ACTION_COMPLETED: &str = "Account Action Completed";
/// `detail-type` of [`Page`].
pub const COMPROMISE_THRESHOLD_EXCEEDED: &str = "Compromise Threshold Exceeded";

/// `detail-type` of [`BulkRevocationCompleted`].
pub const BULK_REVOCATION_COMPLETED: &str = "Bulk Revocation Completed";
/// `detail-type` of [`ControlRequest`].
pub const BULK_CONTROL_REQUESTED: &str = "Bulk Control Requested";

/// `detail-type` of a message by which the bulk revoker has itself go on: `{"job_id": …}`. Never on the bus.
pub const BULK_WORK_DUE: &str = "Bulk Work Due";

/// `source` of a request that was put on a queue instead of the bus: parked and released by an operator, or sent ahead
/// by an intake. Who may write to the queue decides who may say it; the bus carries no event of this source.
pub const QUEUED_SOURCE: &str = "revocation.queued";

/// An event on the bus. Past tense, except the commands.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Somebody asks for a revocation.
    RevocationRequested(RevocationRequest),
    /// A subject's sessions were ended: tombstoned, signed out, sealed.
    SessionsRevoked(SessionsRevoked),
    /// A step of a subject's revocation failed for good.
    RevocationFailed(RevocationFailed),
    /// Somebody asks for an action on an account.
    AccountActionRequested(AccountActionRequest),
    /// An action on an account ended, one way or another.
    AccountActionCompleted(ActionRecord),
    /// Too many accounts with signs of compromise.
    CompromiseThresholdExceeded(Page),
    /// A bulk revocation is over.
    BulkRevocationCompleted(BulkRevocationCompleted),
    /// Somebody wishes something of a bulk revocation.
    BulkControlRequested(ControlRequest),
}

/// A subject's sessions were ended. Schema: `events/schemas/sessions-revoked.v1.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionsRevoked {
    /// The record as it stands in the audit trail.
    #[serde(flatten)]
    pub record: AuditRecord,
    /// Text for the person.
    #[serde(default, skip_serializing_if = "LocalizedText::is_empty")]
    pub reason_user: LocalizedText,
}

/// A step failed for good. Schema: `events/schemas/revocation-failed.v1.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationFailed {
    /// The record as it stands in the audit trail.
    #[serde(flatten)]
    pub record: AuditRecord,
}

/// The members of an EventBridge event that are read; all others are ignored.
#[derive(Debug, Deserialize)]
pub struct Envelope<'a> {
    /// EventBridge's id of the event: the same on every delivery.
    pub id: String,
    /// Who put it on the bus.
    pub source: String,
    /// What it is.
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    /// When it was put, RFC 3339.
    #[serde(default)]
    pub time: Option<String>,
    /// The account of the bus it was put on.
    #[serde(default)]
    pub account: Option<String>,
    /// The Region of that bus.
    #[serde(default)]
    pub region: Option<String>,
    /// The content, not parsed yet.
    #[serde(borrow)]
    pub detail: &'a RawValue,
}

// === impl Event ===

impl Event {
    /// The `detail-type`.
    #[must_use]
    pub fn detail_type(&self) -> &'static str {
        match self {
            Self::RevocationRequested(_) => REVOCATION_REQUESTED,
            Self::SessionsRevoked(_) => SESSIONS_REVOKED,
            Self::RevocationFailed(_) => REVOCATION_FAILED,
            Self::AccountActionRequested(_) => ACCOUNT_ACTION_REQUESTED,
            Self::AccountActionCompleted(_) => ACCOUNT_ACTION_COMPLETED,
            Self::CompromiseThresholdExceeded(_) => COMPROMISE_THRESHOLD_EXCEEDED,
            Self::BulkRevocationCompleted(_) => BULK_REVOCATION_COMPLETED,
            Self::BulkControlRequested(_) => BULK_CONTROL_REQUESTED,
        }
    }

    /// The `detail`, as JSON.
    pub fn detail(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::RevocationRequested(detail) => serde_json::to_string(detail),
            Self::SessionsRevoked(detail) => serde_json::to_string(detail),
            Self::RevocationFailed(detail) => serde_json::to_string(detail),
            Self::AccountActionRequested(detail) => serde_json::to_string(detail),
            Self::AccountActionCompleted(detail) => serde_json::to_string(detail),
            Self::CompromiseThresholdExceeded(detail) => serde_json::to_string(detail),
            Self::BulkRevocationCompleted(detail) => serde_json::to_string(detail),
            Self::BulkControlRequested(detail) => serde_json::to_string(detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_needs_no_more_than_it_reads() {
        let text = r#"{"id":"1","source":"s","detail-type":"t","detail":{"a":[1,{"b":null}]},"region":"x"}"#;
        let envelope: Envelope<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(envelope.detail.get(), r#"{"a":[1,{"b":null}]}"#);
        assert_eq!(envelope.time, None);
    }
}
