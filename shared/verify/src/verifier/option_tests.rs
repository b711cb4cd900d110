//! What can be configured beyond pools: the end date, a check of one's own, Regions.

use std::sync::atomic::{AtomicUsize, Ordering};

use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::time::EpochMillis;
use revocation_testkit::keys::{jwks, key_a, key_b};
use revocation_testkit::token::TokenBuilder;

use super::*;
use crate::check::StoreOutage;
use crate::deny::DenyReason::{ClaimRefused, ContractDateUnreadable, ContractEnded, Expired};
use crate::jwks::KeySet;
use crate::pool::PoolConfig;
use crate::testing::{Bench, CLIENT, POOL, pool};

const CLAIM: &str = "project_end_date";

fn dated() -> Bench {
    Bench::and(|builder| builder.end_date_claim(CLAIM))
}

async fn verify(bench: &Bench, token: &TokenBuilder) -> Result<Option<EpochSeconds>, DenyReason> {
    bench.checker.verifier.verify(&token.build()).await.map(|token| token.ends_at)
}

#[tokio::test]
async fn i06_a_token_is_refused_from_its_end_date_on_known_or_not() {
    // It is 2026-01-01T00:00:00Z.
    let bench = dated();
    let now = bench.now().0;
    for (value, end) in [
        (r#""2026-01-01""#.to_owned(), now + 86_400),
        (r#""2026-01-01T00:30:00Z""#.to_owned(), now + 1_800),
        (format!("{}", now + 60), now + 60),
        (format!("\"{}\"", now + 60), now + 60),
    ] {
        // As long as a token can live, so that it is not its own end that ends it.
        let exp = (now + 2 * 86_400).to_string();
        let token = bench.access().claim("exp", exp).claim(CLAIM, value.clone());
        for (at, expected) in [
            (now, Ok(Some(EpochSeconds(end)))),
            (end - 1, Ok(Some(EpochSeconds(end)))),
            (end, Err(ContractEnded)),
            (end + 1, Err(ContractEnded)),
            (now, Ok(Some(EpochSeconds(end)))),
        ] {
            bench.clock.set(EpochMillis(at * 1_000));
            assert_eq!(verify(&bench, &token).await, expected, "{value} at {at}");
        }
        bench.clock.set(EpochMillis(now * 1_000));
    }
    let past = bench.access().claim(CLAIM, r#""2025-12-31""#);
    for _ in 0..2 {
        assert_eq!(verify(&bench, &past).await, Err(ContractEnded));
    }
    assert_eq!(bench.store.reads(), 0);
}

#[tokio::test]
async fn no_end_date_is_no_end() {
    let bench = dated();
    for token in [bench.access(), bench.id(), bench.access().claim(CLAIM, r#""""#)] {
        assert_eq!(verify(&bench, &token).await, Ok(None));
    }
    // Not configured, it is a claim like any other.
    let plain = Bench::new();
    assert_eq!(verify(&plain, &plain.access().claim(CLAIM, r#""1999-01-01""#)).await, Ok(None));
    let unnamed = Bench::and(|builder| builder.end_date_claim(""));
    assert_eq!(verify(&unnamed, &unnamed.access().again("", "1")).await, Ok(None));
}

#[tokio::test]
async fn i06_an_end_date_that_cannot_be_read_refuses() {
    let bench = dated();
    for value in
        ["null", "true", "[]", "{}", "-1", "1.5", "1e3", "1798761600000", r#""soon""#, r#"" ""#, r#""31.12.2026""#]
    {
        let token = bench.access().claim(CLAIM, value);
        assert_eq!(verify(&bench, &token).await, Err(ContractDateUnreadable), "{value}");
    }
    let twice = bench.access().claim(CLAIM, r#""2099-12-31""#).again(CLAIM, r#""2099-12-31""#);
    assert_eq!(verify(&bench, &twice).await, Err(ContractDateUnreadable));
    let escaped = bench.access().claim(CLAIM, r#""2025-12-31""#).again(r"project\u005fend_date", r#""2099-12-31""#);
    assert_eq!(verify(&bench, &escaped).await, Err(ContractDateUnreadable));
    let first = bench.access().claim(CLAIM, "null").claim("exp", "1");
    assert_eq!(verify(&bench, &first).await, Err(Expired), "a token's own end comes first");
}

/// Serves one tenant, and counts how often it is asked.
struct Tenant(AtomicUsize);

impl ClaimCheck for Tenant {
    fn check(&self, claims: &RawClaims<'_>) -> Result<(), &'static str> {
        self.0.fetch_add(1, Ordering::SeqCst);
        match claims.get::<&str>("custom:tenant") {
            Ok(Some("acme")) => Ok(()),
            Ok(_) => Err("other_tenant"),
            Err(_) => Err("tenant_unreadable"),
        }
    }
}

#[tokio::test]
async fn i06_a_check_of_ones_own_is_asked_once_a_token_and_last() {
    let tenant = Arc::new(Tenant(AtomicUsize::new(0)));
    let bench = Bench::and(|builder| builder.claim_check(tenant.clone()));
    let of = |value: &str| bench.access().claim("custom:tenant", value);
    for (token, expected) in [
        (of(r#""acme""#), Ok(None)),
        (of(r#""evil""#), Err(ClaimRefused("other_tenant"))),
        (bench.access(), Err(ClaimRefused("other_tenant"))),
        (of("7"), Err(ClaimRefused("tenant_unreadable"))),
        (of(r#""evil""#).again("custom:tenant", r#""acme""#), Err(ClaimRefused("tenant_unreadable"))),
    ] {
        let before = tenant.0.load(Ordering::SeqCst);
        for _ in 0..3 {
            assert_eq!(verify(&bench, &token).await, expected);
        }
        assert_eq!(tenant.0.load(Ordering::SeqCst), before + 1, "its verdict is remembered");
    }
    let before = tenant.0.load(Ordering::SeqCst);
    for bad in [of(r#""acme""#).claim("exp", "1"), of(r#""acme""#).forged_with(key_b())] {
        assert!(verify(&bench, &bad).await.is_err());
    }
    assert_eq!(tenant.0.load(Ordering::SeqCst), before, "it sees nothing that is not verified");
    assert_eq!(ClaimRefused("other_tenant").code(), "claim_refused");
}

#[tokio::test]
async fn a_replica_is_believed_by_the_keys_of_its_region() {
    let pool = pool().replicated_to(["eu-west-1"]);
    let bench = Bench::with(vec![pool], vec![TokenUse::Access], StoreOutage::Deny);
    let issuer = format!("https://cognito-idp.eu-west-1.amazonaws.com/{POOL}");
    let replica = bench.access().claim("iss", format!("\"{issuer}\""));
    let token = bench.checker.verifier.verify(&replica.build()).await.unwrap();
    assert_eq!((&*token.issuer, token.subject.user_pool_id.0.as_str()), (&*issuer, POOL));
    assert_eq!(verify(&bench, &bench.access()).await, Ok(None));
    assert_eq!(bench.jwks.fetches(), 2, "each Region has its own keys");
    let elsewhere = format!("\"https://cognito-idp.us-east-1.amazonaws.com/{POOL}\"");
    assert_eq!(verify(&bench, &bench.access().claim("iss", elsewhere)).await, Err(DenyReason::UnknownIssuer));
}

#[test]
fn a_configuration_that_is_not_clear_is_a_mistake() {
    let bench = Bench::new();
    let builder = || Verifier::builder(bench.jwks.clone(), bench.clock.clone());
    let mistake = |builder: VerifierBuilder| builder.build().err();
    assert_eq!(mistake(builder()), Some(BadVerifier::NoPool));
    assert_eq!(mistake(builder().pool(pool()).token_uses([])), Some(BadVerifier::NoTokenUse));
    let own = pool().user_pool_id.issuer();
    let taken = Some(BadVerifier::IssuerTwice(own.as_str().into()));
    assert_eq!(mistake(builder().pools([pool(), pool()])), taken);
    let other = PoolConfig::new(UserPoolId("eu-central-1_Other".into()), vec![CLIENT.into()]);
    let usurper = PoolConfig { extra_issuers: vec![own], ..other.clone() };
    assert_eq!(mistake(builder().pools([usurper, pool()])), taken);
    assert_eq!(mistake(builder().pool(pool().replicated_to(["eu-central-1"]))), taken, "its own Region is no replica");
    assert_eq!(mistake(builder().pools([pool(), other])), None);
}

#[tokio::test]
async fn i06_one_name_in_two_pools_is_two_keys() {
    // Both pools have a key of that name; each signs only for itself.
    let mut theirs = key_b().jwk();
    theirs["kid"] = "test-key-a".into();
    let theirs = serde_json::json!({ "keys": [theirs] }).to_string();
    let other = PoolConfig::new(UserPoolId("eu-central-1_Theirs".into()), vec![CLIENT.into()])
        .with_keys(KeySet::parse(theirs.as_bytes()).unwrap());
    let ours = pool().with_keys(KeySet::parse(&jwks(&[key_a()])).unwrap());
    let bench = Bench::with(vec![ours, other], vec![TokenUse::Access], StoreOutage::Deny);
    let their_token = TokenBuilder::access("eu-central-1_Theirs", CLIENT, "s", bench.now());
    for (token, good) in [
        (bench.access(), true),
        (bench.access().forged_with(key_b()), false),
        (their_token.clone(), false),
        (their_token.forged_with(key_b()), true),
    ] {
        for _ in 0..2 {
            let expected = if good { Ok(None) } else { Err(DenyReason::BadSignature) };
            assert_eq!(verify(&bench, &token).await, expected);
        }
    }
}
