//! What people say about a bulk revocation while it runs: pause, resume, cancel, approve.

use serde::{Deserialize, Serialize};

use crate::domain::disposition::{Disposed, Disposition};
use crate::domain::initiator::Initiator;
use crate::domain::request::{EventSource, RevocationRequest};
use crate::domain::revocation_id::RevocationId;
use crate::domain::text::{self, BadText};
use crate::domain::time::EpochMillis;

/// Entries a control keeps; later ones take the place of the oldest.
const MOST_ENTRIES: usize = 50;
/// Largest `detail` of a control request, in bytes.
const MAX_DETAIL_BYTES: usize = 4 * 1024;
const MAX_ID_CHARS: usize = 512;

/// What people wish of a job, beside the job itself: whoever works on it only reads this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// What is wished now.
    pub wish: Wish,
    /// Who approved it, if anybody has: the initiator's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// What was said by whom, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<ControlEntry>,
    /// Counts saves.
    #[serde(default)]
    pub version: u64,
}

/// What is wished of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// That it goes on.
    #[default]
    Run,
    /// That it rests. Tombstones stand.
    Pause,
    /// That it ends. Whoever is tombstoned already stays so, but may sign in again.
    Cancel,
}

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlEntry {
    /// Id of the event: said twice it counts once.
    pub event_id: String,
    /// What.
    pub action: ControlAction,
    /// By whom.
    pub by: Initiator,
    /// When, epoch milliseconds.
    pub at: EpochMillis,
}

/// What can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlAction {
    /// Rest.
    Pause,
    /// Go on.
    Resume,
    /// End.
    Cancel,
    /// Begin, although it is large.
    Approve,
}

/// `Bulk Control Requested`. Wire form: `events/schemas/bulk-control-requested.v1.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlRequest {
    /// Version of the wire form.
    pub version: String,
    /// Where it was said, and its id there.
    pub source: EventSource,
    /// The job.
    pub job_id: RevocationId,
    /// What.
    pub action: ControlAction,
    /// By whom.
    pub initiator: Initiator,
}

/// Why a control request was refused. Quotes nothing (I10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadControl {
    /// Not of the schema.
    #[error("not a Bulk Control Requested of version 1")]
    Shape,
    /// A member failed the checks for text.
    #[error("`{0}` {1}")]
    Text(&'static str, #[source] BadText),
    /// There is no such job.
    #[error("there is no such bulk revocation")]
    NoSuchJob,
    /// Whoever asked for it cannot be the one who approves it.
    #[error("approval must come from somebody else than the one who asked for the revocation")]
    OwnApproval,
    /// The request says who approves it.
    #[error("the request names somebody else who alone may approve it")]
    NotTheApprover,
}

// === impl BadControl ===

impl Disposed for BadControl {
    fn disposition(&self) -> Disposition {
        Disposition::Reject
    }
}

// === impl ControlRequest ===

impl ControlRequest {
    /// Reads and checks a request from the `detail` of an event.
    pub fn parse(detail: &str) -> Result<Self, BadControl> {
        if detail.len() > MAX_DETAIL_BYTES {
            return Err(BadControl::Shape);
        }
        let request: Self = serde_json::from_str(detail).map_err(|_| BadControl::Shape)?;
        if request.version != "1" {
            return Err(BadControl::Shape);
        }
        for (name, value) in [
            ("source.name", &request.source.name),
            ("source.event_id", &request.source.event_id),
            ("job_id", &request.job_id.0),
            ("initiator.id", &request.initiator.id),
        ] {
            text::check(value, MAX_ID_CHARS).map_err(|bad| BadControl::Text(name, bad))?;
        }
        Ok(request)
    }
}

// === impl Control ===

impl Control {
    /// What is wished after `request`, said at `at` about the job that was `asked` for; `None` if it was heard already. A
    /// cancellation is final: the tombstones it closes are not opened again.
    pub fn after(
        &self,
        request: &ControlRequest,
        asked: &RevocationRequest,
        at: EpochMillis,
    ) -> Result<Option<Self>, BadControl> {
        if self.entries.iter().any(|entry| entry.event_id == request.source.event_id) {
            return Ok(None);
        }
        let mut next = self.clone();
        match request.action {
            ControlAction::Approve => next.approved_by = Some(approver(&request.initiator, asked)?),
            ControlAction::Pause if self.wish != Wish::Cancel => next.wish = Wish::Pause,
            ControlAction::Resume if self.wish != Wish::Cancel => next.wish = Wish::Run,
            ControlAction::Pause | ControlAction::Resume => {}
            ControlAction::Cancel => next.wish = Wish::Cancel,
        }
        next.entries.push(ControlEntry {
            event_id: request.source.event_id.clone(),
            action: request.action,
            by: request.initiator.clone(),
            at,
        });
        let too_many = next.entries.len().saturating_sub(MOST_ENTRIES);
        next.entries.drain(..too_many);
        Ok(Some(next))
    }
}

/// Whoever says so, if their approval counts.
fn approver(by: &Initiator, asked: &RevocationRequest) -> Result<String, BadControl> {
    if by.id == asked.initiator.id {
        return Err(BadControl::OwnApproval);
    }
    match &asked.approve_by {
        Some(named) if *named != by.id => Err(BadControl::NotTheApprover),
        _ => Ok(by.id.clone()),
    }
}
