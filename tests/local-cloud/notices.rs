//! Whom the pipeline tells, how, and how often.

use revocation_core::domain::policy::NoticeChannel;
use revocation_core::ports::NoticeResult;
use revocation_probe::{NewUser, until};
use serde_json::json;

use crate::world::{LIMIT, ask, fresh, probe, record, request};

#[tokio::test]
async fn a_role_change_is_told_by_e_mail_in_the_persons_language_once() {
    let probe = probe();
    let name = fresh("jürgen");
    let new = NewUser { name: &name, locale: Some("de-AT"), phone: Some("+12065550181"), ..NewUser::default() };
    let person = probe.add_user(&new).await.unwrap();
    let mut asked = request(&fresh("e"), &person.email, "role_change");
    asked["reason_user"] = json!({"en": "Your role was reduced.", "de": "Ihre Rolle wurde eingeschränkt."});
    for _ in 0..3 {
        ask(&probe, &asked).await;
    }
    let record = record(&probe, &person.key).await;
    let look = async || probe.notice_of(&record.revocation_id, &person.key).await;
    let (notice, _) = until("the notice", LIMIT, look).await.unwrap();
    assert_eq!(notice.result, NoticeResult::Sent { channel: NoticeChannel::Email });
    probe.settled(LIMIT).await.unwrap();
    let emails = probe.emails_to(&person.email).unwrap();
    assert_eq!(emails.len(), 1, "one notice however often the event arrives");
    assert!(emails[0].text.contains("Ihre Rolle wurde eingeschränkt."), "{}", emails[0].text);
    assert!(!emails[0].text.contains("http"), "no link to click");
    assert!(probe.sms_to("+12065550181").unwrap().is_empty());
}

#[tokio::test]
async fn an_offboarding_is_not_told_to_the_person() {
    let probe = probe();
    let name = fresh("quiet");
    let person = probe.add_user(&NewUser { name: &name, ..NewUser::default() }).await.unwrap();
    ask(&probe, &request(&fresh("e"), &person.email, "offboarding")).await;
    let record = record(&probe, &person.key).await;
    let look = async || probe.notice_of(&record.revocation_id, &person.key).await;
    let (notice, _) = until("the outcome", LIMIT, look).await.unwrap();
    assert_eq!(notice.result, NoticeResult::NotSent { code: "policy_none".into() });
    assert!(probe.emails_to(&person.email).unwrap().is_empty());
}
