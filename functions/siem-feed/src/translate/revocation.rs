//! A subject's revocation: the sessions that ended are an *Authentication: Logoff*, what was done to the account besides is an
//! *Account Change* each.

use revocation_core::domain::audit::{AuditRecord, Step, StepOutcome, StepRecord};
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::Effect;
use revocation_core::domain::session::SessionScope;
use serde_json::{Value, json};

use super::parts::{about, actor, failed_with, succeeded};
use crate::ocsf::{Activity, Class, DISABLE, Draft, PASSWORD_RESET, Severity};

/// Authentication: sessions ended.
const LOGOFF: Activity = Activity(2, "Logoff");
/// The source of the requests a bulk job makes; its event ids begin with the job's.
const BULK: &str = "bulk";

/// What `Sessions Revoked` tells: the end of the sessions, and what else was done.
pub(super) fn ended(record: &AuditRecord) -> Vec<Draft> {
    let Some(subject) = &record.subject else { return Vec::new() };
    let (activity, message) = match (&record.session, record.effect) {
        (Some(SessionScope::Only(_)), _) => (LOGOFF, "A session of the user was ended"),
        (Some(SessionScope::AllBut(_)), _) => (LOGOFF, "Every session of the user but one was ended"),
        (None, Effect::SignOut) if subject.is_everyone() => (LOGOFF, "Every session in the user pool was ended"),
        (None, Effect::SignOut) => (LOGOFF, "Every session of the user was ended"),
        (None, Effect::Refresh) => {
            (Activity::other("Refresh"), "The user's tokens were refused; clients fetch new ones")
        }
    };
    let sealed = record.steps.iter().find(|step| step.step == Step::Seal).map(|step| step.at);
    let at = sealed.or(record.tombstoned_at).unwrap_or(record.received_at);
    let mut sessions = draft(record, subject, Class::Authentication, activity, "sessions", message);
    sessions.at = at;
    succeeded(&mut sessions.members);
    sessions.members.insert("start_time".into(), json!(record.received_at.0));
    sessions.members.insert("end_time".into(), json!(at.0));
    if let Some(SessionScope::Only(origin_jti)) = &record.session {
        sessions.members.insert("session".into(), json!({"uid": origin_jti}));
    }
    let mut drafts = vec![sessions];
    drafts.extend(account_changes(record, subject));
    drafts
}

/// What `Revocation Failed` tells: each step that failed, and what was done before, unless `Sessions Revoked` tells that.
pub(super) fn failed(record: &AuditRecord) -> Vec<Draft> {
    let Some(subject) = &record.subject else { return Vec::new() };
    let mut drafts: Vec<Draft> = record.steps.iter().filter_map(|step| failure(record, subject, step)).collect();
    if !record.has_ended() {
        drafts.extend(account_changes(record, subject));
    }
    drafts
}

fn account_changes(record: &AuditRecord, subject: &SubjectKey) -> Vec<Draft> {
    let done = record.steps.iter().filter(|step| step.outcome == StepOutcome::Done);
    let changes = done.filter_map(|step| {
        let (class, activity, message) = words(step.step);
        let mut draft = draft(record, subject, class, activity, step.step.as_str(), message);
        draft.at = step.at;
        succeeded(&mut draft.members);
        (class == Class::AccountChange).then_some(draft)
    });
    changes.collect()
}

fn failure(record: &AuditRecord, subject: &SubjectKey, step: &StepRecord) -> Option<Draft> {
    let StepOutcome::Failed { code } = &step.outcome else { return None };
    let (class, activity, _) = words(step.step);
    let message = "A step of a revocation failed for good";
    let mut draft = draft(record, subject, class, activity, &format!("{}/failed", step.step.as_str()), message);
    draft.at = step.at;
    draft.severity = Severity::High;
    failed_with(&mut draft.members, step.step.as_str(), code);
    Some(draft)
}

fn words(step: Step) -> (Class, Activity, &'static str) {
    match step {
        Step::Tombstone | Step::GlobalSignOut | Step::Seal => {
            (Class::Authentication, LOGOFF, "The user was signed out")
        }
        Step::Disable => (Class::AccountChange, DISABLE, "The account was disabled"),
        Step::ResetPassword => (Class::AccountChange, PASSWORD_RESET, "The password was reset"),
        Step::ForgetDevices => {
            (Class::AccountChange, Activity::other("Forget Devices"), "Remembered devices were forgotten")
        }
    }
}

fn draft(
    record: &AuditRecord,
    subject: &SubjectKey,
    class: Class,
    activity: Activity,
    part: &str,
    message: &str,
) -> Draft {
    let correlation_uid = correlation(record);
    let record = record.for_log();
    let mut members = about(subject);
    members.insert("actor".into(), actor(&record.initiator, &record.source));
    members.insert("unmapped".into(), unmapped(&record));
    if class == Class::Authentication {
        // One of `service` and `dst_endpoint` is required; 4 is OpenID.
        members.insert("service".into(), json!({"name": "Amazon Cognito user pool", "uid": subject.user_pool_id}));
        members.insert("auth_protocol_id".into(), json!(4));
        members.insert("auth_protocol".into(), json!("OpenID"));
    }
    let canary = record.reason == ReasonCode::Canary;
    Draft {
        class,
        activity,
        severity: if subject.is_everyone() { Severity::Critical } else { severity(record.reason) },
        at: record.received_at,
        uid: format!("{}/{part}/{subject}", record.revocation_id),
        correlation_uid,
        labels: if canary { vec!["canary"] } else { Vec::new() },
        message: format!("{message} ({})", record.reason),
        members,
    }
}

/// What OCSF has no word for. No text: what people wrote may name people.
fn unmapped(record: &AuditRecord) -> Value {
    json!({
        "revocation_id": record.revocation_id, "reason": record.reason, "effect": record.effect,
        "outcome": record.outcome, "source": record.source, "initiator_kind": record.initiator.kind,
        "sessions_ended": record.sessions_ended, "not_before": record.not_before,
        "elapsed_to_tombstone_ms": record.elapsed_to_tombstone_ms, "elapsed_to_seal_ms": record.elapsed_to_seal_ms,
    })
}

/// The bulk job, where there is one; else the revocation. Either is an id of ours.
fn correlation(record: &AuditRecord) -> String {
    let job = record.source.event_id.split_once('/').map(|(job, _)| job);
    let job = job.filter(|job| record.source.name == BULK && job.starts_with("rv_"));
    job.map_or_else(|| record.revocation_id.to_string(), str::to_owned)
}

fn severity(reason: ReasonCode) -> Severity {
    match reason {
        ReasonCode::Compromise => Severity::Medium,
        ReasonCode::Anomaly | ReasonCode::PolicyViolation => Severity::Low,
        _ => Severity::Informational,
    }
}
