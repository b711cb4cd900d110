//! Everything that decides whether a token is taken, each by itself: `revocation-verify` says it, as in the authorizer.
//! Where it cannot go on for want of keys, the dates and the kind of token are looked at all the same.

use std::sync::Arc;

use async_trait::async_trait;
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::Tombstone;
use revocation_core::ports::{Clock, PortError};
use revocation_verify::{
    DenyReason, FUTURE_LEEWAY, JwksSource, KeySet, NBF_LEEWAY, PoolConfig, TokenUse, Verifier, VerifierBuilder,
};
use serde::Serialize;

use super::claims::Claims;
use crate::failure::Failure;

/// One thing that decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// What.
    pub(super) what: &'static str,
    /// Whether it speaks against the token.
    pub(super) verdict: Verdict,
    /// Stable code of the refusal, or why it was not looked at.
    pub(super) why: Option<String>,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// Nothing against it.
    Good,
    /// It would be refused for this.
    Refused,
    /// Not looked at.
    Unknown,
}

/// There are no keys.
struct NoKeys;

#[async_trait]
impl JwksSource for NoKeys {
    async fn fetch(&self, _: &PoolConfig) -> Result<Vec<u8>, PortError> {
        Err(PortError::reject("jwks", "not_given"))
    }
}

/// The checks of the token itself, in the order in which they are made.
pub(super) async fn token(
    token: &str,
    claims: &Claims,
    keys: Option<KeySet>,
    (clients, uses): (&[String], &[TokenUse]),
    clock: Arc<dyn Clock>,
) -> Result<Vec<Check>, Failure> {
    let now = clock.now().seconds();
    let with_keys = keys.is_some();
    let found = verifier(claims, keys, (clients, uses), clock)?.verify(token).await.err();
    let refused = |reason: DenyReason| Some(reason.code().to_owned());
    let stage = found.map_or(Stage::Passed, Stage::of);
    let mut checks = vec![check("form", stage, Stage::Form, found.and_then(refused))];
    if stage == Stage::Form {
        return Ok(checks);
    }
    checks.push(check("issuer", stage, Stage::Issuer, found.and_then(refused)));
    if stage == Stage::Issuer {
        return Ok(checks);
    }
    checks.push(if with_keys {
        check("signature", stage, Stage::Signature, found.and_then(refused))
    } else {
        unknown("signature", "no keys: give --jwks")
    });
    // The verifier stops at the first refusal; an operator wants to know them all.
    checks.push(dates(claims, now));
    let token_use = claims.token_use.as_deref().and_then(TokenUse::parse).filter(|one| uses.contains(one));
    checks.push(verdict("token_use", token_use.is_some(), DenyReason::TokenUseRefused));
    checks.push(if clients.is_empty() {
        unknown("client", "any is taken: give --client")
    } else {
        let known = claims.client_id.as_ref().is_some_and(|client| clients.contains(client));
        verdict("client", known, DenyReason::ClientRefused)
    });
    // What only the verifier sees, such as a `sub` that cannot be a key.
    let told = checks.iter().any(|check| check.verdict == Verdict::Refused);
    if let (false, Some(reason)) = (told, found.filter(|_| stage == Stage::Passed || stage == Stage::Claims)) {
        checks.push(Check { what: "claims", verdict: Verdict::Refused, why: refused(reason) });
    }
    Ok(checks)
}

/// What the tombstones say: the person's, and that of everybody in the pool.
pub(super) fn tombstones(claims: &Claims, tombstones: &[Option<Tombstone>], now: EpochSeconds) -> Check {
    let refusal = tombstones.iter().flatten().find_map(|tombstone| tombstone.refusal(&claims.stamp(), now));
    let why = refusal.map(|refusal| DenyReason::Revoked(refusal).code().to_owned());
    let verdict = if why.is_some() { Verdict::Refused } else { Verdict::Good };
    Check { what: "tombstone", verdict, why }
}

/// Something that was not looked at.
pub(super) fn unknown(what: &'static str, why: &str) -> Check {
    Check { what, verdict: Verdict::Unknown, why: Some(why.to_owned()) }
}

fn verdict(what: &'static str, good: bool, reason: DenyReason) -> Check {
    if good {
        return Check { what, verdict: Verdict::Good, why: None };
    }
    Check { what, verdict: Verdict::Refused, why: Some(reason.code().to_owned()) }
}

fn check(what: &'static str, stopped_at: Stage, stage: Stage, why: Option<String>) -> Check {
    if stopped_at == stage {
        return Check { what, verdict: Verdict::Refused, why };
    }
    Check { what, verdict: Verdict::Good, why: None }
}

/// As `Verifier` has it: RFC 7519, sections 4.1.4 and 4.1.5, and nothing dated ahead.
fn dates(claims: &Claims, now: EpochSeconds) -> Check {
    let later = |date: Option<i64>, limit: EpochSeconds| date.is_some_and(|at| at > limit.0);
    let latest = now.plus(FUTURE_LEEWAY);
    let reason = if claims.exp.is_none_or(|exp| exp <= now.0) {
        DenyReason::Expired
    } else if later(claims.nbf, now.plus(NBF_LEEWAY)) {
        DenyReason::NotYetValid
    } else if later(claims.iat, latest) || later(claims.auth_time, latest) {
        DenyReason::FromTheFuture
    } else {
        return verdict("dates", true, DenyReason::Expired);
    };
    verdict("dates", false, reason)
}

fn verifier(
    claims: &Claims,
    keys: Option<KeySet>,
    (clients, uses): (&[String], &[TokenUse]),
    clock: Arc<dyn Clock>,
) -> Result<Verifier, Failure> {
    // Without a list of clients the token's own is on it. An issuer that is no pool's is refused by any pool.
    let own = claims.client_id.iter().cloned();
    let clients = if clients.is_empty() { own.collect() } else { clients.to_vec() };
    let pool = claims.pool().unwrap_or_else(|| revocation_core::domain::profile::UserPoolId("none".to_owned()));
    let pool = PoolConfig::new(pool, clients);
    let (pool, source): (_, Arc<dyn JwksSource>) = match keys {
        Some(keys) => (pool.with_keys(keys), Arc::new(revocation_verify::Bundled)),
        None => (pool, Arc::new(NoKeys)),
    };
    let builder: VerifierBuilder = Verifier::builder(source, clock).pool(pool).token_uses(uses.iter().copied());
    builder.build().map_err(|bad| Failure::other(bad.to_string()))
}

/// Where the verifier stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Form,
    Issuer,
    Signature,
    Claims,
    Passed,
}

impl Stage {
    fn of(reason: DenyReason) -> Self {
        match reason {
            DenyReason::TooLong
            | DenyReason::NotACompactJws
            | DenyReason::BadHeader
            | DenyReason::AlgorithmRefused
            | DenyReason::KeyInHeader
            | DenyReason::CriticalHeader
            | DenyReason::BadKeyId => Self::Form,
            DenyReason::UnknownIssuer => Self::Issuer,
            DenyReason::UnknownKey | DenyReason::BadSignature | DenyReason::KeysUnavailable => Self::Signature,
            _ => Self::Claims,
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use revocation_core::domain::time::EpochMillis;
    use serde_json::{Value, json};

    use super::*;

    struct At(i64);

    impl Clock for At {
        fn now(&self) -> EpochMillis {
            EpochSeconds(self.0).into()
        }
    }

    const POOL: &str = "eu-west-1_A";

    fn unsigned(change: impl FnOnce(&mut Value)) -> String {
        let mut payload = json!({
            "iss": format!("https://cognito-idp.eu-west-1.amazonaws.com/{POOL}"), "sub": "s", "token_use": "access",
            "client_id": "c", "exp": 2_000, "iat": 1_000, "auth_time": 1_000, "jti": "j", "origin_jti": "o",
        });
        change(&mut payload);
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.{}", part(&json!({"alg": "RS256", "kid": "k"})), part(&payload), URL_SAFE_NO_PAD.encode("x"))
    }

    async fn judged(token: &str, clients: &[String]) -> Vec<(&'static str, Verdict, Option<String>)> {
        let claims = Claims::read(token);
        let uses = [TokenUse::Access, TokenUse::Id];
        let checks = super::token(token, &claims, None, (clients, &uses), Arc::new(At(1_500))).await.unwrap();
        checks.into_iter().map(|check| (check.what, check.verdict, check.why)).collect()
    }

    fn refused(checks: &[(&'static str, Verdict, Option<String>)]) -> Vec<String> {
        let refused = checks.iter().filter(|(_, verdict, _)| *verdict == Verdict::Refused);
        refused.filter_map(|(_, _, why)| why.clone()).collect()
    }

    #[tokio::test]
    async fn without_keys_everything_else_is_looked_at() {
        let good = judged(&unsigned(|_| {}), &[]).await;
        assert_eq!(refused(&good), Vec::<String>::new());
        assert!(good.iter().any(|(what, verdict, _)| (*what, *verdict) == ("signature", Verdict::Unknown)));
        for (change, code) in [
            ((|token| token["exp"] = json!(1_500)) as fn(&mut Value), "expired"),
            (|token| token["nbf"] = json!(1_600), "not_yet_valid"),
            (|token| token["iat"] = json!(9_999), "from_the_future"),
            (|token| token["token_use"] = json!("refresh"), "token_use_refused"),
            (|token| token["iss"] = json!("https://evil.example.com/eu-west-1_A"), "unknown_issuer"),
        ] {
            assert_eq!(refused(&judged(&unsigned(change), &[]).await), [code]);
        }
        assert_eq!(refused(&judged(&unsigned(|_| {}), &["other".to_owned()]).await), ["client_refused"]);
        assert_eq!(refused(&judged("nonsense", &[]).await), ["not_a_compact_jws"]);
    }

    #[test]
    fn a_tombstone_refuses_what_it_refuses_everywhere() {
        let claims = Claims::read(&unsigned(|_| {}));
        let old = Tombstone { not_before: Some(EpochSeconds(1_000)), ..Tombstone::default() };
        for found in [[Some(old.clone()), None], [None, Some(old)]] {
            assert_eq!(tombstones(&claims, &found, EpochSeconds(1_500)).why.as_deref(), Some("revoked"));
        }
        assert_eq!(tombstones(&claims, &[None, None], EpochSeconds(1_500)).verdict, Verdict::Good);
    }
}
