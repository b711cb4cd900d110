//! Ports of the user notice.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::PortError;
use crate::domain::audit::USER_NOT_FOUND;
use crate::domain::policy::NoticeChannel;
use crate::domain::profile::SubjectKey;
use crate::domain::revocation_id::RevocationId;
use crate::domain::time::EpochMillis;

/// How a person can be reached, and in which language. Not `Debug`: it must not get into a log (I10).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Contacts {
    /// Verified phone number, E.164.
    pub verified_phone: Option<String>,
    /// Personal address, or the verified one.
    pub email: Option<String>,
    /// Cognito's `locale` attribute, BCP 47.
    pub locale: Option<String>,
    /// Cognito's `zoneinfo` attribute, an IANA time zone.
    pub zone: Option<String>,
}

/// Looks up how a subject can be reached.
#[async_trait]
pub trait ContactBook: Send + Sync {
    /// The subject's contacts; `None` if the user no longer exists.
    async fn contacts(&self, subject: &SubjectKey) -> Result<Option<Contacts>, PortError>;
}

/// Whether this delivery may send the notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It may; nobody else will while the claim is fresh. The time tells this claim from a later one.
    Granted(EpochMillis),
    /// It was sent, or decided against, already.
    Settled,
    /// Another delivery is at it right now.
    Busy,
}

/// How a notice ended. An audited outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum NoticeResult {
    /// Sent by this channel.
    Sent {
        /// The channel.
        channel: NoticeChannel,
    },
    /// Not sent, with a stable code: one of [`NoticeResult::DELIBERATE`], or a service's that refused it.
    NotSent {
        /// Why.
        code: String,
    },
}

impl NoticeResult {
    /// Why a notice is not even tried: nobody is to be told, or nobody can be.
    pub const DELIBERATE: [&str; 7] = [
        "no_contact",
        "no_sender_configured",
        "no_topic_configured",
        "opted_out",
        "own_sign_out",
        "policy_none",
        USER_NOT_FOUND,
    ];

    /// Whether a service refused it for good: a sandbox, an identity that is not verified, an address nobody can have.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::NotSent { code } if !Self::DELIBERATE.contains(&code.as_str()))
    }
}

/// A notice's end, as written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeRecord {
    /// How it ended.
    #[serde(flatten)]
    pub result: NoticeResult,
    /// When, epoch milliseconds.
    pub at: EpochMillis,
}

/// Remembers which notices were sent: one per revocation and subject (I8).
#[async_trait]
pub trait NoticeLog: Send + Sync {
    /// Claims the right to send. A claim whose holder died is given anew once it is older than the lease.
    async fn claim(&self, id: &RevocationId, subject: &SubjectKey, now: EpochMillis) -> Result<Claim, PortError>;

    /// Writes how it ended, if the claim made at `claimed` still stands.
    async fn settle(
        &self,
        id: &RevocationId,
        subject: &SubjectKey,
        claimed: EpochMillis,
        record: &NoticeRecord,
    ) -> Result<(), PortError>;

    /// Gives the claim made at `claimed` back because nothing was sent, so that the next delivery may try at once.
    async fn release(&self, id: &RevocationId, subject: &SubjectKey, claimed: EpochMillis) -> Result<(), PortError>;
}

/// Sends SMS.
#[async_trait]
pub trait SmsNotifier: Send + Sync {
    /// Whether the number's owner has opted out of SMS.
    async fn opted_out(&self, phone: &str) -> Result<bool, PortError>;

    /// Sends `text` to `phone` (E.164).
    async fn send(&self, phone: &str, text: &str) -> Result<(), PortError>;
}

/// Sends e-mail.
#[async_trait]
pub trait EmailNotifier: Send + Sync {
    /// Sends a plain-text message.
    async fn send(&self, address: &str, title: &str, text: &str) -> Result<(), PortError>;
}

/// Tells a manager's or HR's topic.
#[async_trait]
pub trait TopicNotifier: Send + Sync {
    /// Publishes a message.
    async fn send(&self, title: &str, text: &str) -> Result<(), PortError>;
}
