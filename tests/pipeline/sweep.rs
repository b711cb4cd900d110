//! The sweeper: what a crashed `revoke` whose message is lost leaves behind is carried to its end, once, and nothing else is
//! touched.

use std::sync::Arc;
use std::time::Duration;

use revocation_core::domain::audit::Outcome;
use revocation_core::domain::bulk::{ControlAction, Stage};
use revocation_core::domain::event::Event;
use revocation_core::domain::sweep::{MOST_REDELIVERIES, OpenTrail};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Clock as _, PortError};
use revocation_core::usecase::sweep::{Sweep, Sweeper};
use revocation_testkit::bulk::FakeBulk;
use revocation_testkit::cloud::FakeCloud;
use revocation_testkit::sweep::FakeSweep;
use serde_json::{Value, json};

use crate::bulk::{Bulk, contractors};
use crate::world::{Fate, World, request};

const QUIET: Duration = Duration::from_mins(30);
const TICK: Duration = Duration::from_mins(5);
/// Every call of a revocation, in order; the five `step`s one after the other.
const STEPS: [(&str, usize); 12] = [
    ("resolve", 0),
    ("resolved", 0),
    ("raise", 0),
    ("step", 0),
    ("reset_password", 0),
    ("step", 1),
    ("sign_out", 0),
    ("step", 2),
    ("seal", 0),
    ("step", 3),
    ("completed", 0),
    ("finished", 0),
];

struct Swept {
    fake: Arc<FakeSweep>,
    sweeper: Sweeper,
}

impl Swept {
    fn of(cloud: &Arc<FakeCloud>) -> Self {
        Self::with_jobs(cloud, Arc::new(FakeBulk::new(cloud.clone())))
    }

    fn with_jobs(cloud: &Arc<FakeCloud>, jobs: Arc<FakeBulk>) -> Self {
        let fake = Arc::new(FakeSweep::new(cloud.clone()));
        let sweeper = Sweeper {
            clock: cloud.clock.clone(),
            index: fake.clone(),
            log: fake.clone(),
            tombstones: cloud.clone(),
            jobs,
            queue: fake.clone(),
            quiet: QUIET,
            budget: Duration::from_secs(40),
        };
        Self { fake, sweeper }
    }

    async fn run(&self) -> Sweep {
        let (sweep, result) = self.sweeper.run().await;
        result.unwrap();
        sweep
    }

    /// What was put on the queue is delivered, until it is done or lost: answers how many deliveries that took.
    async fn deliver(&self, world: &World) -> usize {
        let sent = std::mem::take(&mut self.fake.state().sent);
        for trail in &sent {
            let (detail_type, detail) = match trail {
                OpenTrail::Revocation(trail) => ("Revocation Requested", json!(trail.started.request)),
                OpenTrail::Action(trail) => ("Account Action Requested", json!(trail.started.request)),
            };
            assert_eq!(world.deliver_as(detail_type, &detail.to_string()).await, Fate::Done);
        }
        sent.len()
    }

    fn sent(&self) -> usize {
        self.fake.state().sent.len()
    }
}

/// A delivery that dies at a call, and never comes back.
async fn lost(world: &World, asked: &Value, (call, nth): (&'static str, usize), took_effect: bool) {
    for _ in 0..nth {
        world.cloud.pass(call);
    }
    if took_effect {
        world.cloud.lose_answer(call);
    } else {
        world.cloud.fail(call, PortError::retry("test", "timeout"));
    }
    assert_eq!(world.deliver(asked).await, Fate::Again);
}

#[tokio::test]
async fn i07_whatever_step_the_message_is_lost_at_the_revocation_is_carried_to_its_end_by_one_redelivery() {
    for step in STEPS {
        for took_effect in [false, true] {
            let world = World::new();
            let key = world.cloud.add_user("alice");
            let asked = request("1", "alice@example.com", "compromise");
            lost(&world, &asked, step, took_effect).await;
            let swept = Swept::of(&world.cloud);
            assert_eq!(swept.run().await.without_outcome, 0, "{step:?}: it may still be at work");
            world.wait(QUIET + TICK);
            let unsealed = world.cloud.tombstone(&key).is_some_and(|tombstone| !tombstone.sealed);
            let found = swept.run().await;
            if step.0 == "finished" && took_effect {
                assert_eq!((found.without_outcome, swept.sent()), (0, 0), "it was finished");
                continue;
            }
            assert_eq!((found.without_outcome, found.redelivered), (1, 1), "{step:?} {took_effect}");
            assert_eq!(found.unsealed, u64::from(unsealed), "{step:?} {took_effect}");
            assert_eq!(found.oldest_unsealed >= QUIET, unsealed, "{step:?} {took_effect}");
            // Nothing more while that redelivery may be at work.
            world.wait(TICK);
            assert_eq!((swept.run().await.redelivered, swept.sent()), (0, 1), "{step:?}");
            assert_eq!(swept.deliver(&world).await, 1);
            assert!(world.trail(&asked).finished && world.cloud.tombstone(&key).unwrap().sealed, "{step:?}");
            assert_eq!(world.record(&asked, Some(&key)).outcome, Outcome::Complete);
            for _ in 0..20 {
                world.wait(QUIET);
                let after = swept.run().await;
                assert_eq!((after.without_outcome, after.unsealed, swept.sent()), (0, 0, 0), "{step:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_finished_one_is_never_touched_not_even_one_whose_tombstone_stays_open_on_purpose() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    world.cloud.fail("sign_out", PortError::reject("test", "not_authorized"));
    let asked = request("1", "alice@example.com", "anomaly");
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    assert_eq!(world.record(&asked, Some(&key)).outcome, Outcome::Partial);
    assert!(!world.cloud.tombstone(&key).unwrap().sealed);
    let swept = Swept::of(&world.cloud);
    for _ in 0..50 {
        world.wait(QUIET);
        assert_eq!((swept.run().await.without_outcome, swept.sent()), (0, 0));
    }
    assert!(swept.fake.state().claims.is_empty());
}

#[tokio::test]
async fn a_message_that_is_lost_every_time_is_redelivered_five_times_and_given_up_once() {
    let world = World::new();
    world.cloud.add_user("alice");
    let asked = request("1", "alice@example.com", "anomaly");
    lost(&world, &asked, ("sign_out", 0), false).await;
    let swept = Swept::of(&world.cloud);
    let (mut redelivered, mut given_up, mut last) = (0, 0, Sweep::default());
    for _ in 0..24 * 12 {
        world.wait(TICK);
        last = swept.run().await;
        redelivered += last.redelivered;
        given_up += last.given_up;
    }
    assert_eq!((redelivered, swept.sent(), given_up), (MOST_REDELIVERIES as u64, MOST_REDELIVERIES, 1));
    assert_eq!((last.without_outcome, last.unsealed), (0, 1), "told once; its tombstone goes on being counted");
    assert!(last.oldest_unsealed > Duration::from_hours(23));
}

#[tokio::test]
async fn as_long_as_anything_lies_among_the_dead_letters_nothing_is_redelivered_but_it_is_counted() {
    let world = World::new();
    world.cloud.add_user("alice");
    lost(&world, &request("1", "alice@example.com", "anomaly"), ("sign_out", 0), false).await;
    let swept = Swept::of(&world.cloud);
    world.wait(QUIET + TICK);
    swept.fake.state().parked = 1;
    let found = swept.run().await;
    assert_eq!((found.without_outcome, found.unsealed, found.held_back, found.redelivered), (1, 1, 1, 0));
    assert!(swept.fake.state().claims.is_empty(), "none of its redeliveries is used up");
    swept.fake.state().parked = 0;
    assert_eq!(swept.run().await.redelivered, 1);
}

#[tokio::test]
async fn i08_two_runs_at_once_redeliver_once_and_a_crash_in_between_is_made_up_for() {
    for (call, took_effect) in [("claim", false), ("claim", true), ("redeliver", false), ("redeliver", true)] {
        let world = World::new();
        world.cloud.add_user("alice");
        let asked = request("1", "alice@example.com", "anomaly");
        lost(&world, &asked, ("sign_out", 0), false).await;
        let swept = Swept::of(&world.cloud);
        world.wait(QUIET + TICK);
        if took_effect {
            world.cloud.lose_answer(call);
        } else {
            world.cloud.fail(call, PortError::retry("test", "timeout"));
        }
        let (found, result) = swept.sweeper.run().await;
        assert!(result.is_err() && found.failed == 1 && found.without_outcome == 1, "{call}: {found:?}");
        let (one, other) = tokio::join!(swept.run(), swept.run());
        let at_once = one.redelivered + other.redelivered;
        assert_eq!(at_once, u64::from(call == "claim" && !took_effect), "{call} {took_effect}");
        // A claim whose redelivery came to nothing costs the wait for the next one.
        world.wait(QUIET);
        swept.run().await;
        swept.deliver(&world).await;
        assert!(world.trail(&asked).finished, "{call} {took_effect}");
    }
}

#[tokio::test]
async fn one_that_cannot_be_read_keeps_no_other_from_being_redelivered() {
    let world = World::new();
    for name in ["alice", "bob", "carol"] {
        world.cloud.add_user(name);
        lost(&world, &request(name, &format!("{name}@example.com"), "anomaly"), ("sign_out", 0), false).await;
    }
    let swept = Swept::of(&world.cloud);
    world.wait(QUIET + TICK);
    world.cloud.fail("open", PortError::reject("test", "unreadable_item"));
    let (found, result) = swept.sweeper.run().await;
    assert_eq!(result.unwrap_err().code, "unreadable_item");
    assert_eq!((found.failed, found.redelivered), (1, 2));
}

#[tokio::test]
async fn what_a_bulk_revocation_still_owns_is_left_to_it_however_long_it_is_paused() {
    let (mut bulk, keys) = Bulk::with_group(40);
    bulk.engine.begin(contractors(), bulk.cloud.clock.now(), "first").await.unwrap();
    bulk.say(ControlAction::Pause, "p", "bob").await.unwrap();
    bulk.run_due().await;
    let left = keys.iter().filter(|key| !bulk.cloud.tombstone(key).unwrap().sealed).count() as u64;
    assert!(left > 0);
    let swept = Swept::with_jobs(&bulk.cloud, bulk.fake.clone());
    bulk.cloud.clock.advance(Duration::from_hours(45));
    let found = swept.run().await;
    assert_eq!((found.of_jobs, found.without_outcome, swept.sent()), (left, 0, 0));
    // Once it is over, what it left to `revoke` is its no longer.
    let mut job = bulk.job();
    (job.stage, job.ended_at) = (Stage::Completed, Some(bulk.cloud.clock.now()));
    bulk.fake.state().jobs.insert(job.id.clone(), job);
    assert_eq!((swept.run().await.without_outcome, swept.sent()), (0, 0), "handed over a moment ago");
    // To one of the long looks.
    bulk.cloud.clock.advance(2 * QUIET);
    let found = swept.run().await;
    assert_eq!((found.of_jobs, found.without_outcome, found.unsealed), (0, left, left));
    assert_eq!(swept.sent() as u64, left);
}

#[tokio::test]
async fn an_action_on_an_account_is_carried_to_its_end_too() {
    let world = World::new();
    world.cloud.add_user("alice");
    world.cloud.fail("disable", PortError::retry("test", "timeout"));
    let asked = json!({
        "version": "1", "source": {"name": "operator", "event_id": "1"},
        "sub_id": {"format": "email", "email": "alice@example.com"}, "action": "disable",
        "initiator": {"kind": "admin", "id": "ops"},
    });
    assert_eq!(world.deliver_as("Account Action Requested", &asked.to_string()).await, Fate::Again);
    let swept = Swept::of(&world.cloud);
    world.wait(QUIET + TICK);
    let found = swept.run().await;
    assert_eq!((found.without_outcome, found.unsealed, found.redelivered), (1, 0, 1));
    swept.deliver(&world).await;
    assert!(world.cloud.state().disabled.contains("alice"));
    assert!(world.events().iter().any(|event| matches!(event, Event::AccountActionCompleted(_))));
    world.wait(QUIET);
    assert_eq!(swept.run().await.without_outcome, 0);
}

#[tokio::test]
async fn what_was_received_long_before_it_was_begun_is_found_by_the_long_looks() {
    // Received at noon and two days ago, begun just now: before what an ordinary run looks at.
    for (received, swept_at) in [(30, "2026-01-10T14:02:00Z"), (9 * 24, "2026-01-10T03:07:00Z")] {
        let world = World::new();
        world.cloud.add_user("alice");
        let asked = request("1", "alice@example.com", "anomaly");
        let at = EpochMillis::parse_rfc3339(swept_at).unwrap();
        world.cloud.clock.set(EpochMillis(at.0 - 60 * 60_000));
        lost(&world, &asked, ("sign_out", 0), false).await;
        let id = world.trail(&asked).started.revocation_id;
        world.cloud.state().trails.get_mut(&id).unwrap().started.received_at =
            EpochMillis(at.0 - received * 60 * 60_000);
        let swept = Swept::of(&world.cloud);
        world.cloud.clock.set(EpochMillis(at.0 - 10 * 60_000));
        assert_eq!(swept.run().await.without_outcome, 0);
        world.cloud.clock.set(at);
        assert_eq!(swept.run().await.redelivered, 1, "{swept_at}");
        // And is looked at by every run from then on.
        world.cloud.clock.set(EpochMillis(at.0 + 45 * 60_000));
        assert_eq!(swept.run().await.without_outcome, 1, "{swept_at}");
    }
}
