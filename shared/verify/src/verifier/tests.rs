use proptest::prelude::*;
use revocation_core::domain::time::EpochMillis;
use revocation_testkit::keys::key_b;
use revocation_testkit::token::LIFE;

use super::*;
use crate::check::StoreOutage;
use crate::pool::PoolConfig;
use crate::testing::{Bench, CLIENT, POOL, SUB, pool};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

#[tokio::test]
async fn an_access_and_an_id_token_verify() {
    let bench = Bench::new();
    let now = bench.now();
    let token = bench.checker.verifier.verify(&bench.access().build()).await.unwrap();
    let expected = VerifiedToken {
        subject: SubjectKey::new(POOL, SUB),
        token_use: TokenUse::Access,
        client_id: CLIENT.into(),
        username: Some(format!("user-{SUB}")),
        scope: Some("openid profile".into()),
        groups: vec!["staff".into(), "admins".into()],
        issuer: UserPoolId(POOL.into()).issuer().into(),
        exp: EpochSeconds(now.0 + LIFE),
        nbf: None,
        auth_time: Some(now),
        iat: Some(now),
        origin_jti: Some("origin-1".into()),
        jti: Some("jti-1".into()),
        ends_at: None,
    };
    assert_eq!(*token, expected);
    let id = bench.checker.verifier.verify(&bench.id().build()).await.unwrap();
    assert_eq!(*id, VerifiedToken { token_use: TokenUse::Id, scope: None, ..expected });
    assert_eq!(bench.jwks.fetches(), 1);
}

#[tokio::test]
async fn what_is_unknown_is_ignored() {
    let bench = Bench::new();
    let deep = format!("{}{}", "[".repeat(3_000), "]".repeat(3_000));
    for token in [
        bench.access().claim("custom:x", r#"{"sub":"other","a":[1.5,null]}"#),
        bench.access().claim("Sub", r#""other""#),
        bench.access().claim("deep", deep),
        // A machine's token, and one of a pool that does not write the optional claims.
        bench.access().without("username").without("cognito:groups").without("origin_jti").without("jti"),
        // Resource binding writes the resource's URL there; of an access token, `client_id` is what counts.
        bench.access().claim("aud", r#""https://api.example.com""#),
        bench.access().header(r#"{"typ":"JWT","kid":"test-key-a","cty":"x","alg":"RS256","x5t":"y"}"#),
    ] {
        let verified = bench.checker.verifier.verify(&token.build()).await;
        assert_eq!(verified.map(|token| token.subject.clone()), Ok(SubjectKey::new(POOL, SUB)));
    }
}

#[tokio::test]
async fn dates_are_compared_in_whole_seconds() {
    let bench = Bench::new();
    let start = bench.now();
    let at = |seconds: i64| {
        bench.clock.set(EpochMillis((start.0 + seconds) * 1_000 + 999));
    };
    let verify = async |token: String| bench.checker.verifier.verify(&token).await.map(|_| ());
    let token = bench.access().build();
    at(LIFE - 1);
    assert_eq!(verify(token.clone()).await, Ok(()));
    at(LIFE);
    assert_eq!(verify(token.clone()).await, Err(DenyReason::Expired), "on the second");
    at(0);
    for (claim, ahead, expected) in [
        ("nbf", 2, Ok(())),
        ("nbf", 3, Err(DenyReason::NotYetValid)),
        ("iat", 300, Ok(())),
        ("iat", 301, Err(DenyReason::FromTheFuture)),
        ("auth_time", 300, Ok(())),
        ("auth_time", 301, Err(DenyReason::FromTheFuture)),
        ("exp", 0, Err(DenyReason::Expired)),
        ("exp", 1, Ok(())),
    ] {
        let token = bench.access().claim(claim, (start.0 + ahead).to_string()).build();
        assert_eq!(verify(token).await, expected, "{claim} {ahead}");
    }
}

#[tokio::test]
async fn several_pools_and_every_form_of_issuer() {
    let other = PoolConfig::new(UserPoolId("us-east-1_Other".into()), vec!["client-2".into()]);
    let replicated = PoolConfig {
        extra_issuers: vec!["https://cognito-idp.eu-west-1.amazonaws.com/eu-central-1_Test".into()],
        ..pool()
    };
    let bench = Bench::with(vec![replicated, other], vec![TokenUse::Access, TokenUse::Id], StoreOutage::Deny);
    let verify = async |issuer: &str, client: &str| {
        let token = bench.access().claim("iss", format!("\"{issuer}\"")).claim("client_id", format!("\"{client}\""));
        bench.checker.verifier.verify(&token.build()).await.map(|token| token.subject.user_pool_id.0.clone())
    };
    for host in [
        "cognito-idp.eu-central-1.amazonaws.com",
        "issuer-cognito-idp.eu-central-1.amazonaws.com",
        "cognito-idp.eu-west-1.amazonaws.com",
    ] {
        assert_eq!(verify(&format!("https://{host}/{POOL}"), CLIENT).await, Ok(POOL.into()));
    }
    let theirs = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other";
    assert_eq!(verify(theirs, "client-2").await, Ok("us-east-1_Other".into()));
    assert_eq!(verify(theirs, CLIENT).await, Err(DenyReason::ClientRefused), "a client of another pool");
}

#[tokio::test]
async fn a_token_use_that_is_not_accepted_is_refused() {
    let bench = Bench::with(vec![pool()], vec![TokenUse::Access], StoreOutage::Deny);
    let verify = async |token: String| bench.checker.verifier.verify(&token).await.map(|_| ());
    assert_eq!(verify(bench.access().build()).await, Ok(()));
    assert_eq!(verify(bench.id().build()).await, Err(DenyReason::TokenUseRefused));
}

proptest! {
    #[test]
    fn i06_no_text_is_permitted_or_panics(text in "\\PC*", parts in proptest::collection::vec("[A-Za-z0-9_=-]{0,40}", 0..6)) {
        let bench = Bench::new();
        for token in [text, parts.join(".")] {
            prop_assert!(runtime().block_on(bench.checker.check(&token)).is_err());
        }
        prop_assert_eq!(bench.store.reads(), 0);
    }

    #[test]
    fn i06_no_header_or_payload_is_permitted_or_panics(header in "\\PC{0,60}", payload in "\\PC{0,200}") {
        let bench = Bench::new();
        let token = bench.access().header(header).payload(payload).build();
        prop_assert!(runtime().block_on(bench.checker.check(&token)).is_err());
    }

    #[test]
    fn i06_a_valid_token_with_one_byte_changed_is_denied(at in any::<prop::sample::Index>(), to in 0_u8..128) {
        let bench = Bench::new();
        let mut bytes = bench.access().build().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        let token = String::from_utf8(bytes).unwrap();
        prop_assert!(runtime().block_on(bench.checker.check(&token)).is_err());
        prop_assert_eq!(bench.store.reads(), 0);
    }
}

#[tokio::test]
async fn i06_every_bit_of_the_end_of_a_token_counts() {
    let bench = Bench::new();
    let token = bench.access().build();
    assert!(bench.checker.check(&token).await.is_ok());
    // The last character of 256 bytes in base64 has four bits that mean nothing; they must be zero.
    for last in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
        let mut changed = token.clone().into_bytes();
        if changed.pop() != Some(*last) {
            changed.push(*last);
            assert!(bench.checker.check(&String::from_utf8(changed).unwrap()).await.is_err());
        }
    }
    for cut in 1..token.len() {
        assert!(bench.checker.check(&token[..cut]).await.is_err());
    }
}

#[tokio::test]
async fn a_key_of_another_pool_signs_nothing_here() {
    let bundled = |key| Some(crate::jwks::KeySet::parse(&revocation_testkit::keys::jwks(&[key])).unwrap());
    let ours = PoolConfig { bundled_keys: bundled(revocation_testkit::keys::key_a()), ..pool() };
    let theirs = PoolConfig::new(UserPoolId("eu-central-1_Theirs".into()), vec![CLIENT.into()]);
    let theirs = PoolConfig { bundled_keys: bundled(key_b()), ..theirs };
    let bench = Bench::with(vec![ours, theirs], vec![TokenUse::Access], StoreOutage::Deny);
    let token = bench.access().signed_by(key_b()).build();
    assert_eq!(bench.checker.check(&token).await, Err(DenyReason::UnknownKey));
    let token = bench.access().forged_with(key_b()).build();
    assert_eq!(bench.checker.check(&token).await, Err(DenyReason::BadSignature));
}
