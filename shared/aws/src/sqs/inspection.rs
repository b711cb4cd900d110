//! Queues as an operator sees them: how much waits, what was parked and why, moved back or given up.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::PortError;

use crate::clients::AwsConfig;
use crate::error::port_error;

pub(super) const ATTRIBUTES: &str = "sqs:GetQueueAttributes";
const RECEIVE: &str = "sqs:ReceiveMessage";
const CHANGE: &str = "sqs:ChangeMessageVisibility";
const DELETE: &str = "sqs:DeleteMessage";
const SEND: &str = "sqs:SendMessage";
const START_MOVE: &str = "sqs:StartMessageMoveTask";
const LIST_MOVES: &str = "sqs:ListMessageMoveTasks";

/// For how long a message that is looked at is hidden from others: longer than a look at the most messages takes, and
/// should the look be cut off, they are back by then.
const LOOK: i32 = 30;
/// The most one call receives (SQS API, `ReceiveMessage`).
const MOST_AT_ONCE: i32 = 10;
/// Calls in a row that answer nothing before a queue is taken for empty: SQS asks a sample of its servers.
const EMPTY_ANSWERS: usize = 2;
/// Seconds a call waits for a message; with it SQS asks all of its servers.
const WAIT: i32 = 1;

/// Looks at queues and moves what was parked.
pub struct SqsInspector {
    client: Client,
}

/// How much is on a queue. SQS counts approximately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Depth {
    /// The queue's ARN.
    pub arn: String,
    /// Messages that wait.
    pub waiting: u64,
    /// Messages that are being handled.
    pub in_flight: u64,
    /// Messages that were sent with a delay, or are to be tried again later.
    pub delayed: u64,
}

/// A parked message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// Its id in this queue.
    pub id: String,
    /// When it was first sent, as far as SQS says.
    pub sent_at: Option<EpochMillis>,
    /// How often it was received, looks like this one included.
    pub received: u32,
    /// Why it was parked; `None` where SQS moved it after too many deliveries, or the bus could not deliver it.
    pub reason: Option<String>,
    /// Error of the bus, where it could not deliver it.
    pub bus_error: Option<String>,
    /// The message. May be personal data (I10).
    pub body: String,
    /// Names this receipt.
    handle: String,
}

/// How a queue was emptied into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// By SQS itself. It says how many only approximately.
    BySqs(u64),
    /// By hand, message for message.
    ByHand(u64),
}

impl Parked {
    /// A message that was never on a queue, for tests of what is shown of one.
    #[must_use]
    pub fn of(id: &str, body: &str, reason: Option<&str>) -> Self {
        let (id, body, reason) = (id.to_owned(), body.to_owned(), reason.map(str::to_owned));
        Self { id, sent_at: None, received: 1, reason, bus_error: None, body, handle: String::new() }
    }
}

impl SqsInspector {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[ATTRIBUTES, RECEIVE, CHANGE, DELETE, SEND, START_MOVE, LIST_MOVES];

    /// The Region's queues.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.sqs() }
    }

    /// How much is on a queue.
    pub async fn depth(&self, url: &str) -> Result<Depth, PortError> {
        depth(&self.client, url).await
    }

    /// Sends a message.
    pub async fn send(&self, url: &str, body: &str) -> Result<(), PortError> {
        let send = self.client.send_message().queue_url(url).message_body(body);
        send.send().await.map(drop).map_err(|error| port_error(SEND, &error))
    }

    /// Messages of a queue nothing is fed from, at most `most`, which stay where they are. [`Self::put_back`] makes them
    /// visible again at once. Never for a queue a function reads: each look counts as a delivery.
    pub async fn peek(&self, url: &str, most: usize) -> Result<Vec<Parked>, PortError> {
        let (mut parked, mut seen, mut empty) = (Vec::new(), HashSet::new(), 0);
        while parked.len() < most && empty < EMPTY_ANSWERS {
            let messages = self.receive(url).await?;
            let before = parked.len();
            parked.extend(messages.into_iter().filter_map(read).filter(|one| seen.insert(one.id.clone())));
            empty = if parked.len() == before { empty + 1 } else { 0 };
        }
        Ok(parked)
    }

    /// Ends a look. A message that is not put back is visible again half a minute later.
    pub async fn put_back(&self, url: &str, parked: &[Parked]) -> Result<(), PortError> {
        for one in parked {
            let change = self.client.change_message_visibility().queue_url(url).receipt_handle(&one.handle);
            change.visibility_timeout(0).send().await.map_err(|error| port_error(CHANGE, &error))?;
        }
        Ok(())
    }

    /// Deletes a message that was looked at.
    pub async fn delete(&self, url: &str, parked: &Parked) -> Result<(), PortError> {
        let delete = self.client.delete_message().queue_url(url).receipt_handle(&parked.handle);
        delete.send().await.map(drop).map_err(|error| port_error(DELETE, &error))
    }

    /// Sends a message that was looked at to another queue, then deletes it: cut off in between it is there twice, which is
    /// harmless (I8), and never lost (I7).
    pub async fn forward(&self, from: &str, to: &str, parked: &Parked) -> Result<(), PortError> {
        self.send(to, &parked.body).await?;
        self.delete(from, parked).await
    }

    /// Empties a dead-letter queue into another queue: by SQS, or by hand where SQS does not know how. `None`: SQS was
    /// still at it after `patience`.
    pub async fn redrive(&self, from: &str, to: &str, patience: Duration) -> Result<Option<Moved>, PortError> {
        let (source, target) = (self.depth(from).await?, self.depth(to).await?.arn);
        let start = self.client.start_message_move_task().source_arn(&source.arn).destination_arn(target);
        match start.send().await {
            Ok(_) => self.moved(&source.arn, patience).await.map(|moved| moved.map(Moved::BySqs)),
            Err(error) => {
                let error = port_error(START_MOVE, &error);
                // What an emulator that lacks it says.
                let unknown = ["invalid_action", "unknown_operation", "unsupported_operation", "unnamed_service_error"];
                if !unknown.contains(&error.code.as_str()) {
                    return Err(error);
                }
                self.redrive_by_hand(from, to).await.map(|moved| Some(Moved::ByHand(moved)))
            }
        }
    }

    async fn moved(&self, source: &str, patience: Duration) -> Result<Option<u64>, PortError> {
        const PAUSE: Duration = Duration::from_secs(1);
        for _ in 0..=patience.as_secs() {
            let list = self.client.list_message_move_tasks().source_arn(source).max_results(1);
            let answer = list.send().await.map_err(|error| port_error(LIST_MOVES, &error))?;
            if let Some(task) = answer.results().first() {
                match task.status() {
                    Some("COMPLETED") => {
                        return Ok(Some(u64::try_from(task.approximate_number_of_messages_moved()).unwrap_or(0)));
                    }
                    Some("FAILED" | "CANCELLED") => return Err(PortError::reject(START_MOVE, "move_failed")),
                    _ => {}
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(None)
    }

    async fn redrive_by_hand(&self, from: &str, to: &str) -> Result<u64, PortError> {
        let (mut moved, mut empty) = (0, 0);
        // What fails again comes back while we are at it: no more than there were is moved.
        let most = self.depth(from).await?.waiting;
        while moved < most && empty < EMPTY_ANSWERS {
            let parked: Vec<Parked> = self.receive(from).await?.into_iter().filter_map(read).collect();
            empty = if parked.is_empty() { empty + 1 } else { 0 };
            for one in &parked {
                self.forward(from, to, one).await?;
                moved += 1;
            }
        }
        Ok(moved)
    }

    async fn receive(&self, url: &str) -> Result<Vec<Message>, PortError> {
        let receive = self
            .client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(MOST_AT_ONCE)
            .visibility_timeout(LOOK)
            .wait_time_seconds(WAIT)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All);
        let answer = receive.send().await.map_err(|error| port_error(RECEIVE, &error))?;
        Ok(answer.messages.unwrap_or_default())
    }
}

/// How much is on a queue. A number that is missing or is none is an error: whoever asks may act on nothing being there.
pub(super) async fn depth(client: &Client, url: &str) -> Result<Depth, PortError> {
    let wanted = vec![
        QueueAttributeName::QueueArn,
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let get = client.get_queue_attributes().queue_url(url).set_attribute_names(Some(wanted));
    let answer = get.send().await.map_err(|error| port_error(ATTRIBUTES, &error))?;
    let text = |name| answer.attributes().and_then(|all| all.get(&name)).cloned().unwrap_or_default();
    let count = |name| text(name).parse().map_err(|_| PortError::retry(ATTRIBUTES, "bad_response"));
    Ok(Depth {
        arn: text(QueueAttributeName::QueueArn),
        waiting: count(QueueAttributeName::ApproximateNumberOfMessages)?,
        in_flight: count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)?,
        delayed: count(QueueAttributeName::ApproximateNumberOfMessagesDelayed)?,
    })
}

fn read(message: Message) -> Option<Parked> {
    let system = message.attributes.unwrap_or_default();
    let number = |name| system.get(&name).and_then(|text: &String| text.parse::<i64>().ok());
    let own = message.message_attributes.unwrap_or_default();
    let text = |name: &str| own.get(name).and_then(|value| value.string_value.clone());
    Some(Parked {
        id: message.message_id?,
        sent_at: number(MessageSystemAttributeName::SentTimestamp).map(EpochMillis),
        received: number(MessageSystemAttributeName::ApproximateReceiveCount)
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(1),
        reason: text("reason"),
        // EventBridge developer guide, "Using dead-letter queues to process undelivered events".
        bus_error: text("ERROR_CODE"),
        body: message.body.unwrap_or_default(),
        handle: message.receipt_handle?,
    })
}
