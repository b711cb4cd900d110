//! A whole pool's cutoff: one write, for everybody, without Cognito.

use std::time::Duration;

use revocation_core::domain::audit::{Outcome, Step};
use revocation_core::domain::event::Event;
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::{LONGEST_REFRESH_LIFE, Refusal, TokenStamp};
use revocation_core::ports::PortError;
use revocation_testkit::cloud::POOL;
use serde_json::{Value, json};

use crate::world::{Fate, SKEW, World, request};

fn of_pool(pool: &str, reason: &str) -> Value {
    let mut asked = request("1", "", reason);
    asked["sub_id"] = json!({"format": "pool", "user_pool_id": pool});
    asked["initiator"] = json!({"kind": "admin", "id": "arn:aws:iam::111122223333:user/ops"});
    asked
}

fn everyone() -> SubjectKey {
    SubjectKey::everyone(&UserPoolId(POOL.into()))
}

#[tokio::test]
async fn one_write_ends_everybodys_sessions_and_cognito_is_not_asked() {
    let world = World::new();
    let (alice, asked_at) = (world.cloud.add_user("alice"), world.now());
    assert_eq!(world.deliver(&of_pool(POOL, "compromise")).await, Fate::Done);
    assert_eq!(world.actions(), ["raise", "seal", "publish"]);
    let tombstone = world.cloud.tombstone(&everyone()).unwrap();
    assert!(tombstone.sealed && world.cloud.tombstone(&alice).is_none());
    let minted = |at: EpochSeconds| TokenStamp { auth_time: Some(at), iat: Some(at), ..TokenStamp::default() };
    let cutoff = tombstone.not_before.unwrap();
    assert!(cutoff >= asked_at.plus(SKEW).seconds(), "by Cognito's clock");
    assert_eq!(tombstone.refusal(&minted(cutoff), world.now().seconds()), Some(Refusal::Cutoff));
    assert_eq!(tombstone.refusal(&minted(EpochSeconds(cutoff.0 + 1)), world.now().seconds()), None);
    // No sign-out stands behind it: refresh tokens of before may live on, and so must it (I5).
    assert!(tombstone.expires_at.unwrap() >= cutoff.plus(LONGEST_REFRESH_LIFE));
}

#[tokio::test]
async fn it_is_recorded_and_told_as_one_revocation_of_everybody() {
    let world = World::new();
    let asked = of_pool(POOL, "policy_violation");
    world.deliver(&asked).await;
    let record = world.record(&asked, Some(&everyone()));
    assert_eq!((record.outcome, record.sessions_ended), (Outcome::Complete, None), "how many is not known");
    assert_eq!(record.steps.iter().map(|step| step.step).collect::<Vec<_>>(), [Step::Tombstone, Step::Seal]);
    assert!(record.sealed_at.is_some() && record.elapsed_to_tombstone_ms.is_some());
    let events = world.events();
    assert!(matches!(&events[..], [Event::SessionsRevoked(told)] if told.record.subject == Some(everyone())));
}

#[tokio::test]
async fn i02_a_late_duplicate_does_not_move_the_cutoff() {
    let world = World::new();
    let asked = of_pool(POOL, "compromise");
    world.deliver(&asked).await;
    let before = world.cloud.tombstone(&everyone());
    world.wait(Duration::from_hours(1));
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    assert_eq!(world.cloud.tombstone(&everyone()), before);
    assert_eq!(world.events().len(), 1);
}

/// A crash between any two steps, and then an hour: the cutoff stays where it was fixed.
#[tokio::test]
async fn i08_a_crash_at_any_call_is_resumed_and_moves_nothing() {
    for call in ["begin", "raise", "step", "seal", "completed", "publish", "published", "finished"] {
        for nth in 0..if call == "step" { 2 } else { 1 } {
            for lost in [false, true] {
                let (world, asked) = (World::new(), of_pool(POOL, "compromise"));
                (0..nth).for_each(|_| world.cloud.pass(call));
                if lost {
                    world.cloud.lose_answer(call);
                } else {
                    world.cloud.fail(call, PortError::retry("test", "timeout"));
                }
                let mut deliveries = 0;
                while world.deliver(&asked).await == Fate::Again {
                    deliveries += 1;
                    assert!(deliveries < 4, "{call} {nth} {lost}");
                    if call != "begin" || lost {
                        world.wait(Duration::from_hours(1));
                    }
                }
                let (trail, tombstone) = (world.trail(&asked), world.cloud.tombstone(&everyone()).unwrap());
                assert!(trail.finished && tombstone.sealed, "{call} {nth} {lost}");
                assert_eq!(tombstone.not_before, Some(trail.started.not_before), "{call} {nth} {lost}");
                assert!(!world.events().is_empty(), "{call} {nth} {lost}");
            }
        }
    }
}

#[tokio::test]
async fn a_pool_that_is_none_of_ours_is_parked_with_the_reason() {
    let world = World::new();
    let Fate::Parked(reason) = world.deliver(&of_pool("eu-central-1_Other", "compromise")).await else { panic!() };
    assert!(reason.contains("the pool is not in USER_POOL_IDS"), "{reason}");
    let mut bound = of_pool(POOL, "compromise");
    bound["pools"] = json!(["eu-central-1_Other"]);
    assert!(matches!(world.deliver(&bound).await, Fate::Parked(_)));
    assert!(world.actions().is_empty());
    for (reason, lockout) in [("offboarding", false), ("canary", false), ("compromise", true)] {
        let mut asked = of_pool(POOL, reason);
        asked["lockout"] = json!(lockout);
        assert!(matches!(world.deliver(&asked).await, Fate::Parked(_)), "{reason}");
    }
}
