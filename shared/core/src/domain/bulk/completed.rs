//! What the bus is told when a bulk revocation is over.

use serde::{Deserialize, Serialize};

use super::{BulkJob, Control, Stage, Tally};
use crate::domain::audit::looks_personal;
use crate::domain::initiator::Initiator;
use crate::domain::reason::ReasonCode;
use crate::domain::revocation_id::RevocationId;
use crate::domain::subject::SubjectIdentifier;
use crate::domain::time::EpochMillis;

/// A bulk revocation is over. Schema: `events/schemas/bulk-revocation-completed.v1.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkRevocationCompleted {
    /// Version of this form.
    pub version: String,
    /// The job.
    pub job_id: RevocationId,
    /// How it ended: `completed` or `cancelled`.
    pub stage: Stage,
    /// Who was meant: a group, a list, or whoever's work has ended.
    pub sub_id: SubjectIdentifier,
    /// Why.
    pub reason: ReasonCode,
    /// Who caused it.
    pub initiator: Initiator,
    /// Who approved it, where that was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// What came of the members.
    pub tally: Tally,
    /// How often the members were listed.
    pub passes: u32,
    /// How many pages of members there are.
    pub pages: u32,
    /// When the request was received, epoch milliseconds.
    pub received_at: EpochMillis,
    /// When every member of the first pass was refused, epoch milliseconds.
    pub locked_out_at: Option<EpochMillis>,
    /// When nothing was left to do, epoch milliseconds.
    pub ended_at: Option<EpochMillis>,
}

impl BulkRevocationCompleted {
    /// What is to be told of a job.
    #[must_use]
    pub fn of(job: &BulkJob, control: &Control) -> Self {
        Self {
            version: "1".into(),
            job_id: job.id.clone(),
            stage: job.stage,
            sub_id: job.request.sub_id.clone(),
            reason: job.request.reason,
            initiator: job.request.initiator.clone(),
            approved_by: control.approved_by.clone(),
            tally: job.tally,
            passes: job.pass,
            pages: job.pages_listed,
            received_at: job.received_at,
            locked_out_at: job.locked_out_at,
            ended_at: job.ended_at,
        }
    }

    /// What may stand in a log: ids that may be addresses or numbers are redacted (I10). The subject keeps its format only.
    #[must_use]
    pub fn for_log(&self) -> Self {
        let mut told = self.clone();
        for id in [Some(&mut told.initiator.id), told.approved_by.as_mut()].into_iter().flatten() {
            if looks_personal(id) {
                *id = "[redacted]".into();
            }
        }
        told
    }
}
