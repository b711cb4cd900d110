//! Operators' actions on accounts: what each does, in which order they count, and who is spared.

use std::time::Duration;

use revocation_core::domain::action::{AccountActionRequest, ActionOutcome, ActionRecord, LONGEST_HOLD};
use revocation_core::domain::event::Event;
use revocation_core::domain::hold::Bar;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::domain::tombstone::{Refusal, TokenStamp};
use revocation_core::ports::PortError;
use serde_json::{Value, json};

use crate::world::{Fate, World, request};

const ACTIONS: [&str; 5] = ["disable", "enable", "reset_password", "hold", "release"];

fn action(event_id: &str, email: &str, action: &str) -> Value {
    json!({
        "version": "1", "source": {"name": "operator", "event_id": event_id},
        "sub_id": {"format": "email", "email": email}, "action": action,
        "initiator": {"kind": "admin", "id": "arn:aws:iam::111122223333:user/ops"},
        "reason_admin": {"en": "Case 7"},
    })
}

async fn deliver(world: &World, detail: &Value) -> Fate {
    world.deliver_as("Account Action Requested", &detail.to_string()).await
}

fn record(world: &World, detail: &Value, subject: Option<&SubjectKey>) -> ActionRecord {
    let request: AccountActionRequest = serde_json::from_value(detail.clone()).unwrap();
    world.cloud.state().action_trails[&request.id()].completed[&subject.cloned()].clone()
}

fn times(world: &World, call: &str) -> usize {
    world.cloud.state().calls.iter().filter(|made| made.starts_with(call)).count()
}

fn refusal(world: &World, key: &SubjectKey, authenticated: i64) -> Option<Refusal> {
    let now = world.now().seconds();
    let at = EpochSeconds(authenticated);
    let stamp = TokenStamp { auth_time: Some(at), iat: Some(at), ..TokenStamp::default() };
    world.cloud.tombstone(key).and_then(|tombstone| tombstone.refusal(&stamp, now))
}

#[tokio::test]
async fn each_does_what_it_says_and_nothing_else_is_recorded_and_told() {
    for (asked, done) in
        ACTIONS.into_iter().zip(["disable alice", "enable alice", "reset_password alice", "change_hold", "change_hold"])
    {
        let world = World::new();
        let key = world.cloud.add_user("alice");
        let detail = action("1", "alice@example.com", asked);
        assert_eq!(deliver(&world, &detail).await, Fate::Done);
        let effects = ["disable", "enable", "reset_password", "change_hold", "sign_out", "raise", "seal"];
        let calls = world.cloud.state().calls.clone();
        let acted: Vec<_> = calls.iter().filter(|call| effects.iter().any(|it| call.starts_with(it))).collect();
        assert_eq!(acted, [done], "{asked}");
        let record = record(&world, &detail, Some(&key));
        assert_eq!((record.outcome, record.code.clone()), (ActionOutcome::Done, None), "{asked}");
        let opens = ["enable", "release"].contains(&asked);
        assert_eq!(record.still_barred_by, opens.then(Vec::new), "{asked}");
        assert_eq!(world.events(), [Event::AccountActionCompleted(record)], "{asked}");
        assert!(world.cloud.state().action_trails.values().all(|trail| trail.finished));
    }
}

#[tokio::test]
async fn on_hold_every_token_is_refused_and_after_the_release_only_what_was_revoked() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let second = world.now().seconds().0;
    world.deliver(&request("r1", "alice@example.com", "anomaly")).await;
    world.wait(Duration::from_mins(10));
    let fresh = world.now().seconds().0;
    deliver(&world, &action("1", "alice@example.com", "hold")).await;
    assert_eq!([refusal(&world, &key, second), refusal(&world, &key, fresh)], [Some(Refusal::Hold); 2]);
    deliver(&world, &action("2", "alice@example.com", "release")).await;
    assert_eq!(refusal(&world, &key, second), Some(Refusal::Cutoff), "I2: nothing is brought back");
    assert_eq!(refusal(&world, &key, fresh), None, "a hold ends no session");
}

#[tokio::test]
async fn a_hold_ends_by_itself() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let mut hold = action("1", "alice@example.com", "hold");
    let end = world.now().plus(Duration::from_hours(10));
    hold["hold"] = json!({"until": end.rfc3339(), "message": "Call the service desk."});
    assert_eq!(deliver(&world, &hold).await, Fate::Done);
    let now = world.now().seconds().0;
    assert_eq!(refusal(&world, &key, now), Some(Refusal::Hold));
    assert_eq!(world.cloud.tombstone(&key).unwrap().hold.unwrap().message, "Call the service desk.");
    world.cloud.clock.set(end.plus(Duration::from_secs(1)));
    assert_eq!(refusal(&world, &key, now), None);
}

#[tokio::test]
async fn a_release_does_not_open_a_tombstone_whose_sign_out_is_outstanding() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    world.cloud.fail("sign_out", PortError::retry("test", "throttled"));
    assert_eq!(world.deliver(&request("r1", "alice@example.com", "anomaly")).await, Fate::Again);
    let asked = action("2", "alice@example.com", "release");
    deliver(&world, &action("1", "alice@example.com", "hold")).await;
    deliver(&world, &asked).await;
    assert_eq!(record(&world, &asked, Some(&key)).still_barred_by, Some(vec![Bar::Unsealed]));
    assert!(!world.cloud.tombstone(&key).unwrap().sealed);
    // And an enabled account says what still keeps its owner out.
    deliver(&world, &action("3", "alice@example.com", "hold")).await;
    let enable = action("4", "alice@example.com", "enable");
    deliver(&world, &enable).await;
    assert_eq!(record(&world, &enable, Some(&key)).still_barred_by, Some(vec![Bar::Hold, Bar::Unsealed]));
    // Not known is not nothing.
    world.cloud.fail("bars", PortError::retry("test", "timeout"));
    let again = action("5", "alice@example.com", "enable");
    assert_eq!(deliver(&world, &again).await, Fate::Done);
    assert_eq!(record(&world, &again, Some(&key)).still_barred_by, None);
}

#[tokio::test]
async fn i08_a_redelivery_does_nothing_and_another_payload_is_refused() {
    for asked in ACTIONS {
        let world = World::new();
        world.cloud.add_user("alice");
        let detail = action("1", "alice@example.com", asked);
        deliver(&world, &detail).await;
        let calls = world.cloud.state().calls.len();
        assert_eq!(deliver(&world, &detail).await, Fate::Done);
        assert_eq!(world.cloud.state().calls.len(), calls + 1, "{asked}: one look at the trail");
        let mut other = detail.clone();
        other["reason_admin"] = json!({"en": "Case 8"});
        let Fate::Parked(why) = deliver(&world, &other).await else { panic!("{asked}: not parked") };
        assert!(why.ends_with("was already requested with another payload"), "{why}");
    }
}

/// The first delivery of `first` dies at `call`, `second` is carried out, and then `first` comes again.
async fn out_of_order(first: &str, second: &str, call: &'static str, lost: bool) -> (World, SubjectKey, Value) {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let (one, two) = (action("1", "alice@example.com", first), action("2", "alice@example.com", second));
    if lost {
        world.cloud.lose_answer(call);
    } else {
        world.cloud.fail(call, PortError::retry("test", "timeout"));
    }
    assert_eq!(deliver(&world, &one).await, Fate::Again, "{first} {call}");
    world.wait(Duration::from_secs(5));
    assert_eq!(deliver(&world, &two).await, Fate::Done);
    world.wait(Duration::from_hours(30));
    assert_eq!(deliver(&world, &one).await, Fate::Done, "{first} {call}");
    (world, key, one)
}

#[tokio::test]
async fn i08_the_action_requested_last_decides_whatever_dies_in_between() {
    for lost in [false, true] {
        for call in
            ["begin_action", "resolve", "resolved", "change_hold", "completed", "publish", "published", "finished"]
        {
            let unknown = call == "begin_action" && !lost;
            let (world, key, _) = out_of_order("hold", "release", call, lost).await;
            // Of a request that left no trace it is not known that it came first.
            assert_eq!(world.cloud.tombstone(&key).unwrap().hold.is_some(), unknown, "hold, release, {call}, {lost}");
            let (world, key, _) = out_of_order("release", "hold", call, lost).await;
            assert_eq!(world.cloud.tombstone(&key).unwrap().hold.is_none(), unknown, "release, hold, {call}, {lost}");
        }
        for call in ["begin_action", "resolved", "disable", "completed", "publish", "published", "finished"] {
            let unknown = call == "begin_action" && !lost;
            let (world, key, one) = out_of_order("disable", "enable", call, lost).await;
            assert_eq!(world.cloud.state().disabled.contains("alice"), unknown, "disable, enable, {call}, {lost}");
            let outcome = record(&world, &one, Some(&key)).outcome;
            let was_recorded = ["publish", "published", "finished"].contains(&call) || (call == "completed" && lost);
            let expected = if was_recorded || unknown { ActionOutcome::Done } else { ActionOutcome::Superseded };
            assert_eq!(outcome, expected, "{call}, {lost}");
        }
    }
}

#[tokio::test]
async fn i08_a_crash_at_any_call_ends_in_one_record_that_is_told() {
    let calls =
        ["begin_action", "resolve", "resolved", "was_superseded", "disable", "completed", "publish", "published"];
    for call in calls.into_iter().chain(["finished"]) {
        for lost in [false, true] {
            let world = World::new();
            let key = world.cloud.add_user("alice");
            let detail = action("1", "alice@example.com", "disable");
            if lost {
                world.cloud.lose_answer(call);
            } else {
                world.cloud.fail(call, PortError::retry("t", "timeout"));
            }
            assert_eq!(deliver(&world, &detail).await, Fate::Again);
            assert_eq!(deliver(&world, &detail).await, Fate::Done);
            assert_eq!(record(&world, &detail, Some(&key)).outcome, ActionOutcome::Done, "{call}");
            let told_twice = (lost && call == "publish") || (!lost && call == "published");
            assert_eq!(world.events().len(), if told_twice { 2 } else { 1 }, "{call} {lost}");
            let again = (lost && call == "disable") || (!lost && call == "completed");
            assert_eq!(times(&world, "disable"), if again { 2 } else { 1 }, "{call} {lost}");
        }
    }
}

#[tokio::test]
async fn i01_a_named_key_is_held_even_while_cognito_is_down() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let mut hold = action("1", "", "hold");
    hold["sub_id"] = json!({"format": "opaque", "id": key.sub.0});
    hold["override_protection"] = json!(true);
    world.cloud.fail("resolve", PortError::retry("cognito-idp:ListUsers", "timeout"));
    assert_eq!(deliver(&world, &hold).await, Fate::Again);
    assert!(world.cloud.tombstone(&key).unwrap().hold.is_some());
    // Who might be protected has to be looked up first.
    let world = World::new();
    hold.as_object_mut().unwrap().remove("override_protection");
    world.cloud.fail("resolve", PortError::retry("cognito-idp:ListUsers", "timeout"));
    assert_eq!(deliver(&world, &hold).await, Fate::Again);
    assert_eq!(world.cloud.tombstone(&key), None);
}

#[tokio::test]
async fn protected_groups_are_spared_unless_the_request_overrides_it() {
    for asked in ACTIONS {
        for overrides in [false, true] {
            let world = World::new();
            let key = world.cloud.add_user("alice");
            world.cloud.state().groups.insert("alice".into(), vec!["staff".into(), "admins".into()]);
            let mut detail = action("1", "alice@example.com", asked);
            detail["override_protection"] = json!(overrides);
            assert_eq!(deliver(&world, &detail).await, Fate::Done);
            let spared = ["disable", "reset_password", "hold"].contains(&asked) && !overrides;
            let record = record(&world, &detail, Some(&key));
            assert_eq!(record.outcome == ActionOutcome::Refused, spared, "{asked} {overrides}");
            assert_eq!(record.code.as_deref(), spared.then_some("protected_group"));
            assert_eq!(record.override_protection, overrides);
            assert_eq!(world.events().len(), 1, "a refusal is told, too");
            assert_eq!(times(&world, "groups_of"), usize::from(spared), "asked only where it matters");
        }
    }
}

#[tokio::test]
async fn the_guard_fails_closed() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    world.cloud.fail("groups_of", PortError::reject("cognito-idp:AdminListGroupsForUser", "access_denied"));
    let Fate::Parked(why) = deliver(&world, &action("1", "alice@example.com", "hold")).await else { panic!() };
    assert!(why.contains("cognito-idp:AdminListGroupsForUser: access_denied"), "{why}");
    assert_eq!(world.cloud.tombstone(&key), None);
}

#[tokio::test]
async fn nobody_and_everybody_meant_have_a_record_each() {
    let world = World::new();
    let nobody = action("1", "nobody@example.com", "disable");
    assert_eq!(deliver(&world, &nobody).await, Fate::Done);
    assert_eq!(record(&world, &nobody, None).outcome, ActionOutcome::NoSuchUser);
    assert!(world.events().is_empty());
    let keys = ["alice", "federated"].map(|name| world.cloud.add_profile("a@example.com", name, name == "federated"));
    let reset = action("2", "a@example.com", "reset_password");
    assert_eq!(deliver(&world, &reset).await, Fate::Done);
    assert_eq!(record(&world, &reset, Some(&keys[0])).outcome, ActionOutcome::Done);
    let federated = record(&world, &reset, Some(&keys[1]));
    assert_eq!((federated.outcome, federated.code.as_deref()), (ActionOutcome::Failed, Some("federated")));
    // One account's trouble is not another's.
    world.cloud.fail("disable", PortError::retry("test", "throttled"));
    let disable = action("3", "a@example.com", "disable");
    assert_eq!(deliver(&world, &disable).await, Fate::Again);
    assert_eq!(world.cloud.state().disabled.len(), 1);
    assert_eq!(deliver(&world, &disable).await, Fate::Done);
    assert_eq!(world.cloud.state().disabled.len(), 2);
}

#[tokio::test]
async fn what_fails_for_good_is_recorded() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    world.cloud.fail("reset_password", PortError::reject("cognito-idp:AdminResetUserPassword", "invalid_parameter"));
    let reset = action("1", "alice@example.com", "reset_password");
    assert_eq!(deliver(&world, &reset).await, Fate::Done);
    let record = record(&world, &reset, Some(&key));
    assert_eq!((record.outcome, record.code.as_deref()), (ActionOutcome::Failed, Some("invalid_parameter")));
}

#[tokio::test]
async fn what_cannot_be_meant_is_parked_and_uses_up_no_id() {
    let world = World::new();
    world.cloud.add_user("alice");
    let with = |member: &str, value: Value| {
        let mut detail = action("1", "alice@example.com", "hold");
        detail[member] = value;
        detail
    };
    let now = world.now();
    let ends = |at: EpochMillis| with("hold", json!({"until": at.rfc3339()}));
    for (detail, told) in [
        (with("sub_id", json!({"format": "group", "group": "staff"})), "a group is not a single subject"),
        (with("action", json!("erase")), "not an Account Action Requested of version 1: at `action`"),
        (ends(EpochMillis(now.0 - 1_000)), "`hold.until` is past"),
        (ends(now.plus(LONGEST_HOLD + Duration::from_hours(1))), "`hold.until` is more than 366 days ahead"),
    ] {
        let Fate::Parked(why) = deliver(&world, &detail).await else { panic!("{told}") };
        assert!(why.starts_with(told), "{why}");
    }
    assert_eq!(deliver(&world, &action("1", "alice@example.com", "hold")).await, Fate::Done);
    let Fate::Parked(why) = world.deliver_as("Account Action Completed", "{}").await else { panic!() };
    assert_eq!(why, "neither a Revocation Requested nor an Account Action Requested");
}

#[tokio::test]
async fn i11_the_fence_of_the_request_holds() {
    let world = World::new();
    world.cloud.add_user("alice");
    let mut detail = action("1", "alice@example.com", "disable");
    detail["pools"] = json!(["eu-central-1_OTHER"]);
    assert_eq!(deliver(&world, &detail).await, Fate::Done);
    assert_eq!(record(&world, &detail, None).outcome, ActionOutcome::NoSuchUser);
    assert!(world.cloud.state().disabled.is_empty());
}

#[tokio::test]
async fn i10_the_log_line_has_no_personal_data() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let mut hold = action("1", "alice@example.com", "hold");
    hold["initiator"]["id"] = json!("ops@example.com");
    hold["hold"] = json!({"message": "Jane, call +12025550100"});
    deliver(&world, &hold).await;
    let line = serde_json::to_string(&record(&world, &hold, Some(&key)).for_log()).unwrap();
    for personal in ["@", "Jane", "Case 7"] {
        assert!(!line.contains(personal), "{line}");
    }
}
