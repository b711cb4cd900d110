//! I8: whatever call fails or loses its answer, redelivery brings the same end, and each effect once.

use std::time::Duration;

use revocation_core::domain::audit::{Outcome, Step};
use revocation_core::domain::event::Event;
use revocation_core::domain::tombstone::TokenStamp;
use revocation_core::ports::PortError;

use crate::world::{Fate, World, request};

const CALLS: [&str; 13] = [
    "begin",
    "resolve",
    "resolved",
    "raise",
    "step",
    "reset_password",
    "sign_out",
    "forget_devices",
    "seal",
    "completed",
    "publish",
    "published",
    "finished",
];

/// The `nth` call of this name fails, or takes effect and loses its answer.
async fn end_despite(call: &'static str, nth: usize, lost: bool) -> World {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let asked = request("1", "alice@example.com", "compromise");
    // Earlier calls of the same name pass: an order that changes nothing.
    let mut deliveries = 0;
    for _ in 0..nth {
        world.cloud.pass(call);
    }
    if lost {
        world.cloud.lose_answer(call);
    } else {
        world.cloud.fail(call, PortError::retry("test", "timeout"));
    }
    while world.deliver(&asked).await == Fate::Again {
        deliveries += 1;
        assert!(deliveries < 4, "{call} {nth} lost={lost}: does not come to an end");
    }
    let trail = world.trail(&asked);
    assert!(trail.finished, "{call} {nth} lost={lost}");
    let record = world.record(&asked, Some(&key));
    assert_eq!(record.outcome, Outcome::Complete);
    assert_eq!(record.steps.last().map(|record| record.step), Some(Step::ForgetDevices));
    let tombstone = world.cloud.tombstone(&key).unwrap();
    assert!(tombstone.sealed);
    assert!(tombstone.not_before.unwrap() >= trail.started.not_before);
    world
}

#[tokio::test]
async fn i08_a_crash_at_any_call_is_resumed_at_the_missing_step() {
    for call in CALLS {
        for nth in 0..if call == "step" { 5 } else { 1 } {
            for lost in [false, true] {
                let world = end_despite(call, nth, lost).await;
                let times = |name: &str| world.actions().iter().filter(|action| action.starts_with(name)).count();
                // What ended but was not written down is done again, and so is the sign-out before a late lock.
                let again = (lost && call == "sign_out") || ["step", "reset_password"].contains(&call);
                assert!(times("sign_out") <= 1 + usize::from(again), "{call} {nth} lost={lost}");
                // Published, but not written down: published again.
                let again_told = (lost && call == "publish") || (!lost && call == "published");
                let told = world.events().iter().filter(|event| matches!(event, Event::SessionsRevoked(_))).count();
                assert_eq!(told, if again_told { 2 } else { 1 }, "{call} {nth} lost={lost}");
            }
        }
    }
}

#[tokio::test]
async fn i08_a_finished_revocation_is_never_begun_again() {
    let world = end_despite("finished", 0, true).await;
    let calls = world.cloud.state().calls.len();
    assert_eq!(world.deliver(&request("1", "alice@example.com", "compromise")).await, Fate::Done);
    assert_eq!(world.cloud.state().calls.len(), calls + 1, "one look at the trail");
}

/// A role is wrong; the message is parked, the role mended, and the message redriven an hour later.
#[tokio::test]
async fn i07_what_is_redriven_after_an_hour_ends_what_was_minted_meanwhile() {
    for call in ["begin", "resolve", "raise", "publish"] {
        let world = World::new();
        let key = world.cloud.add_user("alice");
        let asked = request("1", "alice@example.com", "compromise");
        world.cloud.fail(call, PortError::reject("test", "access_denied"));
        assert!(matches!(world.deliver(&asked).await, Fate::Parked(_)), "{call}");
        world.wait(Duration::from_mins(30));
        let minted = world.now().seconds();
        world.wait(Duration::from_mins(30));
        assert_eq!(world.deliver(&asked).await, Fate::Done, "{call}");
        let stamp = TokenStamp { auth_time: Some(minted), iat: Some(minted), ..TokenStamp::default() };
        let refusal = world.cloud.tombstone(&key).unwrap().refusal(&stamp, world.now().seconds());
        // Where only the news of it was missing, the sessions had ended an hour before, and this one is an honest new one.
        assert_eq!(refusal.is_some(), call != "publish", "{call}");
        assert_eq!(world.record(&asked, Some(&key)).outcome, Outcome::Complete, "{call}");
        for effect in ["reset_password", "sign_out", "forget_devices"] {
            assert_eq!(
                world.actions().iter().filter(|action| action.starts_with(effect)).count(),
                1,
                "{call}: {effect}"
            );
        }
        let told = world.events().iter().filter(|event| matches!(event, Event::SessionsRevoked(_))).count();
        assert_eq!(told, 1, "{call}");
    }
}
