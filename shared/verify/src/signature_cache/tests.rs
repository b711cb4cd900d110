use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use revocation_core::domain::time::EpochMillis;
use revocation_core::domain::tombstone::{Refusal, Tombstone};
use revocation_testkit::keys::{jwks, key_a, key_b};
use revocation_testkit::token::LIFE;

use super::*;
use crate::deny::DenyReason;
use crate::key_cache::REFRESH_FLOOR;
use crate::testing::Bench;

impl Bench {
    async fn verify(&self, token: &str) -> Result<Arc<VerifiedToken>, DenyReason> {
        self.checker.verifier.verify(token).await
    }

    fn remembered(&self) -> (usize, usize) {
        self.checker.verifier.cache.as_ref().unwrap().len()
    }

    /// Makes the verifier take over a new set of keys, by a token that names one it does not know.
    async fn rotate(&self, document: Vec<u8>) {
        self.jwks.answer(Ok(document));
        self.clock.advance(REFRESH_FLOOR);
        let stranger = self.access().header(r#"{"kid":"made-up","alg":"RS256"}"#).build();
        assert_eq!(self.verify(&stranger).await, Err(DenyReason::UnknownKey));
    }
}

/// The public half of a key under another's name.
fn jwks_with(kid: &str, key: &revocation_testkit::keys::TestKey) -> Vec<u8> {
    let mut jwk = key.jwk();
    jwk["kid"] = kid.into();
    serde_json::json!({ "keys": [jwk] }).to_string().into_bytes()
}

#[tokio::test]
async fn a_token_met_before_is_known_again() {
    let bench = Bench::new();
    let token = bench.access().build();
    let (first, second) = (bench.verify(&token).await.unwrap(), bench.verify(&token).await.unwrap());
    assert!(Arc::ptr_eq(&first, &second), "not verified anew");
    assert_eq!(bench.remembered(), (1, 0));
    let off = Bench::and(|builder| builder.cache_entries(0));
    let (first, second) = (off.verify(&token).await.unwrap(), off.verify(&token).await.unwrap());
    assert!(!Arc::ptr_eq(&first, &second) && first == second, "switched off");
}

#[tokio::test]
async fn i04_the_tombstone_of_a_token_known_again_is_read_every_time() {
    let bench = Bench::new();
    let token = bench.access().build();
    assert!(bench.checker.check(&token).await.is_ok());
    bench.store.answer(Ok(Some(Tombstone { not_before: Some(bench.now()), ..Tombstone::default() })));
    assert_eq!(bench.checker.check(&token).await, Err(DenyReason::Revoked(Refusal::Cutoff)));
    assert_eq!(bench.store.reads(), 2);
}

#[tokio::test]
async fn i06_the_dates_of_a_token_known_again_are_checked_every_time() {
    let bench = Bench::new();
    let start = bench.now();
    let at = |seconds: i64| bench.clock.set(EpochMillis((start.0 + seconds) * 1_000));
    let token = bench.access().claim("nbf", (start.0 - 10).to_string()).build();
    at(LIFE - 1);
    assert!(bench.verify(&token).await.is_ok());
    at(LIFE);
    assert_eq!(bench.verify(&token).await, Err(DenyReason::Expired), "on the second");
    assert_eq!(bench.remembered(), (0, 0), "and nothing is kept of it");
    at(0);
    assert!(bench.verify(&token).await.is_ok());
    // A clock of ours that was ahead, and is right again.
    at(-13);
    assert_eq!(bench.verify(&token).await, Err(DenyReason::NotYetValid));
    at(-301);
    assert_eq!(bench.verify(&token).await, Err(DenyReason::NotYetValid));
    let token = bench.access().claim("iat", start.0.to_string()).claim("auth_time", start.0.to_string()).build();
    at(0);
    assert!(bench.verify(&token).await.is_ok());
    at(-301);
    assert_eq!(bench.verify(&token).await, Err(DenyReason::FromTheFuture));
}

#[tokio::test]
async fn i06_a_withdrawn_key_does_not_live_on_in_the_cache() {
    let bench = Bench::new();
    let token = bench.access().build();
    assert!(bench.verify(&token).await.is_ok());
    bench.rotate(jwks(&[key_a(), key_b()])).await;
    assert!(bench.verify(&token).await.is_ok(), "a key that stays, stays");
    assert_eq!(bench.remembered(), (1, 0));
    bench.rotate(jwks(&[key_b()])).await;
    assert_eq!(bench.verify(&token).await, Err(DenyReason::UnknownKey));
    assert_eq!(bench.remembered(), (0, 0));
}

#[tokio::test]
async fn i06_another_key_of_the_same_name_is_another_key() {
    let bench = Bench::new();
    let (ours, theirs) = (bench.access().build(), bench.access().forged_with(key_b()).build());
    assert!(bench.verify(&ours).await.is_ok());
    for _ in 0..2 {
        assert_eq!(bench.verify(&theirs).await, Err(DenyReason::BadSignature));
    }
    assert_eq!(bench.remembered(), (1, 1));
    bench.rotate(jwks_with("test-key-a", key_b())).await;
    assert_eq!(bench.verify(&ours).await, Err(DenyReason::BadSignature));
    assert!(bench.verify(&theirs).await.is_ok(), "what seemed forged was signed by the new key");
}

#[tokio::test]
async fn i06_every_other_text_of_a_token_is_another_token() {
    let bench = Bench::new();
    let token = bench.access().build();
    assert!(bench.verify(&token).await.is_ok());
    let mut flipped = token.clone().into_bytes();
    for at in 0..flipped.len() {
        flipped[at] ^= 1;
        if let Ok(text) = std::str::from_utf8(&flipped) {
            assert!(bench.verify(text).await.is_err(), "{at}");
        }
        flipped[at] ^= 1;
    }
    for changed in [format!("{token} "), format!(" {token}"), format!("{token}="), format!("{token}\0")] {
        assert_eq!(bench.verify(&changed).await, Err(DenyReason::NotACompactJws));
    }
}

/// Distinct tokens that look right and are not signed by the pool.
fn forged(bench: &Bench, n: usize) -> String {
    let input = bench.access().claim("jti", format!("\"{n}\"")).signing_input();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode([7_u8; 256]))
}

#[tokio::test]
async fn i11_forged_tokens_fill_nothing_and_push_no_good_one_out() {
    const ENTRIES: usize = 200;
    let bench = Bench::and(|builder| builder.cache_entries(ENTRIES));
    let good = bench.access().build();
    let first = bench.verify(&good).await.unwrap();
    for n in 0..10_000 {
        let (token, expected) = match n % 5 {
            0 => (forged(&bench, n), DenyReason::BadSignature),
            1 => (format!("garbage-{n}"), DenyReason::NotACompactJws),
            2 => (
                bench.access().header(format!(r#"{{"kid":"k{n}","alg":"RS256"}}"#)).build_unsigned(),
                DenyReason::UnknownKey,
            ),
            3 => (bench.access().claim("iss", format!("\"i{n}\"")).build_unsigned(), DenyReason::UnknownIssuer),
            _ => (
                bench.access().header(format!(r#"{{"n":{n},"alg":"none"}}"#)).build_unsigned(),
                DenyReason::AlgorithmRefused,
            ),
        };
        assert_eq!(bench.verify(&token).await, Err(expected));
    }
    let (signed, forged) = bench.remembered();
    assert!(signed == 1 && (1..=ENTRIES).contains(&forged), "{signed} {forged}");
    assert!(Arc::ptr_eq(&first, &bench.verify(&good).await.unwrap()), "the good one is still known");
    assert_eq!(bench.jwks.fetches(), 1);
}

#[tokio::test]
async fn i11_a_hundred_thousand_tokens_leave_no_more_than_configured() {
    const ENTRIES: usize = 1_000;
    let bench = Bench::and(|builder| builder.cache_entries(ENTRIES));
    let token = bench.verify(&bench.access().build()).await.unwrap();
    let pool = Arc::clone(bench.checker.verifier.pools.first().unwrap());
    let signer = Signer { key: pool.keys.key("test-key-a").await.unwrap(), pool };
    let cache = bench.checker.verifier.cache.as_ref().unwrap();
    for n in 0..100_000 {
        let digest = SignatureCache::digest_of(&format!("token-{n}")).unwrap();
        cache.remember_forged(digest, signer.clone());
        cache.remember_signed(digest, Signed { token: Arc::clone(&token), signer: signer.clone(), refused: None });
        let (good, bad) = cache.len();
        assert!(good <= ENTRIES && bad <= ENTRIES, "after {n}: {good} {bad}");
    }
    // The tables besides the entries themselves, both together.
    let memory = cache.signed.memory_used().total() + cache.forged.memory_used().total();
    assert!(memory < 1 << 20, "{memory} bytes");
}

#[tokio::test]
async fn i11_ten_thousand_made_up_key_names_cause_one_fetch() {
    let bench = Bench::new();
    for n in 0..10_000 {
        let header = format!(r#"{{"kid":"made-up-{n}","alg":"RS256"}}"#);
        let token = bench.access().header(header).build_unsigned();
        assert_eq!(bench.verify(&token).await, Err(DenyReason::UnknownKey));
    }
    assert_eq!(bench.jwks.fetches(), 1);
    assert_eq!(bench.remembered(), (0, 0), "the answer may change with the keys, so it is not kept");
    bench.clock.advance(Duration::from_secs(1));
    assert!(bench.verify(&bench.access().build()).await.is_ok());
}

trait Unsigned {
    /// The token with a signature of zeros: signing takes a millisecond.
    fn build_unsigned(&self) -> String;
}

impl Unsigned for revocation_testkit::token::TokenBuilder {
    fn build_unsigned(&self) -> String {
        format!("{}.{}", self.signing_input(), URL_SAFE_NO_PAD.encode([0_u8; 256]))
    }
}
