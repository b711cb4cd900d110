//! Towards a SIEM.

use async_trait::async_trait;

use super::PortError;

/// An event in the words of OCSF, as one line of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiemEvent {
    /// OCSF's `class_uid`: each class may go its own way, as Security Lake's custom sources want it.
    pub class_uid: u32,
    /// The event, without a line break.
    pub line: String,
}

/// Hands events to where a SIEM reads them.
#[async_trait]
pub trait SiemExporter: Send + Sync {
    /// Hands over all of them: one that was refused is an error, and nothing vanishes (I7). After an error some may have
    /// arrived; they arrive again with the next try, under the same `metadata.uid`.
    async fn export(&self, events: &[SiemEvent]) -> Result<(), PortError>;
}
