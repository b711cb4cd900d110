//! Tells the bus, for whatever else listens: a ticket system, an automation.

use async_trait::async_trait;
use revocation_aws::eventbridge::EventBridgePublisher;
use revocation_core::domain::event::Event;
use revocation_core::domain::incident::Page;
use revocation_core::ports::{EventPublisher as _, Pager, PortError};

/// A pager that publishes `Compromise Threshold Exceeded`.
pub(crate) struct BusPager {
    publisher: EventBridgePublisher,
}

impl BusPager {
    pub(crate) fn new(publisher: EventBridgePublisher) -> Self {
        Self { publisher }
    }
}

#[async_trait]
impl Pager for BusPager {
    fn name(&self) -> &'static str {
        "bus"
    }

    async fn page(&self, page: &Page) -> Result<(), PortError> {
        self.publisher.publish(&[Event::CompromiseThresholdExceeded(page.clone())]).await
    }
}
