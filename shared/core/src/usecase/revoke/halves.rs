//! A revocation in two halves, for many subjects at once: everybody is locked out before anybody is signed out. The second
//! half is [`Revoker::revoke`] itself, which goes on from whatever the trail has.

use super::steps::Steps;
use super::{RevocationOutcome, RevokeError, Revoker, lockout};
use crate::domain::profile::Profile;
use crate::domain::request::RevocationRequest;
use crate::domain::time::EpochMillis;

impl Revoker {
    /// The first half: the start with the cutoff it fixes, whom it means, and the tombstone. Again is no mistake.
    pub async fn lock_out(
        &self,
        request: RevocationRequest,
        profile: &Profile,
        received_at: EpochMillis,
    ) -> Result<(), RevokeError> {
        let trail = self.begin(request, received_at).await?;
        if trail.finished {
            return Ok(());
        }
        if trail.resolved.is_none() {
            let id = &trail.started.revocation_id;
            self.audit.resolved(id, std::slice::from_ref(profile), self.clock.now()).await?;
        }
        Steps::of(self, &trail, &profile.key).tombstone(&lockout(&trail)).await?;
        Ok(())
    }

    /// The end of a revocation that was begun and is not to be carried out. The cutoff stands, it only moves forward (I2);
    /// but nobody waits for a sign-out any more, so that the person may sign in again. What Cognito was asked to do already
    /// is carried to its end: half a revocation is neither.
    pub async fn call_off(
        &self,
        request: RevocationRequest,
        profile: &Profile,
        received_at: EpochMillis,
    ) -> Result<RevocationOutcome, RevokeError> {
        let mut trail = self.begin(request.clone(), received_at).await?;
        let mut steps = Steps::of(self, &trail, &profile.key);
        if trail.finished || steps.have_acted() {
            return self.revoke(request, received_at).await;
        }
        // First what a crash may have left out: only what was locked out can be called off.
        steps.tombstone(&lockout(&trail)).await?;
        steps.called_off(trail.started.not_before).await?;
        let records = steps.into_records();
        trail.steps.insert(profile.key.clone(), records);
        let completed = self.complete(&trail, Some(&profile.key)).await?;
        self.audit.finished(&trail.started.revocation_id, self.clock.now()).await?;
        Ok(RevocationOutcome::of([completed]))
    }
}
