//! `EventPublisher` on EventBridge.

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use revocation_core::domain::event::Event;
use revocation_core::ports::{EventPublisher, PortError};
use revocation_core::trace;

use crate::clients::AwsConfig;
use crate::error::port_error;

const PUT_EVENTS: &str = "events:PutEvents";
/// `PutEvents` takes no more entries at once.
const MOST_ENTRIES: usize = 10;
/// Entries that failed are sent once more here; after that the queue delivers the whole cause again.
const ROUNDS: usize = 2;

/// Puts events on one bus.
pub struct EventBridgePublisher {
    client: Client,
    bus: String,
    source: &'static str,
}

impl EventBridgePublisher {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[PUT_EVENTS];

    /// A publisher on `bus`, whose events carry `source`.
    #[must_use]
    pub fn new(aws: &AwsConfig, bus: impl Into<String>, source: &'static str) -> Self {
        Self { client: aws.eventbridge(), bus: bus.into(), source }
    }

    fn entry(&self, event: &Event) -> Result<PutEventsRequestEntry, PortError> {
        let detail = event.detail().map_err(|_| PortError::reject(PUT_EVENTS, "not_serializable"))?;
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(self.source)
            .detail_type(event.detail_type())
            .detail(detail)
            // EventBridge hands it on to the queues, as the system attribute `AWSTraceHeader`.
            .set_trace_header(trace::current().map(|header| header.as_str().to_owned()))
            .build())
    }

    /// Sends entries; returns those the bus refused. `PutEvents` answers 200 even then (I7):
    /// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
    async fn put(&self, entries: Vec<PutEventsRequestEntry>) -> Result<Vec<PutEventsRequestEntry>, PortError> {
        let answer = self.client.put_events().set_entries(Some(entries.clone())).send().await;
        let answer = answer.map_err(|error| port_error(PUT_EVENTS, &error))?;
        if answer.failed_entry_count() == 0 {
            return Ok(Vec::new());
        }
        let refused = entries.into_iter().zip(answer.entries()).filter(|(_, result)| result.event_id().is_none());
        Ok(refused.map(|(entry, _)| entry).collect())
    }
}

#[async_trait]
impl EventPublisher for EventBridgePublisher {
    async fn publish(&self, events: &[Event]) -> Result<(), PortError> {
        let entries = events.iter().map(|event| self.entry(event)).collect::<Result<Vec<_>, _>>()?;
        for chunk in entries.chunks(MOST_ENTRIES) {
            let mut left = chunk.to_vec();
            for _ in 0..ROUNDS {
                if !left.is_empty() {
                    left = self.put(left).await?;
                }
            }
            if !left.is_empty() {
                return Err(PortError::retry(PUT_EVENTS, "entries_refused"));
            }
        }
        Ok(())
    }
}
