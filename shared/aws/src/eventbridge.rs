//! `EventPublisher` on EventBridge.

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, RuleState};
use revocation_core::domain::event::Event;
use revocation_core::ports::{EventPublisher, PortError};
use revocation_core::trace;

use crate::clients::AwsConfig;
use crate::error::port_error;

const PUT_EVENTS: &str = "events:PutEvents";
const LIST_RULES: &str = "events:ListRules";
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
        // What the answer does not tell of counts as refused: a second copy on the bus has no effect, a lost one would.
        let is_refused = |n: usize| answer.entries().get(n).is_none_or(|result| result.event_id().is_none());
        Ok(entries.into_iter().enumerate().filter(|(n, _)| is_refused(*n)).map(|(_, entry)| entry).collect())
    }
}

/// Looks at rules. Reads only.
pub struct EventBridgeRules {
    client: Client,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Events that match go on.
    pub enabled: bool,
}

impl EventBridgeRules {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[LIST_RULES];

    /// Rules of the account.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.eventbridge() }
    }

    /// The rules of a bus (`None`: the account's own) whose names begin so.
    pub async fn rules(&self, bus: Option<&str>, prefix: Option<&str>) -> Result<Vec<Rule>, PortError> {
        let (mut rules, mut after) = (Vec::new(), None);
        loop {
            let list = self.client.list_rules().set_event_bus_name(bus.map(str::to_owned));
            let list = list.set_name_prefix(prefix.map(str::to_owned)).set_next_token(after);
            let page = list.send().await.map_err(|error| port_error(LIST_RULES, &error))?;
            rules.extend(page.rules().iter().map(|rule| Rule {
                name: rule.name().unwrap_or_default().to_owned(),
                enabled: rule.state() != Some(&RuleState::Disabled),
            }));
            after = page.next_token;
            if after.is_none() {
                return Ok(rules);
            }
        }
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

#[cfg(test)]
mod tests;
