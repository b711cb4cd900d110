//! Bulk revocations: the order, the quota, crashes, control, and who joins meanwhile.

use std::sync::Arc;
use std::time::Duration;

use revocation_core::domain::audit::Outcome;
use revocation_core::domain::bulk::{BulkJob, ControlAction, ControlRequest, Stage, member_revocation_id};
use revocation_core::domain::event::Event;
use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::request::{EventSource, RevocationRequest};
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::ports::{Clock as _, PortError};
use revocation_core::usecase::bulk::{AtOnce, BulkError, BulkRevoker, BulkSettings, Paced};
use revocation_testkit::bulk::FakeBulk;
use revocation_testkit::cloud::{FakeCloud, POOL};
use serde_json::json;

use crate::world::revoker;

/// More slices than any story here takes.
const MOST_SLICES: usize = 400;

pub(crate) const SLICE: Duration = Duration::from_secs(20);

pub(crate) struct Bulk {
    pub(crate) cloud: Arc<FakeCloud>,
    pub(crate) fake: Arc<FakeBulk>,
    pub(crate) engine: BulkRevoker,
    messages: usize,
}

impl Bulk {
    pub(crate) fn new(approval_above: Option<u64>) -> Self {
        let cloud = Arc::new(FakeCloud::default());
        let fake = Arc::new(FakeBulk::new(cloud.clone()));
        let mut member = revoker(&cloud);
        member.terminator = Arc::new(Paced::new(cloud.clone(), fake.clone()));
        member.locker = Arc::new(Paced::new(cloud.clone(), fake.clone()));
        let engine = BulkRevoker {
            clock: cloud.clock.clone(),
            jobs: fake.clone(),
            members: fake.clone(),
            resolver: cloud.clone(),
            begun: fake.clone(),
            revoker: member,
            searches: fake.clone(),
            queue: fake.clone(),
            publisher: cloud.clone(),
            settings: BulkSettings {
                pools: vec![UserPoolId(POOL.into())],
                end_date_attribute: Some("custom:project_end_date".into()),
                approval_above,
                slice: SLICE,
                at_once: AtOnce::within(25.0, 30.0),
            },
        };
        Self { cloud, fake, engine, messages: 0 }
    }

    pub(crate) fn with_group(members: usize) -> (Self, Vec<SubjectKey>) {
        let bulk = Self::new(None);
        let keys = (0..members).map(|n| bulk.fake.add_member("contractors", &format!("c{n:03}"))).collect();
        (bulk, keys)
    }

    /// The first message, delivered until it is acknowledged; then whatever is due, to the end.
    pub(crate) async fn run(&mut self, request: &RevocationRequest) {
        while self.engine.begin(request.clone(), self.cloud.clock.now(), "first").await.is_err() {}
        self.run_due().await;
    }

    pub(crate) async fn run_due(&mut self) {
        for _ in 0..MOST_SLICES {
            let Some((job, delay)) = self.fake.state().due.pop() else { return };
            self.cloud.clock.advance(delay);
            self.messages += 1;
            let message = format!("m{}", self.messages);
            // A message that fails is delivered again, as the same message.
            while self.engine.proceed(&job, &message).await.is_err() {}
        }
        panic!("does not come to an end: {:?}", self.fake.state().jobs);
    }

    pub(crate) fn job(&self) -> BulkJob {
        self.fake.state().jobs.values().next().cloned().unwrap()
    }

    pub(crate) fn outcome(&self, key: &SubjectKey) -> Option<Outcome> {
        let id = member_revocation_id(&self.job().id, key);
        self.cloud.state().trails.get(&id)?.completed.get(&Some(key.clone())).map(|record| record.outcome)
    }

    pub(crate) fn calls(&self, name: &str) -> usize {
        self.cloud.state().calls.iter().filter(|call| call.starts_with(name)).count()
    }

    pub(crate) async fn say(&self, action: ControlAction, event_id: &str, who: &str) -> Result<(), BulkError> {
        let request = ControlRequest {
            version: "1".into(),
            source: EventSource { name: "operator".into(), event_id: event_id.into() },
            job_id: self.job().id,
            action,
            initiator: Initiator { kind: InitiatorKind::Admin, id: who.into() },
        };
        self.engine.steer(&request).await
    }
}

pub(crate) fn request(sub_id: &serde_json::Value) -> RevocationRequest {
    let request = json!({
        "version": "1", "source": {"name": "operator", "event_id": "e1"}, "sub_id": sub_id, "reason": "project_end",
        "initiator": {"kind": "admin", "id": "alice"},
    });
    RevocationRequest::parse(&request.to_string()).unwrap()
}

pub(crate) fn contractors() -> RevocationRequest {
    request(&json!({"format": "group", "group": "contractors"}))
}

#[tokio::test]
async fn i13_everybody_is_tombstoned_before_anybody_is_signed_out_and_every_call_takes_its_turn() {
    let (mut bulk, keys) = Bulk::with_group(20);
    bulk.run(&contractors()).await;
    let calls = bulk.cloud.state().calls.clone();
    let at = |name: &str| calls.iter().position(|call| call.starts_with(name)).unwrap();
    let last_raise = calls.iter().rposition(|call| call == "raise").unwrap();
    assert!(last_raise < at("disable") && at("disable") < at("sign_out"));
    assert_eq!((bulk.calls("raise"), bulk.calls("disable"), bulk.calls("sign_out")), (20, 20, 20));
    // 20 disabled, 20 signed out, 7 pages listed in the first pass, and 7 in the second.
    assert_eq!(bulk.fake.state().turns, 54);
    let job = bulk.job();
    assert_eq!((job.stage, job.pass), (Stage::Completed, 2));
    assert_eq!((job.tally.listed, job.tally.locked_out, job.tally.ended, job.tally.failed), (20, 20, 20, 0));
    for key in &keys {
        assert_eq!(bulk.outcome(key), Some(Outcome::Complete));
        assert!(bulk.cloud.tombstone(key).unwrap().sealed);
    }
    let told = bulk.cloud.state().events.clone();
    assert_eq!(told.iter().filter(|event| matches!(event, Event::SessionsRevoked(_))).count(), 20);
    assert_eq!(told.iter().filter(|event| matches!(event, Event::BulkRevocationCompleted(_))).count(), 1);
}

#[tokio::test]
async fn who_joins_meanwhile_is_caught_by_the_second_pass() {
    let (mut bulk, _) = Bulk::with_group(24);
    bulk.engine.begin(contractors(), bulk.cloud.clock.now(), "first").await.unwrap();
    assert_eq!(bulk.job().stage, Stage::Ending, "the first slice has listed everybody");
    let late = bulk.fake.add_member("contractors", "late");
    bulk.run_due().await;
    assert_eq!(bulk.outcome(&late), Some(Outcome::Complete));
    assert_eq!((bulk.job().pass, bulk.job().tally.ended), (3, 25));
}

#[tokio::test]
async fn i08_whatever_call_fails_or_loses_its_answer_each_member_is_revoked_once() {
    let calls = [
        "create_job",
        "load_job",
        "save_job",
        "put_page",
        "page",
        "control",
        "members",
        "begun",
        "turn",
        "proceed",
        "begin",
        "resolved",
        "raise",
        "step",
        "disable",
        "sign_out",
        "seal",
        "completed",
        "publish",
        "published",
        "finished",
    ];
    for call in calls {
        for nth in [0, 1, 5] {
            for lost in [false, true] {
                let (mut bulk, keys) = Bulk::with_group(7);
                (0..nth).for_each(|_| bulk.cloud.pass(call));
                if lost {
                    bulk.cloud.lose_answer(call);
                } else {
                    bulk.cloud.fail(call, PortError::retry("test", "timeout"));
                }
                bulk.run(&contractors()).await;
                // A member that failed was left to `revoke`, which gets its request from the bus.
                let left: Vec<_> = bulk.cloud.state().events.iter().filter_map(requested).collect();
                for request in left {
                    bulk.engine.revoker.revoke(request, bulk.cloud.clock.now()).await.unwrap();
                }
                let (case, job) = (format!("{call} {nth} lost={lost}"), bulk.job());
                assert_eq!(job.stage, Stage::Completed, "{case}");
                assert_eq!(
                    (job.tally.listed, job.tally.ended + job.tally.handed_over),
                    (7, 7),
                    "{case}: {:?}",
                    job.tally
                );
                for key in &keys {
                    assert_eq!(bulk.outcome(key), Some(Outcome::Complete), "{case}");
                    assert!(bulk.cloud.tombstone(key).unwrap().sealed, "{case}");
                }
                let again = usize::from(lost || ["step", "turn", "disable"].contains(&call)) * 2;
                assert!(bulk.calls("sign_out") <= 7 + again, "{case}: {}", bulk.calls("sign_out"));
            }
        }
    }
}

fn requested(event: &Event) -> Option<RevocationRequest> {
    if let Event::RevocationRequested(request) = event { Some(request.clone()) } else { None }
}

#[tokio::test]
async fn one_bad_member_does_not_stop_the_rest() {
    let (mut bulk, keys) = Bulk::with_group(9);
    // Cognito will not have it, ever.
    bulk.cloud.pass("disable");
    bulk.cloud.fail("disable", PortError::reject("test", "not_authorized"));
    bulk.run(&contractors()).await;
    assert_eq!((bulk.job().tally.ended, bulk.job().tally.failed), (8, 1));
    let partial = keys.iter().filter(|key| bulk.outcome(key) == Some(Outcome::Partial)).count();
    assert_eq!(partial, 1);
    let pages: Vec<_> = bulk.fake.state().pages.values().cloned().collect();
    let codes: Vec<_> = pages.iter().flat_map(|page| &page.failures).map(|failure| failure.code.clone()).collect();
    assert_eq!(codes, ["disable_failed"]);
}

#[tokio::test]
async fn an_outage_of_cognito_is_waited_out_with_everybody_locked_out() {
    let (mut bulk, keys) = Bulk::with_group(30);
    for _ in 0..40 {
        bulk.cloud.fail("disable", PortError::retry("test", "unreachable"));
        bulk.cloud.fail("sign_out", PortError::retry("test", "unreachable"));
    }
    bulk.engine.begin(contractors(), bulk.cloud.clock.now(), "first").await.unwrap();
    while bulk.job().stalls == 0 {
        let (job, _) = bulk.fake.state().due.pop().unwrap();
        bulk.engine.proceed(&job, "before the outage is noticed").await.unwrap();
    }
    assert_eq!(bulk.job().tally.locked_out, 30);
    assert!(keys.iter().all(|key| bulk.cloud.tombstone(key).is_some()));
    assert!(bulk.fake.state().due.last().is_some_and(|(_, delay)| delay.as_secs() >= 5));
    bulk.run_due().await;
    assert_eq!((bulk.job().stage, bulk.job().tally.ended), (Stage::Completed, 30));
    assert!(keys.iter().all(|key| bulk.outcome(key) == Some(Outcome::Complete)));
}

#[tokio::test]
async fn a_pause_rests_and_a_resumption_goes_on() {
    let (mut bulk, _) = Bulk::with_group(40);
    bulk.engine.begin(contractors(), bulk.cloud.clock.now(), "first").await.unwrap();
    bulk.say(ControlAction::Pause, "p", "bob").await.unwrap();
    bulk.run_due().await;
    let ended = bulk.job().tally.ended;
    assert!(ended < 40 && bulk.job().lease.is_none() && !bulk.job().is_over());
    assert_eq!(bulk.job().tally.locked_out, 40, "tombstones stand");
    bulk.say(ControlAction::Resume, "r", "bob").await.unwrap();
    bulk.run_due().await;
    assert_eq!((bulk.job().stage, bulk.job().tally.ended), (Stage::Completed, 40));
}

#[tokio::test]
async fn a_cancellation_closes_the_tombstones_and_moves_no_cutoff_back() {
    let (mut bulk, keys) = Bulk::with_group(60);
    bulk.engine.begin(contractors(), bulk.cloud.clock.now(), "first").await.unwrap();
    let before: Vec<_> = keys.iter().map(|key| bulk.cloud.tombstone(key).unwrap().not_before).collect();
    bulk.say(ControlAction::Cancel, "c", "bob").await.unwrap();
    bulk.run_due().await;
    let job = bulk.job();
    assert_eq!(job.stage, Stage::Cancelled);
    assert_eq!(job.tally.ended + job.tally.called_off, 60, "{:?}", job.tally);
    assert!(job.tally.called_off > 0);
    for (key, before) in keys.iter().zip(before) {
        let tombstone = bulk.cloud.tombstone(key).unwrap();
        assert!(tombstone.sealed && tombstone.not_before >= before, "they may sign in again, with new sessions");
        let outcome = bulk.outcome(key);
        let signed_out = bulk.cloud.state().calls.iter().any(|call| *call == format!("sign_out {}", name_of(key)));
        assert_eq!(outcome, Some(if signed_out { Outcome::Complete } else { Outcome::Cancelled }));
        let ten_years = tombstone.expires_at.unwrap().0 - tombstone.not_before.unwrap().0 > 300_000_000;
        assert_eq!(ten_years, !signed_out, "a refresh token that lives on must be outlived (I5)");
    }
    bulk.say(ControlAction::Resume, "late", "bob").await.unwrap();
    bulk.run_due().await;
    assert_eq!(bulk.job().stage, Stage::Cancelled);
}

pub(crate) fn name_of(key: &SubjectKey) -> &str {
    key.sub.0.trim_start_matches("sub-")
}

#[tokio::test]
async fn a_large_one_waits_for_a_second_person() {
    let mut bulk = Bulk::new(Some(5));
    for n in 0..6 {
        bulk.fake.add_member("contractors", &format!("c{n}"));
    }
    bulk.run(&contractors()).await;
    assert_eq!((bulk.job().stage, bulk.calls("raise")), (Stage::AwaitingApproval, 0));
    assert!(bulk.say(ControlAction::Approve, "a1", "alice").await.is_err(), "she asked for it");
    bulk.run_due().await;
    assert_eq!(bulk.calls("raise"), 0);
    bulk.say(ControlAction::Approve, "a2", "bob").await.unwrap();
    bulk.run_due().await;
    assert_eq!((bulk.job().stage, bulk.job().tally.ended), (Stage::Completed, 6));
    let events = bulk.cloud.state().events.clone();
    let Some(Event::BulkRevocationCompleted(done)) = events.last() else { panic!("{events:?}") };
    assert_eq!(done.approved_by.as_deref(), Some("bob"));
}

#[tokio::test]
async fn who_is_named_as_approver_alone_releases_it_however_small_it_is() {
    let (mut bulk, keys) = Bulk::with_group(1);
    let asked = RevocationRequest { approve_by: Some("bob".into()), ..contractors() };
    bulk.run(&asked).await;
    assert_eq!((bulk.job().stage, bulk.calls("raise")), (Stage::AwaitingApproval, 0));
    for (event_id, who) in [("a1", "alice"), ("a2", "carol")] {
        assert!(bulk.say(ControlAction::Approve, event_id, who).await.is_err(), "{who}");
        bulk.run_due().await;
        assert_eq!(bulk.calls("raise"), 0, "{who}");
    }
    // Resuming is no approval.
    bulk.say(ControlAction::Pause, "p", "carol").await.unwrap();
    bulk.say(ControlAction::Resume, "r", "carol").await.unwrap();
    bulk.run_due().await;
    assert_eq!(bulk.calls("raise"), 0);
    bulk.say(ControlAction::Approve, "a3", "bob").await.unwrap();
    bulk.run_due().await;
    assert_eq!((bulk.job().stage, bulk.outcome(&keys[0])), (Stage::Completed, Some(Outcome::Complete)));
}

#[tokio::test]
async fn a_list_is_looked_up_and_what_means_nobody_or_the_same_person_is_told() {
    let mut bulk = Bulk::new(None);
    let alice = bulk.cloud.add_user("alice");
    let list = "a".repeat(64);
    let email = |name: &str| SubjectIdentifier::Email { email: format!("{name}@example.com") };
    let again = SubjectIdentifier::Username { username: "alice".into() };
    bulk.fake.state().lists.insert((list.clone(), 0), vec![email("alice"), email("nobody"), again]);
    bulk.run(&request(&json!({"format": "list", "list": list}))).await;
    let job = bulk.job();
    assert_eq!((job.tally.listed, job.tally.unknown, job.tally.ended, job.pass), (1, 1, 1, 1));
    assert_eq!(bulk.outcome(&alice), Some(Outcome::Complete));
    assert_eq!(bulk.fake.state().pages.values().next().unwrap().unknown, [2]);
}

#[tokio::test]
async fn the_end_date_is_what_ends_it_and_an_unreadable_one_disables_nobody() {
    let mut bulk = Bulk::new(None);
    let keys: Vec<_> = ["over", "today", "never", "typo"].map(|name| bulk.cloud.add_user(name)).into();
    for (name, end) in [("over", "2025-12-31"), ("today", "2026-01-02"), ("typo", "31.12.2025")] {
        bulk.fake.state().end_dates.insert(name.into(), end.into());
    }
    bulk.run(&request(&json!({"format": "ended"}))).await;
    let outcomes: Vec<_> = keys.iter().map(|key| bulk.outcome(key)).collect();
    assert_eq!(outcomes, [Some(Outcome::Complete), None, None, None]);
}

#[tokio::test]
async fn an_empty_group_is_over_at_once_and_a_single_subject_is_refused() {
    let mut bulk = Bulk::new(None);
    bulk.fake.state().groups.insert("contractors".into(), Vec::new());
    bulk.run(&contractors()).await;
    assert_eq!((bulk.job().stage, bulk.job().tally.listed), (Stage::Completed, 0));
    let single = request(&json!({"format": "email", "email": "alice@example.com"}));
    let refused = bulk.engine.begin(single, bulk.cloud.clock.now(), "m").await;
    assert!(matches!(refused, Err(BulkError::SingleSubject)));
}

#[tokio::test]
async fn i08_the_same_id_with_another_payload_is_refused_and_a_second_delivery_changes_nothing() {
    let (mut bulk, _) = Bulk::with_group(4);
    bulk.run(&contractors()).await;
    let calls = bulk.calls("sign_out");
    bulk.run(&contractors()).await;
    assert_eq!(bulk.calls("sign_out"), calls);
    let other = request(&json!({"format": "group", "group": "staff"}));
    let refused = bulk.engine.begin(other, bulk.cloud.clock.now(), "m").await;
    assert!(matches!(refused, Err(BulkError::IdConflict(_))));
}
