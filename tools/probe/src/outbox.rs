//! What people were told: the local cloud's outboxes, and an inbox on the page topic.

use anyhow::{Context as _, Result};
use aws_sdk_sqs::types::QueueAttributeName;
use revocation_core::domain::incident::Page;
use serde_json::Value;

use crate::Probe;

/// An SMS that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sms {
    /// To whom.
    pub phone: String,
    /// What.
    pub text: String,
}

/// An e-mail that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// To whom.
    pub to: String,
    /// Subject line.
    pub title: String,
    /// Body.
    pub text: String,
}

/// A queue subscribed to the page topic.
#[derive(Clone, Debug)]
pub struct PageInbox {
    queue_url: String,
}

impl Probe {
    /// Every SMS sent to `phone`. The local cloud's outbox; AWS has none.
    pub fn sms_to(&self, phone: &str) -> Result<Vec<Sms>> {
        let outbox = self.outbox("/_ministack/sns/sms-messages")?;
        let messages = find_all(&outbox, &|message| {
            let to = message.get("PhoneNumber").and_then(Value::as_str)?;
            let text = message.get("Message").or(message.get("message")).and_then(Value::as_str)?;
            Some(Sms { phone: to.to_owned(), text: text.to_owned() })
        });
        Ok(messages.into_iter().filter(|sms| sms.phone == phone).collect())
    }

    /// Every e-mail sent to `address`. The local cloud's outbox.
    pub fn emails_to(&self, address: &str) -> Result<Vec<Email>> {
        let outbox = self.outbox("/_ministack/ses/messages")?;
        let messages = find_all(&outbox, &|message| {
            let to = message.get("To")?.as_array()?.first()?.as_str()?;
            let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            Some(Email { to: to.to_owned(), title: text("Subject"), text: text("BodyText") })
        });
        Ok(messages.into_iter().filter(|email| email.to == address).collect())
    }

    /// Subscribes a new queue to the page topic.
    pub async fn page_inbox(&self, name: &str) -> Result<PageInbox> {
        let queue = self.sqs.create_queue().queue_name(name).send().await.context("cannot make the inbox")?;
        let queue_url = queue.queue_url.context("the queue has no address")?;
        let attributes = self
            .sqs
            .get_queue_attributes()
            .queue_url(&queue_url)
            .attribute_names(QueueAttributeName::QueueArn)
            .send()
            .await
            .context("the inbox has no ARN")?;
        let arn = attributes.attributes().and_then(|all| all.get(&QueueAttributeName::QueueArn)).context("no ARN")?;
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": self.facts.page_topic_arn}},
        }]});
        let allow = self.sqs.set_queue_attributes().queue_url(&queue_url);
        allow.attributes(QueueAttributeName::Policy, policy.to_string()).send().await.context("no policy")?;
        self.sns
            .subscribe()
            .topic_arn(&self.facts.page_topic_arn)
            .protocol("sqs")
            .endpoint(arn)
            .attributes("RawMessageDelivery", "true")
            .send()
            .await
            .context("cannot subscribe to pages")?;
        Ok(PageInbox { queue_url })
    }

    /// Takes the pages that arrived since the last time.
    pub async fn take_pages(&self, inbox: &PageInbox) -> Result<Vec<Page>> {
        let taken = self.take(&inbox.queue_url).await?;
        taken.iter().map(|(body, _)| serde_json::from_str(body).context("a page of another form")).collect()
    }

    fn outbox(&self, path: &str) -> Result<Value> {
        Ok(self.call_at(&format!("{}{path}", self.facts.endpoint), None)?.body)
    }
}

/// Everything in a JSON document that `read` recognises, however deep.
fn find_all<T>(value: &Value, read: &dyn Fn(&Value) -> Option<T>) -> Vec<T> {
    if let Some(found) = read(value) {
        return vec![found];
    }
    match value {
        Value::Array(entries) => entries.iter().flat_map(|entry| find_all(entry, read)).collect(),
        Value::Object(members) => members.values().flat_map(|member| find_all(member, read)).collect(),
        _ => Vec::new(),
    }
}
