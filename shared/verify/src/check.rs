//! From the text of a token to a [`Permit`]: verified, and not revoked.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use revocation_core::domain::disposition::Disposition;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::session::{Sighting, is_origin_jti};
use revocation_core::domain::time::EpochMillis;
use revocation_core::domain::tombstone::{Refusal, Tombstone};
use revocation_core::ports::{Clock, PortError, TombstoneReader};

use crate::deny::DenyReason;
use crate::token::VerifiedToken;
use crate::verifier::Verifier;

/// What happens to requests while tombstones cannot be read (I6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreOutage {
    /// They are denied.
    Deny,
    /// Tokens that verify are let through, revoked or not; each is logged, and counted by the caller.
    BestEffort,
}

/// Neither `deny` nor `best_effort`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAStoreOutage;

/// Verifies tokens and looks for tombstones.
pub struct Checker {
    /// Verifies.
    pub verifier: Verifier,
    /// Reads tombstones.
    pub reader: Arc<dyn TombstoneReader>,
    /// Tells until when a hold holds.
    pub clock: Arc<dyn Clock>,
    /// What an outage of the store means.
    pub store_outage: StoreOutage,
}

/// The token may be served. What the token says is read through it: `permit.subject`, `permit.scope` …
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// The token, with its verified claims.
    pub token: Arc<VerifiedToken>,
    /// Let through without a look at the tombstone ([`StoreOutage::BestEffort`]). To be counted.
    pub unchecked: bool,
}

/// The token must not be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Why.
    pub reason: DenyReason,
    /// The token, if it verified: then it is known whose it is.
    token: Option<Arc<VerifiedToken>>,
}

// === impl Checker ===

impl Checker {
    /// Decides about a token, with one read of the store if it verifies and none if it does not; the pool's own tombstone is
    /// known from the last second.
    pub async fn check(&self, token: &str) -> Result<Permit, DenyReason> {
        self.check_and_tell(token).await.map_err(|denied| denied.reason)
    }

    /// [`Checker::check`], for a front that notes which sessions were refused.
    pub async fn check_and_tell(&self, token: &str) -> Result<Permit, Denied> {
        let token = self.verifier.verify(token).await.map_err(|reason| {
            // Without the `sub`: whoever wrote it may have written anything.
            tracing::debug!(reason = reason.code(), "denied");
            Denied { reason, token: None }
        })?;
        let decision = self.decide(&token).await;
        let reason = decision.as_ref().err().map_or("none", |reason| reason.code());
        tracing::debug!(sub = %token.subject.sub, reason, "decided");
        match decision {
            Ok(checked) => Ok(Permit { token, unchecked: checked == Checked::No }),
            Err(reason) => Err(Denied { reason, token: Some(token) }),
        }
    }

    /// Makes ready for the first request: fetches keys and opens the connection to the store by a read of no consequence.
    /// It may be abandoned at any moment.
    pub async fn warm(&self, subject: &SubjectKey) {
        // At once, so that a slow one does not cost the other its turn. Whatever goes wrong, the first request will meet
        // it, and say so.
        let ((), _, ()) = tokio::join!(self.verifier.warm(), self.reader.read(subject), self.warm_pools());
    }

    /// Each pool's tombstone, which the first request then need not wait for if it comes at once.
    async fn warm_pools(&self) {
        for pool in &self.verifier.pools {
            let _ = self.reader.read_pool(&pool.user_pool_id).await;
        }
    }

    async fn decide(&self, token: &VerifiedToken) -> Result<Checked, DenyReason> {
        let stamp = token.stamp();
        // I4: with neither date no cutoff could ever refuse it, whether there is a tombstone today or not.
        if stamp.auth_time.is_none() && stamp.iat.is_none() {
            return Err(DenyReason::Revoked(Refusal::Undated));
        }
        // At once: where the pool's is known already, as it nearly always is, it costs nothing.
        let (own, pool) =
            tokio::join!(self.reader.read(&token.subject), self.reader.read_pool(&token.subject.user_pool_id));
        let now = self.clock.now().seconds();
        // What either has against the token counts, even if the other cannot be read.
        let refusal = |read: &Result<Option<Tombstone>, PortError>| read.as_ref().ok()?.as_ref()?.refusal(&stamp, now);
        if let Some(refusal) = refusal(&own).or_else(|| refusal(&pool)) {
            return Err(DenyReason::Revoked(refusal));
        }
        // Of two errors, the one that does not pass by itself.
        let errors = [own.err(), pool.err()].into_iter().flatten();
        match errors.max_by_key(|error| error.disposition == Disposition::Reject) {
            Some(error) => self.without_tombstone(token, &error),
            None => Ok(Checked::Yes),
        }
    }

    fn without_tombstone(&self, token: &VerifiedToken, error: &PortError) -> Result<Checked, DenyReason> {
        let PortError { operation, code, disposition } = error;
        match (disposition, self.store_outage) {
            (Disposition::Retry, StoreOutage::BestEffort) => {
                tracing::warn!(sub = %token.subject.sub, operation, code, "let through without a look at the tombstone");
                Ok(Checked::No)
            }
            (Disposition::Retry, StoreOutage::Deny) => {
                tracing::warn!(operation, code, "denied: the tombstone cannot be read");
                Err(DenyReason::StoreUnavailable)
            }
            // Not an outage: somebody wrote an item to refuse something, or the function lacks a permission, its table or
            // credentials that are right. None passes by itself, so best effort would let everything through for good.
            (Disposition::Reject, _) => {
                tracing::error!(sub = %token.subject.sub, operation, code, "denied: the tombstone is unreadable");
                Err(DenyReason::StoreUnreadable)
            }
        }
    }
}

/// Whether the tombstone was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checked {
    Yes,
    No,
}

// === impl Permit ===

impl Permit {
    /// The session in use, for a [`SessionRecorder`](revocation_core::ports::SessionRecorder). Only the front knows the
    /// address and the user agent, so it is the front that records. `None` for a token of no session: a machine's, or one
    /// of an app client without token revocation.
    #[must_use]
    pub fn sighting<'a>(
        &'a self,
        seen_at: EpochMillis,
        ip: Option<&'a str>,
        user_agent: Option<&'a str>,
    ) -> Option<Sighting<'a>> {
        sighting(&self.token, seen_at, ip, user_agent)
    }
}

fn sighting<'a>(
    token: &'a VerifiedToken,
    seen_at: EpochMillis,
    ip: Option<&'a str>,
    user_agent: Option<&'a str>,
) -> Option<Sighting<'a>> {
    let VerifiedToken { subject, client_id, auth_time, .. } = token;
    let origin_jti = token.origin_jti.as_deref().filter(|id| is_origin_jti(id))?;
    Some(Sighting { subject, origin_jti, client_id, auth_time: *auth_time, seen_at, ip, user_agent })
}

// === impl Denied ===

impl Denied {
    /// The session that was refused because it was ended, for a
    /// [`SessionRecorder`](revocation_core::ports::SessionRecorder). `None` for every other reason: what passes by itself,
    /// as a hold does, proves nothing.
    #[must_use]
    pub fn ended_session(&self, seen_at: EpochMillis) -> Option<Sighting<'_>> {
        let ended = matches!(self.reason, DenyReason::Revoked(Refusal::Cutoff | Refusal::Session));
        let token = self.token.as_ref().filter(|_| ended)?;
        sighting(token, seen_at, None, None)
    }
}

impl Deref for Permit {
    type Target = VerifiedToken;

    fn deref(&self) -> &VerifiedToken {
        &self.token
    }
}

// === impl StoreOutage ===

impl FromStr for StoreOutage {
    type Err = NotAStoreOutage;

    fn from_str(text: &str) -> Result<Self, NotAStoreOutage> {
        match text {
            "deny" => Ok(Self::Deny),
            "best_effort" => Ok(Self::BestEffort),
            _ => Err(NotAStoreOutage),
        }
    }
}

impl fmt::Display for NotAStoreOutage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is neither deny nor best_effort")
    }
}

impl std::error::Error for NotAStoreOutage {}

#[cfg(test)]
mod tests;
