use revocation_testkit::clock::FakeClock;
use revocation_testkit::keys::{jwks, key_a, key_b};

use super::*;
use crate::testing::{FakeJwks, pool};

struct Set {
    clock: Arc<FakeClock>,
    source: Arc<FakeJwks>,
    cache: Arc<KeyCache>,
}

fn set(pool: PoolConfig) -> Set {
    let (clock, source) = (Arc::new(FakeClock::default()), Arc::new(FakeJwks::new(jwks(&[key_a()]))));
    let cache = Arc::new(KeyCache::new(pool, source.clone(), clock.clone()));
    Set { clock, source, cache }
}

fn down() -> Result<Vec<u8>, PortError> {
    Err(PortError::retry("jwks:fetch", "timeout"))
}

impl Set {
    async fn key(&self, kid: &str) -> Result<(), DenyReason> {
        self.cache.key(kid).await.map(|_| ())
    }
}

#[tokio::test]
async fn keys_are_fetched_once() {
    let set = set(pool());
    assert_eq!(set.source.fetches(), 0, "not before they are needed");
    for _ in 0..60 {
        assert_eq!(set.key("test-key-a").await, Ok(()));
        set.clock.advance(REFRESH_FLOOR);
    }
    assert_eq!(set.source.fetches(), 1);
}

/// Lets what was begun in the background come to its end.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_withdrawn_key_is_trusted_for_an_hour_at_most_and_known_ones_serve_meanwhile() {
    let bundled_keys = Some(KeySet::parse(&jwks(&[key_a()])).unwrap());
    for (pool, at_first) in [(pool(), 1), (PoolConfig { bundled_keys, ..pool() }, 0)] {
        let set = set(pool);
        assert_eq!(set.key("test-key-a").await, Ok(()));
        set.source.answer(Ok(jwks(&[key_b()])));
        set.clock.advance(RENEW_AFTER.saturating_sub(Duration::from_millis(1)));
        assert_eq!(set.key("test-key-a").await, Ok(()));
        settle().await;
        assert_eq!(set.source.fetches(), at_first);
        set.clock.advance(Duration::from_millis(1));
        for _ in 0..10 {
            assert_eq!(set.key("test-key-a").await, Ok(()), "nobody waits");
        }
        settle().await;
        assert_eq!(set.source.fetches(), at_first + 1, "one at a time");
        assert_eq!(set.key("test-key-a").await, Err(DenyReason::UnknownKey));
        assert_eq!(set.key("test-key-b").await, Ok(()));
        settle().await;
        assert_eq!(set.source.fetches(), at_first + 1);
    }
}

#[tokio::test]
async fn old_keys_serve_through_an_outage_of_their_source_which_is_not_stormed() {
    let set = set(pool());
    assert_eq!(set.key("test-key-a").await, Ok(()));
    set.source.answer(down());
    set.clock.advance(RENEW_AFTER * 3);
    for _ in 0..10 {
        assert_eq!(set.key("test-key-a").await, Ok(()));
        settle().await;
    }
    assert_eq!(set.source.fetches(), 2);
    set.clock.advance(RETRY_FLOOR);
    assert_eq!(set.key("test-key-a").await, Ok(()));
    settle().await;
    assert_eq!(set.source.fetches(), 3);
}

#[tokio::test]
async fn a_flood_of_unknown_names_causes_one_fetch_per_floor() {
    let set = set(pool());
    for n in 0..1_000 {
        assert_eq!(set.key(&format!("made-up-{n}")).await, Err(DenyReason::UnknownKey));
    }
    assert_eq!(set.source.fetches(), 1);
    set.clock.advance(REFRESH_FLOOR.saturating_sub(Duration::from_millis(1)));
    assert_eq!(set.key("made-up").await, Err(DenyReason::UnknownKey));
    assert_eq!(set.source.fetches(), 1);
    set.clock.advance(Duration::from_millis(1));
    assert_eq!(set.key("made-up").await, Err(DenyReason::UnknownKey));
    assert_eq!(set.source.fetches(), 2);
    assert_eq!(set.key("test-key-a").await, Ok(()), "the honest are served all the while");
}

#[tokio::test]
async fn a_rotation_shows_with_the_first_token_after_the_floor() {
    let set = set(pool());
    assert_eq!(set.key("test-key-a").await, Ok(()));
    set.source.answer(Ok(jwks(&[key_b()])));
    assert_eq!(set.key("test-key-b").await, Err(DenyReason::UnknownKey), "within the floor");
    set.clock.advance(REFRESH_FLOOR);
    assert_eq!(set.key("test-key-b").await, Ok(()));
    assert_eq!(set.key("test-key-a").await, Err(DenyReason::UnknownKey), "what the pool has withdrawn is gone");
    assert_eq!(set.source.fetches(), 2);
}

#[tokio::test]
async fn a_failed_fetch_keeps_the_last_good_keys() {
    for answer in [down(), Ok(b"<html>".to_vec()), Ok(vec![b'x'; 1 << 20]), Ok(br#"{"keys":[]}"#.to_vec())] {
        let set = set(pool());
        assert_eq!(set.key("test-key-a").await, Ok(()));
        set.source.answer(answer);
        set.clock.advance(REFRESH_FLOOR);
        assert_eq!(set.key("test-key-b").await, Err(DenyReason::KeysUnavailable), "it may be the pool's new key");
        assert_eq!(set.key("test-key-a").await, Ok(()));
        assert_eq!(set.source.fetches(), 2);
    }
}

#[tokio::test]
async fn a_failed_fetch_is_repeated_after_a_shorter_floor() {
    let set = set(pool());
    set.source.answer(down());
    for _ in 0..100 {
        assert_eq!(set.key("test-key-a").await, Err(DenyReason::KeysUnavailable));
    }
    assert_eq!(set.source.fetches(), 1);
    set.source.answer(Ok(jwks(&[key_a()])));
    set.clock.advance(RETRY_FLOOR.saturating_sub(Duration::from_millis(1)));
    assert_eq!(set.key("test-key-a").await, Err(DenyReason::KeysUnavailable));
    set.clock.advance(Duration::from_millis(1));
    assert_eq!(set.key("test-key-a").await, Ok(()));
    assert_eq!(set.source.fetches(), 2);
}

#[tokio::test]
async fn concurrent_callers_share_one_fetch() {
    for (answer, expected) in [(Ok(jwks(&[key_a()])), Ok(())), (down(), Err(DenyReason::KeysUnavailable))] {
        let set = set(pool());
        set.source.answer(answer);
        let callers: Vec<_> = (0..50)
            .map(|_| {
                let cache = set.cache.clone();
                tokio::spawn(async move { cache.key("test-key-a").await.map(|_| ()) })
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.await.unwrap(), expected);
        }
        assert_eq!(set.source.fetches(), 1);
    }
}

#[tokio::test]
async fn the_floor_holds_when_callers_give_up() {
    let set = set(pool());
    for _ in 0..10 {
        let caller = tokio::spawn({
            let cache = set.cache.clone();
            async move { cache.key("test-key-a").await.map(|_| ()) }
        });
        // Let it begin the fetch, then drop it there.
        tokio::task::yield_now().await;
        caller.abort();
        let _ = caller.await;
    }
    assert_eq!(set.source.fetches(), 1);
}

#[tokio::test]
async fn a_clock_set_back_does_not_stop_fetches() {
    let set = set(pool());
    assert_eq!(set.key("made-up").await, Err(DenyReason::UnknownKey));
    set.source.answer(Ok(jwks(&[key_b()])));
    set.clock.set(EpochMillis(1_000));
    assert_eq!(set.key("test-key-b").await, Ok(()));
}

#[tokio::test]
async fn bundled_keys_need_no_fetch_until_a_name_is_unknown() {
    let bundled_keys = Some(KeySet::parse(&jwks(&[key_a()])).unwrap());
    let set = set(PoolConfig { bundled_keys, ..pool() });
    set.source.answer(Ok(jwks(&[key_a(), key_b()])));
    set.cache.clone().warm().await;
    assert_eq!(set.key("test-key-a").await, Ok(()));
    assert_eq!(set.source.fetches(), 0);
    assert_eq!(set.key("test-key-b").await, Ok(()));
    assert_eq!(set.source.fetches(), 1);
}

#[tokio::test]
async fn warming_fetches_once_and_a_failure_leaves_no_trace() {
    let set = set(pool());
    set.source.answer(down());
    set.cache.clone().warm().await;
    set.source.answer(Ok(jwks(&[key_a()])));
    assert_eq!(set.key("test-key-a").await, Ok(()), "no floor after a failed warm-up");
    set.cache.clone().warm().await;
    assert_eq!(set.source.fetches(), 2);
}
