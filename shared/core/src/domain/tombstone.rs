//! The tombstone: "refuse what was authenticated before". The heart of the product, hence without any I/O.
//!
//! ```text
//!  old session ──────┬──────────────┬────────────────────▶ refused by the first cutoff
//!                    │ gap: may still refresh, obtains newer `iat`  ─▶ refused by the seal (I3)
//!            tombstone (unsealed)   sign-out confirmed ▶ sealed, cutoff moved past the gap
//!                                                        │ new sign-in ─▶ served
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::hold::ActionStamp;
pub use super::hold::Hold;
use super::revocation_id::RevocationId;
use super::session::{EndedSessions, SessionCutoff};
use super::time::{EpochMillis, EpochSeconds};

/// The longest life of an access or ID token. Cognito, "User pool app clients": 5 minutes to 1 day.
pub const LONGEST_TOKEN_LIFE: Duration = Duration::from_hours(24);
/// The longest life of a refresh token. Cognito, same page: 60 minutes to 10 years; 3,653 days with leap days.
pub const LONGEST_REFRESH_LIFE: Duration = Duration::from_hours(24 * 3_653);
/// How far our clock and Cognito's may differ unless configured otherwise.
pub const DEFAULT_CLOCK_SKEW: Duration = Duration::from_secs(2);
/// A larger one would end sessions that began long after the revocation.
pub const MOST_CLOCK_SKEW: Duration = Duration::from_mins(1);
/// Kept on top of [`LONGEST_TOKEN_LIFE`] once sealed. It covers any permitted skew, and a claims-only cutoff that
/// another revocation writes while this one is being sealed; without it such tokens would outlive the tombstone.
const SEALED_MARGIN: Duration = Duration::from_hours(1);

/// The most single sessions kept on a tombstone: with them an item stays within the 4 KB of one read unit, and nobody can
/// make theirs so large that no cutoff fits on it any more.
pub const MOST_SESSIONS: usize = 50;

/// What is known of a subject's ended sessions: one item a user, read with every API request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// Refuse what was authenticated or issued in this second or before.
    pub not_before: Option<EpochSeconds>,
    /// Refuse what was *issued* in this second or before; a refresh gets past it (claims-only).
    pub claims_not_before: Option<EpochSeconds>,
    /// Whether Cognito has confirmed the sign-out behind `not_before`.
    pub sealed: bool,
    /// Single sessions and tokens that were revoked: `origin_jti` or `jti` to when the entry may be pruned.
    pub sessions: BTreeMap<String, EpochSeconds>,
    /// Every session but one was ended: "sign out everywhere but here".
    pub others: Option<OthersCutoff>,
    /// No token at all is accepted until then.
    pub hold: Option<Hold>,
    /// The action that last placed or released a hold; an earlier one has no effect any more.
    pub hold_changed: Option<ActionStamp>,
    /// The revocation that set `not_before`, the last of those that set it to the same second; it alone may seal.
    pub revocation_id: Option<RevocationId>,
    /// DynamoDB's TTL attribute. Never consulted: TTL deletes late, and a cutoff in the past refuses nobody new.
    pub expires_at: Option<EpochSeconds>,
}

/// Every session but one, ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OthersCutoff {
    /// Refuse what was authenticated or issued in this second or before …
    pub not_before: EpochSeconds,
    /// … unless it is of this session (`origin_jti`). Empty: of none.
    pub spared: String,
}

/// The claims of a token that decide. Cognito writes times in whole seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenStamp<'a> {
    /// When the person authenticated.
    pub auth_time: Option<EpochSeconds>,
    /// When this token was issued.
    pub iat: Option<EpochSeconds>,
    /// The session: the same across refreshes.
    pub origin_jti: Option<&'a str>,
    /// The token.
    pub jti: Option<&'a str>,
}

/// Why a tombstone refuses a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Authenticated or issued no later than the cutoff.
    Cutoff,
    /// Issued no later than the claims-only cutoff: a refresh helps.
    ClaimsCutoff,
    /// Its session, or the token itself, was revoked.
    Session,
    /// The account is on hold.
    Hold,
    /// It carries neither `auth_time` nor `iat`, so nothing can be said for it.
    Undated,
}

/// A cutoff to be written. The only way to make one is to say what it is for, which fixes its lifetime (I5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cutoff {
    /// The revocation it belongs to.
    pub revocation_id: RevocationId,
    /// The second up to which tokens are refused.
    pub at: EpochSeconds,
    /// Which claims it is compared with.
    pub kind: CutoffKind,
}

/// What a [`Cutoff`] is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutoffKind {
    /// `not_before`: `auth_time` and `iat`.
    Sessions,
    /// `claims_not_before`: `iat` alone.
    Claims,
}

/// The end of a sign-out, to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The revocation it belongs to.
    pub revocation_id: RevocationId,
    /// The second up to which tokens are refused from now on.
    pub at: EpochSeconds,
    /// When the item may be deleted.
    pub expires_at: EpochSeconds,
}

/// What came of writing a cutoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raised {
    /// The cutoff was moved forward to ours.
    Moved,
    /// A later or equal one stood there already; it stays (I2).
    AlreadyLater,
}

/// What came of sealing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// The tombstone is sealed.
    Sealed,
    /// Moved forward but left unsealed, because another revocation's sign-out is still outstanding.
    LeftToAnother,
}

// === impl Tombstone ===

impl Tombstone {
    /// Decides I4 for a token at `now`. `None` means the tombstone has nothing against it.
    #[must_use]
    pub fn refusal(&self, token: &TokenStamp<'_>, now: EpochSeconds) -> Option<Refusal> {
        if self.is_held(now) {
            return Some(Refusal::Hold);
        }
        // `iat` alone lets a refresh in the gap through; `auth_time` alone was reported to change under
        // refresh-token rotation (authts/oidc-client-ts#2107). The older of the two is safe under either.
        let Some(oldest) = [token.auth_time, token.iat].into_iter().flatten().min() else {
            return Some(Refusal::Undated);
        };
        if self.not_before.is_some_and(|cutoff| oldest <= cutoff) {
            return Some(Refusal::Cutoff);
        }
        let revoked = |id: Option<&str>| id.is_some_and(|id| self.sessions.contains_key(id));
        let another = |others: &OthersCutoff| {
            oldest <= others.not_before && token.origin_jti.is_none_or(|session| session != others.spared)
        };
        if revoked(token.origin_jti) || revoked(token.jti) || self.others.as_ref().is_some_and(another) {
            return Some(Refusal::Session);
        }
        // Without `iat` the token cannot show that it was issued after the change of claims.
        if self.claims_not_before.is_some_and(|cutoff| token.iat.is_none_or(|iat| iat <= cutoff)) {
            return Some(Refusal::ClaimsCutoff);
        }
        None
    }

    /// Moves the cutoff past the gap and, if this revocation owns the tombstone, seals it (I3).
    pub fn seal(&mut self, seal: &Seal) -> Sealed {
        let later_stands = self.not_before > Some(seal.at);
        self.not_before = self.not_before.max(Some(seal.at));
        let ours = self.revocation_id.as_ref() == Some(&seal.revocation_id);
        self.sealed |= ours;
        // A session ended by itself may have begun after this sign-out: its refresh token lives on, and so must its entry.
        let ends_sessions = !self.sessions.is_empty() || self.others.is_some();
        // A hold outlives a sign-out, and so does what keeps an earlier one from being placed again.
        let held = self.hold.is_some() || self.hold_changed.is_some();
        if !ends_sessions && !held && (ours || (self.sealed && !later_stands)) {
            self.expires_at = Some(seal.expires_at);
        }
        if self.sealed { Sealed::Sealed } else { Sealed::LeftToAnother }
    }

    /// Ends single sessions. The reference that store adapters must match.
    pub fn end_sessions(&mut self, cutoff: &SessionCutoff) {
        self.expires_at = self.expires_at.max(Some(cutoff.expires_at()));
        match &cutoff.ended {
            EndedSessions::One(id) if self.sessions.len() < MOST_SESSIONS || self.sessions.contains_key(id) => {
                self.sessions.insert(id.clone(), cutoff.expires_at());
            }
            // No room. Everything that began by now ends, which is more than was asked for, and never less. The list begins
            // anew, and is not left empty: it is what keeps a seal from shortening the item's life.
            EndedSessions::One(id) => {
                self.end_all(cutoff.at);
                self.sessions = BTreeMap::from([(id.clone(), cutoff.expires_at())]);
            }
            EndedSessions::Others { spared } => self.end_others(cutoff.at, spared),
        }
    }

    fn end_others(&mut self, at: EpochSeconds, spared: &str) {
        match &mut self.others {
            // Delivered late. What it ended stays ended, the session that the later one spares included.
            Some(standing) if standing.not_before > at => {
                if standing.spared != *spared {
                    self.end_all(at);
                }
            }
            // Two devices said "everywhere but here" in the same second: each ended the other.
            Some(standing) if standing.not_before == at && standing.spared != *spared => standing.spared.clear(),
            others => {
                let before = others.replace(OthersCutoff { not_before: at, spared: spared.to_owned() });
                // What the earlier one ended stays ended, the session spared now included; and the one it spared ends now.
                if let Some(before) = before.filter(|before| before.spared != *spared) {
                    self.end_all(before.not_before);
                }
            }
        }
    }

    /// Refuses everything up to `at`, without a sign-out that would have to be confirmed: a tombstone that stands only for
    /// this counts as sealed.
    fn end_all(&mut self, at: EpochSeconds) {
        self.sealed |= self.not_before.is_none();
        self.not_before = self.not_before.max(Some(at));
    }
}

// === impl Cutoff ===

impl Cutoff {
    /// When DynamoDB may delete the item that holds this cutoff (I5).
    #[must_use]
    pub fn expires_at(&self) -> EpochSeconds {
        match self.kind {
            // Nothing has been confirmed yet, so the refresh token may still work, for as long as one can live.
            CutoffKind::Sessions => self.at.plus(LONGEST_REFRESH_LIFE),
            // The refreshed token is wanted; only what was issued before must be outlived.
            CutoffKind::Claims => sealed_expiry(self.at),
        }
    }
}

// === impl Seal ===

impl Seal {
    /// The seal of a sign-out that Cognito confirmed at `confirmed`, written at `now`.
    ///
    /// The cutoff covers everything Cognito may have minted up to its confirmation, by either clock. The lifetime is
    /// counted from `now`: a seal may come long after the confirmation, when a claims-only cutoff stands that is younger.
    #[must_use]
    pub fn of(revocation_id: RevocationId, confirmed: EpochMillis, clock_skew: Duration, now: EpochMillis) -> Self {
        let at = confirmed.plus(clock_skew).seconds();
        Self { revocation_id, at, expires_at: sealed_expiry(at.max(now.seconds())) }
    }

    /// The seal of a cutoff at `at` behind which no sign-out stands: a whole pool's, or one that was called off. Every refresh
    /// token of before may go on making tokens that only this item refuses, for as long as one can live (I5).
    #[must_use]
    pub fn without_sign_out(revocation_id: RevocationId, at: EpochSeconds) -> Self {
        Self { revocation_id, at, expires_at: at.plus(LONGEST_REFRESH_LIFE) }
    }
}

/// When a tombstone with this cutoff and a confirmed sign-out may be deleted (I5): all it refuses has expired by then.
fn sealed_expiry(cutoff: EpochSeconds) -> EpochSeconds {
    cutoff.plus(LONGEST_TOKEN_LIFE + SEALED_MARGIN)
}

mod raise;
#[cfg(test)]
mod tests;
