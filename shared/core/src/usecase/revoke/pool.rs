//! A whole pool at once: its identity provider was broken into, or a signing key leaked. One write ends everybody's sessions;
//! Cognito is not asked, so that it takes no longer for a million users than for ten.
//!
//! Whoever signed in before is refused until they sign in anew. Their refresh tokens stay alive in Cognito, for tokens that
//! are refused by `auth_time`; taking those away is a bulk job.

use super::steps::Steps;
use super::{RevocationOutcome, RevokeError, Revoker, lockout};
use crate::domain::request::RevocationRequest;
use crate::domain::time::EpochMillis;

impl Revoker {
    /// Carries out a request for everybody in a pool.
    pub(super) async fn revoke_pool(
        &self,
        request: RevocationRequest,
        received_at: EpochMillis,
    ) -> Result<RevocationOutcome, RevokeError> {
        // Asked first: a request that is none of ours leaves no trace in the trail, and is parked with the reason.
        let everyone = self.key_of(&request).ok_or(RevokeError::ForeignPool)?;
        let mut trail = self.begin(request, received_at).await?;
        if trail.finished {
            return Ok(RevocationOutcome::Repeated(trail.completed.into_values().collect()));
        }
        let mut steps = Steps::of(self, &trail, &everyone);
        steps.tombstone(&lockout(&trail)).await?;
        steps.seal_without_sign_out(trail.started.not_before).await?;
        let records = steps.into_records();
        trail.steps.insert(everyone.clone(), records);
        let completed = self.complete(&trail, Some(&everyone)).await?;
        self.audit.finished(&trail.started.revocation_id, self.clock.now()).await?;
        Ok(RevocationOutcome::of([completed]))
    }
}
