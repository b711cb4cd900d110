//! What goes wrong with a pool's keys: whom it costs what, and for how long.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use revocation_core::ports::PortError;
use revocation_testkit::clock::FakeClock;
use revocation_testkit::keys::{jwks, key_a, key_b};
use serde_json::json;
use tokio::time::Instant;

use crate::deny::DenyReason::{self, BadSignature, KeysUnavailable, UnknownKey};
use crate::jwks::{KeySet, MAX_JWKS_BYTES};
use crate::key_cache::{FETCH_LIMIT, JwksSource, REFRESH_FLOOR};
use crate::pool::PoolConfig;
use crate::sources::Bundled;
use crate::testing::{Bench, pool};
use crate::verifier::Verifier;

/// A bench whose keys are those of `key_a`, and the endpoint of which answers this from now on.
async fn rotating_to(answer: Result<Vec<u8>, PortError>) -> Bench {
    let bench = Bench::new();
    assert!(verify(&bench, &bench.access().build()).await.is_ok());
    bench.jwks.answer(answer);
    bench.clock.advance(REFRESH_FLOOR);
    bench
}

async fn verify(bench: &Bench, token: &str) -> Result<(), DenyReason> {
    bench.checker.verifier.verify(token).await.map(|_| ())
}

fn huge() -> Vec<u8> {
    let filler = "x".repeat(MAX_JWKS_BYTES);
    json!({ "filler": filler, "keys": [key_a().jwk(), key_b().jwk()] }).to_string().into_bytes()
}

fn with_alg(alg: &str) -> serde_json::Value {
    let mut jwk = key_b().jwk();
    jwk["alg"] = alg.into();
    jwk
}

#[tokio::test]
async fn i06_without_keys_no_token_is_blamed() {
    for answer in [
        Err(PortError::retry("jwks:fetch", "unreachable")),
        Err(PortError::reject("jwks:fetch", "bad_url")),
        Ok(Vec::new()),
        Ok(b"<html>".to_vec()),
        Ok(huge()),
        Ok(json!({ "keys": [with_alg("PS256")] }).to_string().into_bytes()),
    ] {
        let bench = Bench::new();
        bench.jwks.answer(answer.clone());
        assert_eq!(verify(&bench, &bench.access().build()).await, Err(KeysUnavailable));
        // With keys at hand, only the new one cannot be told.
        let bench = rotating_to(answer).await;
        assert_eq!(verify(&bench, &bench.access().signed_by(key_b()).build()).await, Err(KeysUnavailable));
        assert_eq!(verify(&bench, &bench.access().build()).await, Ok(()), "the last good keys stay");
    }
}

#[tokio::test(start_paused = true)]
async fn i06_a_source_that_hangs_costs_a_caller_four_seconds_and_the_others_nothing() {
    let bench = Arc::new(rotating_to(Ok(jwks(&[key_b()]))).await);
    bench.jwks.hangs.store(true, Ordering::SeqCst);
    let start = Instant::now();
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move { verify(&bench, &bench.access().signed_by(key_b()).build()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    assert_eq!(verify(&bench, &bench.access().claim("jti", "\"x\"").build()).await, Ok(()), "its key is known");
    assert_eq!(start.elapsed(), Duration::ZERO);
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap(), Err(KeysUnavailable));
    }
    assert!(start.elapsed() <= FETCH_LIMIT + Duration::from_millis(10), "{:?}", start.elapsed());
    assert_eq!(bench.jwks.fetches(), 2, "one for all of them");
}

#[tokio::test(start_paused = true)]
async fn i06_warming_ends_though_a_source_hangs() {
    let bench = Bench::new();
    bench.jwks.hangs.store(true, Ordering::SeqCst);
    let start = Instant::now();
    bench.checker.verifier.warm().await;
    assert!(start.elapsed() <= FETCH_LIMIT + Duration::from_millis(10));
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_keep_a_new_key_away() {
    let bench = Arc::new(rotating_to(Ok(jwks(&[key_b()]))).await);
    let caller = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { verify(&bench, &bench.access().header(r#"{"kid":"made-up","alg":"RS256"}"#).build()).await }
    });
    // Let it begin the fetch, then drop it there.
    tokio::task::yield_now().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    assert_eq!(verify(&bench, &bench.access().signed_by(key_b()).build()).await, Ok(()));
    assert_eq!(bench.jwks.fetches(), 2, "the fetch it began");
}

#[tokio::test]
async fn i06_a_source_that_panics_permits_nobody() {
    struct Panicking;
    #[async_trait]
    impl JwksSource for Panicking {
        async fn fetch(&self, _pool: &PoolConfig) -> Result<Vec<u8>, PortError> {
            panic!("a defect");
        }
    }
    let verifier = Verifier::builder(Arc::new(Panicking), Arc::new(FakeClock::default())).pool(pool()).build().unwrap();
    let token = Bench::new().access().build();
    for _ in 0..2 {
        assert_eq!(verifier.verify(&token).await, Err(KeysUnavailable));
    }
    verifier.warm().await;
}

#[tokio::test]
async fn i06_of_two_keys_with_one_name_the_first_counts() {
    let mut second = key_b().jwk();
    second["kid"] = "test-key-a".into();
    let bench = Bench::new();
    bench.jwks.answer(Ok(json!({ "keys": [key_a().jwk(), second] }).to_string().into_bytes()));
    assert_eq!(verify(&bench, &bench.access().build()).await, Ok(()));
    assert_eq!(verify(&bench, &bench.access().forged_with(key_b()).build()).await, Err(BadSignature));
}

#[tokio::test]
async fn i06_a_key_of_another_algorithm_is_no_key() {
    for alg in ["PS256", "RS512", "HS256", "none", ""] {
        let bench = Bench::new();
        let document = json!({ "keys": [key_a().jwk(), with_alg(alg)] });
        bench.jwks.answer(Ok(document.to_string().into_bytes()));
        assert_eq!(verify(&bench, &bench.access().signed_by(key_b()).build()).await, Err(UnknownKey), "{alg}");
    }
}

#[tokio::test]
async fn a_token_of_a_key_not_published_yet_is_good_after_the_floor() {
    let bench = rotating_to(Ok(jwks(&[key_a()]))).await;
    let new = bench.access().signed_by(key_b()).build();
    assert_eq!(verify(&bench, &new).await, Err(UnknownKey));
    bench.jwks.answer(Ok(jwks(&[key_a(), key_b()])));
    assert_eq!(verify(&bench, &new).await, Err(UnknownKey), "within the floor");
    bench.clock.advance(REFRESH_FLOOR);
    assert_eq!(verify(&bench, &new).await, Ok(()));
    assert_eq!(verify(&bench, &bench.access().build()).await, Ok(()));
}

#[tokio::test]
async fn a_key_withdrawn_while_its_token_waits_is_refused() {
    // The caller waits for the fetch that takes its key away.
    let bench = rotating_to(Ok(jwks(&[key_b()]))).await;
    let made_up = bench.access().header(r#"{"kid":"made-up","alg":"RS256"}"#).build();
    let old = bench.access().claim("jti", "\"other\"").build();
    let (first, second) = tokio::join!(verify(&bench, &made_up), async {
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        verify(&bench, &old).await
    });
    assert_eq!((first, second), (Err(UnknownKey), Err(UnknownKey)));
}

#[tokio::test]
async fn bundled_keys_without_a_source_know_what_they_know() {
    let keys = KeySet::parse(&jwks(&[key_a()])).unwrap();
    let bench = Bench::new();
    let build = |pool| Verifier::builder(Arc::new(Bundled), bench.clock.clone()).pool(pool).build().unwrap();
    let verifier = build(pool().with_keys(keys));
    verifier.warm().await;
    assert!(verifier.verify(&bench.access().build()).await.is_ok());
    let unknown = bench.access().signed_by(key_b()).build();
    assert_eq!(verifier.verify(&unknown).await, Err(UnknownKey), "not: try again later");
    let verifier = build(pool());
    assert_eq!(verifier.verify(&unknown).await, Err(KeysUnavailable), "we are not configured");
}
