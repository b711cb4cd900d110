//! One revocation after the other: order, policy, seal, repetition, failure.

use std::time::Duration;

use revocation_core::domain::audit::{Outcome, Step, StepOutcome};
use revocation_core::domain::event::Event;
use revocation_core::domain::profile::{Profile, SubjectKey, UserPoolId};
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::{LONGEST_REFRESH_LIFE, Refusal, TokenStamp};
use revocation_core::ports::{Clock as _, PortError};
use serde_json::json;

use crate::world::{Fate, SKEW, World, outcome, request};

fn minted_at(second: EpochSeconds) -> TokenStamp<'static> {
    TokenStamp { auth_time: Some(second), iat: Some(second), ..TokenStamp::default() }
}

#[tokio::test]
async fn i01_locks_out_before_calling_out() {
    for reason in ReasonCode::ALL {
        let world = World::new();
        world.cloud.add_user("alice");
        assert_eq!(world.deliver(&request("1", "alice@example.com", reason.as_str())).await, Fate::Done);
        let actions = world.actions();
        assert_eq!(actions[..2], ["resolve", "raise"], "{reason}: the tombstone is the first that acts");
        assert_eq!(actions.iter().filter(|action| *action == "raise").count(), 1);
    }
}

#[tokio::test]
async fn i01_a_named_key_is_locked_out_even_while_cognito_is_down() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let mut asked = request("1", "", "compromise");
    asked["sub_id"] = json!({"format": "opaque", "id": key.sub.0});
    world.cloud.fail("resolve", PortError::retry("cognito-idp:ListUsers", "timeout"));
    assert_eq!(world.deliver(&asked).await, Fate::Again);
    assert!(world.cloud.tombstone(&key).is_some(), "refused although Cognito does not answer");
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    assert!(world.cloud.tombstone(&key).unwrap().sealed);
}

/// Alice has a profile in the pool and one in another, which cannot be searched.
fn in_two_pools(world: &World) -> (SubjectKey, SubjectKey, UserPoolId) {
    let here = world.cloud.add_user("alice");
    let other = UserPoolId("eu-central-1_OTHER".into());
    let there = SubjectKey::new(other.0.clone(), "sub-there");
    let profile = Profile { key: there.clone(), username: "alice-there".into(), federated: false };
    world.cloud.state().users.push(("alice@example.com".into(), profile));
    world.cloud.state().unsearchable.insert(other.clone());
    (here, there, other)
}

#[tokio::test]
async fn i01_who_was_found_is_locked_out_and_signed_out_while_another_pool_cannot_be_asked() {
    let world = World::new();
    let (here, there, _) = in_two_pools(&world);
    let asked = request("1", "alice@example.com", "anomaly");
    assert_eq!(world.deliver(&asked).await, Fate::Again);
    assert!(world.cloud.tombstone(&here).unwrap().sealed, "does not wait for the other pool");
    assert_eq!(world.trail(&asked).resolved, None, "or the other pool would never be asked");
    assert_eq!(world.deliver(&asked).await, Fate::Again, "as long as it cannot be asked");
    world.cloud.state().unsearchable.clear();
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    assert!(world.cloud.tombstone(&there).unwrap().sealed);
    assert_eq!(world.trail(&asked).resolved.map_or(0, |profiles| profiles.len()), 2);
    let once = |name: &str| world.actions().iter().filter(|action| *action == name).count();
    assert_eq!((once("sign_out alice"), once("sign_out alice-there"), world.events().len()), (1, 1, 2));
}

#[tokio::test]
async fn i07_nobody_is_found_missing_before_every_pool_was_asked() {
    let world = World::new();
    in_two_pools(&world);
    let asked = request("1", "ghost@example.com", "offboarding");
    assert_eq!(world.deliver(&asked).await, Fate::Again);
    assert!(world.trail(&asked).completed.is_empty(), "no record that says so");
}

#[tokio::test]
async fn a_pool_beyond_the_requests_fence_is_not_asked() {
    let world = World::new();
    let (here, there, _) = in_two_pools(&world);
    let mut asked = request("1", "alice@example.com", "anomaly");
    asked["pools"] = json!([here.user_pool_id.0]);
    assert_eq!(world.deliver(&asked).await, Fate::Done, "that it cannot be asked is no matter");
    assert!(world.cloud.tombstone(&here).unwrap().sealed);
    assert_eq!(world.cloud.tombstone(&there), None);
}

#[tokio::test]
async fn the_policy_table_holds() {
    for (reason, federated, expected) in [
        ("offboarding", false, vec!["disable alice", "sign_out alice"]),
        ("compromise", false, vec!["reset_password alice", "sign_out alice", "forget_devices alice"]),
        ("compromise", true, vec!["disable alice", "sign_out alice", "forget_devices alice"]),
        ("anomaly", false, vec!["sign_out alice"]),
        ("role_change", false, vec!["sign_out alice"]),
        ("project_end", false, vec!["disable alice", "sign_out alice"]),
        ("policy_violation", false, vec!["disable alice", "sign_out alice"]),
        ("user_request", false, vec!["sign_out alice"]),
        ("canary", false, vec!["sign_out alice"]),
    ] {
        let world = World::new();
        world.cloud.add_profile("alice@example.com", "alice", federated);
        world.deliver(&request("1", "alice@example.com", reason)).await;
        let actions = world.actions();
        let cognito: Vec<&str> =
            actions.iter().filter(|action| action.ends_with("alice")).map(String::as_str).collect();
        assert_eq!(cognito, expected, "{reason}, federated: {federated}");
        let after: Vec<&str> = actions.iter().map(String::as_str).skip_while(|a| *a != "sign_out alice").collect();
        assert_eq!(after[..2], ["sign_out alice", "seal"], "{reason}: sealed at once");
    }
}

#[tokio::test]
async fn lockout_disables_instead_of_resetting() {
    let world = World::new();
    world.cloud.add_user("alice");
    let mut asked = request("1", "alice@example.com", "compromise");
    asked["lockout"] = json!(true);
    world.deliver(&asked).await;
    assert!(world.actions().contains(&"disable alice".to_owned()));
}

#[tokio::test]
async fn claims_only_touches_neither_sessions_nor_cognito() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let mut asked = request("1", "alice@example.com", "role_change");
    asked["effect"] = json!("refresh");
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    assert_eq!(world.actions(), ["resolve", "raise", "publish"]);
    let tombstone = world.cloud.tombstone(&key).unwrap();
    assert_eq!((tombstone.not_before, tombstone.claims_not_before.is_some()), (None, true));
}

#[tokio::test]
async fn i02_a_late_duplicate_does_not_end_the_honest_new_session() {
    let world = World::new();
    let key = world.cloud.add_user("bob");
    let asked = request("1", "bob@example.com", "anomaly");
    world.deliver(&asked).await;
    let cutoff = world.cloud.tombstone(&key).unwrap().not_before;
    world.wait(Duration::from_hours(72));
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    assert_eq!(world.cloud.tombstone(&key).unwrap().not_before, cutoff);
    assert_eq!(world.actions().iter().filter(|action| *action == "sign_out bob").count(), 1);
}

#[tokio::test]
async fn i03_a_token_refreshed_in_the_gap_is_refused() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let asked = request("1", "alice@example.com", "anomaly");
    // The sign-out is held back: the old session refreshes meanwhile, with `auth_time` re-minted.
    world.cloud.fail("sign_out", PortError::retry("cognito-idp:AdminUserGlobalSignOut", "throttled"));
    assert_eq!(world.deliver(&asked).await, Fate::Again);
    world.wait(Duration::from_secs(30));
    let gap = minted_at(world.now().seconds());
    let tombstone = world.cloud.tombstone(&key).unwrap();
    assert_eq!(tombstone.refusal(&gap, world.now().seconds()), None, "not yet: this is what the seal is for");
    assert!(!tombstone.sealed);
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    let tombstone = world.cloud.tombstone(&key).unwrap();
    assert_eq!(tombstone.refusal(&gap, world.now().seconds()), Some(Refusal::Cutoff));
    assert!(tombstone.sealed);
}

#[tokio::test]
async fn i03_a_seal_that_comes_late_does_not_end_the_honest_new_session() {
    let world = World::new();
    let key = world.cloud.add_user("bob");
    let asked = request("1", "bob@example.com", "anomaly");
    world.cloud.fail("seal", PortError::retry("dynamodb:UpdateItem", "timeout"));
    assert_eq!(world.deliver(&asked).await, Fate::Again);
    let confirmed = world.trail(&asked).steps[&key][&Step::GlobalSignOut].at;
    world.wait(Duration::from_mins(10));
    let honest = minted_at(world.now().seconds());
    world.wait(Duration::from_mins(10));
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    let tombstone = world.cloud.tombstone(&key).unwrap();
    assert_eq!(tombstone.not_before, Some(confirmed.plus(SKEW).seconds()));
    assert_eq!(tombstone.refusal(&honest, world.now().seconds()), None);
}

#[tokio::test]
async fn i03_without_a_confirmed_sign_out_there_is_no_seal_and_the_others_still_run() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let asked = request("1", "alice@example.com", "compromise");
    world.cloud.fail("sign_out", PortError::reject("cognito-idp:AdminUserGlobalSignOut", "operation_not_enabled"));
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    assert_eq!(world.actions(), ["resolve", "raise", "reset_password alice", "forget_devices alice", "publish"]);
    let tombstone = world.cloud.tombstone(&key).unwrap();
    assert!(!tombstone.sealed);
    assert!(tombstone.expires_at >= tombstone.not_before.map(|cutoff| cutoff.plus(LONGEST_REFRESH_LIFE)), "I5");
    let record = world.record(&asked, Some(&key));
    assert_eq!(record.outcome, Outcome::Partial);
    let failed = StepOutcome::Failed { code: "operation_not_enabled".into() };
    assert_eq!(outcome(&record, Step::GlobalSignOut), Some(failed));
    assert!(matches!(world.events().as_slice(), [Event::RevocationFailed(_)]), "nobody is told that it worked");
}

#[tokio::test]
async fn a_lock_that_fails_for_a_while_is_followed_by_another_sign_out() {
    let world = World::new();
    world.cloud.add_user("alice");
    let asked = request("1", "alice@example.com", "offboarding");
    world.cloud.fail("disable", PortError::retry("cognito-idp:AdminDisableUser", "throttled"));
    assert_eq!(world.deliver(&asked).await, Fate::Again);
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    let actions = world.actions();
    let cognito: Vec<&String> = actions.iter().filter(|action| action.ends_with("alice")).collect();
    assert_eq!(
        cognito,
        ["sign_out alice", "disable alice", "sign_out alice"],
        "signed out at once, and after the lock"
    );
}

#[tokio::test]
async fn i03_until_a_late_lock_the_cutoff_follows_each_sign_out() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    world.cloud.fail("raise", PortError::retry("dynamodb:UpdateItem", "timeout"));
    let asked = request("1", "alice@example.com", "offboarding");
    assert_eq!(world.deliver(&asked).await, Fate::Again);
    world.wait(Duration::from_secs(30));
    let gap = minted_at(world.now().seconds());
    world.cloud.fail("disable", PortError::retry("cognito-idp:AdminDisableUser", "throttled"));
    assert_eq!(world.deliver(&asked).await, Fate::Again);
    let tombstone = world.cloud.tombstone(&key).unwrap();
    assert_eq!(tombstone.refusal(&gap, world.now().seconds()), Some(Refusal::Cutoff), "minted before the sign-out");
    assert!(!tombstone.sealed, "another sign-out is to come");
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    assert!(world.cloud.tombstone(&key).unwrap().sealed);
}

#[tokio::test]
async fn i03_the_seal_does_not_wait_for_devices() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let asked = request("1", "alice@example.com", "compromise");
    world.cloud.fail("forget_devices", PortError::retry("cognito-idp:AdminListDevices", "throttled"));
    assert_eq!(world.deliver(&asked).await, Fate::Again);
    assert!(world.cloud.tombstone(&key).unwrap().sealed);
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    assert_eq!(world.record(&asked, Some(&key)).outcome, Outcome::Complete);
}

#[tokio::test]
async fn a_reset_that_is_refused_for_good_is_followed_by_disabling() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let asked = request("1", "alice@example.com", "compromise");
    world.cloud.fail("reset_password", PortError::reject("cognito-idp:AdminResetUserPassword", "invalid_parameter"));
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    assert!(world.actions().contains(&"disable alice".to_owned()), "not left open with a known password");
    assert_eq!(world.record(&asked, Some(&key)).outcome, Outcome::Partial);
    assert!(matches!(world.events().as_slice(), [Event::SessionsRevoked(_), Event::RevocationFailed(_)]));
}

#[tokio::test]
async fn i08_of_two_deliveries_at_once_one_record_stands_and_is_told() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let asked = request("1", "alice@example.com", "anomaly");
    tokio::join!(world.deliver(&asked), world.deliver(&asked));
    let record = world.record(&asked, Some(&key));
    for event in world.events() {
        let Event::SessionsRevoked(told) = event else { panic!("{event:?}") };
        assert_eq!(told.record, record, "whatever is published is what stands in the trail");
    }
}

#[tokio::test]
async fn everyone_the_identifier_means_is_revoked() {
    let world = World::new();
    let local = world.cloud.add_profile("eve@example.com", "eve", false);
    let federated = world.cloud.add_profile("eve@example.com", "Okta_eve", true);
    let bob = world.cloud.add_user("bob");
    let asked = request("1", "eve@example.com", "offboarding");
    // Trouble with one of them does not keep the other's sessions alive.
    world.cloud.fail("raise", PortError::retry("dynamodb:UpdateItem", "throttled"));
    assert_eq!(world.deliver(&asked).await, Fate::Again);
    assert!(world.cloud.tombstone(&federated).is_some_and(|tombstone| tombstone.sealed));
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    assert!(world.cloud.tombstone(&local).is_some_and(|tombstone| tombstone.sealed));
    assert_eq!(world.cloud.tombstone(&bob), None, "nobody else");
    assert_eq!(world.events().len(), 2);
}

#[tokio::test]
async fn i07_nobody_found_is_an_audited_outcome() {
    let world = World::new();
    let asked = request("1", "ghost@example.com", "offboarding");
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    let record = world.record(&asked, None);
    assert_eq!((record.outcome, record.steps.len(), record.sessions_ended), (Outcome::NoSuchUser, 0, None));
    assert!(world.events().is_empty());
}

#[tokio::test]
async fn a_key_that_cognito_does_not_know_ends_as_no_such_user() {
    let world = World::new();
    let mut asked = request("1", "", "anomaly");
    asked["sub_id"] = json!({"format": "opaque", "id": "gone"});
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    let key = SubjectKey::new(revocation_testkit::cloud::POOL, "gone");
    let record = world.record(&asked, Some(&key));
    assert_eq!(record.outcome, Outcome::NoSuchUser);
    assert!(record.sealed_at.is_some(), "and its tombstone does not stay for ten years");
    assert!(world.events().is_empty());
}

#[tokio::test]
async fn i07_a_refused_publication_comes_back_and_is_made_up_for() {
    let world = World::new();
    world.cloud.add_user("alice");
    let asked = request("1", "alice@example.com", "anomaly");
    world.cloud.fail("publish", PortError::retry("events:PutEvents", "entries_refused"));
    assert_eq!(world.deliver(&asked).await, Fate::Again);
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    assert_eq!(world.events().len(), 1);
    assert_eq!(world.actions().iter().filter(|action| *action == "sign_out alice").count(), 1);
}

#[tokio::test]
async fn i08_the_same_id_with_another_payload_is_rejected_and_changes_nothing() {
    let world = World::new();
    world.cloud.add_user("alice");
    let bob = world.cloud.add_user("bob");
    world.deliver(&request("1", "alice@example.com", "anomaly")).await;
    let Fate::Parked(reason) = world.deliver(&request("1", "bob@example.com", "anomaly")).await else {
        panic!("must be parked")
    };
    assert!(reason.ends_with("was already requested with another payload"), "{reason}");
    assert_eq!(world.cloud.tombstone(&bob), None);
}

#[tokio::test]
async fn bad_requests_are_parked_with_a_reason_that_quotes_nothing() {
    let world = World::new();
    let mut group = request("1", "", "project_end");
    group["sub_id"] = json!({"format": "group", "group": "secret-project"});
    let mut version = request("1", "alice@example.com", "anomaly");
    version["version"] = json!("7");
    let mut reason = request("1", "alice@example.com", "vendetta");
    reason["initiator"]["id"] = json!("mallory@example.com");
    for detail in [group, version, reason, json!({"a": "alice@example.com"}), json!("alice@example.com"), json!(7)] {
        let Fate::Parked(reason) = world.deliver(&detail).await else { panic!("must be parked: {detail}") };
        assert!(!reason.contains('@') && !reason.contains("secret") && !reason.contains("vendetta"), "{reason}");
    }
    let huge = request("1", "alice@example.com", "anomaly").to_string().replace("system", &"x".repeat(1_000_000));
    assert!(matches!(world.deliver_raw(&huge).await, Fate::Parked(_)));
    assert!(world.actions().is_empty());
}

#[tokio::test]
async fn the_record_says_who_when_and_how_long() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let asked = request("1", "alice@example.com", "offboarding");
    let received = world.cloud.clock.now();
    world.deliver(&asked).await;
    let record = world.record(&asked, Some(&key));
    assert_eq!(record.outcome, Outcome::Complete);
    assert_eq!((record.received_at, record.initiator.id.as_str()), (received, "test"));
    let steps: Vec<Step> = record.steps.iter().map(|record| record.step).collect();
    assert_eq!(steps, [Step::Tombstone, Step::Disable, Step::GlobalSignOut, Step::Seal]);
    assert!(record.steps.is_sorted_by_key(|record| record.at));
    assert_eq!(
        record.elapsed_to_tombstone_ms,
        record.tombstoned_at.map(|at| u64::try_from(at.0 - received.0).unwrap())
    );
    assert!(record.elapsed_to_seal_ms > record.elapsed_to_tombstone_ms);
    assert_eq!(record.sessions_ended, Some(0), "the ledger knows of none");
}

#[tokio::test]
async fn i10_the_log_line_has_no_personal_data() {
    let world = World::new();
    let key = world.cloud.add_user("alice");
    let mut asked = request("alice@example.com/7", "alice@example.com", "offboarding");
    asked["initiator"] = json!({"kind": "admin", "id": "boss@example.com"});
    asked["reason_admin"] = json!({"en": "alice@example.com left, call +12065550100"});
    world.deliver(&asked).await;
    let line = serde_json::to_string(&world.record(&asked, Some(&key)).for_log()).unwrap();
    assert!(!line.contains('@') && !line.contains("+1206"), "{line}");
    assert!(line.contains(&key.sub.0));
}
