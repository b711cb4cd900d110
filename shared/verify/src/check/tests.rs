use std::collections::BTreeMap;

use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::Hold;
use revocation_testkit::token::LIFE;

use super::*;
use crate::deny::DenyClass;
use crate::testing::{Bench, CLIENT, POOL, SUB, pool};
use crate::token::TokenUse;

fn cutoff(at: EpochSeconds) -> Tombstone {
    Tombstone { not_before: Some(at), ..Tombstone::default() }
}

fn best_effort() -> Bench {
    Bench::with(vec![pool()], vec![TokenUse::Access], StoreOutage::BestEffort)
}

#[tokio::test]
async fn a_permit_says_who_may_do_what() {
    let bench = Bench::new();
    let permit = bench.checker.check(&bench.access().build()).await.unwrap();
    assert_eq!(permit.subject, SubjectKey::new(POOL, SUB));
    assert_eq!(permit.username.as_deref(), Some(&*format!("user-{SUB}")));
    assert_eq!((permit.client_id.as_str(), permit.scope.as_deref()), (CLIENT, Some("openid profile")));
    assert_eq!(permit.groups, ["staff", "admins"]);
    assert_eq!((permit.token_use, permit.exp), (TokenUse::Access, EpochSeconds(bench.now().0 + LIFE)));
    assert!(!permit.unchecked);
    assert_eq!(bench.store.reads(), 1, "one read a request");
}

#[tokio::test]
async fn i04_a_tombstone_refuses_access_and_id_tokens() {
    let bench = Bench::new();
    let now = bench.now();
    let revoked = Err(DenyReason::Revoked(Refusal::Cutoff));
    for token in [bench.access(), bench.id()] {
        bench.store.answer(Ok(Some(cutoff(now))));
        assert_eq!(bench.checker.check(&token.build()).await, revoked);
        bench.store.answer(Ok(Some(cutoff(EpochSeconds(now.0 - 1)))));
        assert!(bench.checker.check(&token.build()).await.is_ok(), "signed in after it");
        let refreshed = token.claim("auth_time", (now.0 - 9).to_string()).build();
        assert_eq!(bench.checker.check(&refreshed).await, revoked, "an old session's refresh");
    }
}

#[tokio::test]
async fn i04_each_refusal_has_a_code_of_its_own() {
    let bench = Bench::new();
    let now = bench.now();
    let session = |id: &str| BTreeMap::from([(id.to_owned(), now)]);
    let hold = Hold { until: None, message: "wait".into() };
    for (tombstone, code) in [
        (cutoff(now), "revoked"),
        (Tombstone { claims_not_before: Some(now), ..Tombstone::default() }, "claims_changed"),
        (Tombstone { sessions: session("origin-1"), ..Tombstone::default() }, "session_revoked"),
        (Tombstone { sessions: session("jti-1"), ..Tombstone::default() }, "session_revoked"),
        (Tombstone { hold: Some(hold), ..Tombstone::default() }, "on_hold"),
    ] {
        bench.store.answer(Ok(Some(tombstone)));
        let reason = bench.checker.check(&bench.access().build()).await.unwrap_err();
        assert_eq!((reason.code(), reason.class()), (code, DenyClass::InvalidToken));
    }
}

#[tokio::test]
async fn i04_a_token_with_neither_date_is_refused_and_one_with_either_is_looked_up() {
    let bench = Bench::new();
    let undated = bench.access().without("auth_time").without("iat").build();
    assert_eq!(bench.checker.check(&undated).await, Err(DenyReason::Revoked(Refusal::Undated)));
    for missing in ["auth_time", "iat"] {
        assert!(bench.checker.check(&bench.access().without(missing).build()).await.is_ok(), "without {missing}");
    }
}

#[tokio::test]
async fn a_sighting_is_of_the_session_in_use_and_of_one_that_was_ended_not_of_one_on_hold() {
    let bench = Bench::new();
    let now = EpochMillis(bench.now().0 * 1_000);
    let permit = bench.checker.check(&bench.access().build()).await.unwrap();
    let seen = permit.sighting(now, Some("192.0.2.1"), Some("browser")).unwrap();
    assert_eq!((seen.subject, seen.origin_jti, seen.client_id), (&SubjectKey::new(POOL, SUB), "origin-1", CLIENT));
    assert_eq!((seen.auth_time, seen.seen_at), (Some(bench.now()), now));
    assert_eq!((seen.ip, seen.user_agent), (Some("192.0.2.1"), Some("browser")));
    let machine = bench.checker.check(&bench.access().without("origin_jti").build()).await.unwrap();
    assert!(machine.sighting(now, None, None).is_none(), "a token of no session");

    let denied = async |tombstone| {
        bench.store.answer(Ok(Some(tombstone)));
        bench.checker.check_and_tell(&bench.access().build()).await.unwrap_err()
    };
    let ended = denied(cutoff(bench.now())).await;
    assert_eq!(ended.ended_session(now).map(|seen| seen.origin_jti), Some("origin-1"));
    let hold = Hold { until: None, message: "wait".into() };
    assert!(denied(Tombstone { hold: Some(hold), ..Tombstone::default() }).await.ended_session(now).is_none());
    let claims = Tombstone { claims_not_before: Some(bench.now()), ..Tombstone::default() };
    assert!(denied(claims).await.ended_session(now).is_none());
}

#[tokio::test]
async fn i06_an_unreachable_store_denies_without_blaming_the_token() {
    let bench = Bench::new();
    bench.store.answer(Err(PortError::retry("dynamodb:GetItem", "timeout")));
    let reason = bench.checker.check(&bench.access().build()).await.unwrap_err();
    assert_eq!((reason, reason.class()), (DenyReason::StoreUnavailable, DenyClass::Unavailable));
}

#[tokio::test]
async fn i06_an_unreadable_tombstone_denies_even_in_best_effort() {
    for bench in [Bench::new(), best_effort()] {
        bench.store.answer(Err(PortError::reject("dynamodb:GetItem", "unreadable_item")));
        let reason = bench.checker.check(&bench.access().build()).await.unwrap_err();
        assert_eq!((reason, reason.class()), (DenyReason::StoreUnreadable, DenyClass::Unavailable));
    }
}

#[tokio::test]
async fn i06_best_effort_permits_in_an_outage_only_and_marks_the_permit() {
    let bench = best_effort();
    bench.store.answer(Err(PortError::retry("dynamodb:GetItem", "timeout")));
    assert!(bench.checker.check(&bench.access().build()).await.unwrap().unchecked);
    let expired = bench.access().claim("exp", "1").build();
    assert_eq!(bench.checker.check(&expired).await, Err(DenyReason::Expired), "verification is not relaxed");
    bench.store.answer(Ok(Some(cutoff(bench.now()))));
    assert_eq!(bench.checker.check(&bench.access().build()).await, Err(DenyReason::Revoked(Refusal::Cutoff)));
    bench.store.answer(Ok(None));
    assert!(!bench.checker.check(&bench.access().build()).await.unwrap().unchecked);
}

#[tokio::test]
async fn i06_unreachable_keys_deny_without_blaming_the_token() {
    for bench in [Bench::new(), best_effort()] {
        bench.jwks.answer(Err(PortError::retry("jwks:fetch", "timeout")));
        let reason = bench.checker.check(&bench.access().build()).await.unwrap_err();
        assert_eq!((reason, reason.class()), (DenyReason::KeysUnavailable, DenyClass::Unavailable));
        assert_eq!(bench.store.reads(), 0);
    }
}

#[tokio::test]
async fn a_pools_cutoff_refuses_everybody_who_signed_in_before_and_nobody_who_did_after() {
    let bench = Bench::new();
    let now = bench.now();
    for own in [None, Some(Tombstone { sealed: true, ..cutoff(EpochSeconds(now.0 - 9)) })] {
        bench.store.answer(Ok(own));
        *bench.store.pool.lock().unwrap() = Ok(Some(cutoff(now)));
        let revoked = Err(DenyReason::Revoked(Refusal::Cutoff));
        assert_eq!(bench.checker.check(&bench.access().build()).await, revoked);
        *bench.store.pool.lock().unwrap() = Ok(Some(cutoff(EpochSeconds(now.0 - 1))));
        assert!(bench.checker.check(&bench.access().build()).await.is_ok(), "signed in after it");
        let refreshed = bench.access().claim("auth_time", (now.0 - 9).to_string()).build();
        assert_eq!(bench.checker.check(&refreshed).await, revoked, "an old session's refresh");
    }
}

#[tokio::test]
async fn i06_a_pools_tombstone_that_cannot_be_read_is_an_outage_like_the_persons_own() {
    let (timeout, garbled) =
        (PortError::retry("dynamodb:GetItem", "timeout"), PortError::reject("dynamodb:GetItem", "unreadable_item"));
    for (bench, on_timeout) in [(Bench::new(), Some(DenyReason::StoreUnavailable)), (best_effort(), None)] {
        *bench.store.pool.lock().unwrap() = Err(timeout.clone());
        let decision = bench.checker.check(&bench.access().build()).await;
        assert_eq!(decision.as_ref().err().copied(), on_timeout);
        assert!(decision.map_or(true, |permit| permit.unchecked));
        // The person's own says no: that counts in every setting. And the other way round.
        bench.store.answer(Ok(Some(cutoff(bench.now()))));
        let revoked = Err(DenyReason::Revoked(Refusal::Cutoff));
        assert_eq!(bench.checker.check(&bench.access().build()).await, revoked);
        bench.store.answer(Err(timeout.clone()));
        *bench.store.pool.lock().unwrap() = Ok(Some(cutoff(bench.now())));
        assert_eq!(bench.checker.check(&bench.access().build()).await, revoked);
        // An item that cannot be understood refuses, whatever else fails.
        *bench.store.pool.lock().unwrap() = Err(garbled.clone());
        let denied = bench.checker.check(&bench.access().build()).await;
        assert_eq!(denied, Err(DenyReason::StoreUnreadable));
    }
}

#[tokio::test]
async fn warming_fetches_keys_and_reads_once() {
    let bench = Bench::new();
    bench.checker.warm(&SubjectKey::new(POOL, "warm-up")).await;
    assert_eq!((bench.jwks.fetches(), bench.store.reads(), bench.store.pool_reads()), (1, 1, 1));
}

#[test]
fn an_outage_setting_is_spelled_exactly() {
    assert_eq!("deny".parse(), Ok(StoreOutage::Deny));
    assert_eq!("best_effort".parse(), Ok(StoreOutage::BestEffort));
    let error = "allow".parse::<StoreOutage>().unwrap_err();
    assert!(error.to_string().contains("best_effort"), "{error}: what there is");
}
