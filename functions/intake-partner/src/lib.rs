//! Partner and AWS events on the bus become `Revocation Requested`.
//!
//! `SQS message ─▶ envelope ─▶ translate (pure) ─▶ publish`. Our own `Revocation Requested` never comes here: a rule
//! sends it straight to the revoke queue.

use std::sync::Arc;

use async_trait::async_trait;
use revocation_aws::eventbridge::EventBridgePublisher;
use revocation_aws::sqs::SqsQueue;
use revocation_core::domain::event::Event;
use revocation_core::ports::EventPublisher;
use revocation_lambda::metrics;
use revocation_lambda::queue::{Delivery, EventHandler, Failure};

pub mod config;
pub mod translate;

use translate::{Origin, Settings, Verdict, translate};

/// What the function's role must allow, by adapter (I14). A test compares it with the template.
pub const IAM_ACTIONS: &[&[&str]] = &[EventBridgePublisher::IAM_ACTIONS, SqsQueue::IAM_ACTIONS];

/// Translates each event and publishes what it means.
pub struct PartnerIntake {
    /// Puts the requests on the bus.
    pub publisher: Arc<dyn EventPublisher>,
    /// What the translations must know of the deployment.
    pub settings: Settings,
}

#[async_trait]
impl EventHandler for PartnerIntake {
    async fn handle(&self, delivery: Delivery<'_>) -> Result<(), Failure> {
        let requests = match translate(&delivery.envelope, &self.settings)? {
            Verdict::Requests(requests) => requests,
            Verdict::Irrelevant(why) => {
                metrics::count("Irrelevant", "why", why);
                return Ok(());
            }
        };
        let origin = Origin::of(&delivery.envelope).as_str();
        for request in &requests {
            let (id, reason) = (request.id(), request.reason);
            tracing::info!(revocation_id = %id, %reason, format = request.sub_id.format(), origin, "translated");
        }
        let events: Vec<Event> = requests.into_iter().map(Event::RevocationRequested).collect();
        // Half published is published again: the requests carry the same ids, and each has its effect once (I8).
        self.publisher.publish(&events).await?;
        for _ in &events {
            metrics::count("Translated", "source", origin);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
