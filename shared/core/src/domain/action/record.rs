//! What is written down of an action: its start, and a record of each account.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AccountAction, AccountActionRequest, HoldTerms};
use crate::domain::audit::looks_personal;
use crate::domain::hold::{ActionStamp, Bar};
use crate::domain::initiator::Initiator;
use crate::domain::profile::{Profile, SubjectKey};
use crate::domain::request::EventSource;
use crate::domain::revocation_id::{PayloadDigest, RevocationId};
use crate::domain::text::LocalizedText;
use crate::domain::time::EpochMillis;

/// Written before anything is done. Fixes the action's place among the others for every redelivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionStarted {
    /// The action.
    pub id: RevocationId,
    /// Digest of the request, to tell a redelivery from another request under the same id.
    pub digest: PayloadDigest,
    /// When the queue first handed the request over, epoch milliseconds.
    pub received_at: EpochMillis,
    /// The request.
    pub request: AccountActionRequest,
}

/// Everything written down of one action so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionTrail {
    /// The start.
    pub started: ActionStarted,
    /// Whom the subject identifier was found to mean, once that is known.
    pub resolved: Option<Vec<Profile>>,
    /// Accounts whose record is written. `None` stands for "nobody found".
    pub completed: BTreeMap<Option<SubjectKey>, ActionRecord>,
    /// Accounts whose outcome was published.
    pub published: Vec<SubjectKey>,
    /// Whether nothing is left to do.
    pub finished: bool,
}

/// The record of one account, for auditors. Schema: `events/schemas/account-action-completed.v1.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRecord {
    /// Version of this form.
    pub version: String,
    /// The action.
    pub id: RevocationId,
    /// Where the event came from, and its id there.
    pub source: EventSource,
    /// Who caused it.
    pub initiator: Initiator,
    /// Whose account; `None` if nobody was found.
    pub subject: Option<SubjectKey>,
    /// What was asked for.
    pub action: AccountAction,
    /// A hold's end and message.
    #[serde(default, skip_serializing_if = "HoldTerms::is_default")]
    pub hold: HoldTerms,
    /// Whether protection was not to count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub override_protection: bool,
    /// Why, in words, for the record.
    #[serde(default, skip_serializing_if = "LocalizedText::is_empty")]
    pub reason_admin: LocalizedText,
    /// How it ended.
    pub outcome: ActionOutcome,
    /// Why it ended so, where it is not `done`: stable and machine-readable, such as `protected_group`.
    pub code: Option<String>,
    /// After `enable` and `release`: what still keeps the person from new tokens. `None`: not known.
    pub still_barred_by: Option<Vec<Bar>>,
    /// When the pipeline received the request, epoch milliseconds.
    pub received_at: EpochMillis,
    /// When it ended, epoch milliseconds.
    pub at: EpochMillis,
}

/// How an action on one account ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionOutcome {
    /// It was done.
    Done,
    /// A later action on the same account was there first, and stands.
    Superseded,
    /// The account is protected.
    Refused,
    /// It cannot be done, however often it is tried.
    Failed,
    /// The subject identifier means nobody in the configured pools, or nobody any more.
    NoSuchUser,
}

// === impl ActionStarted ===

impl ActionStarted {
    /// Its place among the actions on an account.
    #[must_use]
    pub fn stamp(&self) -> ActionStamp {
        ActionStamp { at: self.received_at, by: self.id.clone() }
    }
}

// === impl ActionTrail ===

impl ActionTrail {
    /// A trail with nothing but its start.
    #[must_use]
    pub fn new(started: ActionStarted) -> Self {
        Self { started, resolved: None, completed: BTreeMap::new(), published: Vec::new(), finished: false }
    }
}

// === impl ActionRecord ===

impl ActionRecord {
    /// The record of one account, which ended at `at`; `subject` is `None` when nobody was found.
    #[must_use]
    pub fn of(
        started: &ActionStarted,
        subject: Option<SubjectKey>,
        (outcome, code): (ActionOutcome, Option<String>),
        at: EpochMillis,
    ) -> Self {
        let request = &started.request;
        Self {
            version: "1".into(),
            id: started.id.clone(),
            source: request.source.clone(),
            initiator: request.initiator.clone(),
            subject,
            action: request.action,
            hold: request.hold.clone(),
            override_protection: request.override_protection,
            reason_admin: request.reason_admin.clone(),
            outcome,
            code,
            still_barred_by: None,
            received_at: started.received_at,
            at,
        }
    }

    /// Its place among the actions on the account.
    #[must_use]
    pub fn stamp(&self) -> ActionStamp {
        ActionStamp { at: self.received_at, by: self.id.clone() }
    }

    /// The record without what may be personal (I10), for the log: no texts, no identifier that is an address or number.
    #[must_use]
    pub fn for_log(&self) -> Self {
        let mut record = self.clone();
        record.reason_admin = LocalizedText::default();
        record.hold.message = None;
        for id in [&mut record.initiator.id, &mut record.source.event_id] {
            if looks_personal(id) {
                *id = "[redacted]".into();
            }
        }
        record
    }
}

// === impl ActionOutcome ===

impl ActionOutcome {
    /// The name in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Superseded => "superseded",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::NoSuchUser => "no_such_user",
        }
    }
}
