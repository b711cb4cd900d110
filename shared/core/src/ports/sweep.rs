//! Ports of the sweeper.

use async_trait::async_trait;

use super::PortError;
use crate::domain::revocation_id::RevocationId;
use crate::domain::sweep::{OpenRequest, OpenTrail};
use crate::domain::time::EpochMillis;

/// A request that has begun, as the index lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BegunRequest {
    /// When it was received, epoch milliseconds.
    pub received_at: EpochMillis,
    /// The revocation, or the action on an account.
    pub id: RevocationId,
}

/// Finds requests that have begun. What is listed may lag; what is read never does.
#[async_trait]
pub trait RequestIndex: Send + Sync {
    /// Some of those received on a UTC day between two times, both included, the oldest first: those `after` this one. None
    /// are left when it answers nothing.
    async fn begun(
        &self,
        day: &str,
        between: (EpochMillis, EpochMillis),
        after: Option<&BegunRequest>,
    ) -> Result<Vec<BegunRequest>, PortError>;

    /// Those that were redelivered at `since` or later.
    async fn redelivered(&self, since: EpochMillis) -> Result<Vec<RevocationId>, PortError>;

    /// Of these, those that are finished.
    async fn finished(&self, ids: &[RevocationId]) -> Result<Vec<RevocationId>, PortError>;

    /// Everything written down of one; `None` if it has not begun.
    async fn open(&self, id: &RevocationId) -> Result<Option<OpenRequest>, PortError>;
}

/// Remembers redeliveries.
#[async_trait]
pub trait RedeliveryLog: Send + Sync {
    /// Writes that the request is redelivered for the time of this number. Whether it is this call that did: another run may
    /// have been faster.
    async fn claim(&self, id: &RevocationId, number: usize, at: EpochMillis) -> Result<bool, PortError>;

    /// Writes that it will not be redelivered any more. Whether it is this call that did.
    async fn give_up(&self, id: &RevocationId, at: EpochMillis) -> Result<bool, PortError>;
}

/// Puts requests on the queue they came from.
#[async_trait]
pub trait Redeliverer: Send + Sync {
    /// Puts it there as it was. Durable when it returns.
    async fn redeliver(&self, trail: &OpenTrail) -> Result<(), PortError>;

    /// How many messages lie in that queue's dead-letter queue, those somebody is looking at included.
    async fn parked(&self) -> Result<u64, PortError>;
}
