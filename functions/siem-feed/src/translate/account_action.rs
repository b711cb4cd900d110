//! What an operator did to an account: an *Account Change*.

use revocation_core::domain::action::{AccountAction, ActionOutcome, ActionRecord};
use serde_json::json;

use super::parts::{about, actor, failed_with, succeeded};
use crate::ocsf::{Activity, Class, DISABLE, Draft, PASSWORD_RESET, Severity};

const ENABLE: Activity = Activity(2, "Enable");
const LOCK: Activity = Activity(9, "Lock");

/// What `Account Action Completed` tells; nothing where nobody was found.
pub(super) fn completed(record: &ActionRecord) -> Option<Draft> {
    let record = record.for_log();
    let subject = record.subject.as_ref()?;
    let (activity, name, message) = match record.action {
        AccountAction::Disable => (DISABLE, "disable", "The account was disabled by an operator"),
        AccountAction::Enable => (ENABLE, "enable", "The account was enabled by an operator"),
        AccountAction::ResetPassword => (PASSWORD_RESET, "reset_password", "The password was reset by an operator"),
        AccountAction::Hold => (LOCK, "hold", "The account was put on hold by an operator"),
        // OCSF 1.3.0 has no word for it; 1.5.0 has `Unlock`.
        AccountAction::Release => (Activity::other("Unlock"), "release", "The account was released by an operator"),
    };
    let mut members = about(subject);
    members.insert("actor".into(), actor(&record.initiator, &record.source));
    let code = record.code.as_deref().unwrap_or(record.outcome.as_str());
    let (severity, message) = match record.outcome {
        ActionOutcome::Done => {
            succeeded(&mut members);
            (Severity::Low, message)
        }
        ActionOutcome::Failed | ActionOutcome::Refused => {
            failed_with(&mut members, name, code);
            (Severity::Medium, "An operator's action on an account was not done")
        }
        // 99 is any other; `status` then says which.
        ActionOutcome::Superseded | ActionOutcome::NoSuchUser => {
            members.insert("status_id".into(), json!(99));
            members.insert("status".into(), json!(record.outcome));
            (Severity::Informational, "An operator's action on an account had nothing to do")
        }
    };
    let unmapped = json!({
        "action_id": record.id, "action": record.action, "outcome": record.outcome, "code": record.code,
        "source": record.source, "initiator_kind": record.initiator.kind, "hold": record.hold,
        "override_protection": record.override_protection, "still_barred_by": record.still_barred_by,
    });
    members.insert("unmapped".into(), unmapped);
    Some(Draft {
        class: Class::AccountChange,
        activity,
        severity,
        at: record.at,
        uid: format!("{}/{name}/{subject}", record.id),
        correlation_uid: record.id.to_string(),
        labels: Vec::new(),
        message: message.to_owned(),
        members,
    })
}
