//! `Pacer`: turns a quota's share into a row of turns, one behind the other, which every worker in every process draws from.
//!
//! One item says when the next turn is free, in epoch microseconds. To draw is to move it on by one interval, atomically;
//! the caller then waits for the turn it drew. So calls are spread evenly, and no burst meets Cognito's limit. (The method is
//! that of the generic cell rate algorithm, ITU-T I.371, with a burst of one.)
//!
//! Whoever waits in the same process draws together: one write takes a turn for each of them. Alone, sixteen callers would race
//! for an item that changes oftener than a write takes, and the slowest of them would lose time after time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValue;
use revocation_core::ports::{Clock, Pacer, PortError};
use tokio::sync::Mutex;

use super::item::{n, number, s};
use crate::clients::AwsConfig;
use crate::error::port_error;

const UPDATE: &str = "dynamodb:UpdateItem";
/// How often the item may change between the two ways of drawing a turn.
const MOST_DRAWS: usize = 8;
/// Turns drawn by one write, so that a process that ends leaves few of them unused.
const MOST_TURNS: u32 = 32;
/// Longer than any honest row of turns. Beyond it the item is nonsense, such as one written by a clock that was wrong.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Turns within one quota, kept in the bulk table.
pub struct DynamoPacer {
    client: Client,
    table: String,
    quota: &'static str,
    interval: Duration,
    clock: Arc<dyn Clock>,
    /// Callers in this process who have no turn yet.
    waiting: AtomicU32,
    /// Turns that were drawn for them, epoch microseconds. Held by whoever draws; the lock is fair.
    drawn: Mutex<VecDeque<i64>>,
}

/// One of those who wait; also one who gives up counts no longer.
struct Waiting<'a>(&'a AtomicU32);

// === impl Waiting ===

impl<'a> Waiting<'a> {
    fn among(waiting: &'a AtomicU32) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

// === impl DynamoPacer ===

impl DynamoPacer {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[UPDATE];

    /// `per_second` turns of `quota`, whose item is in `table`.
    #[must_use]
    pub fn new(
        aws: &AwsConfig,
        table: impl Into<String>,
        quota: &'static str,
        per_second: f64,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let interval = Duration::from_secs_f64(1.0 / per_second.max(0.01));
        let (waiting, drawn) = (AtomicU32::new(0), Mutex::new(VecDeque::new()));
        Self { client: aws.dynamodb(), table: table.into(), quota, interval, clock, waiting, drawn }
    }

    /// Epoch microseconds.
    fn now(&self) -> i64 {
        self.clock.now().0.saturating_mul(1_000)
    }

    fn interval_micros(&self) -> i64 {
        i64::try_from(self.interval.as_micros()).unwrap_or(i64::MAX)
    }

    /// When the caller's turn is, epoch microseconds.
    async fn next(&self) -> Result<i64, PortError> {
        let _waiting = Waiting::among(&self.waiting);
        let mut drawn = self.drawn.lock().await;
        // What was drawn for somebody who gave up, and is long past, would let two calls out at once.
        let latest = self.now().saturating_sub(self.interval_micros());
        while let Some(turn) = drawn.pop_front() {
            if turn >= latest {
                return Ok(turn);
            }
        }
        let turns = self.waiting.load(Ordering::Relaxed).clamp(1, MOST_TURNS);
        for _ in 0..MOST_DRAWS {
            if let Some(first) = self.draw(self.now(), turns).await? {
                let interval = self.interval_micros();
                drawn.extend((1..turns).map(|n| first.saturating_add(interval.saturating_mul(i64::from(n)))));
                return Ok(first);
            }
        }
        Err(PortError::retry(UPDATE, "contended"))
    }

    /// When the first of so many turns is, epoch microseconds; `None` if the item changed meanwhile.
    async fn draw(&self, now: i64, turns: u32) -> Result<Option<i64>, PortError> {
        let interval = self.interval_micros().saturating_mul(i64::from(turns));
        let latest = now.saturating_add(i64::try_from(LONGEST_WAIT.as_micros()).unwrap_or(i64::MAX));
        let update = || {
            let update = self.client.update_item().table_name(&self.table);
            update.key("job_id", s(format!("pace#{}", self.quota))).key("entry", s("turn"))
        };
        // The usual case under load: others are waiting, ours comes after theirs.
        let behind = update()
            .update_expression("SET next_at = next_at + :interval")
            .condition_expression("next_at > :now AND next_at < :latest")
            .expression_attribute_values(":interval", n(interval))
            .expression_attribute_values(":now", n(now))
            .expression_attribute_values(":latest", n(latest))
            .return_values(ReturnValue::UpdatedOld);
        match behind.send().await {
            Ok(answer) => return Ok(answer.attributes.as_ref().and_then(|item| number(item, "next_at"))),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {}
            Err(error) => return Err(port_error(UPDATE, &error)),
        }
        let at_once = update()
            .update_expression("SET next_at = :next")
            .condition_expression("attribute_not_exists(next_at) OR next_at <= :now OR next_at >= :latest")
            .expression_attribute_values(":next", n(now.saturating_add(interval)))
            .expression_attribute_values(":now", n(now))
            .expression_attribute_values(":latest", n(latest));
        match at_once.send().await {
            Ok(_) => Ok(Some(now)),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(port_error(UPDATE, &error)),
        }
    }
}

#[async_trait]
impl Pacer for DynamoPacer {
    async fn turn(&self) -> Result<(), PortError> {
        let turn = self.next().await?;
        let wait = u64::try_from(turn.saturating_sub(self.now())).unwrap_or(0);
        tokio::time::sleep(Duration::from_micros(wait)).await;
        Ok(())
    }
}
