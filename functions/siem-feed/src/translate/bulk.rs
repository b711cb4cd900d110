//! The end of a bulk revocation: an *Entity Management* of the job. What became of each member is told by events of its own.

use revocation_core::domain::bulk::{BulkRevocationCompleted, Stage, Tally};
use revocation_core::domain::request::EventSource;
use serde_json::json;

use super::parts::actor;
use crate::ocsf::{Activity, Class, Draft, Origin, Severity};

/// What `Bulk Revocation Completed` tells.
pub(super) fn completed(told: &BulkRevocationCompleted, origin: &Origin<'_>) -> Draft {
    let told = told.for_log();
    let id = &told.job_id;
    let Tally { failed, handed_over, unknown, .. } = told.tally;
    let (activity, word, status, message) = if told.stage == Stage::Cancelled {
        (Activity::other("Cancel"), "cancelled", (99, "Cancelled"), "A bulk revocation was cancelled")
    } else if failed + handed_over + unknown == 0 {
        (Activity::other("Complete"), "completed", (1, "Success"), "A bulk revocation is complete")
    } else {
        (
            Activity::other("Complete"),
            "completed",
            (99, "Partial"),
            "A bulk revocation is over, and some of it needs a look",
        )
    };
    let members = json!({
        "entity": {"uid": id, "name": "bulk revocation", "type": "bulk revocation"},
        "actor": actor(&told.initiator, &EventSource { name: "bulk".into(), event_id: id.to_string() }),
        "status_id": status.0, "status": status.1,
        "start_time": told.received_at.0, "end_time": told.ended_at.map_or(origin.logged_at.0, |at| at.0),
        // Not whom: a group's name is the deployment's to choose, and may be a person's.
        "unmapped": {
            "reason": told.reason, "initiator_kind": told.initiator.kind, "approved_by": told.approved_by,
            "sub_id_format": told.sub_id.format(), "tally": told.tally, "passes": told.passes, "pages": told.pages,
            "locked_out_at": told.locked_out_at,
        },
    });
    Draft {
        class: Class::EntityManagement,
        activity,
        severity: if failed + handed_over == 0 { Severity::Informational } else { Severity::Medium },
        at: told.ended_at.unwrap_or(origin.logged_at),
        uid: format!("{id}/bulk/{word}"),
        correlation_uid: id.to_string(),
        labels: Vec::new(),
        message: message.to_owned(),
        members: members.as_object().cloned().unwrap_or_default(),
    }
}
