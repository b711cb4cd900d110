//! Single sessions: one ended, all but one ended, and which ones a revocation ended.

use std::time::Duration;

use revocation_core::domain::audit::{Outcome, Step};
use revocation_core::domain::event::Event;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::session::SessionRecord;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::domain::tombstone::{LONGEST_REFRESH_LIFE, Refusal, TokenStamp};
use revocation_core::ports::{Clock as _, PortError};
use serde_json::{Value, json};

use crate::world::{Fate, SKEW, World, request};

fn of(event_id: &str, session: &Value) -> Value {
    let mut asked = request(event_id, "alice@example.com", "user_request");
    asked["session"] = session.clone();
    asked
}

fn token(origin_jti: &'static str, at: EpochSeconds) -> TokenStamp<'static> {
    TokenStamp { auth_time: Some(at), iat: Some(at), origin_jti: Some(origin_jti), jti: None }
}

/// alice, with three sessions in the ledger that began before now, the last one most recently seen.
fn with_three_sessions(world: &World) -> SubjectKey {
    let key = world.cloud.add_user("alice");
    let began = world.now().seconds();
    let sessions = ["phone", "laptop", "tablet"].into_iter().zip(1..).map(|(id, n)| {
        let seen = EpochMillis(began.0 * 1_000 + n);
        let session = SessionRecord {
            origin_jti: id.to_owned(),
            client_id: "client".to_owned(),
            auth_time: Some(began),
            first_seen: seen,
            last_seen: seen,
            ip: Some("192.0.2.7".to_owned()),
            user_agent: Some(format!("{id} agent")),
        };
        (session, None)
    });
    world.cloud.state().sessions.insert(key.clone(), sessions.collect());
    key
}

#[tokio::test]
async fn that_device_is_signed_out_and_the_others_are_not() {
    let world = World::new();
    let key = with_three_sessions(&world);
    let asked = of("1", &json!({"only": "phone"}));
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    assert_eq!(world.actions(), ["resolve", "end_sessions", "publish"], "nothing of the whole account");
    let tombstone = world.cloud.tombstone(&key).unwrap();
    let later = world.now().seconds();
    // Refreshed long after: `origin_jti` stays the same.
    assert_eq!(tombstone.refusal(&token("phone", EpochSeconds(later.0 + 86_400)), later), Some(Refusal::Session));
    assert_eq!(tombstone.refusal(&token("laptop", EpochSeconds(later.0 - 60)), later), None);
    let record = world.record(&asked, Some(&key));
    assert_eq!((record.outcome, record.steps.len(), record.steps[0].step), (Outcome::Complete, 1, Step::Tombstone));
    assert_eq!(record.sessions_ended, Some(1));
    assert_eq!(record.sessions[0].user_agent.as_deref(), Some("phone agent"));
    let events = world.events();
    let [Event::SessionsRevoked(told)] = events.as_slice() else { panic!("the confirmation: {events:?}") };
    assert_eq!((told.record.sessions_ended, told.record.sessions.len()), (Some(1), 0), "addresses stay in the record");
}

#[tokio::test]
async fn i05_an_ended_session_outlives_a_sign_out_that_is_sealed_after_it() {
    let world = World::new();
    let key = with_three_sessions(&world);
    world.deliver(&of("1", &json!({"only": "phone"}))).await;
    assert_eq!(world.deliver(&request("2", "alice@example.com", "anomaly")).await, Fate::Done);
    let tombstone = world.cloud.tombstone(&key).unwrap();
    assert!(tombstone.sealed);
    let refresh_token_may_live = world.now().seconds().0 + i64::try_from(LONGEST_REFRESH_LIFE.as_secs()).unwrap() - 60;
    assert!(tombstone.expires_at.unwrap().0 > refresh_token_may_live);
}

#[tokio::test]
async fn everywhere_but_here_spares_this_session_only() {
    let world = World::new();
    let key = with_three_sessions(&world);
    let asked = of("1", &json!({"all_but": "laptop"}));
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    let tombstone = world.cloud.tombstone(&key).unwrap();
    let now = world.now().seconds();
    let begun = EpochSeconds(now.0 - 60);
    assert_eq!(tombstone.refusal(&token("laptop", begun), now), None);
    for id in ["phone", "tablet", "one the ledger never saw"] {
        assert_eq!(tombstone.refusal(&token(id, begun), now), Some(Refusal::Session), "{id}");
        // A refresh keeps `auth_time`.
        let refreshed = TokenStamp { iat: Some(EpochSeconds(now.0 + 60)), ..token(id, begun) };
        assert_eq!(tombstone.refusal(&refreshed, now), Some(Refusal::Session), "{id}, refreshed");
    }
    assert_eq!(tombstone.refusal(&token("begun later", EpochSeconds(now.0 + 60)), now), None);
    let ended: Vec<_> = world.record(&asked, Some(&key)).sessions.into_iter().map(|s| s.origin_jti).collect();
    assert_eq!(ended, ["phone", "tablet"]);
}

#[tokio::test]
async fn two_devices_that_say_everywhere_but_here_in_one_second_end_each_other() {
    let world = World::new();
    let key = with_three_sessions(&world);
    let at = world.now();
    for (id, session) in [("1", "phone"), ("2", "laptop")] {
        world.cloud.clock.set(at);
        assert_eq!(world.deliver(&of(id, &json!({"all_but": session}))).await, Fate::Done);
    }
    let tombstone = world.cloud.tombstone(&key).unwrap();
    for id in ["phone", "laptop"] {
        let refusal = tombstone.refusal(&token(id, at.seconds()), world.now().seconds());
        assert_eq!(refusal, Some(Refusal::Session), "{id}");
    }
}

#[tokio::test]
async fn a_session_is_counted_by_the_revocation_that_ended_it() {
    let world = World::new();
    let key = with_three_sessions(&world);
    let (one, all) = (of("1", &json!({"only": "phone"})), request("2", "alice@example.com", "offboarding"));
    world.deliver(&one).await;
    // A crash after the ledger was marked: the redelivery counts the same two again.
    world.cloud.fail("completed", PortError::retry("dynamodb:PutItem", "timeout"));
    assert_eq!(world.deliver(&all).await, Fate::Again);
    assert_eq!(world.deliver(&all).await, Fate::Done);
    assert_eq!(world.record(&one, Some(&key)).sessions_ended, Some(1));
    let record = world.record(&all, Some(&key));
    let ended: Vec<_> = record.sessions.iter().map(|session| session.origin_jti.as_str()).collect();
    assert_eq!((record.sessions_ended, ended), (Some(2), vec!["laptop", "tablet"]));
    let line = serde_json::to_string(&record.for_log()).unwrap();
    assert!(!line.contains("192.0.2.7") && !line.contains("agent"), "{line}");
}

#[tokio::test]
async fn i01_a_ledger_that_is_down_neither_delays_nor_fails_a_revocation() {
    let world = World::new();
    let key = with_three_sessions(&world);
    world.cloud.fail("sessions", PortError::retry("dynamodb:Query", "throttled"));
    let asked = request("1", "alice@example.com", "offboarding");
    assert_eq!(world.deliver(&asked).await, Fate::Done);
    let record = world.record(&asked, Some(&key));
    assert_eq!((record.outcome, record.sessions_ended), (Outcome::Complete, None), "not known, not invented");
    assert!(world.cloud.tombstone(&key).unwrap().sealed);
}

#[tokio::test]
async fn a_session_begun_after_the_cutoff_is_not_reported_as_ended() {
    let world = World::new();
    let key = with_three_sessions(&world);
    for (session, _) in world.cloud.state().sessions.get_mut(&key).unwrap().iter_mut().take(1) {
        session.auth_time = Some(EpochSeconds(world.cloud.clock.now().seconds().0 + 3_600));
    }
    let asked = request("1", "alice@example.com", "anomaly");
    world.deliver(&asked).await;
    assert_eq!(world.record(&asked, Some(&key)).sessions_ended, Some(2));
}

/// Cognito's clock may be ahead of ours, so a cutoff that ends everything lies ahead, too. A refresh, or a sign-in anew while all
/// sessions but one are ended, must be served at once.
#[tokio::test]
async fn i02_a_cutoff_lies_ahead_by_the_skew_only_where_it_ends_everything() {
    let plain = request("1", "alice@example.com", "user_request");
    let mut refresh = request("1", "alice@example.com", "role_change");
    refresh["effect"] = json!("refresh");
    for (asked, ahead) in [
        (plain, SKEW),
        (of("1", &json!({"only": "phone"})), SKEW),
        (of("1", &json!({"all_but": "phone"})), Duration::ZERO),
        (refresh, Duration::ZERO),
    ] {
        let world = World::new();
        with_three_sessions(&world);
        let asked_at = world.now();
        world.deliver(&asked).await;
        assert_eq!(world.trail(&asked).started.not_before, asked_at.plus(ahead).seconds(), "{asked}");
    }
}
