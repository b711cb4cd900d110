use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use revocation_core::domain::disposition::{Disposed as _, Disposition};
use revocation_core::domain::event::SessionsRevoked;
use revocation_core::domain::initiator::InitiatorKind;
use revocation_core::domain::policy::PolicyOverrides;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::session::SessionScope;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::NO_ANSWER;
use revocation_core::ports::{Claim, Clock, ContactBook, Contacts, NoticeLog, NoticeRecord, PortError, SmsNotifier};
use revocation_core::usecase::notify::NotifyError;
use serde_json::json;
use tokio::task::JoinSet;

use super::*;
use crate::fixtures::{POOL, event};
use crate::payload::BadEvent;

const PHONE: &str = "+4915550100";
const ADDRESS: &str = "jane@example.com";
/// As in `DynamoNoticeLog`.
const LEASE: Duration = Duration::from_mins(1);

/// Everything around the use case, in memory.
struct World {
    now: Mutex<EpochMillis>,
    contacts: Option<Contacts>,
    opted_out: bool,
    /// Taken by the next SMS, e-mail or topic message.
    fault: Mutex<Option<PortError>>,
    /// Taken by the next look at whom to tell.
    blind: Mutex<Option<PortError>>,
    /// The sender never comes back, as if the sandbox had died.
    hangs: Mutex<bool>,
    /// Claimed when, settled how.
    log: Mutex<BTreeMap<String, (EpochMillis, Option<NoticeResult>)>>,
    sent: Mutex<Vec<(NoticeChannel, String)>>,
}

impl World {
    fn new() -> Self {
        let contacts = Contacts {
            verified_phone: Some(PHONE.into()),
            email: Some(ADDRESS.into()),
            locale: Some("de".into()),
            zone: Some("Europe/Berlin".into()),
        };
        Self {
            now: Mutex::new(EpochMillis(1_785_513_600_000)),
            contacts: Some(contacts),
            opted_out: false,
            fault: Mutex::default(),
            blind: Mutex::default(),
            hangs: Mutex::default(),
            log: Mutex::default(),
            sent: Mutex::default(),
        }
    }

    fn with_contacts(phone: Option<&str>, email: Option<&str>) -> Self {
        let contacts = Contacts {
            verified_phone: phone.map(str::to_owned),
            email: email.map(str::to_owned),
            ..Contacts::default()
        };
        Self { contacts: Some(contacts), ..Self::new() }
    }

    fn failing(error: PortError) -> Self {
        Self { fault: Mutex::new(Some(error)), ..Self::new() }
    }

    fn advance(&self, by: Duration) {
        let mut now = self.now.lock().unwrap();
        *now = now.plus(by);
    }

    fn sent(&self) -> Vec<(NoticeChannel, String)> {
        self.sent.lock().unwrap().clone()
    }

    async fn deliver(&self, channel: NoticeChannel, to: &str) -> Result<(), PortError> {
        tokio::task::yield_now().await;
        if *self.hangs.lock().unwrap() {
            std::future::pending::<()>().await;
        }
        if let Some(error) = self.fault.lock().unwrap().take() {
            return Err(error);
        }
        self.sent.lock().unwrap().push((channel, to.to_owned()));
        Ok(())
    }
}

impl Clock for World {
    fn now(&self) -> EpochMillis {
        *self.now.lock().unwrap()
    }
}

#[async_trait]
impl ContactBook for World {
    async fn contacts(&self, _: &SubjectKey) -> Result<Option<Contacts>, PortError> {
        self.blind.lock().unwrap().take().map_or_else(|| Ok(self.contacts.clone()), Err)
    }
}

#[async_trait]
impl SmsNotifier for World {
    async fn opted_out(&self, _: &str) -> Result<bool, PortError> {
        Ok(self.opted_out)
    }

    async fn send(&self, phone: &str, _: &str) -> Result<(), PortError> {
        self.deliver(NoticeChannel::Sms, phone).await
    }
}

#[async_trait]
impl EmailNotifier for World {
    async fn send(&self, address: &str, _: &str, _: &str) -> Result<(), PortError> {
        self.deliver(NoticeChannel::Email, address).await
    }
}

#[async_trait]
impl TopicNotifier for World {
    async fn send(&self, _: &str, _: &str) -> Result<(), PortError> {
        self.deliver(NoticeChannel::Topic, "topic").await
    }
}

#[async_trait]
impl NoticeLog for World {
    async fn claim(&self, id: &RevocationId, subject: &SubjectKey, now: EpochMillis) -> Result<Claim, PortError> {
        tokio::task::yield_now().await;
        let mut log = self.log.lock().unwrap();
        let claim = match log.get(&format!("{id} {subject}")) {
            Some((_, Some(_))) => Claim::Settled,
            Some((at, None)) if now <= at.plus(LEASE) => Claim::Busy,
            _ => Claim::Granted(now),
        };
        if claim == Claim::Granted(now) {
            log.insert(format!("{id} {subject}"), (now, None));
        }
        Ok(claim)
    }

    async fn settle(
        &self,
        id: &RevocationId,
        subject: &SubjectKey,
        claimed: EpochMillis,
        record: &NoticeRecord,
    ) -> Result<(), PortError> {
        if let Some(entry) = self.log.lock().unwrap().get_mut(&format!("{id} {subject}"))
            && *entry == (claimed, None)
        {
            *entry = (record.at, Some(record.result.clone()));
        }
        Ok(())
    }

    async fn release(&self, id: &RevocationId, subject: &SubjectKey, claimed: EpochMillis) -> Result<(), PortError> {
        let mut log = self.log.lock().unwrap();
        if log.get(&format!("{id} {subject}")) == Some(&(claimed, None)) {
            log.remove(&format!("{id} {subject}"));
        }
        Ok(())
    }
}

fn notice_with(world: &Arc<World>, overrides: &str) -> UserNotice {
    let policy = Policy::with(&serde_json::from_str::<PolicyOverrides>(overrides).unwrap());
    UserNotice {
        clock: world.clone(),
        contacts: world.clone(),
        log: world.clone(),
        sms: world.clone(),
        email: Some(world.clone()),
        topic: Some(world.clone()),
        writer: Arc::new(Words::new(Some("Acme"), policy.clone())),
        policy,
    }
}

fn notice(world: &Arc<World>) -> UserNotice {
    notice_with(world, "{}")
}

fn sent(channel: NoticeChannel) -> Notified {
    Notified::Settled(NoticeResult::Sent { channel })
}

fn not_sent(code: &str) -> Notified {
    Notified::Settled(NoticeResult::NotSent { code: code.into() })
}

async fn told(world: World, reason: ReasonCode) -> (Notified, Vec<(NoticeChannel, String)>) {
    let world = Arc::new(world);
    let notified = notice(&world).notify(&event(reason)).await.unwrap();
    (notified, world.sent())
}

#[tokio::test]
async fn an_sms_goes_to_the_verified_phone_alone() {
    let (notified, messages) = told(World::new(), ReasonCode::Compromise).await;
    assert_eq!((notified, messages), (sent(NoticeChannel::Sms), vec![(NoticeChannel::Sms, PHONE.into())]));
}

fn is_refused(notified: &Notified) -> bool {
    matches!(notified, Notified::Settled(result) if result.is_refused())
}

#[tokio::test]
async fn an_e_mail_stands_in_for_an_sms_that_cannot_be_sent() {
    for world in [
        World::with_contacts(None, Some(ADDRESS)),
        World { opted_out: true, ..World::new() },
        World::failing(PortError::reject("sns:Publish", "invalid_parameter")),
    ] {
        let (notified, messages) = told(world, ReasonCode::Anomaly).await;
        assert_eq!((notified, messages), (sent(NoticeChannel::Email), vec![(NoticeChannel::Email, ADDRESS.into())]));
    }
}

#[tokio::test]
async fn a_missing_contact_is_an_outcome() {
    for (world, code) in [
        (World::with_contacts(None, None), "no_contact"),
        (World { opted_out: true, ..World::with_contacts(Some(PHONE), None) }, "opted_out"),
        (World { contacts: None, ..World::new() }, "user_not_found"),
    ] {
        assert_eq!(told(world, ReasonCode::Anomaly).await, (not_sent(code), vec![]));
        assert!(!is_refused(&not_sent(code)), "{code} would ring");
    }
    let world = Arc::new(World::with_contacts(None, Some(ADDRESS)));
    let without_sender = UserNotice { email: None, ..notice(&world) };
    let notified = without_sender.notify(&event(ReasonCode::Anomaly)).await.unwrap();
    assert_eq!(notified, not_sent("no_sender_configured"));
    assert!(!is_refused(&notified));
}

#[tokio::test]
async fn nobody_is_told_of_signing_out_themselves() {
    let world = Arc::new(World::new());
    let mut event = event(ReasonCode::UserRequest);
    event.record.session = Some(SessionScope::Only("o".into()));
    event.record.initiator.kind = InitiatorKind::User;
    assert_eq!(notice(&world).notify(&event).await.unwrap(), not_sent("own_sign_out"));
    // By an administrator: the person is told.
    event.record.revocation_id = RevocationId("rv_2".into());
    event.record.initiator.kind = InitiatorKind::Admin;
    assert_eq!(notice(&world).notify(&event).await.unwrap(), sent(NoticeChannel::Email));
}

#[tokio::test]
async fn the_policy_names_the_channel() {
    assert_eq!(told(World::new(), ReasonCode::RoleChange).await.0, sent(NoticeChannel::Email));
    for reason in [ReasonCode::Offboarding, ReasonCode::PolicyViolation, ReasonCode::Canary] {
        assert_eq!(told(World::new(), reason).await, (not_sent("policy_none"), vec![]), "{reason}");
        assert!(!is_refused(&not_sent("policy_none")));
    }
    let world = Arc::new(World::new());
    let notice = notice_with(&world, r#"{"offboarding":{"notice":"topic"}}"#);
    assert_eq!(notice.notify(&event(ReasonCode::Offboarding)).await.unwrap(), sent(NoticeChannel::Topic));
}

#[tokio::test]
async fn i08_five_deliveries_are_one_notice() {
    let world = Arc::new(World::new());
    let notice = notice(&world);
    assert_eq!(notice.notify(&event(ReasonCode::Anomaly)).await.unwrap(), sent(NoticeChannel::Sms));
    for _ in 0..4 {
        // A replay after days finds the record, whatever became of the lease.
        world.advance(Duration::from_hours(24));
        assert_eq!(notice.notify(&event(ReasonCode::Anomaly)).await.unwrap(), Notified::Repeated);
    }
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn i08_concurrent_deliveries_are_one_notice() {
    let world = Arc::new(World::new());
    let mut tasks = JoinSet::new();
    for _ in 0..5 {
        let notice = notice(&world);
        tasks.spawn(async move {
            // As the queue does: until it is settled.
            loop {
                match notice.notify(&event(ReasonCode::Anomaly)).await {
                    Err(NotifyError::Busy) => tokio::task::yield_now().await,
                    ended => break ended.unwrap(),
                }
            }
        });
    }
    let ended = tasks.join_all().await;
    assert_eq!(ended.iter().filter(|one| **one == Notified::Repeated).count(), 4);
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn i08_two_people_of_one_revocation_are_told_each() {
    let world = Arc::new(World::new());
    let mut other = event(ReasonCode::ProjectEnd);
    other.record.subject = Some(SubjectKey::new(POOL, "sub-2"));
    for event in [event(ReasonCode::ProjectEnd), other] {
        notice(&world).notify(&event).await.unwrap();
    }
    assert_eq!(world.sent().len(), 2);
}

#[tokio::test]
async fn i08_a_crash_between_claim_and_sending_is_made_up_for_after_the_lease() {
    let world = Arc::new(World::new());
    *world.hangs.lock().unwrap() = true;
    let dying = notice(&world);
    let crashed = tokio::time::timeout(Duration::from_millis(20), dying.notify(&event(ReasonCode::Anomaly))).await;
    assert!(crashed.is_err());
    *world.hangs.lock().unwrap() = false;
    let error = notice(&world).notify(&event(ReasonCode::Anomaly)).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Retry, "the claim is fresh");
    world.advance(LEASE + Duration::from_millis(1));
    assert_eq!(notice(&world).notify(&event(ReasonCode::Anomaly)).await.unwrap(), sent(NoticeChannel::Sms));
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn a_failure_that_may_pass_gives_the_claim_back() {
    let world = Arc::new(World::failing(PortError::retry("sns:Publish", "throttled")));
    let error = notice(&world).notify(&event(ReasonCode::Anomaly)).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Retry);
    // At once, without waiting for the lease, and still by SMS.
    assert_eq!(notice(&world).notify(&event(ReasonCode::Anomaly)).await.unwrap(), sent(NoticeChannel::Sms));
}

#[tokio::test]
async fn i08_a_lost_answer_keeps_the_claim_because_the_message_may_be_on_its_way() {
    for code in NO_ANSWER {
        let world = Arc::new(World::failing(PortError::retry("sns:Publish", code)));
        notice(&world).notify(&event(ReasonCode::Anomaly)).await.unwrap_err();
        let error = notice(&world).notify(&event(ReasonCode::Anomaly)).await.unwrap_err();
        assert!(matches!(error, NotifyError::Busy), "{code}: {error}");
        assert!(world.sent().is_empty());
    }
}

#[tokio::test]
async fn a_look_whose_answer_is_lost_gives_the_claim_back_because_nothing_was_sent() {
    for code in NO_ANSWER {
        let blind = Mutex::new(Some(PortError::retry("cognito-idp:ListUsers", code)));
        let world = Arc::new(World { blind, ..World::new() });
        notice(&world).notify(&event(ReasonCode::Anomaly)).await.unwrap_err();
        assert_eq!(
            notice(&world).notify(&event(ReasonCode::Anomaly)).await.unwrap(),
            sent(NoticeChannel::Sms),
            "{code}"
        );
    }
}

#[tokio::test]
async fn the_manager_is_told_although_the_account_is_gone() {
    let world = Arc::new(World { contacts: None, ..World::new() });
    let notice = notice_with(&world, r#"{"offboarding":{"notice":"topic"}}"#);
    assert_eq!(notice.notify(&event(ReasonCode::Offboarding)).await.unwrap(), sent(NoticeChannel::Topic));
}

#[tokio::test]
async fn a_failure_for_good_is_an_outcome_and_not_tried_again() {
    let world = Arc::new(World::failing(PortError::reject("ses:SendEmail", "message_rejected")));
    let notified = notice(&world).notify(&event(ReasonCode::RoleChange)).await.unwrap();
    assert_eq!(notified, not_sent("message_rejected"));
    assert!(is_refused(&notified), "nobody would know");
    assert_eq!(notice(&world).notify(&event(ReasonCode::RoleChange)).await.unwrap(), Notified::Repeated);
}

async fn handle(world: &Arc<World>, detail_type: &str, detail: &str) -> Result<(), Failure> {
    let text = format!(r#"{{"id":"1","source":"revocation.revoke","detail-type":"{detail_type}","detail":{detail}}}"#);
    let delivery = Delivery { envelope: serde_json::from_str(&text).unwrap(), received_at: EpochMillis(0) };
    NotifyHandler::new(notice(world), vec![POOL.into()]).handle(delivery).await
}

#[tokio::test]
async fn the_handler_takes_sessions_revoked_and_acknowledges_everything_else() {
    let world = Arc::new(World::new());
    handle(&world, "Revocation Failed", "{}").await.unwrap();
    assert!(world.sent().is_empty());
    let detail = serde_json::to_string(&event(ReasonCode::Anomaly)).unwrap();
    handle(&world, SESSIONS_REVOKED, &detail).await.unwrap();
    assert_eq!(world.sent().len(), 1);
    let mut everybody = event(ReasonCode::Compromise);
    everybody.record.subject = Some(SubjectKey::new(POOL, "*"));
    handle(&world, SESSIONS_REVOKED, &serde_json::to_string(&everybody).unwrap()).await.unwrap();
    assert_eq!(world.sent().len(), 1, "a whole pool is not texted");
}

#[tokio::test]
async fn i10_no_error_names_a_phone_an_address_or_a_text() {
    let good = serde_json::to_value(event(ReasonCode::Anomaly)).unwrap();
    let with = |member: &str, value: serde_json::Value| {
        let mut detail = good.clone();
        detail[member] = value;
        detail.to_string()
    };
    let secret = format!("{PHONE} {ADDRESS}");
    for detail in [
        json!(secret).to_string(),
        json!({ secret.as_str(): 1 }).to_string(),
        with("version", json!(secret)),
        with("received_at", json!(secret)),
        with("reason", json!(secret)),
        with("reason_user", json!({ secret.as_str(): "x" })),
        with("reason_user", json!({ "en": format!("{secret}\n") })),
        with("reason_user", json!({ "en": secret.repeat(90) })),
        with("reason_user", json!({ "en": secret.repeat(9_000) })),
        with("subject", json!({ "user_pool_id": secret, "sub": secret })),
    ] {
        let world = Arc::new(World::new());
        let failure = handle(&world, SESSIONS_REVOKED, &detail).await.unwrap_err();
        let error = payload::parse(&detail, &[POOL.into()]).unwrap_err();
        let text = format!("{failure:?} {error:?} {}", revocation_lambda::logging::chain(&error));
        assert!(!text.contains(PHONE) && !text.contains(ADDRESS), "{text}");
        assert_eq!(error.disposition(), Disposition::Reject, "{text}");
        assert!(world.sent().is_empty());
    }
}

#[test]
fn an_event_is_checked_before_it_is_believed() {
    let pools = [POOL.to_owned()];
    let parse =
        |event: &SessionsRevoked, pools: &[String]| payload::parse(&serde_json::to_string(event).unwrap(), pools);
    let good = event(ReasonCode::Anomaly);
    assert_eq!(parse(&good, &pools), Ok(good.clone()));
    assert_eq!(parse(&good, &[]), Err(BadEvent::ForeignPool));
    let mut newer = good;
    newer.record.version = "2".into();
    assert_eq!(parse(&newer, &pools), Err(BadEvent::Version));
    assert_eq!(payload::parse(&" ".repeat(200_000), &pools), Err(BadEvent::TooLarge));
    assert_eq!(payload::parse("{", &pools), Err(BadEvent::Shape("the JSON ends too early")));
}
