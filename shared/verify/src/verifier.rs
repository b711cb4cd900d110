//! From the text of a token to a [`VerifiedToken`].

use std::sync::Arc;
use std::time::Duration;

use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::DEFAULT_CLOCK_SKEW;
use revocation_core::ports::Clock;

use crate::deny::DenyReason;
use crate::jws::Jws;
use crate::key_cache::{JwksSource, KeyCache};
use crate::pool::PoolConfig;
use crate::strict_json::Seconds;
use crate::token::{Claims, TokenUse, UnverifiedClaims, VerifiedToken};

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
pub struct Verifier {
    pools: Vec<Pool>,
    token_uses: Vec<TokenUse>,
    clock: Arc<dyn Clock>,
}

struct Pool {
    user_pool_id: UserPoolId,
    client_ids: Vec<String>,
    issuers: Vec<String>,
    keys: KeyCache,
}

// === impl Verifier ===

impl Verifier {
    /// A verifier of these pools' tokens. Where two pools claim an issuer, the first has it.
    #[must_use]
    pub fn new(
        pools: Vec<PoolConfig>,
        token_uses: Vec<TokenUse>,
        source: &Arc<dyn JwksSource>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let pools = pools.into_iter().map(|config| Pool::new(config, source, clock)).collect();
        Self { pools, token_uses, clock: Arc::clone(clock) }
    }

    /// Verifies a token.
    pub async fn verify(&self, token: &str) -> Result<VerifiedToken, DenyReason> {
        let jws = Jws::parse(token)?; // (1) to (6)
        let unverified = UnverifiedClaims::parse(&jws.payload)?; // (6)
        let pool = self.pool_of(unverified.claimed_issuer()).ok_or(DenyReason::UnknownIssuer)?; // (7)
        let key = pool.keys.key(&jws.key_id).await?; // (5)
        // (8)
        if !key.verifies(jws.signing_input.as_bytes(), &jws.signature) {
            return Err(DenyReason::BadSignature);
        }
        let claims = unverified.signed();
        check_dates(&claims, self.clock.now().seconds())?; // (9)
        // (10)
        let token_use = TokenUse::parse(&claims.token_use).filter(|token_use| self.token_uses.contains(token_use));
        let token_use = token_use.ok_or(DenyReason::TokenUseRefused)?;
        pool.accept(claims, token_use) // (11), (12)
    }

    /// Fetches the keys of every pool, so that the first token need not wait. Failures are logged.
    pub async fn warm(&self) {
        for pool in &self.pools {
            pool.keys.warm().await;
        }
    }

    fn pool_of(&self, issuer: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.issuers.iter().any(|known| known == issuer))
    }
}

/// (9)
fn check_dates(claims: &Claims, now: EpochSeconds) -> Result<(), DenyReason> {
    // "on or after which the JWT MUST NOT be accepted" (RFC 7519, section 4.1.4).
    if claims.exp.0 <= now {
        return Err(DenyReason::Expired);
    }
    let later_than = |claim: Option<Seconds>, limit: EpochSeconds| claim.is_some_and(|Seconds(at)| at > limit);
    if later_than(claims.nbf, now.plus(NBF_LEEWAY)) {
        return Err(DenyReason::NotYetValid);
    }
    let latest = now.plus(FUTURE_LEEWAY);
    if later_than(claims.iat, latest) || later_than(claims.auth_time, latest) {
        return Err(DenyReason::FromTheFuture);
    }
    Ok(())
}

// === impl Pool ===

impl Pool {
    fn new(config: PoolConfig, source: &Arc<dyn JwksSource>, clock: &Arc<dyn Clock>) -> Self {
        Self {
            user_pool_id: config.user_pool_id.clone(),
            client_ids: config.client_ids.clone(),
            issuers: config.issuers(),
            keys: KeyCache::new(config, Arc::clone(source), Arc::clone(clock)),
        }
    }

    fn accept(&self, claims: Claims, token_use: TokenUse) -> Result<VerifiedToken, DenyReason> {
        // Each kind of token has claims of its own; those of the other kind are not looked at.
        let (client_id, username) = match token_use {
            TokenUse::Access => (claims.client_id, claims.username),
            TokenUse::Id => (claims.aud, claims.cognito_username),
        };
        let client_id = client_id.ok_or(DenyReason::BadClaims)?;
        if !self.client_ids.contains(&client_id) {
            return Err(DenyReason::ClientRefused);
        }
        if !can_be_a_key(&claims.sub) {
            return Err(DenyReason::BadClaims);
        }
        let seconds = |claim: Option<Seconds>| claim.map(|Seconds(at)| at);
        Ok(VerifiedToken {
            subject: SubjectKey::new(self.user_pool_id.0.as_str(), claims.sub),
            token_use,
            client_id,
            username,
            scope: claims.scope,
            groups: claims.groups,
            exp: claims.exp.0,
            auth_time: seconds(claims.auth_time),
            iat: seconds(claims.iat),
            origin_jti: claims.origin_jti,
            jti: claims.jti,
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
mod tests;
