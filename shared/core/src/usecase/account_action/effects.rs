//! What an action does to one account, and to whom it does nothing.

use super::{AccountActor, Ended, FEDERATED, LATER_ACTION, PROTECTED_GROUP};
use crate::domain::action::{AccountAction, AccountActionRequest, ActionOutcome, ActionStarted};
use crate::domain::disposition::Disposition;
use crate::domain::hold::{Bar, HoldChange, HoldChanged};
use crate::domain::profile::{Profile, SubjectKey};
use crate::ports::{Acted, PortError};

impl AccountActor {
    /// Whether it has to be known whom the request means before anything is done to them.
    pub(super) fn is_guarded(&self, request: &AccountActionRequest) -> bool {
        request.action.locks() && !request.override_protection && !self.protected_groups.is_empty()
    }

    /// The end of an account that is protected.
    pub(super) async fn guard(
        &self,
        request: &AccountActionRequest,
        profile: &Profile,
    ) -> Result<Option<Ended>, PortError> {
        if !self.is_guarded(request) {
            return Ok(None);
        }
        let groups = self.memberships.groups_of(profile).await?;
        let protected = groups.iter().any(|group| self.protected_groups.contains(group));
        Ok(protected.then(|| (ActionOutcome::Refused, Some(PROTECTED_GROUP.to_owned()))))
    }

    /// Does what is asked for, unless a later action did already.
    pub(super) async fn take(&self, started: &ActionStarted, profile: &Profile) -> Result<Ended, PortError> {
        let superseded = || (ActionOutcome::Superseded, Some(LATER_ACTION.to_owned()));
        if let Some(change) = hold_change(started) {
            // A failure for good is not written down as the end: the message is parked, and nobody believes in a hold.
            return Ok(match self.holds.change_hold(&profile.key, &change).await? {
                HoldChanged::Stands => (ActionOutcome::Done, None),
                HoldChanged::Superseded => superseded(),
            });
        }
        let action = started.request.action;
        if self.log.was_superseded(&profile.key, action, &started.stamp()).await? {
            return Ok(superseded());
        }
        let acted = match action {
            AccountAction::ResetPassword if profile.federated => {
                return Ok((ActionOutcome::Failed, Some(FEDERATED.to_owned())));
            }
            AccountAction::ResetPassword => self.locker.reset_password(profile).await,
            AccountAction::Disable => self.locker.disable(profile).await,
            AccountAction::Enable => self.enabler.enable(profile).await,
            // Written above.
            AccountAction::Hold | AccountAction::Release => Ok(Acted::Done),
        };
        match acted {
            Ok(Acted::Done) => Ok((ActionOutcome::Done, None)),
            Ok(Acted::NotNeeded(code)) => Ok((ActionOutcome::NoSuchUser, Some(code.to_owned()))),
            Err(error) if error.disposition == Disposition::Reject => {
                tracing::error!(%error, id = %started.id, subject = %profile.key, "an action failed for good");
                Ok((ActionOutcome::Failed, Some(error.code)))
            }
            Err(error) => Err(error),
        }
    }

    /// Who is let in again may still not get in: for the record only, so a failure is no error.
    pub(super) async fn bars(&self, request: &AccountActionRequest, subject: Option<&SubjectKey>) -> Option<Vec<Bar>> {
        let opens = matches!(request.action, AccountAction::Enable | AccountAction::Release);
        let subject = subject.filter(|_| opens)?;
        let bars = self.holds.bars(subject, self.clock.now().seconds()).await;
        bars.inspect_err(|error| tracing::warn!(%error, %subject, "what still bars the account is not known")).ok()
    }
}

/// What is to be written into the tombstone, if anything.
pub(super) fn hold_change(started: &ActionStarted) -> Option<HoldChange> {
    let hold = match started.request.action {
        AccountAction::Hold => Some(started.request.hold.hold()),
        AccountAction::Release => None,
        AccountAction::Disable | AccountAction::Enable | AccountAction::ResetPassword => return None,
    };
    Some(HoldChange { stamp: started.stamp(), hold })
}
