//! `Account Action Requested`: what an operator does to an account besides ending its sessions.
//!
//! | action | Cognito | tokens already issued | undone by |
//! |---|---|---|---|
//! | `disable` | no sign-in, no refresh | stay good until they expire: end them by a revocation | `enable` |
//! | `reset_password` | a new password before the next sign-in | stay good | |
//! | `hold` | nothing | are refused while it stands, and none are made; good again afterwards | `release`, or its end |

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::disposition::{Disposed, Disposition};
use super::hold::Hold;
use super::initiator::Initiator;
use super::profile::{SubjectKey, UserPoolId};
use super::request::{self, EventSource, VERSION};
use super::revocation_id::{PayloadDigest, RevocationId};
use super::shape::{self, Mismatch, Unread};
use super::subject::{BadSubject, SubjectIdentifier};
use super::text::{self, BadText, LocalizedText};
use super::time::{EpochMillis, NotATimestamp};

mod record;

pub use record::{ActionOutcome, ActionRecord, ActionStarted, ActionTrail};

/// The longest message of a hold, in characters: what `token-gate` shows of it.
pub const MAX_HOLD_MESSAGE_CHARS: usize = 300;
/// The longest hold with an end. What is meant to last longer has none, and is released.
pub const LONGEST_HOLD: Duration = Duration::from_hours(24 * 366);

/// The request to act on a subject's accounts. Wire form: `events/schemas/account-action-requested.v1.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountActionRequest {
    /// Version of the wire form, [`VERSION`].
    pub version: String,
    /// Where the event came from, and its id there: together they make the action's id.
    pub source: EventSource,
    /// Whom it concerns.
    pub sub_id: SubjectIdentifier,
    /// What is done.
    pub action: AccountAction,
    /// For `hold`: until when, and what the person is told.
    #[serde(default, skip_serializing_if = "HoldTerms::is_default")]
    pub hold: HoldTerms,
    /// Acts on members of protected groups, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub override_protection: bool,
    /// Who caused it.
    pub initiator: Initiator,
    /// Text for the record.
    #[serde(default, skip_serializing_if = "LocalizedText::is_empty")]
    pub reason_admin: LocalizedText,
    /// When it happened at the source, RFC 3339. For the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<String>,
    /// The pools in which the subject is looked up (I11). Empty means every configured pool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<UserPoolId>,
}

/// What is done to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountAction {
    /// No sign-in and no refresh in Cognito.
    Disable,
    /// The opposite.
    Enable,
    /// A new password before the next sign-in.
    ResetPassword,
    /// No token is accepted or made.
    Hold,
    /// The opposite.
    Release,
}

/// How long a hold lasts, and what is said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldTerms {
    /// RFC 3339; without it the hold lasts until it is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// What the person reads who tries to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Why a request was refused. No variant quotes a value (I10).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAction {
    /// More than [`request::MAX_DETAIL_BYTES`].
    #[error("the event is larger than 65536 bytes")]
    TooLarge,
    /// Not JSON, or not of the schema.
    #[error("not an Account Action Requested of version 1: at `{path}`, {what}")]
    Shape {
        /// JSON path of the offending member.
        path: String,
        /// Kind of the mismatch, without the value.
        what: &'static str,
    },
    /// Another version.
    #[error("unknown version; this build reads version 1")]
    Version,
    /// The source's name or event id.
    #[error("`source.{0}` {1}")]
    Source(&'static str, &'static str),
    /// The subject.
    #[error("sub_id: {0}")]
    Subject(#[from] BadSubject),
    /// A text.
    #[error("`{0}` {1}")]
    Text(&'static str, #[source] BadText),
    /// A date.
    #[error("`{0}` is {1}")]
    Date(&'static str, #[source] NotATimestamp),
    /// `pools`.
    #[error("`pools` has more than 64 entries, or one that is no user pool's id")]
    Pools,
    /// Terms of a hold with another action.
    #[error("`hold` is for the action hold only")]
    TermsWithoutHold,
}

// === impl BadAction ===

impl Disposed for BadAction {
    fn disposition(&self) -> Disposition {
        Disposition::Reject
    }
}

impl From<Unread> for BadAction {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLarge => Self::TooLarge,
            Unread::Version => Self::Version,
            Unread::Shape(Mismatch { path, what }) => Self::Shape { path, what },
        }
    }
}

// === impl AccountActionRequest ===

impl AccountActionRequest {
    /// Reads and checks a request from the `detail` of an event.
    pub fn parse(detail: &str) -> Result<Self, BadAction> {
        let request: Self = shape::read(detail)?;
        request.check()?;
        Ok(request)
    }

    /// Checks everything the types do not.
    pub fn check(&self) -> Result<(), BadAction> {
        if self.version != VERSION {
            return Err(BadAction::Version);
        }
        self.source.check().map_err(|(member, why)| BadAction::Source(member, why))?;
        self.sub_id.check()?;
        let initiator = text::check(&self.initiator.id, request::MAX_INITIATOR_CHARS);
        initiator.map_err(|e| BadAction::Text("initiator.id", e))?;
        self.reason_admin.check().map_err(|e| BadAction::Text("reason_admin", e))?;
        date("occurred_at", self.occurred_at.as_deref())?;
        if !request::are_pools(&self.pools) {
            return Err(BadAction::Pools);
        }
        if self.action != AccountAction::Hold && !self.hold.is_default() {
            return Err(BadAction::TermsWithoutHold);
        }
        date("hold.until", self.hold.until.as_deref())?;
        let message = self.hold.message.as_deref().map(|message| text::check(message, MAX_HOLD_MESSAGE_CHARS));
        message.transpose().map(drop).map_err(|e| BadAction::Text("hold.message", e))
    }

    /// The idempotency key. Apart from those of revocations: a source may give both events the same id.
    #[must_use]
    pub fn id(&self) -> RevocationId {
        RevocationId::of_action(&self.source.name, &self.source.event_id)
    }

    /// Digest of everything the request says, to tell a redelivery from another request under the same id (I8).
    #[must_use]
    pub fn digest(&self) -> PayloadDigest {
        PayloadDigest::of(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// Whether a user is in one of the pools the request is bound to.
    #[must_use]
    pub fn is_within_its_pools(&self, key: &SubjectKey) -> bool {
        self.pools.is_empty() || self.pools.contains(&key.user_pool_id)
    }
}

// === impl AccountAction ===

impl AccountAction {
    /// The name in logs, keys and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::ResetPassword => "reset_password",
            Self::Hold => "hold",
            Self::Release => "release",
        }
    }

    /// Whether it keeps somebody out: what protected groups are protected from.
    #[must_use]
    pub fn locks(self) -> bool {
        matches!(self, Self::Disable | Self::ResetPassword | Self::Hold)
    }

    /// Whether the other sets the same thing of an account, so that the later of the two decides.
    #[must_use]
    pub fn competes_with(self, other: Self) -> bool {
        let sign_in = |action| matches!(action, Self::Disable | Self::Enable);
        sign_in(self) && sign_in(other)
    }
}

// === impl HoldTerms ===

impl HoldTerms {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The hold as it is written.
    #[must_use]
    pub fn hold(&self) -> Hold {
        let until = self.until.as_deref().and_then(|text| EpochMillis::parse_rfc3339(text).ok());
        Hold { until: until.map(EpochMillis::seconds), message: self.message.clone().unwrap_or_default() }
    }
}

fn date(member: &'static str, text: Option<&str>) -> Result<(), BadAction> {
    text.map(EpochMillis::parse_rfc3339).transpose().map(drop).map_err(|bad| BadAction::Date(member, bad))
}

#[cfg(test)]
mod tests;
