//! `Revocation Requested`: the one command every intake translates into.

use serde::{Deserialize, Deserializer, Serialize};

use super::disposition::{Disposed, Disposition};
use super::initiator::Initiator;
use super::profile::{SubjectKey, UserPoolId};
use super::reason::ReasonCode;
use super::revocation_id::{PayloadDigest, RevocationId};
use super::session::SessionScope;
use super::shape::{self, Mismatch, Unread};
use super::subject::{BadSubject, MAX_POOL_ID_CHARS, SubjectIdentifier};
use super::text::{self, BadText, LocalizedText};
use super::time::{EpochMillis, NotATimestamp};

mod checks;

/// The version of the wire form this build reads and writes.
pub const VERSION: &str = "1";
/// Largest `detail` accepted, in bytes. EventBridge and SQS carry more, but nothing honest needs it.
pub const MAX_DETAIL_BYTES: usize = 64 * 1024;
const MAX_SOURCE_CHARS: usize = 128;
const MAX_EVENT_ID_CHARS: usize = 256;
pub(super) const MAX_INITIATOR_CHARS: usize = 512;
const MAX_POOLS: usize = 64;

/// The request to end a subject's sessions. Wire form: `events/schemas/revocation-requested.v1.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationRequest {
    /// Version of the wire form, [`VERSION`].
    pub version: String,
    /// Where the event came from, and its id there: together they make the [`RevocationId`].
    pub source: EventSource,
    /// Whom it concerns.
    pub sub_id: SubjectIdentifier,
    /// Why.
    pub reason: ReasonCode,
    /// Who caused it.
    pub initiator: Initiator,
    /// Text for the record.
    #[serde(default, skip_serializing_if = "LocalizedText::is_empty")]
    pub reason_admin: LocalizedText,
    /// Text for the person.
    #[serde(default, skip_serializing_if = "LocalizedText::is_empty")]
    pub reason_user: LocalizedText,
    /// When it happened at the source, RFC 3339. Used for counting and the record, never for the cutoff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<String>,
    /// Sign out, or only refuse tokens issued before now so that clients refresh.
    #[serde(default, skip_serializing_if = "Effect::is_default")]
    pub effect: Effect,
    /// For `compromise`: disable the account instead of resetting its password.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lockout: bool,
    /// Which sessions, where not all of them are meant.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub session: Option<SessionScope>,
    /// Who alone may approve it, by the id of their initiator: many people's sessions, and a second person's word whatever their
    /// number. Nothing is done before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approve_by: Option<String>,
    /// RFC 8417 `txn`: ties several events to one cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub txn: Option<String>,
    /// The pools in which the subject is looked up: the fence of the source (I11). Empty means every configured pool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<UserPoolId>,
}

/// Name of a source and the id it gave its event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventSource {
    /// Lower-case letters, digits and `.-_/`, such as `okta/acme`.
    pub name: String,
    /// The source's own id of the event: a redelivery carries the same one.
    pub event_id: String,
}

/// How much a revocation ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Every session: tokens are refused by `auth_time` and `iat`, refresh tokens die.
    #[default]
    SignOut,
    /// Claims only: tokens issued before are refused by `iat`; the client refreshes and goes on with new claims.
    Refresh,
}

/// Why a request was refused. No variant quotes a value (I10).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// More than [`MAX_DETAIL_BYTES`].
    #[error("the event is larger than 65536 bytes")]
    TooLarge,
    /// Not JSON, or not of the schema; the path of the member and what serde says of its type.
    #[error("not a Revocation Requested of version 1: at `{path}`, {what}")]
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
    /// `occurred_at`.
    #[error("`occurred_at` is {0}")]
    OccurredAt(#[from] NotATimestamp),
    /// `pools`.
    #[error("`pools` has more than 64 entries, or one that is no user pool's id")]
    Pools,
    /// `sub_id` of the format `pool`, with what is not for everybody.
    #[error("`sub_id`: a pool {0}")]
    WholePool(&'static str),
    /// `session`, with what cannot be done to one session, or naming none.
    #[error("`session` {0}")]
    Session(&'static str),
    /// `approve_by`, for what a single person is revoked by, or naming whoever asks.
    #[error("`approve_by` {0}")]
    ApproveBy(&'static str),
    /// `effect: refresh` with a reason other than `role_change`.
    #[error("`effect: refresh` is for role_change only")]
    EffectWithoutRoleChange,
}

// === impl BadRequest ===

impl Disposed for BadRequest {
    fn disposition(&self) -> Disposition {
        Disposition::Reject
    }
}

impl From<Unread> for BadRequest {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLarge => Self::TooLarge,
            Unread::Version => Self::Version,
            Unread::Shape(Mismatch { path, what }) => Self::Shape { path, what },
        }
    }
}

// === impl RevocationRequest ===

impl RevocationRequest {
    /// Reads and checks a request from the `detail` of an event.
    pub fn parse(detail: &str) -> Result<Self, BadRequest> {
        let request: Self = shape::read(detail)?;
        request.check()?;
        Ok(request)
    }

    /// Checks everything the types do not.
    pub fn check(&self) -> Result<(), BadRequest> {
        if self.version != VERSION {
            return Err(BadRequest::Version);
        }
        self.source.check().map_err(|(member, why)| BadRequest::Source(member, why))?;
        self.sub_id.check()?;
        text::check(&self.initiator.id, MAX_INITIATOR_CHARS).map_err(|e| BadRequest::Text("initiator.id", e))?;
        self.reason_admin.check().map_err(|e| BadRequest::Text("reason_admin", e))?;
        self.reason_user.check().map_err(|e| BadRequest::Text("reason_user", e))?;
        if let Some(txn) = &self.txn {
            text::check(txn, MAX_EVENT_ID_CHARS).map_err(|e| BadRequest::Text("txn", e))?;
        }
        self.occurred_at.as_deref().map(EpochMillis::parse_rfc3339).transpose()?;
        if !are_pools(&self.pools) {
            return Err(BadRequest::Pools);
        }
        if self.effect == Effect::Refresh && self.reason != ReasonCode::RoleChange {
            return Err(BadRequest::EffectWithoutRoleChange);
        }
        if let Some(approver) = &self.approve_by {
            checks::check_approver(approver, self)?;
        }
        if let Some(session) = &self.session {
            checks::check_session(session, self.reason)?;
        }
        if matches!(self.sub_id, SubjectIdentifier::Pool { .. }) {
            checks::check_whole_pool(self)?;
        }
        Ok(())
    }

    /// The idempotency key.
    #[must_use]
    pub fn id(&self) -> RevocationId {
        RevocationId::derive(&self.source.name, &self.source.event_id)
    }

    /// Digest of everything the request says, to tell a redelivery from another request under the same id (I8).
    #[must_use]
    pub fn digest(&self) -> PayloadDigest {
        // The struct's own serialization, not the bytes received: white space and member order are not content.
        PayloadDigest::of(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// Whether a user is in one of the pools the request is bound to.
    #[must_use]
    pub fn is_within_its_pools(&self, key: &SubjectKey) -> bool {
        self.pools.is_empty() || self.pools.contains(&key.user_pool_id)
    }

    /// When it happened, for counting: never later than `received`, which is also the answer when nothing is said.
    #[must_use]
    pub fn occurred_or(&self, received: EpochMillis) -> EpochMillis {
        let said = self.occurred_at.as_deref().and_then(|text| EpochMillis::parse_rfc3339(text).ok());
        said.map_or(received, |at| at.min(received))
    }
}

// === impl EventSource ===

impl EventSource {
    /// Checks characters and length; says which member is wrong, and how.
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let name_ok = (1..=MAX_SOURCE_CHARS).contains(&self.name.len())
            && self.name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'/'));
        if !name_ok {
            return Err(("name", "is not 1 to 128 of a-z, 0-9, . - _ /"));
        }
        if text::check(&self.event_id, MAX_EVENT_ID_CHARS).is_err() {
            return Err(("event_id", "is not 1 to 256 printable characters"));
        }
        Ok(())
    }
}

// === impl Effect ===

impl Effect {
    // By reference because serde's `skip_serializing_if` asks so.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    fn is_default(&self) -> bool {
        *self == Self::SignOut
    }
}

/// A member that is there: `null` is a wrong type.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SessionScope>, D::Error> {
    SessionScope::deserialize(deserializer).map(Some)
}

/// Whether these can be pools, and are not too many.
pub(super) fn are_pools(pools: &[UserPoolId]) -> bool {
    pools.len() <= MAX_POOLS && pools.iter().all(|pool| text::check(&pool.0, MAX_POOL_ID_CHARS).is_ok())
}

#[cfg(test)]
mod tests;
