//! The loop over SQS batches: each message succeeds, is tried again, or is parked, by itself (I12).

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use revocation_core::domain::disposition::{Disposed, Disposition};
use revocation_core::domain::event::Envelope;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Clock, DeadLetterQueue, RedeliveryTimer};
use revocation_core::trace::{self, TraceHeader};
use tokio::task::JoinSet;

use crate::logging::{chain, in_trace};
use crate::metrics;

/// First wait before a message that failed is delivered again; doubled with every delivery.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait. With 17 deliveries (the template's `maxReceiveCount`) an outage of ten minutes is outlived.
pub const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// How much of a rejected message's id is written as reason, in characters.
const MAX_REASON_CHARS: usize = 512;

/// One event from the bus, as the queue handed it over.
#[derive(Debug)]
pub struct Delivery<'a> {
    /// The event.
    pub envelope: Envelope<'a>,
    /// When the bus put it on the queue.
    pub received_at: EpochMillis,
}

/// What a function does with one event.
#[async_trait]
pub trait EventHandler: Send + Sync + 'static {
    /// Handles the event. Called again with the same event after an error with [`Disposition::Retry`].
    async fn handle(&self, delivery: Delivery<'_>) -> Result<(), Failure>;
}

/// Why an event was not handled.
#[derive(Debug)]
pub struct Failure(Box<dyn Disposed + Send + Sync>);

impl<E: Disposed + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

/// A function fed by a queue.
pub struct QueueFunction {
    /// The function's name, for metrics.
    pub name: &'static str,
    /// What it does.
    pub handler: Arc<dyn EventHandler>,
    /// Where it parks what it cannot handle.
    pub dead_letters: Arc<dyn DeadLetterQueue>,
    /// When it sees a failed message again.
    pub timer: Arc<dyn RedeliveryTimer>,
    /// Time, for messages without a timestamp of their own.
    pub clock: Arc<dyn Clock>,
}

/// The body is not an EventBridge event.
#[derive(Debug, thiserror::Error)]
#[error("the message is not an EventBridge event")]
struct NotAnEvent;

impl Disposed for NotAnEvent {
    fn disposition(&self) -> Disposition {
        Disposition::Reject
    }
}

impl QueueFunction {
    /// Serves invocations until the sandbox ends.
    pub async fn serve(self) -> Result<(), Error> {
        let function = Arc::new(self);
        lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
            let function = Arc::clone(&function);
            let header = event.context.xray_trace_id.as_deref().and_then(TraceHeader::parse);
            async move { Ok::<_, Error>(in_trace(header, function.run(event.payload)).await) }
        }))
        .await
    }

    /// Handles a batch, all messages at once; returns those to be delivered again.
    pub async fn run(self: Arc<Self>, batch: SqsEvent) -> SqsBatchResponse {
        let mut tasks = JoinSet::new();
        let mut ids = Vec::new();
        for message in batch.records {
            let function = Arc::clone(&self);
            let id = message.message_id.clone().unwrap_or_default();
            // The trace of whoever sent the message, which goes on through every queue; else that of this invocation.
            let header = message.attributes.get("AWSTraceHeader").and_then(|text| TraceHeader::parse(text));
            let header = header.or_else(trace::current);
            let task = tasks.spawn(in_trace(header, async move { function.run_one(message).await }));
            ids.push((task.id(), id));
        }
        let mut failed = Vec::new();
        while let Some(ended) = tasks.join_next_with_id().await {
            let (task, done) = match ended {
                Ok((task, done)) => (task, done),
                // The handler panicked: its message is delivered again, the others are not concerned.
                Err(panic) => (panic.id(), false),
            };
            if !done {
                failed.extend(ids.iter().find(|(id, _)| *id == task).map(|(_, id)| id.clone()));
            }
        }
        SqsBatchResponse::from_failures(failed)
    }

    /// Whether the message is done with: handled, or parked.
    async fn run_one(&self, message: SqsMessage) -> bool {
        let id = message.message_id.clone().unwrap_or_default();
        let body = message.body.clone().unwrap_or_default();
        let Err(Failure(error)) = self.handle(&body, &message).await else { return true };
        let reason = chain(error.as_ref());
        if error.disposition() == Disposition::Retry {
            tracing::warn!(message_id = id, error = reason, "will be tried again");
            metrics::count("Retried", "function", self.name);
            self.wait(&message).await;
            return false;
        }
        tracing::error!(message_id = id, error = reason, "parked");
        let reason: String = reason.chars().take(MAX_REASON_CHARS).collect();
        match self.dead_letters.park(&id, &body, &reason).await {
            Ok(()) => {
                metrics::count("Parked", "function", self.name);
                true
            }
            // The queue's own redrive parks it in the end, without the reason: nothing vanishes (I7).
            Err(error) => {
                tracing::error!(message_id = id, %error, "could not be parked, will be tried again");
                false
            }
        }
    }

    async fn handle(&self, body: &str, message: &SqsMessage) -> Result<(), Failure> {
        let envelope = serde_json::from_str(body).map_err(|_| NotAnEvent)?;
        let sent = message.attributes.get("SentTimestamp").and_then(|text| text.parse().ok()).map(EpochMillis);
        let now = self.clock.now();
        let received_at = sent.unwrap_or(now).min(now);
        self.handler.handle(Delivery { envelope, received_at }).await
    }

    async fn wait(&self, message: &SqsMessage) {
        let Some(handle) = &message.receipt_handle else { return };
        let deliveries = message.attributes.get("ApproximateReceiveCount").and_then(|text| text.parse().ok());
        let delay = backoff(deliveries.unwrap_or(1), RandomState::new().hash_one(handle));
        if let Err(error) = self.timer.redeliver_in(handle, delay).await {
            // The visibility timeout then decides.
            tracing::warn!(%error, "the wait could not be set");
        }
    }
}

/// Exponential backoff with jitter over its upper half, so that an outage's messages do not come back all at once, and
/// none comes back at once.
fn backoff(deliveries: u32, random: u64) -> Duration {
    let least = shortest_wait(deliveries);
    let span = longest_wait(deliveries).saturating_sub(least);
    let jitter = random.checked_rem(u64::try_from(span.as_millis()).unwrap_or(0) + 1).unwrap_or(0);
    least + Duration::from_millis(jitter)
}

/// The least a message waits after its delivery of this number, from 1: in whole seconds, as SQS counts.
#[must_use]
pub fn shortest_wait(deliveries: u32) -> Duration {
    Duration::from_secs(longest_wait(deliveries).as_secs().div_ceil(2))
}

fn longest_wait(deliveries: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << deliveries.saturating_sub(1).min(16)).min(LONGEST_WAIT)
}

trait FromFailures {
    fn from_failures(ids: Vec<String>) -> Self;
}

impl FromFailures for SqsBatchResponse {
    fn from_failures(ids: Vec<String>) -> Self {
        let mut response = Self::default();
        for id in ids {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            response.batch_item_failures.push(failure);
        }
        response
    }
}

#[cfg(test)]
mod tests;
