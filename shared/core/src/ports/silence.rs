//! Ports of who was heard of when.

use async_trait::async_trait;

use super::PortError;
use crate::domain::time::EpochMillis;

/// Notes when a source was heard of.
#[async_trait]
pub trait LastHeardWriter: Send + Sync {
    /// Something authentic of the source came at this time. Notes may come late and out of order: the latest time stands.
    async fn heard(&self, source: &str, at: EpochMillis) -> Result<(), PortError>;
}

/// Knows when a source was heard of last.
#[async_trait]
pub trait LastHeardReader: Send + Sync {
    /// When that was; `None`: never, or so long ago that it is forgotten, which is longer than any silence that is allowed
    /// ([`LONGEST_SILENCE`]).
    ///
    /// [`LONGEST_SILENCE`]: crate::domain::silence::LONGEST_SILENCE
    async fn last_heard(&self, source: &str) -> Result<Option<EpochMillis>, PortError>;
}
