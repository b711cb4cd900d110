//! Ports of the HTTPS intakes.

use std::time::Duration;

use async_trait::async_trait;

use super::PortError;
use crate::domain::request::RevocationRequest;
use crate::domain::revocation_id::PayloadDigest;
use crate::domain::time::EpochMillis;

/// What is known of an event that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// Nothing, or that an earlier delivery did not get to its end: it is to be carried out.
    Open,
    /// An earlier delivery was carried out and acknowledged.
    Accepted,
    /// Another event came under the same id.
    Conflict,
}

/// Remembers which events of a source were received, for longer than any sender repeats one (I8).
#[async_trait]
pub trait ReceiptLedger: Send + Sync {
    /// Notes that the event arrived, unless it is known.
    async fn receive(
        &self,
        source: &str,
        event_id: &str,
        digest: &PayloadDigest,
        at: EpochMillis,
    ) -> Result<Receipt, PortError>;

    /// Notes that all it asks for is durable: from here on a repetition is only acknowledged.
    async fn accept(&self, source: &str, event_id: &str, at: EpochMillis) -> Result<(), PortError>;
}

/// Whether a subject is within its source's blast radius.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is, now and for the rest of the hour.
    Admitted,
    /// The source has named as many others this hour as it was granted.
    OverLimit,
}

/// Counts the distinct subjects a source names within a clock hour, exactly, however concurrently (I11).
#[async_trait]
pub trait SubjectFence: Send + Sync {
    /// Counts `subject` unless it is counted, if it is within `limit`.
    async fn admit(
        &self,
        source: &str,
        subject: &PayloadDigest,
        limit: u32,
        at: EpochMillis,
    ) -> Result<Admission, PortError>;
}

/// A queue of whole requests: those parked for an operator, or those on their way to the bus.
#[async_trait]
pub trait RequestQueue: Send + Sync {
    /// Sends the request; it becomes visible after `delay` (at most 15 minutes). Durable when it returns.
    async fn send(&self, request: &RevocationRequest, delay: Duration, note: &str) -> Result<(), PortError>;
}

/// Reads a text an operator keeps: a secret, or the document of sources.
#[async_trait]
pub trait TextReader: Send + Sync {
    /// The text of this name.
    async fn read(&self, name: &str) -> Result<String, PortError>;
}
