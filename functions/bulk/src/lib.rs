//! Lambda `bulk`: takes requests that mean many people, what is said of them while they run, and its own work, slice by slice.

pub mod config;
pub mod wiring;

use std::sync::Arc;

use async_trait::async_trait;
use revocation_core::domain::bulk::ControlRequest;
use revocation_core::domain::disposition::{Disposed, Disposition};
use revocation_core::domain::event::{
    BULK_CONTROL_REQUESTED, BULK_WORK_DUE, Envelope, QUEUED_SOURCE, REVOCATION_REQUESTED,
};
use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{Effect, EventSource, RevocationRequest, VERSION};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::text::LocalizedText;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Clock;
use revocation_core::usecase::bulk::BulkRevoker;
use revocation_lambda::metrics;
use revocation_lambda::queue::{Delivery, EventHandler, Failure};
use serde::Deserialize;

pub use wiring::IAM_ACTIONS;

/// `source` and `detail-type` of EventBridge's own schedules.
const SCHEDULE: (&str, &str) = ("aws.events", "Scheduled Event");
/// Source of the daily request for those whose work has ended; the event id is the day.
const DAILY: &str = "schedule/end-date";

/// Hands each message to the bulk revoker.
pub struct BulkHandler {
    revoker: BulkRevoker,
    clock: Arc<dyn Clock>,
}

/// The message is none that this function knows.
#[derive(Debug, thiserror::Error)]
#[error("neither a request, nor a control, nor work that is due")]
struct Unknown;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkDue {
    job_id: RevocationId,
}

impl Disposed for Unknown {
    fn disposition(&self) -> Disposition {
        Disposition::Reject
    }
}

// === impl BulkHandler ===

impl BulkHandler {
    /// A handler.
    #[must_use]
    pub fn new(revoker: BulkRevoker, clock: Arc<dyn Clock>) -> Self {
        Self { revoker, clock }
    }

    async fn begin(&self, request: RevocationRequest, delivery: &Delivery<'_>) -> Result<(), Failure> {
        Ok(self.revoker.begin(request, delivery.received_at, &delivery.envelope.id).await?)
    }
}

#[async_trait]
impl EventHandler for BulkHandler {
    async fn handle(&self, delivery: Delivery<'_>) -> Result<(), Failure> {
        let envelope = &delivery.envelope;
        match (envelope.source.as_str(), envelope.detail_type.as_str()) {
            (_, REVOCATION_REQUESTED) => {
                let request = RevocationRequest::parse(envelope.detail.get())?;
                metrics::count("BulkRequested", "reason", request.reason.as_str());
                self.begin(request, &delivery).await
            }
            (_, BULK_CONTROL_REQUESTED) => {
                Ok(self.revoker.steer(&ControlRequest::parse(envelope.detail.get())?).await?)
            }
            // The bus carries no event of this source: only who may write to the queue can say it.
            (QUEUED_SOURCE, BULK_WORK_DUE) => {
                let due: WorkDue = serde_json::from_str(envelope.detail.get()).map_err(|_| Unknown)?;
                Ok(self.revoker.proceed(&due.job_id, &envelope.id).await?)
            }
            SCHEDULE => self.begin(daily(self.day_of(envelope)), &delivery).await,
            _ => Err(Unknown.into()),
        }
    }
}

impl BulkHandler {
    /// The day a schedule's event is of, so that its redelivery after midnight is not another request.
    fn day_of(&self, envelope: &Envelope<'_>) -> String {
        let time = envelope.time.as_deref().and_then(|text| EpochMillis::parse_rfc3339(text).ok());
        time.unwrap_or_else(|| self.clock.now()).utc_day()
    }
}

/// Nobody asks for it: the contract's end does.
fn daily(day: String) -> RevocationRequest {
    RevocationRequest {
        version: VERSION.into(),
        source: EventSource { name: DAILY.into(), event_id: day },
        sub_id: SubjectIdentifier::Ended {},
        reason: ReasonCode::ProjectEnd,
        initiator: Initiator { kind: InitiatorKind::Policy, id: "end-date".into() },
        reason_admin: LocalizedText::english("the end date of the account has passed"),
        reason_user: LocalizedText::default(),
        occurred_at: None,
        effect: Effect::SignOut,
        lockout: false,
        session: None,
        approve_by: None,
        txn: None,
        pools: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daily_request_is_one_a_day() {
        let request = daily("2026-11-26".into());
        assert_eq!(request.check(), Ok(()));
        assert_eq!(request.id(), daily("2026-11-26".into()).id());
        assert_ne!(request.id(), daily("2026-11-27".into()).id());
    }
}
