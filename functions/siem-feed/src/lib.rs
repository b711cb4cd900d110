//! Lambda `siem-feed`: every completed revocation, account action and page as an OCSF event, to Firehose or to its own log.
//!
//! Which class each becomes, and why, is in `docs/SIEM-FEED.md`. Delivered twice, an event has the same `metadata.uid`.

pub mod config;
pub mod ocsf;
pub mod translate;

use std::sync::Arc;

use async_trait::async_trait;
use revocation_aws::clients::AwsConfig;
use revocation_aws::firehose::FirehoseExporter;
use revocation_aws::sqs::SqsQueue;
use revocation_core::ports::SiemExporter;
use revocation_lambda::metrics;
use revocation_lambda::queue::{Delivery, EventHandler, Failure};
use revocation_lambda::siem_line::LogExporter;

use crate::config::Config;

/// The actions of the ports it holds besides a stream: exactly what its role allows (I14).
pub const IAM_ACTIONS: &[&[&str]] = &[SqsQueue::IAM_ACTIONS];
/// Needed as well where a stream is configured.
pub const IAM_ACTIONS_WITH_FIREHOSE: &[&str] = FirehoseExporter::IAM_ACTIONS;

/// Translates what is on the bus, and hands it on.
pub struct SiemFeedHandler {
    exporter: Arc<dyn SiemExporter>,
}

impl SiemFeedHandler {
    /// A handler that hands on to `exporter`.
    #[must_use]
    pub fn new(exporter: Arc<dyn SiemExporter>) -> Self {
        Self { exporter }
    }
}

#[async_trait]
impl EventHandler for SiemFeedHandler {
    async fn handle(&self, delivery: Delivery<'_>) -> Result<(), Failure> {
        let Some(events) = translate::translate(&delivery.envelope, delivery.received_at)? else {
            metrics::count("Irrelevant", "function", "siem-feed");
            return Ok(());
        };
        self.exporter.export(&events).await?;
        tracing::info!(event_id = delivery.envelope.id, events = events.len(), "exported");
        metrics::count("Exported", "detail_type", &delivery.envelope.detail_type);
        Ok(())
    }
}

/// Firehose where a stream is configured, else the function's own log.
#[must_use]
pub fn exporter(aws: &AwsConfig, config: &Config) -> Arc<dyn SiemExporter> {
    match &config.firehose {
        Some(stream) => Arc::new(FirehoseExporter::new(aws, stream)),
        None => Arc::new(LogExporter),
    }
}

#[cfg(test)]
mod tests;
