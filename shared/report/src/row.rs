//! One entry as a line of text cells.

use revocation_core::domain::action::{ActionOutcome, ActionRecord};
use revocation_core::domain::audit::{AuditRecord, StepOutcome};
use revocation_core::domain::time::EpochMillis;
use serde::Serialize;

use crate::entry::{Entry, Who};

/// The columns of the CSV. Their names and order are a contract: new ones come at the end.
pub(crate) const COLUMNS: [&str; 32] = [
    "subject",
    "user_pool_id",
    "sub",
    "username",
    "name",
    "email",
    "account",
    "outcome",
    "failures",
    "reason",
    "reason_text",
    "initiator_kind",
    "initiator",
    "approved_by",
    "source",
    "event_id",
    "revocation_id",
    "audit_record",
    "received_at",
    "tombstoned_at",
    "sealed_at",
    "elapsed_to_tombstone_ms",
    "elapsed_to_seal_ms",
    "sessions_ended",
    "last_session_at",
    "last_session_ip",
    "last_session_client",
    "last_session_user_agent",
    "refused_at",
    "duplicate",
    "effect",
    "action",
];

/// An entry in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) subject: String,
    pub(crate) user_pool_id: String,
    pub(crate) sub: String,
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) email: String,
    /// `known`, `deleted`, or `not_asked`.
    pub(crate) account: &'static str,
    /// The record's outcome, or `no_record`.
    pub(crate) outcome: String,
    /// `step: code`, separated by semicolons.
    pub(crate) failures: String,
    pub(crate) reason: String,
    pub(crate) reason_text: String,
    pub(crate) initiator_kind: String,
    pub(crate) initiator: String,
    pub(crate) source: String,
    pub(crate) event_id: String,
    pub(crate) revocation_id: String,
    pub(crate) audit_record: String,
    pub(crate) received_at: String,
    pub(crate) tombstoned_at: String,
    pub(crate) sealed_at: String,
    pub(crate) elapsed_to_tombstone_ms: String,
    pub(crate) elapsed_to_seal_ms: String,
    pub(crate) sessions_ended: String,
    pub(crate) last_session_at: String,
    pub(crate) last_session_ip: String,
    pub(crate) last_session_client: String,
    pub(crate) last_session_user_agent: String,
    pub(crate) refused_at: String,
    pub(crate) duplicate: bool,
    pub(crate) effect: String,
    /// What an operator did to the account: `hold`, `disable` …; empty for revocations.
    pub(crate) action: String,
}

impl Row {
    /// The entry in words; `duplicate` if its subject had one before.
    pub(crate) fn of(entry: &Entry, duplicate: bool) -> Self {
        let mut row = Self { account: account(&entry.who), duplicate, ..Self::default() };
        if let Some(subject) = &entry.subject {
            row.subject = subject.to_string();
            row.user_pool_id.clone_from(&subject.user_pool_id.0);
            row.sub.clone_from(&subject.sub.0);
        }
        match &entry.who {
            Who::Known(person) => {
                row.username.clone_from(&person.username);
                row.name = person.name.clone().unwrap_or_default();
                row.email = person.email.clone().unwrap_or_default();
            }
            Who::Gone(username) | Who::NotAsked(username) => row.username = username.clone().unwrap_or_default(),
        }
        match &entry.record {
            Some((key, record)) => {
                row.audit_record = key.to_string();
                row.fill(record);
            }
            None => {
                if let Some((key, action)) = &entry.action {
                    row.audit_record = key.to_string();
                    row.fill_action(action);
                } else {
                    "no_record".clone_into(&mut row.outcome);
                }
            }
        }
        if let Some(code) = &entry.failure {
            let separator = if row.failures.is_empty() { "" } else { "; " };
            row.failures.push_str(separator);
            row.failures.push_str(code);
        }
        row.refused_at = time(entry.refused_at);
        row
    }

    fn fill(&mut self, record: &AuditRecord) {
        let failed = record.steps.iter().filter_map(|step| match &step.outcome {
            StepOutcome::Failed { code } => Some(format!("{}: {code}", step.step.as_str())),
            _ => None,
        });
        self.failures = failed.collect::<Vec<_>>().join("; ");
        self.outcome = word(&record.outcome);
        self.reason = word(&record.reason);
        self.effect = word(&record.effect);
        record.reason_admin.english_or_first().unwrap_or_default().clone_into(&mut self.reason_text);
        self.initiator_kind = word(&record.initiator.kind);
        self.initiator.clone_from(&record.initiator.id);
        self.source.clone_from(&record.source.name);
        self.event_id.clone_from(&record.source.event_id);
        self.revocation_id.clone_from(&record.revocation_id.0);
        self.received_at = time(Some(record.received_at));
        self.tombstoned_at = time(record.tombstoned_at);
        self.sealed_at = time(record.sealed_at);
        self.elapsed_to_tombstone_ms = number(record.elapsed_to_tombstone_ms);
        self.elapsed_to_seal_ms = number(record.elapsed_to_seal_ms);
        self.sessions_ended = number(record.sessions_ended);
        if let Some(session) = record.sessions.first() {
            self.last_session_at = time(Some(session.last_seen));
            self.last_session_ip = session.ip.clone().unwrap_or_default();
            self.last_session_client.clone_from(&session.client_id);
            self.last_session_user_agent = session.user_agent.clone().unwrap_or_default();
        }
    }

    fn fill_action(&mut self, record: &ActionRecord) {
        self.action = word(&record.action);
        self.outcome = word(&record.outcome);
        if matches!(record.outcome, ActionOutcome::Failed | ActionOutcome::Refused) {
            self.failures = format!("{}: {}", self.action, record.code.as_deref().unwrap_or(&self.outcome));
        }
        record.reason_admin.english_or_first().unwrap_or_default().clone_into(&mut self.reason_text);
        self.initiator_kind = word(&record.initiator.kind);
        self.initiator.clone_from(&record.initiator.id);
        self.source.clone_from(&record.source.name);
        self.event_id.clone_from(&record.source.event_id);
        self.received_at = time(Some(record.received_at));
    }

    /// The cells in the order of [`COLUMNS`].
    pub(crate) fn cells<'a>(&'a self, approved_by: &'a str) -> [&'a str; 32] {
        [
            &self.subject,
            &self.user_pool_id,
            &self.sub,
            &self.username,
            &self.name,
            &self.email,
            self.account,
            &self.outcome,
            &self.failures,
            &self.reason,
            &self.reason_text,
            &self.initiator_kind,
            &self.initiator,
            approved_by,
            &self.source,
            &self.event_id,
            &self.revocation_id,
            &self.audit_record,
            &self.received_at,
            &self.tombstoned_at,
            &self.sealed_at,
            &self.elapsed_to_tombstone_ms,
            &self.elapsed_to_seal_ms,
            &self.sessions_ended,
            &self.last_session_at,
            &self.last_session_ip,
            &self.last_session_client,
            &self.last_session_user_agent,
            &self.refused_at,
            if self.duplicate { "yes" } else { "" },
            &self.effect,
            &self.action,
        ]
    }

    /// Whether somebody should look.
    pub(crate) fn needs_a_look(&self) -> bool {
        !self.failures.is_empty() || self.outcome == "no_record"
    }
}

/// A cell that no spreadsheet takes for a formula: <https://owasp.org/www-community/attacks/CSV_Injection>.
#[must_use]
pub fn harmless(cell: &str) -> std::borrow::Cow<'_, str> {
    // White space before it does not keep every program from reading a formula.
    let first = cell.trim_start().chars().next();
    // The wide forms are signs to some, too.
    if matches!(first, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')) || cell.starts_with(['\t', '\r', '\n'])
    {
        format!("'{cell}").into()
    } else {
        cell.into()
    }
}

fn account(who: &Who) -> &'static str {
    match who {
        Who::Known(_) => "known",
        Who::Gone(_) => "deleted",
        Who::NotAsked(_) => "not_asked",
    }
}

fn time(at: Option<EpochMillis>) -> String {
    at.map(EpochMillis::rfc3339).unwrap_or_default()
}

fn number(value: Option<u64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The wire's word for a value: `project_end`.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\rx", "\u{a0}=1", "＝1"] {
            assert!(harmless(cell).starts_with('\''), "{cell:?}");
        }
        for cell in ["", "jane", "a=b", "1-2", "'=1", "名前", "2026-11-26T00:00:00Z"] {
            assert_eq!(harmless(cell), cell);
        }
    }
}
