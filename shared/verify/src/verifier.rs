//! From the text of a token to a [`VerifiedToken`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use revocation_core::domain::end_date::EndDate;
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::DEFAULT_CLOCK_SKEW;
use revocation_core::ports::Clock;

use crate::claims::{ClaimCheck, EndClaim, RawClaims};
use crate::deny::DenyReason;
use crate::jws::{Jws, MAX_TOKEN_BYTES};
use crate::key_cache::KeyCache;
use crate::signature_cache::{Digest, Remembered, SignatureCache, Signed, Signer};
use crate::strict_json::Text;
use crate::token::{Claims, Dates, TokenUse, UnverifiedClaims, VerifiedToken};

mod builder;

pub use builder::{BadVerifier, VerifierBuilder};

/// `nbf` may lie this far ahead: the skew between Cognito's clock and ours, as in the cutoff a seal writes.
/// `exp` has no such leeway: it would let every token live longer, beyond what a tombstone is kept for (I5), and a client
/// refreshes before the end anyway.
pub const NBF_LEEWAY: Duration = DEFAULT_CLOCK_SKEW;
/// `iat` and `auth_time` may lie this far ahead. They are compared with cutoffs, so a token dated far ahead would be out
/// of reach of every revocation; but a clock of ours gone wrong by less than this must not lock everybody out.
pub const FUTURE_LEEWAY: Duration = Duration::from_mins(5);
/// The longest `sub`. Cognito's are UUIDs of 36 characters, or an app client's id.
const MAX_SUB_BYTES: usize = 128;

/// Verifies the tokens of one or several pools.
///
/// Sources: Cognito developer guide, "Verifying JSON web tokens" (AWS); RFC 8725, "JSON Web Token Best Current Practices".
/// The numbers stand again beside the code.
///
/// 1. Three parts, base64url without padding, bounded in size (AWS step 1; RFC 7515 §7.1).
/// 2. `alg` is RS256, because we say so and not because the token does (RFC 8725 §3.1, §3.2).
/// 3. No key from the token, and no address of one (RFC 8725 §3.10).
/// 4. No extension that would have to be understood (RFC 7515 §4.1.11).
/// 5. `kid` picks one of the pool's own keys (AWS step 2).
/// 6. Header and claims are JSON objects in UTF-8, in which nothing of interest stands twice (RFC 8725 §3.7; RFC 7519 §4).
/// 7. `iss` is an issuer of a configured pool, character by character (AWS step 3; RFC 8725 §3.8). It is looked at before
///    the signature, since it says whose keys to take; but only configured pools are ever asked for keys.
/// 8. The signature is right (AWS step 2; RFC 8725 §3.3).
/// 9. `exp` has not come (AWS step 3), `nbf` has (RFC 7519 §4.1.5), and it is not dated in the future.
/// 10. `token_use` is one that is accepted here (AWS step 3; RFC 8725 §3.12).
/// 11. `client_id` (access) or `aud` (ID) is on the pool's allow-list (AWS step 3; RFC 8725 §3.9).
/// 12. `sub` can be the key of a tombstone (RFC 8725 §3.8).
/// 13. The owner's work has not ended, where an end date is configured.
/// 14. The deployment's own [`ClaimCheck`] has nothing against it.
///
/// A token met before is known again by its digest ([`VerifierBuilder::cache_entries`]): then only what may have changed
/// is looked at, which is the pool's keys, (9) and (13).
pub struct Verifier {
    pub(crate) pools: Vec<Arc<Pool>>,
    by_issuer: HashMap<Arc<str>, Arc<Pool>>,
    token_uses: Vec<TokenUse>,
    clock: Arc<dyn Clock>,
    pub(crate) cache: Option<SignatureCache>,
    end_date_claim: Option<String>,
    claim_check: Option<Arc<dyn ClaimCheck>>,
}

/// A configured pool, or one of its Regions.
pub(crate) struct Pool {
    pub(crate) user_pool_id: UserPoolId,
    client_ids: Vec<String>,
    pub(crate) keys: Arc<KeyCache>,
}

// === impl Verifier ===

impl Verifier {
    /// Verifies a token.
    pub async fn verify(&self, token: &str) -> Result<Arc<VerifiedToken>, DenyReason> {
        // (1) Before anything is decoded, or digested.
        if token.len() > MAX_TOKEN_BYTES {
            return Err(DenyReason::TooLong);
        }
        let Some((cache, digest)) = self.cache.as_ref().zip(SignatureCache::digest_of(token)) else {
            return self.verify_anew(token, None).await;
        };
        match cache.recall(&digest) {
            Some(Remembered::Signed(signed)) => self.verify_again(signed).inspect_err(|reason| {
                if *reason == DenyReason::Expired {
                    cache.forget(&digest);
                }
            }),
            Some(Remembered::Forged) => Err(DenyReason::BadSignature),
            None => self.verify_anew(token, Some((cache, digest))).await,
        }
    }

    /// Fetches the keys of every pool, all at once, so that the first token need not wait. Failures are logged.
    pub async fn warm(&self) {
        let fetches: Vec<_> = self.pools.iter().map(|pool| tokio::spawn(Arc::clone(&pool.keys).warm())).collect();
        for fetch in fetches {
            // A source that panicked: the first token meets it again, and is denied.
            let _ = fetch.await;
        }
    }

    /// A token whose signature was checked before. (9), (13) and (14), in the order of the first time.
    fn verify_again(&self, signed: Signed) -> Result<Arc<VerifiedToken>, DenyReason> {
        signed.signer.pool.keys.renew_if_old();
        let now = self.clock.now().seconds();
        check_dates(signed.token.dates(), now)?;
        check_end(signed.token.ends_at, now)?;
        signed.refused.map_or(Ok(signed.token), |why| Err(DenyReason::ClaimRefused(why)))
    }

    async fn verify_anew(
        &self,
        token: &str,
        cache: Option<(&SignatureCache, Digest)>,
    ) -> Result<Arc<VerifiedToken>, DenyReason> {
        let jws = Jws::parse(token)?; // (1) to (6)
        let unverified = UnverifiedClaims::parse(&jws.payload)?; // (6)
        let pool = self.by_issuer.get_key_value(unverified.claimed_issuer()); // (7)
        let (issuer, pool) = pool.ok_or(DenyReason::UnknownIssuer)?;
        let key = pool.keys.key(&jws.key_id).await?; // (5)
        let signer = Signer { pool: Arc::clone(pool), key };
        // (8)
        if !signer.key.verifies(jws.signing_input.as_bytes(), &jws.signature) {
            if let Some((cache, digest)) = cache {
                cache.remember_forged(digest, signer);
            }
            return Err(DenyReason::BadSignature);
        }
        let claims = unverified.signed();
        let now = self.clock.now().seconds();
        check_dates(claims.dates(), now)?; // (9)
        // (10)
        let token_use = TokenUse::parse(&claims.token_use).filter(|token_use| self.token_uses.contains(token_use));
        let token_use = token_use.ok_or(DenyReason::TokenUseRefused)?;
        let token = pool.accept(claims, token_use, issuer)?; // (11), (12)
        // (13)
        let all = RawClaims::new(&jws.payload);
        let token = Arc::new(VerifiedToken { ends_at: self.end_of_work(&all)?, ..token });
        check_end(token.ends_at, now)?;
        let refused = self.claim_check.as_ref().and_then(|check| check.check(&all).err()); // (14)
        if let Some((cache, digest)) = cache {
            cache.remember_signed(digest, Signed { token: Arc::clone(&token), signer, refused });
        }
        refused.map_or(Ok(token), |why| Err(DenyReason::ClaimRefused(why)))
    }

    fn end_of_work(&self, claims: &RawClaims<'_>) -> Result<Option<EpochSeconds>, DenyReason> {
        let Some(name) = &self.end_date_claim else { return Ok(None) };
        let claim: Option<EndClaim> = claims.get(name).map_err(|_| DenyReason::ContractDateUnreadable)?;
        Ok(claim.and_then(|EndClaim(end)| end).map(EndDate::at))
    }
}

/// (9)
fn check_dates(dates: Dates, now: EpochSeconds) -> Result<(), DenyReason> {
    // "on or after which the JWT MUST NOT be accepted" (RFC 7519, section 4.1.4).
    if dates.exp <= now {
        return Err(DenyReason::Expired);
    }
    let later_than = |date: Option<EpochSeconds>, limit: EpochSeconds| date.is_some_and(|at| at > limit);
    if later_than(dates.nbf, now.plus(NBF_LEEWAY)) {
        return Err(DenyReason::NotYetValid);
    }
    let latest = now.plus(FUTURE_LEEWAY);
    if later_than(dates.iat, latest) || later_than(dates.auth_time, latest) {
        return Err(DenyReason::FromTheFuture);
    }
    Ok(())
}

/// (13)
fn check_end(ends_at: Option<EpochSeconds>, now: EpochSeconds) -> Result<(), DenyReason> {
    if ends_at.is_some_and(|end| end <= now) { Err(DenyReason::ContractEnded) } else { Ok(()) }
}

// === impl Pool ===

impl Pool {
    fn accept(&self, claims: Claims<'_>, token_use: TokenUse, issuer: &Arc<str>) -> Result<VerifiedToken, DenyReason> {
        let Dates { exp, nbf, iat, auth_time } = claims.dates();
        // Each kind of token has claims of its own; those of the other kind are not looked at.
        let (client_id, username) = match token_use {
            TokenUse::Access => (claims.client_id, claims.username),
            TokenUse::Id => (claims.aud, claims.cognito_username),
        };
        let client_id = client_id.ok_or(DenyReason::BadClaims)?;
        if !self.client_ids.iter().any(|known| *known == *client_id) {
            return Err(DenyReason::ClientRefused);
        }
        if !can_be_a_key(&claims.sub) {
            return Err(DenyReason::BadClaims);
        }
        Ok(VerifiedToken {
            subject: SubjectKey::new(self.user_pool_id.0.as_str(), claims.sub.into_owned()),
            issuer: Arc::clone(issuer),
            token_use,
            client_id: client_id.into_owned(),
            username: username.map(Text::into_owned),
            scope: claims.scope.map(Text::into_owned),
            groups: claims.groups.into_iter().map(Text::into_owned).collect(),
            exp,
            nbf,
            auth_time,
            iat,
            origin_jti: claims.origin_jti.map(Text::into_owned),
            jti: claims.jti.map(Text::into_owned),
            ends_at: None,
        })
    }
}

/// (12) `#` and `*` have a meaning of their own in the keys of the tombstones table.
fn can_be_a_key(sub: &str) -> bool {
    (1..=MAX_SUB_BYTES).contains(&sub.len())
        && sub.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#' && byte != b'*')
}

#[cfg(test)]
mod attack_tests;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod option_tests;
#[cfg(test)]
mod tests;
