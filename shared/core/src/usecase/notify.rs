//! Tells the person that their sessions were ended, once, by the channel the policy names.

use std::sync::Arc;

use crate::domain::audit::USER_NOT_FOUND;
use crate::domain::disposition::{Disposed, Disposition};
use crate::domain::event::SessionsRevoked;
use crate::domain::policy::{NoticeChannel, Policy};
use crate::domain::profile::SubjectKey;
use crate::ports::{
    Claim, Clock, ContactBook, Contacts, EmailNotifier, NoticeLog, NoticeRecord, NoticeResult, PortError, SmsNotifier,
    TopicNotifier,
};

/// A notice in words, in the person's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Subject line.
    pub title: String,
    /// For SMS: one paragraph.
    pub short: String,
    /// For e-mail.
    pub long: String,
}

/// Words a notice. Pure: what happened, when, what to do; no link to click.
pub trait NoticeWriter: Send + Sync {
    /// The notice in the language of `contacts`, else English.
    fn write(&self, event: &SessionsRevoked, contacts: &Contacts) -> Notice;
}

/// The ports and settings of the notice.
pub struct UserNotice {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How the person can be reached.
    pub contacts: Arc<dyn ContactBook>,
    /// What was sent already.
    pub log: Arc<dyn NoticeLog>,
    /// SMS.
    pub sms: Arc<dyn SmsNotifier>,
    /// E-mail; `None` where no sender address is configured.
    pub email: Option<Arc<dyn EmailNotifier>>,
    /// A manager's or HR's topic; `None` where there is none.
    pub topic: Option<Arc<dyn TopicNotifier>>,
    /// The words.
    pub writer: Arc<dyn NoticeWriter>,
    /// Which channel for which reason.
    pub policy: Policy,
}

/// What came of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notified {
    /// This delivery settled the notice.
    Settled(NoticeResult),
    /// An earlier delivery did.
    Repeated,
}

/// The notice was not settled.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Another delivery is sending it at this moment.
    #[error("another delivery is sending this notice")]
    Busy,
    /// The event names no subject.
    #[error("the event names no subject")]
    NoSubject,
}

/// A notice that was not sent as far as is known.
struct Unsent {
    why: PortError,
    /// Whether it may have been sent all the same.
    on_its_way: bool,
}

// === impl NotifyError ===

impl Disposed for NotifyError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Port(error) => error.disposition,
            Self::Busy => Disposition::Retry,
            Self::NoSubject => Disposition::Reject,
        }
    }
}

// === impl Unsent ===

impl Unsent {
    /// It came to no sending.
    fn before(why: PortError) -> Self {
        Self { why, on_its_way: false }
    }

    /// The sending failed; unless it was refused, nobody knows how far.
    fn sending(why: PortError) -> Self {
        Self { on_its_way: !why.was_refused(), why }
    }
}

// === impl UserNotice ===

impl UserNotice {
    /// Settles the notice of one ended revocation: sent, or not sent for a reason that is written down.
    pub async fn notify(&self, event: &SessionsRevoked) -> Result<Notified, NotifyError> {
        let id = &event.record.revocation_id;
        let subject = event.record.subject.as_ref().ok_or(NotifyError::NoSubject)?;
        let claimed = match self.log.claim(id, subject, self.clock.now()).await? {
            Claim::Settled => return Ok(Notified::Repeated),
            Claim::Busy => return Err(NotifyError::Busy),
            Claim::Granted(claimed) => claimed,
        };
        let result = match self.send(event, subject).await {
            Ok(result) => result,
            Err(Unsent { why, on_its_way }) => {
                // Where nothing was sent, the next delivery need not wait for the lease. Where nobody knows, it must.
                if !on_its_way {
                    self.log.release(id, subject, claimed).await?;
                }
                return Err(why.into());
            }
        };
        let record = NoticeRecord { result: result.clone(), at: self.clock.now() };
        self.log.settle(id, subject, claimed, &record).await?;
        Ok(Notified::Settled(result))
    }

    async fn send(&self, event: &SessionsRevoked, subject: &SubjectKey) -> Result<NoticeResult, Unsent> {
        // Who signs out on a device of their own knows it: a notice of each would teach people not to read them.
        if event.record.is_own_sign_out() {
            return Ok(not_sent("own_sign_out"));
        }
        match self.policy.row(event.record.reason).notice {
            NoticeChannel::None => Ok(not_sent("policy_none")),
            // The manager is told even if the account is gone by now.
            NoticeChannel::Topic => self.by_topic(&self.writer.write(event, &Contacts::default())).await,
            NoticeChannel::Email => match self.contacts.contacts(subject).await.map_err(Unsent::before)? {
                Some(contacts) => self.by_email(event, &contacts, "no_contact").await,
                None => Ok(not_sent(USER_NOT_FOUND)),
            },
            NoticeChannel::Sms => match self.contacts.contacts(subject).await.map_err(Unsent::before)? {
                Some(contacts) => self.by_sms(event, &contacts).await,
                None => Ok(not_sent(USER_NOT_FOUND)),
            },
        }
    }

    async fn by_sms(&self, event: &SessionsRevoked, contacts: &Contacts) -> Result<NoticeResult, Unsent> {
        let Some(phone) = &contacts.verified_phone else { return self.by_email(event, contacts, "no_contact").await };
        if self.sms.opted_out(phone).await.map_err(Unsent::before)? {
            return self.by_email(event, contacts, "opted_out").await;
        }
        match self.sms.send(phone, &self.writer.write(event, contacts).short).await {
            Ok(()) => Ok(NoticeResult::Sent { channel: NoticeChannel::Sms }),
            Err(error) if error.disposition == Disposition::Reject => self.by_email(event, contacts, &error.code).await,
            Err(error) => Err(Unsent::sending(error)),
        }
    }

    /// The last resort: what a service refuses for good is the notice's end, written down as such.
    async fn by_email(
        &self,
        event: &SessionsRevoked,
        contacts: &Contacts,
        otherwise: &str,
    ) -> Result<NoticeResult, Unsent> {
        let Some(address) = &contacts.email else { return Ok(not_sent(otherwise)) };
        let Some(email) = &self.email else { return Ok(not_sent("no_sender_configured")) };
        let notice = self.writer.write(event, contacts);
        match email.send(address, &notice.title, &notice.long).await {
            Ok(()) => Ok(NoticeResult::Sent { channel: NoticeChannel::Email }),
            Err(error) if error.disposition == Disposition::Reject => Ok(not_sent(&error.code)),
            Err(error) => Err(Unsent::sending(error)),
        }
    }

    async fn by_topic(&self, notice: &Notice) -> Result<NoticeResult, Unsent> {
        let Some(topic) = &self.topic else { return Ok(not_sent("no_topic_configured")) };
        topic.send(&notice.title, &notice.long).await.map_err(Unsent::sending)?;
        Ok(NoticeResult::Sent { channel: NoticeChannel::Topic })
    }
}

fn not_sent(code: &str) -> NoticeResult {
    NoticeResult::NotSent { code: code.to_owned() }
}
