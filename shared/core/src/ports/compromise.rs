//! Ports of the compromise counter.

use async_trait::async_trait;

use super::PortError;
use crate::domain::incident::{IncidentLog, Page, Sign};
use crate::domain::revocation_id::{PayloadDigest, RevocationId};
use crate::domain::time::EpochSeconds;

/// Whether a request was counted before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The sign that stands for this request: this delivery's, or the one an earlier delivery wrote.
    As(Sign),
    /// Another request stands under the same id.
    Conflict,
}

/// Keeps signs of compromise, each once however often it is delivered.
#[async_trait]
pub trait CompromiseLedger: Send + Sync {
    /// Writes the sign of a request, once for its id (I8): a replay finds the first one, with its time. Durable, and seen
    /// by every later [`Self::between`], when it returns.
    async fn record(&self, id: &RevocationId, digest: &PayloadDigest, sign: &Sign) -> Result<Recorded, PortError>;

    /// All signs from `first` to `last`, both included, by strongly consistent reads.
    async fn between(&self, first: EpochSeconds, last: EpochSeconds) -> Result<Vec<Sign>, PortError>;
}

/// Somebody else saved first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict;

/// Keeps the incidents of the last days, under optimistic concurrency control.
#[async_trait]
pub trait IncidentStore: Send + Sync {
    /// The log by a strongly consistent read; empty if there is none yet.
    async fn load(&self) -> Result<IncidentLog, PortError>;

    /// Replaces the log if it still has the version it was loaded with.
    async fn save(&self, log: &IncidentLog) -> Result<Result<(), Conflict>, PortError>;
}

/// Tells the people on call.
#[async_trait]
pub trait Pager: Send + Sync {
    /// Stable name, by which it is remembered who was told.
    fn name(&self) -> &'static str;

    /// Sends the page. The same incident and stage may be sent again after a crash.
    async fn page(&self, page: &Page) -> Result<(), PortError>;
}
