//! What a report is made from.

use revocation_core::domain::action::ActionRecord;
use revocation_core::domain::audit::AuditRecord;
use revocation_core::domain::audit_chain::RecordKey;
use revocation_core::domain::profile::{Person, SubjectKey};
use revocation_core::domain::time::EpochMillis;
use serde::Serialize;

/// What a report is about, as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What it covers.
    pub scope: Scope,
    /// When it is made, epoch milliseconds.
    pub generated_at: EpochMillis,
    /// On whose behalf: a caller's ARN, or the function that made it unasked.
    pub generated_by: String,
}

/// What a report covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One bulk revocation.
    Job {
        /// Its id.
        job_id: String,
        /// Who was meant, in words: `group contractors`.
        meant: String,
        /// The reason's code.
        reason: String,
        /// Who caused it: `admin arn:…`.
        initiator: String,
        /// Who approved it; `None` where that was not needed.
        approved_by: Option<String>,
        /// How it ended: `completed`, `cancelled`.
        stage: String,
        /// When it was received, RFC 3339.
        received_at: String,
        /// When every member was refused, RFC 3339.
        locked_out_at: Option<String>,
        /// When nothing was left to do, RFC 3339.
        ended_at: Option<String>,
        /// Entries of a list that mean nobody.
        unknown: u64,
    },
    /// Everything recorded on these UTC days, the last one included.
    Period {
        /// `YYYY-MM-DD`.
        since: String,
        /// `YYYY-MM-DD`.
        until: String,
    },
}

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// As the user pool knows them now.
    Known(Person),
    /// The pool knows them no longer. The user name, if it was written down.
    Gone(Option<String>),
    /// The pool was not asked, or did not answer. The user name, if it was written down.
    NotAsked(Option<String>),
}

/// One person's revocation, or what is known of it; or what an operator did to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whose sessions; `None` if nobody was found.
    pub subject: Option<SubjectKey>,
    /// Who that is.
    pub who: Who,
    /// The audit record and its key; `None` if there is none (yet).
    pub record: Option<(RecordKey, AuditRecord)>,
    /// What an operator did to the account, and its key. Then there is no `record`.
    pub action: Option<(RecordKey, ActionRecord)>,
    /// When an API refused a token of a session that was ended, epoch milliseconds: the first such request known.
    pub refused_at: Option<EpochMillis>,
    /// Why there is no record, or what needs a look beside it: a stable code.
    pub failure: Option<String>,
}
