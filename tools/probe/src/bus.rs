//! Events put on the bus, and messages put on a queue.

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;

use crate::{Probe, until};

impl Probe {
    /// Puts an event on the pipeline's bus; returns its id.
    pub async fn put_event(&self, source: &str, detail_type: &str, detail: &Value) -> Result<String> {
        self.put_event_in_trace(source, detail_type, detail, None).await
    }

    /// The same within a trace, by its X-Ray header.
    pub async fn put_event_in_trace(
        &self,
        source: &str,
        detail_type: &str,
        detail: &Value,
        header: Option<&str>,
    ) -> Result<String> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.facts.bus_name)
            .source(source)
            .detail_type(detail_type)
            .detail(detail.to_string())
            .set_trace_header(header.map(str::to_owned))
            .build();
        let answer = self.eventbridge.put_events().entries(entry).send().await.context("cannot put the event")?;
        ensure!(answer.failed_entry_count() == 0, "the bus refused the event");
        let entry = answer.entries().first().context("the bus answered nothing")?;
        entry.event_id().map(str::to_owned).context("the bus gave the event no id")
    }

    /// Disables, or enables again, every rule of the pipeline's bus that feeds a queue; returns how many there are. While they
    /// are disabled what they would have delivered is lost.
    pub async fn set_rules_of(&self, queue_url: &str, enabled: bool) -> Result<usize> {
        let (arn, bus) = (self.arn_of(queue_url).await?, &self.facts.bus_name);
        let list = self.eventbridge.list_rule_names_by_target().target_arn(arn).event_bus_name(bus);
        let names = list.send().await.context("cannot list the rules")?.rule_names.unwrap_or_default();
        for name in &names {
            let sent = if enabled {
                self.eventbridge.enable_rule().name(name).event_bus_name(bus).send().await.map(drop).is_ok()
            } else {
                self.eventbridge.disable_rule().name(name).event_bus_name(bus).send().await.map(drop).is_ok()
            };
            ensure!(sent, "cannot switch the rule {name}");
        }
        Ok(names.len())
    }

    /// Puts up to ten events on the bus at once, the most one call takes.
    pub async fn put_events(&self, source: &str, detail_type: &str, details: &[Value]) -> Result<()> {
        let entry = |detail: &Value| {
            PutEventsRequestEntry::builder()
                .event_bus_name(&self.facts.bus_name)
                .source(source)
                .detail_type(detail_type)
                .detail(detail.to_string())
                .build()
        };
        let put = self.eventbridge.put_events().set_entries(Some(details.iter().map(entry).collect()));
        let answer = put.send().await.context("cannot put the events")?;
        ensure!(answer.failed_entry_count() == 0, "the bus refused {} events", answer.failed_entry_count());
        Ok(())
    }

    /// Puts a message on a queue, as an EventBridge rule would.
    pub async fn send(&self, queue_url: &str, body: &str) -> Result<()> {
        let send = self.sqs.send_message().queue_url(queue_url).message_body(body);
        send.send().await.map(drop).with_context(|| format!("cannot send to {queue_url}"))
    }

    /// Takes what is on a queue: bodies with the reason they were parked for, if any.
    pub async fn take(&self, queue_url: &str) -> Result<Vec<(String, Option<String>)>> {
        let receive = self.sqs.receive_message().queue_url(queue_url).max_number_of_messages(10);
        let receive = receive.message_attribute_names("All").wait_time_seconds(0);
        let mut taken = Vec::new();
        for message in receive.send().await.with_context(|| format!("cannot read {queue_url}"))?.messages() {
            let reason = message.message_attributes().and_then(|all| all.get("reason")?.string_value());
            taken.push((message.body().unwrap_or_default().to_owned(), reason.map(str::to_owned)));
            if let Some(handle) = message.receipt_handle() {
                self.sqs.delete_message().queue_url(queue_url).receipt_handle(handle).send().await?;
            }
        }
        Ok(taken)
    }

    /// The message with this in its body and the reason beside it, taken off the queue; the others are seen again in a second.
    pub async fn take_one(&self, queue_url: &str, marker: &str) -> Result<Option<(String, Option<String>)>> {
        let receive = self.sqs.receive_message().queue_url(queue_url).max_number_of_messages(10);
        let receive = receive.message_attribute_names("All").wait_time_seconds(0).visibility_timeout(1);
        for message in receive.send().await.with_context(|| format!("cannot read {queue_url}"))?.messages() {
            let body = message.body().unwrap_or_default();
            if body.contains(marker) {
                let handle = message.receipt_handle().context("a message without a handle")?;
                self.sqs.delete_message().queue_url(queue_url).receipt_handle(handle).send().await?;
                let reason = message.message_attributes().and_then(|all| all.get("reason")?.string_value());
                return Ok(Some((body.to_owned(), reason.map(str::to_owned))));
            }
        }
        Ok(None)
    }

    /// How many messages wait on a queue or are being handled.
    pub async fn depth(&self, queue_url: &str) -> Result<u64> {
        let wanted = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let get = self.sqs.get_queue_attributes().queue_url(queue_url).set_attribute_names(Some(wanted.to_vec()));
        let answer = get.send().await.with_context(|| format!("cannot look at {queue_url}"))?;
        let all = answer.attributes().context("the queue has no depth")?;
        wanted.iter().map(|name| Ok(all.get(name).map_or("0", String::as_str).parse::<u64>()?)).sum()
    }

    /// Waits until nothing is on the pipeline's queues any more.
    pub async fn settled(&self, limit: Duration) -> Result<()> {
        let facts = &self.facts;
        let queues =
            [&facts.intake_queue_url, &facts.revoke_queue_url, &facts.compromise_queue_url, &facts.notify_queue_url];
        // Between two queues an event is on none of them for a moment; three quiet looks in a row are quiet enough.
        let quiet = Cell::new(0);
        until("quiet queues", limit, async || {
            let mut depth = 0;
            for queue in queues {
                depth += self.depth(queue).await?;
            }
            quiet.set(if depth == 0 { quiet.get() + 1 } else { 0 });
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok((quiet.get() >= 3).then_some(()))
        })
        .await
        .map(drop)
    }
}
