//! The steps of one subject: each is taken once, and written down when it ends.

use std::collections::BTreeMap;

use super::Revoker;
use crate::domain::audit::{CALLED_OFF, SEALED_BY_ANOTHER, Step, StepOutcome, StepRecord, Trail, USER_NOT_FOUND};
use crate::domain::disposition::Disposition;
use crate::domain::policy::{Actions, Lock};
use crate::domain::profile::{Profile, SubjectKey};
use crate::domain::revocation_id::RevocationId;
use crate::domain::session::SessionCutoff;
use crate::domain::time::EpochSeconds;
use crate::domain::tombstone::{Cutoff, CutoffKind, Seal, Sealed};
use crate::ports::{Acted, PortError};

/// A subject's steps, those of earlier deliveries included.
pub(super) struct Steps<'a> {
    revoker: &'a Revoker,
    id: &'a RevocationId,
    subject: &'a SubjectKey,
    records: BTreeMap<Step, StepRecord>,
}

/// What the first step writes.
pub(super) enum Lockout {
    /// A cutoff for the whole account.
    Everything(Cutoff),
    /// The end of single sessions.
    Sessions(SessionCutoff),
}

impl<'a> Steps<'a> {
    pub(super) fn of(revoker: &'a Revoker, trail: &'a Trail, subject: &'a SubjectKey) -> Self {
        let records = trail.steps.get(subject).cloned().unwrap_or_default();
        Self { revoker, id: &trail.started.revocation_id, subject, records }
    }

    pub(super) fn into_records(self) -> BTreeMap<Step, StepRecord> {
        self.records
    }

    /// I1: returns only when the cutoff is durable. A later cutoff that stands already serves as well.
    pub(super) async fn tombstone(&mut self, lockout: &Lockout) -> Result<(), PortError> {
        if self.has(Step::Tombstone) {
            return Ok(());
        }
        match lockout {
            Lockout::Everything(cutoff) => self.revoker.tombstones.raise(self.subject, cutoff).await.map(drop)?,
            Lockout::Sessions(cutoff) => self.revoker.tombstones.end_sessions(self.subject, cutoff).await?,
        }
        self.write(Step::Tombstone, StepOutcome::Done).await
    }

    /// What the policy asks of Cognito, and the seal. A step that fails for good does not keep the others from being
    /// taken; one that may succeed later is reported after the others were tried.
    ///
    /// The account is locked *before* it is signed out. The other way round, an attacker who signs in between the two
    /// keeps a refresh token that outlives the tombstone. The seal follows the sign-out at once: devices can wait.
    pub(super) async fn act(&mut self, profile: &Profile, actions: Actions) -> Result<(), PortError> {
        let locked = self.lock(profile, actions.lock).await;
        let signed_out = match (actions.sign_out, &locked) {
            (false, _) => Ok(()),
            (true, Ok(())) => self.sign_out_and_seal(profile).await,
            (true, Err(_)) => self.sign_out_meanwhile(profile).await,
        };
        let forgotten = if actions.forget_devices { self.take(Step::ForgetDevices, profile).await } else { Ok(()) };
        locked.and(signed_out).and(forgotten)
    }

    /// A user Cognito does not know: there is nothing to sign out, and the tombstone need not stay for ten years.
    pub(super) async fn nobody(&mut self) -> Result<(), PortError> {
        if !self.has(Step::GlobalSignOut) {
            self.write(Step::GlobalSignOut, StepOutcome::not_needed(USER_NOT_FOUND)).await?;
        }
        self.seal().await
    }

    /// Closes the tombstone at its cutoff without a sign-out. The refresh tokens live on, and so must the tombstone.
    pub(super) async fn called_off(&mut self, cutoff: EpochSeconds) -> Result<(), PortError> {
        if self.has(Step::Seal) {
            return Ok(());
        }
        let seal = Seal::without_sign_out(self.id.clone(), cutoff);
        self.revoker.tombstones.seal(self.subject, &seal).await?;
        self.write(Step::Seal, StepOutcome::not_needed(CALLED_OFF)).await
    }

    /// Whether Cognito was asked for anything, or the tombstone was sealed after that.
    pub(super) fn have_acted(&self) -> bool {
        self.records.keys().any(|step| !matches!(step, Step::Tombstone | Step::Seal))
            || self.has(Step::Seal) && !self.seal_is_called_off()
    }

    /// Whether the rest is not to be carried out.
    pub(super) fn are_called_off(&self) -> bool {
        self.seal_is_called_off() && !self.have_acted()
    }

    fn seal_is_called_off(&self) -> bool {
        let called_off = StepOutcome::not_needed(CALLED_OFF);
        self.records.get(&Step::Seal).is_some_and(|record| record.outcome == called_off)
    }

    async fn lock(&mut self, profile: &Profile, lock: Lock) -> Result<(), PortError> {
        match lock {
            Lock::None => Ok(()),
            Lock::Disable => self.take(Step::Disable, profile).await,
            Lock::ResetPassword => {
                self.take(Step::ResetPassword, profile).await?;
                // Without a way to send a code (no verified contact) a reset is refused for good. The account must not
                // stay open with a password that is known to others.
                let refused = self.records.get(&Step::ResetPassword).is_some_and(|record| record.outcome.is_failed());
                if refused { self.take(Step::Disable, profile).await } else { Ok(()) }
            }
        }
    }

    async fn sign_out_and_seal(&mut self, profile: &Profile) -> Result<(), PortError> {
        self.take(Step::GlobalSignOut, profile).await?;
        self.seal().await
    }

    /// The lock is still to come, so the sign-out must be repeated after it: done now, but not written down, and the
    /// cutoff moved past it, but not sealed.
    async fn sign_out_meanwhile(&self, profile: &Profile) -> Result<(), PortError> {
        self.revoker.terminator.sign_out_everywhere(profile).await?;
        let now = self.revoker.clock.now();
        let at = Seal::of(self.id.clone(), now, self.revoker.clock_skew, now).at;
        let cutoff = Cutoff { revocation_id: self.id.clone(), at, kind: CutoffKind::Sessions };
        self.revoker.tombstones.raise(self.subject, &cutoff).await.map(drop)
    }

    /// I3: moves the cutoff past Cognito's confirmation, by the time written down then, so that a seal that comes late
    /// (after a crash) does not end sessions that began since. Without a confirmed sign-out there is no seal.
    async fn seal(&mut self) -> Result<(), PortError> {
        let Some(sign_out) = self.records.get(&Step::GlobalSignOut) else { return Ok(()) };
        if self.has(Step::Seal) || sign_out.outcome.is_failed() {
            return Ok(());
        }
        let seal = Seal::of(self.id.clone(), sign_out.at, self.revoker.clock_skew, self.revoker.clock.now());
        self.seal_with(&seal).await
    }

    /// The seal of a whole pool's cutoff: where it was fixed, since there is no gap that a confirmed sign-out would close.
    pub(super) async fn seal_without_sign_out(&mut self, at: EpochSeconds) -> Result<(), PortError> {
        if self.has(Step::Seal) {
            return Ok(());
        }
        self.seal_with(&Seal::without_sign_out(self.id.clone(), at)).await
    }

    async fn seal_with(&mut self, seal: &Seal) -> Result<(), PortError> {
        let outcome = match self.revoker.tombstones.seal(self.subject, seal).await? {
            Sealed::Sealed => StepOutcome::Done,
            Sealed::LeftToAnother => StepOutcome::not_needed(SEALED_BY_ANOTHER),
        };
        self.write(Step::Seal, outcome).await
    }

    fn has(&self, step: Step) -> bool {
        self.records.contains_key(&step)
    }

    async fn take(&mut self, step: Step, profile: &Profile) -> Result<(), PortError> {
        if self.has(step) {
            return Ok(());
        }
        let revoker = self.revoker;
        let acted = match step {
            Step::Disable => revoker.locker.disable(profile).await,
            Step::ResetPassword => revoker.locker.reset_password(profile).await,
            Step::GlobalSignOut => revoker.terminator.sign_out_everywhere(profile).await,
            Step::ForgetDevices => revoker.devices.forget_devices(profile).await,
            Step::Tombstone | Step::Seal => Ok(Acted::Done),
        };
        let outcome = match acted {
            Ok(Acted::Done) => StepOutcome::Done,
            Ok(Acted::NotNeeded(code)) => StepOutcome::not_needed(code),
            Err(error) if error.disposition == Disposition::Reject => {
                tracing::error!(%error, revocation_id = %self.id, subject = %self.subject, "a step failed for good");
                StepOutcome::Failed { code: error.code }
            }
            Err(error) => return Err(error),
        };
        self.write(step, outcome).await
    }

    async fn write(&mut self, step: Step, outcome: StepOutcome) -> Result<(), PortError> {
        let record = StepRecord { step, outcome, at: self.revoker.clock.now() };
        // Of two deliveries at work at once, both go on from the record that was written first.
        let standing = self.revoker.audit.step(self.id, self.subject, &record).await?;
        self.records.insert(step, standing);
        Ok(())
    }
}
