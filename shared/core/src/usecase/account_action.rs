//! Acts on the accounts of whomever an operator's request means.
//!
//! ```text
//! begin ─▶ resolve ─▶ for each account: protected? ─▶ superseded? ─▶ act ─▶ record ─▶ publish
//!   └ fixes the action's place among the others, once                  └ skipped when the trail has it (I8)
//! ```
//!
//! Of two actions that set the same thing of an account, the one *requested* later decides, whatever the order in which they
//! are delivered, and however often: a hold that is redelivered after its release does not hold again.

use std::sync::Arc;

use crate::domain::action::{
    AccountActionRequest, ActionOutcome, ActionRecord, ActionStarted, ActionTrail, LONGEST_HOLD,
};
use crate::domain::audit::USER_NOT_FOUND;
use crate::domain::disposition::{Disposed, Disposition};
use crate::domain::event::Event;
use crate::domain::profile::{Profile, SubjectKey};
use crate::domain::revocation_id::RevocationId;
use crate::domain::time::EpochMillis;
use crate::ports::{
    AccountEnabler, AccountLocker, ActionBegun, ActionLog, Clock, EventPublisher, MembershipReader, PortError,
    SubjectResolver, TombstoneHolder,
};

/// Code of an account that a protected group keeps from being locked.
pub const PROTECTED_GROUP: &str = "protected_group";
/// Code of a password that is not Cognito's to reset: the account signs in through an identity provider.
pub const FEDERATED: &str = "federated";
/// Code of an action that came after a later one.
pub const LATER_ACTION: &str = "later_action";

mod effects;

use effects::hold_change;

/// The ports and settings of the actor.
pub struct AccountActor {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Finds whom an identifier means.
    pub resolver: Arc<dyn SubjectResolver>,
    /// Places and releases holds.
    pub holds: Arc<dyn TombstoneHolder>,
    /// Prevents sign-ins.
    pub locker: Arc<dyn AccountLocker>,
    /// Allows them again.
    pub enabler: Arc<dyn AccountEnabler>,
    /// Knows who is protected.
    pub memberships: Arc<dyn MembershipReader>,
    /// Remembers and proves.
    pub log: Arc<dyn ActionLog>,
    /// Tells the rest of the pipeline.
    pub publisher: Arc<dyn EventPublisher>,
    /// Groups whose members nobody locks by accident.
    pub protected_groups: Vec<String>,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionsTaken {
    /// The records written by this delivery; one per account, or one that says nobody was found.
    Ended(Vec<ActionRecord>),
    /// An earlier delivery did everything.
    Repeated,
}

/// The action could not be carried to its end.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// A port failed, and what depends on it is still to be done.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The same id with another payload (I8).
    #[error("action {0} was already requested with another payload")]
    IdConflict(RevocationId),
    /// Many people at once are the bulk engine's, and of revocations only.
    #[error("a group is not a single subject; request one action per member")]
    GroupSubject,
    /// A hold that would be over before it began.
    #[error("`hold.until` is past")]
    HoldIsOver,
    /// A hold beyond [`LONGEST_HOLD`].
    #[error("`hold.until` is more than 366 days ahead; a hold without an end lasts until it is released")]
    HoldTooLong,
    /// Some accounts are left.
    #[error("{left} of {of} accounts are not finished")]
    Unfinished {
        /// How many.
        left: usize,
        /// Of how many.
        of: usize,
        /// Why one of them is not; one that may pass, if there is one.
        #[source]
        why: PortError,
    },
}

// === impl ActError ===

impl Disposed for ActError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Port(error) => error.disposition,
            Self::Unfinished { why, .. } => why.disposition,
            Self::IdConflict(_) | Self::GroupSubject | Self::HoldIsOver | Self::HoldTooLong => Disposition::Reject,
        }
    }
}

// === impl AccountActor ===

impl AccountActor {
    /// Carries out `request`, which the queue first handed over at `received_at`.
    pub async fn act(&self, request: AccountActionRequest, received_at: EpochMillis) -> Result<ActionsTaken, ActError> {
        if request.sub_id.is_many() {
            return Err(ActError::GroupSubject);
        }
        // Before anything is written: what is refused does not use up its id.
        check_end(&request, received_at)?;
        let trail = self.begin(request, received_at).await?;
        if trail.finished {
            return Ok(ActionsTaken::Repeated);
        }
        let named = self.change_named_hold(&trail).await?;
        let profiles = self.resolve(&trail).await?;
        let (mut records, mut failure, mut left) = (Vec::new(), None, 0_usize);
        if profiles.is_empty() {
            records.extend(self.nobody(&trail, named).await?);
        }
        for profile in &profiles {
            match self.one(&trail, profile).await {
                Ok(record) => records.extend(record),
                Err(error) => {
                    left += 1;
                    failure = Some(PortError::worth_retrying(failure, error));
                }
            }
        }
        if let Some(why) = failure {
            return Err(ActError::Unfinished { left, of: profiles.len(), why });
        }
        self.log.finished(&trail.started.id, self.clock.now()).await?;
        Ok(ActionsTaken::Ended(records))
    }

    /// Writes the start, or finds the earlier delivery's trail with the place it fixed.
    async fn begin(&self, request: AccountActionRequest, received_at: EpochMillis) -> Result<ActionTrail, ActError> {
        let started = ActionStarted { id: request.id(), digest: request.digest(), received_at, request };
        match self.log.begin(&started).await? {
            ActionBegun::New => Ok(ActionTrail::new(started)),
            ActionBegun::Before(trail) if trail.started.digest == started.digest => Ok(*trail),
            ActionBegun::Before(_) => Err(ActError::IdConflict(started.id)),
        }
    }

    /// A hold, or its release, where the identifier names the key itself: it must not wait for Cognito, which may be what is
    /// failing (I1). Who might be protected has to be looked up first.
    async fn change_named_hold(&self, trail: &ActionTrail) -> Result<Option<SubjectKey>, PortError> {
        let request = &trail.started.request;
        let Some(change) = hold_change(&trail.started) else { return Ok(None) };
        let key = self.resolver.key_of(&request.sub_id).filter(|key| request.is_within_its_pools(key));
        let Some(key) = key.filter(|_| !self.is_guarded(request)) else { return Ok(None) };
        self.holds.change_hold(&key, &change).await?;
        Ok(Some(key))
    }

    async fn resolve(&self, trail: &ActionTrail) -> Result<Vec<Profile>, PortError> {
        if let Some(profiles) = trail.resolved.clone() {
            return Ok(profiles);
        }
        let request = &trail.started.request;
        let mut profiles = self.resolver.search(&request.sub_id, &request.pools).await.whole()?;
        profiles.retain(|profile| request.is_within_its_pools(&profile.key));
        self.log.resolved(&trail.started.id, &profiles, self.clock.now()).await?;
        Ok(profiles)
    }

    /// Nobody was found. A hold on a key that was named stands all the same.
    async fn nobody(&self, trail: &ActionTrail, named: Option<SubjectKey>) -> Result<Option<ActionRecord>, PortError> {
        if trail.completed.contains_key(&named) {
            return Ok(None);
        }
        self.complete(trail, named, (ActionOutcome::NoSuchUser, Some(USER_NOT_FOUND.to_owned()))).await
    }

    /// One account, from the guard to the publication. Returns the record if this delivery wrote it.
    async fn one(&self, trail: &ActionTrail, profile: &Profile) -> Result<Option<ActionRecord>, PortError> {
        let subject = Some(profile.key.clone());
        if let Some(record) = trail.completed.get(&subject) {
            self.publish(trail, record).await?;
            return Ok(None);
        }
        let ended = match self.guard(&trail.started.request, profile).await? {
            Some(refused) => refused,
            None => self.take(&trail.started, profile).await?,
        };
        self.complete(trail, subject, ended).await
    }

    /// Writes the account's record, then publishes it. In this order, so that a crash in between is seen and mended.
    async fn complete(
        &self,
        trail: &ActionTrail,
        subject: Option<SubjectKey>,
        ended: Ended,
    ) -> Result<Option<ActionRecord>, PortError> {
        let still_barred_by = self.bars(&trail.started.request, subject.as_ref()).await;
        let record = ActionRecord::of(&trail.started, subject, ended, self.clock.now());
        let record = ActionRecord { still_barred_by, ..record };
        let standing = self.log.completed(&record).await?;
        self.publish(trail, &standing).await?;
        // Of two deliveries at work at once, only the one whose record stands reports it.
        Ok((standing == record).then_some(record))
    }

    async fn publish(&self, trail: &ActionTrail, record: &ActionRecord) -> Result<(), PortError> {
        let Some(subject) = &record.subject else { return Ok(()) };
        if trail.published.contains(subject) {
            return Ok(());
        }
        self.publisher.publish(&[Event::AccountActionCompleted(record.clone())]).await?;
        self.log.published(&record.id, subject, self.clock.now()).await
    }
}

/// How an action on one account ended, and why.
type Ended = (ActionOutcome, Option<String>);

/// The bounds that depend on when the request came.
fn check_end(request: &AccountActionRequest, received_at: EpochMillis) -> Result<(), ActError> {
    match request.hold.hold().until {
        Some(until) if until <= received_at.seconds() => Err(ActError::HoldIsOver),
        Some(until) if until > received_at.plus(LONGEST_HOLD).seconds() => Err(ActError::HoldTooLong),
        _ => Ok(()),
    }
}
