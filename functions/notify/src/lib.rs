//! Lambda `notify`: tells the person that their sessions were ended.

pub mod config;
mod payload;
pub mod words;

use std::sync::Arc;

use async_trait::async_trait;
use revocation_aws::clients::AwsConfig;
use revocation_aws::cognito::CognitoContactBook;
use revocation_aws::dynamodb::DynamoNoticeLog;
use revocation_aws::ses::SesEmailNotifier;
use revocation_aws::sns::{SnsSmsNotifier, SnsTopicNotifier};
use revocation_aws::sqs::SqsQueue;
use revocation_core::domain::event::SESSIONS_REVOKED;
use revocation_core::domain::policy::{NoticeChannel, Policy};
use revocation_core::domain::profile::SubjectKey;
use revocation_core::ports::{EmailNotifier, NoticeResult, TopicNotifier};
use revocation_core::usecase::notify::{Notified, UserNotice};
use revocation_lambda::clock::SystemClock;
use revocation_lambda::metrics;
use revocation_lambda::queue::{Delivery, EventHandler, Failure};

use crate::config::Config;
use crate::words::Words;

/// The actions of the ports it holds: exactly what its role allows (I14).
pub const IAM_ACTIONS: &[&[&str]] = &[
    CognitoContactBook::IAM_ACTIONS,
    DynamoNoticeLog::IAM_ACTIONS,
    SnsSmsNotifier::IAM_ACTIONS,
    SnsTopicNotifier::IAM_ACTIONS,
    SesEmailNotifier::IAM_ACTIONS,
    SqsQueue::IAM_ACTIONS,
];

/// Reads the event, settles its notice, and counts what came of it.
pub struct NotifyHandler {
    notice: UserNotice,
    user_pool_ids: Vec<String>,
}

impl NotifyHandler {
    /// A handler for the users of these pools.
    #[must_use]
    pub fn new(notice: UserNotice, user_pool_ids: Vec<String>) -> Self {
        Self { notice, user_pool_ids }
    }
}

#[async_trait]
impl EventHandler for NotifyHandler {
    async fn handle(&self, delivery: Delivery<'_>) -> Result<(), Failure> {
        if delivery.envelope.detail_type != SESSIONS_REVOKED {
            metrics::count("Irrelevant", "function", "notify");
            return Ok(());
        }
        let event = payload::parse(delivery.envelope.detail.get(), &self.user_pool_ids)?;
        // A whole pool's cutoff: to tell everybody is for people to decide, not for a queue.
        if event.record.subject.as_ref().is_some_and(SubjectKey::is_everyone) {
            metrics::count("Irrelevant", "function", "notify");
            return Ok(());
        }
        let notified = self.notice.notify(&event).await?;
        tracing::info!(revocation_id = %event.record.revocation_id, outcome = outcome(&notified), "noticed");
        metrics::count("Noticed", "outcome", outcome(&notified));
        if matches!(&notified, Notified::Settled(result) if result.is_refused()) {
            metrics::count("NoticeRefused", "code", outcome(&notified));
        }
        Ok(())
    }
}

fn outcome(notified: &Notified) -> &str {
    match notified {
        Notified::Repeated => "repeated",
        Notified::Settled(NoticeResult::NotSent { code }) => code,
        Notified::Settled(NoticeResult::Sent { channel }) => match channel {
            NoticeChannel::None => "none",
            NoticeChannel::Sms => "sms",
            NoticeChannel::Email => "email",
            NoticeChannel::Topic => "topic",
        },
    }
}

/// The user notice on AWS.
#[must_use]
pub fn user_notice(aws: &AwsConfig, config: &Config) -> UserNotice {
    let policy = Policy::with(&config.policy_overrides);
    let email = |sender: &String| Arc::new(SesEmailNotifier::new(aws, sender)) as Arc<dyn EmailNotifier>;
    let topic = |arn: &String| Arc::new(SnsTopicNotifier::new(aws, arn)) as Arc<dyn TopicNotifier>;
    UserNotice {
        clock: Arc::new(SystemClock),
        contacts: Arc::new(CognitoContactBook::new(aws, config.personal_email_attribute.clone())),
        log: Arc::new(DynamoNoticeLog::new(aws, &config.revocations_table)),
        sms: Arc::new(SnsSmsNotifier::new(aws).with_sender_id(config.sms_sender_id.clone())),
        email: config.sender_email.as_ref().map(email),
        topic: config.notice_topic_arn.as_ref().map(topic),
        writer: Arc::new(Words::new(config.organisation.as_deref(), policy.clone())),
        policy,
    }
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
