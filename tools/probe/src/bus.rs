//! Events put on the bus, and messages put on a queue.

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, Rule};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;

use crate::{Probe, until};

impl Probe {
    /// Puts an event on the pipeline's bus; returns its id.
    pub async fn put_event(&self, source: &str, detail_type: &str, detail: &Value) -> Result<String> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.facts.bus_name)
            .source(source)
            .detail_type(detail_type)
            .detail(detail.to_string())
            .build();
        let answer = self.eventbridge.put_events().entries(entry).send().await.context("cannot put the event")?;
        ensure!(answer.failed_entry_count() == 0, "the bus refused the event");
        let entry = answer.entries().first().context("the bus answered nothing")?;
        entry.event_id().map(str::to_owned).context("the bus gave the event no id")
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

    /// Switches off every rule of the bus that hands events of this type on. Answers how many there were.
    pub async fn switch_off_rules_for(&self, detail_type: &str) -> Result<usize> {
        let bus = &self.facts.bus_name;
        let rules = self.eventbridge.list_rules().event_bus_name(bus).limit(100).send().await;
        let rules = rules.context("cannot list the rules")?;
        let meant = |rule: &&Rule| rule.event_pattern().is_some_and(|pattern| pattern.contains(detail_type));
        let names: Vec<_> = rules.rules().iter().filter(meant).filter_map(|rule| rule.name()).collect();
        for name in &names {
            let off = self.eventbridge.disable_rule().event_bus_name(bus).name(*name).send().await;
            off.with_context(|| format!("cannot switch off {name}"))?;
        }
        Ok(names.len())
    }
}
