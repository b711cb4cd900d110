use super::*;
use crate::domain::bulk::control::BadControl;
use crate::domain::initiator::InitiatorKind;
use crate::domain::reason::ReasonCode;
use crate::domain::request::Effect;
use crate::domain::text::LocalizedText;

fn by(id: &str) -> Initiator {
    Initiator { kind: InitiatorKind::Admin, id: id.into() }
}

fn request() -> RevocationRequest {
    RevocationRequest {
        version: "1".into(),
        source: EventSource { name: "operator".into(), event_id: "e1".into() },
        sub_id: SubjectIdentifier::Group { group: "contractors".into() },
        reason: ReasonCode::ProjectEnd,
        initiator: by("alice"),
        reason_admin: LocalizedText::default(),
        reason_user: LocalizedText::default(),
        occurred_at: None,
        effect: Effect::SignOut,
        lockout: false,
        session: None,
        approve_by: None,
        txn: None,
        pools: Vec::new(),
    }
}

fn job() -> BulkJob {
    BulkJob::new(request(), EpochMillis(1_000), false)
}

fn wish(wish: Wish) -> Control {
    Control { wish, ..Control::default() }
}

fn say(action: ControlAction, event_id: &str, who: &str) -> ControlRequest {
    ControlRequest {
        version: "1".into(),
        source: EventSource { name: "operator".into(), event_id: event_id.into() },
        job_id: job().id,
        action,
        initiator: by(who),
    }
}

/// Plays the worker: what a job with `pages` pages does, as a list of words.
fn story(mut job: BulkJob, pages_by_pass: &[u32]) -> Vec<Work> {
    let mut words = Vec::new();
    let mut left = pages_by_pass.first().copied().unwrap_or(0);
    loop {
        let work = job.next(&Control::default());
        words.push(work);
        match work {
            Work::List => {
                if left > 0 {
                    left -= 1;
                    job.pages_listed += 1;
                }
                job.cursor = (left > 0).then(Cursor::default);
            }
            Work::LockOut(page) => job.pages_locked_out = page,
            Work::End(page) => job.pages_ended = page,
            Work::NextPass => {
                job.pass += 1;
                job.pages_before_pass = job.pages_listed;
                job.cursor = Some(Cursor::default());
                left = pages_by_pass.get(job.pass as usize - 1).copied().unwrap_or(0);
            }
            Work::Complete => job.stage = Stage::Completed,
            Work::Rest => return words,
            Work::Count | Work::CallOff(_) => panic!("{work:?}"),
        }
    }
}

#[test]
fn i13_everybody_is_locked_out_before_anybody_is_signed_out() {
    use Work::{Complete, End, List, LockOut, NextPass, Rest};
    let words = story(job(), &[2, 0]);
    assert_eq!(words, [List, LockOut(1), List, LockOut(2), End(1), End(2), NextPass, List, Complete, Rest]);
}

#[test]
fn who_joins_meanwhile_is_found_by_a_pass_and_a_group_that_never_ends_growing_is_left() {
    let words = story(job(), &[1, 1, 0]);
    assert_eq!(words.iter().filter(|work| **work == Work::NextPass).count(), 2);
    let endless = story(job(), &[1; 20]);
    assert_eq!(endless.iter().filter(|work| **work == Work::NextPass).count(), MOST_PASSES as usize - 1);
    let list = SubjectIdentifier::List { list: "a".repeat(64) };
    let of_list = BulkJob { request: RevocationRequest { sub_id: list, ..request() }, ..job() };
    assert!(!story(of_list, &[3]).contains(&Work::NextPass), "a list does not grow");
}

#[test]
fn a_pause_rests_and_a_cancellation_closes_what_was_locked_out_and_not_ended() {
    let under_way = BulkJob { pages_listed: 3, pages_locked_out: 2, pages_ended: 1, ..job() };
    assert_eq!(under_way.next(&wish(Wish::Pause)), Work::Rest);
    assert_eq!(under_way.next(&wish(Wish::Cancel)), Work::CallOff(2));
    let closed = BulkJob { pages_ended: 3, ..under_way };
    assert_eq!(closed.next(&wish(Wish::Cancel)), Work::Complete);
}

#[test]
fn a_large_one_waits_for_somebody_else() {
    let waiting = BulkJob { stage: Stage::AwaitingApproval, ..job() };
    assert_eq!(waiting.next(&Control::default()), Work::Rest);
    let own = Control::default().after(&say(ControlAction::Approve, "a", "alice"), &waiting.request, EpochMillis(1));
    assert_eq!(own, Err(BadControl::OwnApproval));
    let another = Control::default().after(&say(ControlAction::Approve, "a", "bob"), &waiting.request, EpochMillis(1));
    let approved = another.unwrap().unwrap();
    assert_eq!(waiting.next(&approved), Work::List);
    assert_eq!(approved.approved_by.as_deref(), Some("bob"));
}

#[test]
fn who_is_named_as_approver_alone_may_approve_and_nothing_begins_before() {
    let named = RevocationRequest { approve_by: Some("bob".into()), ..request() };
    assert_eq!(named.check(), Ok(()));
    let waiting = BulkJob::new(named, EpochMillis(1_000), false);
    assert_eq!((waiting.stage, waiting.next(&Control::default())), (Stage::AwaitingApproval, Work::Rest));
    let by =
        |who: &str| Control::default().after(&say(ControlAction::Approve, "a", who), &waiting.request, EpochMillis(1));
    assert_eq!((by("carol"), by("alice")), (Err(BadControl::NotTheApprover), Err(BadControl::OwnApproval)));
    let approved = by("bob").unwrap().unwrap();
    assert_eq!((waiting.next(&approved), approved.approved_by.as_deref()), (Work::List, Some("bob")));
    let member = waiting.member_request(&SubjectKey::new("eu-central-1_TEST", "sub-a"));
    assert_eq!(member.check(), Ok(()), "a member's own request waits for nobody");
}

#[test]
fn what_is_said_twice_counts_once_and_a_cancellation_is_final() {
    let asked = request();
    let paused =
        Control::default().after(&say(ControlAction::Pause, "1", "bob"), &asked, EpochMillis(1)).unwrap().unwrap();
    assert_eq!(paused.after(&say(ControlAction::Pause, "1", "bob"), &asked, EpochMillis(2)), Ok(None));
    let resumed = paused.after(&say(ControlAction::Resume, "2", "bob"), &asked, EpochMillis(3)).unwrap().unwrap();
    assert_eq!((resumed.wish, resumed.entries.len()), (Wish::Run, 2));
    assert_eq!(resumed.after(&say(ControlAction::Pause, "1", "bob"), &asked, EpochMillis(4)), Ok(None), "a late copy");
    let cancelled = resumed.after(&say(ControlAction::Cancel, "3", "bob"), &asked, EpochMillis(5)).unwrap().unwrap();
    let late = cancelled.after(&say(ControlAction::Resume, "4", "bob"), &asked, EpochMillis(6)).unwrap().unwrap();
    assert_eq!(late.wish, Wish::Cancel);
}

#[test]
fn a_lease_is_taken_by_one_and_found_again_by_its_own_message() {
    let (now, until) = (EpochMillis(1_000), EpochMillis(2_000));
    let leased = job().leased_to("m1", now, until).unwrap();
    assert!(leased.leased_to("m2", now, until).is_none());
    assert!(leased.leased_to("m1", now, until).is_some(), "its redelivery goes on at once");
    assert!(leased.leased_to("m2", until, until).is_none(), "to the end of it");
    assert!(leased.leased_to("m2", EpochMillis(2_001), until).is_some(), "it has run out");
}

#[test]
fn i08_a_members_revocation_follows_from_job_and_subject() {
    let (job, key) = (job(), SubjectKey::new("eu-central-1_TEST", "sub-a"));
    let request = job.member_request(&key);
    assert_eq!(request.check(), Ok(()));
    assert_eq!(request.id(), member_revocation_id(&job.id, &key));
    let named = SubjectIdentifier::IssSub { iss: key.user_pool_id.issuer(), sub: "sub-a".into() };
    assert_eq!(request.sub_id, named, "one person, not the group");
    assert_eq!((request.txn.as_deref(), request.pools), (Some(job.id.0.as_str()), vec![key.user_pool_id]));
}

#[test]
fn a_job_that_an_older_version_saved_is_gone_on_with() {
    let mut saved = serde_json::to_value(job()).unwrap();
    assert!(saved.get("counted").is_none() && saved["cursor"].get("restarted").is_none());
    saved["cursor"] = serde_json::json!({"at": 1, "after": null});
    let read: BulkJob = serde_json::from_value(saved).unwrap();
    assert_eq!(read.cursor, Some(Cursor { at: 1, ..Cursor::default() }));
    assert_eq!(read.counted, None);
}
