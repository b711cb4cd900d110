//! A page: an *Incident Finding*, created when it is raised and closed when its window has emptied.

use revocation_core::domain::incident::{Page, Stage};
use revocation_core::domain::time::EpochMillis;
use serde_json::{Value, json};

use crate::ocsf::{Activity, Class, Draft, Origin, Severity};

const CREATE: Activity = Activity(1, "Create");
const CLOSE: Activity = Activity(3, "Close");
const TITLE: &str = "Many accounts with signs of compromise";

/// What a page tells.
pub(super) fn page(page: &Page, origin: &Origin<'_>) -> Draft {
    let id = &page.incident_id;
    let (activity, severity, status, uid, message) = match page.stage {
        Stage::Triggered => (CREATE, Severity::Critical, (1, "New"), format!("{id}/triggered"), TITLE),
        // An incident that was resolved too early is resolved once more, with a later last sign.
        Stage::Resolved => {
            let uid = format!("{id}/resolved/{}", page.last_at);
            (CLOSE, Severity::Informational, (4, "Resolved"), uid, "The window of an incident has emptied")
        }
    };
    let millis = |at| EpochMillis::from(at).0;
    let observables: Vec<Value> = page
        .subjects
        .iter()
        .map(|sub| json!({"name": "unmapped.subjects", "type_id": 4, "type": "User Name", "value": sub}))
        .collect();
    let members = json!({
        "status_id": status.0, "status": status.1,
        "start_time": millis(page.first_at), "end_time": millis(page.last_at),
        "desc": format!("{} accounts showed signs of compromise within {} minutes; {} are allowed.",
            page.count, page.window_minutes, page.threshold),
        "src_url": page.runbook_url,
        // One of `assignee` and `assignee_group` is required: whoever the page goes to.
        "assignee_group": {"name": "on-call"},
        "finding_info_list": [{
            "uid": id, "title": TITLE,
            "first_seen_time": millis(page.first_at), "last_seen_time": millis(page.last_at),
            "types": ["Account compromise"],
        }],
        "observables": observables,
        "unmapped": {
            "count": page.count, "threshold": page.threshold, "window_minutes": page.window_minutes,
            "subjects": page.subjects,
        },
    });
    Draft {
        class: Class::IncidentFinding,
        activity,
        severity,
        at: origin.logged_at,
        uid,
        correlation_uid: id.clone(),
        labels: Vec::new(),
        message: message.to_owned(),
        members: members.as_object().cloned().unwrap_or_default(),
    }
}
