//! The audit trail: what is written down of a revocation, while it runs and when it is complete.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::initiator::{Initiator, InitiatorKind};
use super::profile::{Profile, SubjectKey};
use super::reason::ReasonCode;
use super::request::{Effect, EventSource, RevocationRequest};
use super::revocation_id::{PayloadDigest, RevocationId};
use super::session::{SessionRecord, SessionScope};
use super::text::LocalizedText;
use super::time::{EpochMillis, EpochSeconds};

mod step;

pub use step::{Step, StepOutcome, StepRecord};

/// Code of a step that was not needed because the user is gone.
pub const USER_NOT_FOUND: &str = "user_not_found";
/// Code of a seal that was left to another revocation that was still signing the same user out.
pub const SEALED_BY_ANOTHER: &str = "sealed_by_another";

/// Code of the seal of a revocation that was called off: the tombstone was closed without a sign-out.
pub const CALLED_OFF: &str = "called_off";

/// The most sessions named in a record; beyond, only their number is told.
pub const MOST_SESSIONS: usize = 20;

/// Written before anything is done. Fixes the cutoff for every redelivery (I2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The revocation.
    pub revocation_id: RevocationId,
    /// Digest of the request, to tell a redelivery from another request under the same id.
    pub digest: PayloadDigest,
    /// The cutoff, whole seconds.
    pub not_before: EpochSeconds,
    /// When the queue first handed the request over, epoch milliseconds.
    pub received_at: EpochMillis,
    /// The request.
    pub request: RevocationRequest,
}

/// Everything written down of one revocation so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    /// The start.
    pub started: Started,
    /// Whom the subject identifier was found to mean, once that is known.
    pub resolved: Option<Vec<Profile>>,
    /// Steps that ended, by subject.
    pub steps: BTreeMap<SubjectKey, BTreeMap<Step, StepRecord>>,
    /// Subjects whose record is complete. `None` stands for "nobody found".
    pub completed: BTreeMap<Option<SubjectKey>, AuditRecord>,
    /// Subjects whose outcome was published.
    pub published: Vec<SubjectKey>,
    /// Whether nothing is left to do.
    pub finished: bool,
}

/// The record of one subject's revocation, for auditors. Schema: `events/schemas/audit-record.v1.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Version of this form.
    pub version: String,
    /// The revocation.
    pub revocation_id: RevocationId,
    /// Where the event came from, and its id there.
    pub source: EventSource,
    /// Who caused it.
    pub initiator: Initiator,
    /// Whose sessions; `None` if nobody was found.
    pub subject: Option<SubjectKey>,
    /// Why.
    pub reason: ReasonCode,
    /// Why, in words, for the record.
    #[serde(default, skip_serializing_if = "LocalizedText::is_empty")]
    pub reason_admin: LocalizedText,
    /// How much was ended.
    pub effect: Effect,
    /// Which sessions were meant, where not all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionScope>,
    /// The outcome.
    pub outcome: Outcome,
    /// The steps, in order.
    pub steps: Vec<StepRecord>,
    /// How many sessions the ledger knew of that were ended. `None`: not known; never invented.
    pub sessions_ended: Option<u64>,
    /// Those, the one last seen first; at most [`MOST_SESSIONS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<SessionRecord>,
    /// When the pipeline received the request, epoch milliseconds.
    pub received_at: EpochMillis,
    /// When tokens were refused from, epoch milliseconds.
    pub tombstoned_at: Option<EpochMillis>,
    /// When the tombstone was sealed, epoch milliseconds.
    pub sealed_at: Option<EpochMillis>,
    /// The first cutoff, whole seconds.
    pub not_before: EpochSeconds,
    /// From receipt to the tombstone, milliseconds.
    pub elapsed_to_tombstone_ms: Option<u64>,
    /// From receipt to the seal, milliseconds.
    pub elapsed_to_seal_ms: Option<u64>,
}

/// How a subject's revocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every step is done or was not needed.
    Complete,
    /// At least one step failed for good; the tombstone stands.
    Partial,
    /// The subject identifier means nobody in the configured pools.
    NoSuchUser,
    /// Called off between tombstone and sign-out: what was issued by then is refused, the person may sign in again.
    Cancelled,
}

// === impl Outcome ===

impl Outcome {
    /// As it is written on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::NoSuchUser => "no_such_user",
            Self::Cancelled => "cancelled",
        }
    }
}

// === impl Trail ===

impl Trail {
    /// A trail with nothing but its start.
    #[must_use]
    pub fn new(started: Started) -> Self {
        Self {
            started,
            resolved: None,
            steps: BTreeMap::new(),
            completed: BTreeMap::new(),
            published: Vec::new(),
            finished: false,
        }
    }
}

// === impl AuditRecord ===

impl AuditRecord {
    /// Sums up a subject's steps; `subject` is `None` when nobody was found.
    #[must_use]
    pub fn sum_up(started: &Started, subject: Option<&SubjectKey>, steps: &BTreeMap<Step, StepRecord>) -> Self {
        let request = &started.request;
        let done_at = |step| steps.get(&step).filter(|record| record.outcome == StepOutcome::Done).map(|r| r.at);
        let elapsed = |at: Option<EpochMillis>| {
            at.map(|at| u64::try_from(at.since(started.received_at).as_millis()).unwrap_or(u64::MAX))
        };
        let (tombstoned_at, sealed_at) = (done_at(Step::Tombstone), done_at(Step::Seal));
        let outcome = match subject {
            None => Outcome::NoSuchUser,
            Some(_) if ended(steps, Step::GlobalSignOut, USER_NOT_FOUND) => Outcome::NoSuchUser,
            Some(_) if ended(steps, Step::Seal, CALLED_OFF) => Outcome::Cancelled,
            Some(_) if steps.values().any(|record| record.outcome.is_failed()) => Outcome::Partial,
            Some(_) => Outcome::Complete,
        };
        Self {
            version: "1".into(),
            revocation_id: started.revocation_id.clone(),
            source: request.source.clone(),
            initiator: request.initiator.clone(),
            subject: subject.cloned(),
            reason: request.reason,
            reason_admin: request.reason_admin.clone(),
            effect: request.effect,
            session: request.session.clone(),
            outcome,
            steps: steps.values().cloned().collect(),
            sessions_ended: None,
            sessions: Vec::new(),
            received_at: started.received_at,
            tombstoned_at,
            sealed_at,
            not_before: started.not_before,
            elapsed_to_tombstone_ms: elapsed(tombstoned_at),
            elapsed_to_seal_ms: elapsed(sealed_at),
        }
    }

    /// Whether somebody signed out of a single session of their own.
    #[must_use]
    pub fn is_own_sign_out(&self) -> bool {
        self.initiator.kind == InitiatorKind::User && matches!(self.session, Some(SessionScope::Only(_)))
    }

    /// Whether what was asked for came about: the sessions ended, or, for claims-only and single sessions, their tokens
    /// are refused. Of steps that failed besides it says nothing.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        match (&self.session, self.effect) {
            (None, Effect::SignOut) => self.sealed_at.is_some() || self.was_sealed_by_another(),
            (Some(_), _) | (None, Effect::Refresh) => self.tombstoned_at.is_some(),
        }
    }

    fn was_sealed_by_another(&self) -> bool {
        let left = StepOutcome::not_needed(SEALED_BY_ANOTHER);
        self.steps.iter().any(|step| step.step == Step::Seal && step.outcome == left)
    }

    /// The record with the sessions that were ended.
    #[must_use]
    pub fn with_sessions(mut self, ended: Option<Vec<SessionRecord>>) -> Self {
        self.sessions_ended = ended.as_ref().and_then(|ended| u64::try_from(ended.len()).ok());
        self.sessions = ended.unwrap_or_default();
        self.sessions.truncate(MOST_SESSIONS);
        self
    }

    /// The record without what may be personal (I10), for the log: no texts, no sessions, no identifier that is an address or number.
    #[must_use]
    pub fn for_log(&self) -> Self {
        let mut record = self.clone();
        record.reason_admin = LocalizedText::default();
        record.sessions.clear();
        for id in [&mut record.initiator.id, &mut record.source.event_id] {
            if looks_personal(id) {
                *id = "[redacted]".into();
            }
        }
        record
    }
}

/// Whether a step was not needed, for this reason.
fn ended(steps: &BTreeMap<Step, StepRecord>, step: Step, because: &str) -> bool {
    steps.get(&step).is_some_and(|record| record.outcome == StepOutcome::not_needed(because))
}

/// Whether an identifier may be an address, a number or a token. Only what is made of the characters of ids and ARNs is let
/// through, so that no other spelling of `@` slips past; a part that is all digits and as long as a telephone number (E.164: at
/// most 15) may be one, but for an AWS account's in an ARN.
pub(in crate::domain) fn looks_personal(id: &str) -> bool {
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'/' | b'-'));
    let is_number = |part: &str| {
        let abroad = part.starts_with("00") && part.trim_start_matches('0').len() >= 7;
        (abroad || (8..=15).contains(&part.len())) && part.bytes().all(|b| b.is_ascii_digit())
    };
    let of_an_arn = |part: &str| id.starts_with("arn:") && part.len() == 12;
    let like_a_number = id.split([':', '/']).any(|part| is_number(part) && !of_an_arn(part));
    // Base64 of `{"`, as every JWT begins.
    let like_a_token = id.starts_with("eyJ");
    !plain || like_a_number || like_a_token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i10_what_may_be_an_address_a_number_or_a_token_is_not_logged() {
        for id in
            ["a@b.c", "a%40b.c", "a＠b.c", "+4930123456", "004930123456", "0049301234567890", "Jane Doe", "jürgen"]
        {
            assert!(looks_personal(id), "{id}");
        }
        for id in ["4915112345678", "tel:4915112345678", "arn:aws:x:4915112345678", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIi.x"] {
            assert!(looks_personal(id), "{id}");
        }
        let arn = "arn:aws:sts::111122223333:assumed-role/Admin/ops";
        for id in ["ab62", "4711", arn, "user.risk.detect", "7145926379462912345"] {
            assert!(!looks_personal(id), "{id}");
        }
    }
}
