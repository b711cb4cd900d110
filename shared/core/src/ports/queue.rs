//! Ports towards the queue a function is fed from.

use std::time::Duration;

use async_trait::async_trait;

use super::PortError;

/// Where messages go that cannot be handled (I7, I12).
#[async_trait]
pub trait DeadLetterQueue: Send + Sync {
    /// Parks a message with the reason. Durable when it returns. The reason holds no personal data (I10).
    async fn park(&self, message_id: &str, body: &str, reason: &str) -> Result<(), PortError>;
}

/// Decides when a message that failed is delivered again, instead of the queue's visibility timeout: that must be long
/// enough for a slow success, which is too long to wait after a quick failure.
#[async_trait]
pub trait RedeliveryTimer: Send + Sync {
    /// Delivers the message again after `delay`.
    async fn redeliver_in(&self, receipt_handle: &str, delay: Duration) -> Result<(), PortError>;
}
