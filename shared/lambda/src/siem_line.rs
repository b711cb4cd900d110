//! `SiemExporter` on the function's own log: one OCSF event a line, which a subscription filter takes out.

use async_trait::async_trait;
use revocation_core::ports::{PortError, SiemEvent, SiemExporter};

use crate::lines;

/// Writes each event as a line of its own. What it may say is what a log may say (I10).
pub struct LogExporter;

#[async_trait]
impl SiemExporter for LogExporter {
    async fn export(&self, events: &[SiemEvent]) -> Result<(), PortError> {
        for event in events {
            lines::write(&event.line);
        }
        Ok(())
    }
}
