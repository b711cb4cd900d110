//! Revokes many subjects for one cause: everybody is tombstoned first, then signed out as fast as the quota allows.
//!
//! The work is done in slices, each by one message on the function's own queue, which the slice before it has sent. What
//! was done is in the job and in each member's audit trail, so that a slice that dies is taken up by its redelivery, and
//! nothing happens twice (I8). One slice at a time works on a job: it holds the job's lease.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::bulk::control::BadControl;
use crate::domain::bulk::{BulkJob, BulkRevocationCompleted, Control, ControlRequest, Cursor, Stage, Wish, Work};
use crate::domain::disposition::{Disposed, Disposition};
use crate::domain::event::Event;
use crate::domain::profile::UserPoolId;
use crate::domain::request::RevocationRequest;
use crate::domain::revocation_id::RevocationId;
use crate::domain::time::EpochMillis;
use crate::ports::{
    BegunReader, BulkJobs, Clock, EventPublisher, JobQueue, MemberDirectory, Pacer, PortError, SubjectResolver,
};
use crate::usecase::revoke::Revoker;

mod at_once;
mod ending;
mod listing;
mod locking;
mod paced;

pub use at_once::AtOnce;
pub use paced::Paced;

/// How long a lease is good for after each save. The longest time between two saves is a slice's, while members are looked for.
const LEASE: Duration = Duration::from_mins(1);
/// First wait when a service is out; doubled with every slice that gets nothing done.
const FIRST_STALL: Duration = Duration::from_secs(5);
/// Longest wait.
const LONGEST_STALL: Duration = Duration::from_mins(2);
/// How often a save of the control that others make at the same moment is tried.
const MOST_STEERS: usize = 5;

/// The ports and settings of the bulk revoker.
pub struct BulkRevoker {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Jobs and pages.
    pub jobs: Arc<dyn BulkJobs>,
    /// Who belongs to a group.
    pub members: Arc<dyn MemberDirectory>,
    /// Whom the entries of a list mean.
    pub resolver: Arc<dyn SubjectResolver>,
    /// Which members are known already.
    pub begun: Arc<dyn BegunReader>,
    /// Carries out one member's revocation; its calls to Cognito are [`Paced`].
    pub revoker: Revoker,
    /// Keeps searches within their quota.
    pub searches: Arc<dyn Pacer>,
    /// Has the next slice done.
    pub queue: Arc<dyn JobQueue>,
    /// Tells the rest of the pipeline.
    pub publisher: Arc<dyn EventPublisher>,
    /// What the deployment says.
    pub settings: BulkSettings,
}

/// Settings of the bulk revoker.
#[derive(Clone, Debug)]
pub struct BulkSettings {
    /// The pools in which groups are looked up.
    pub pools: Vec<UserPoolId>,
    /// Attribute with the date on which somebody's work ends; `None`: there is none.
    pub end_date_attribute: Option<String>,
    /// More members than this need a second person's approval; `None`: none does.
    pub approval_above: Option<u64>,
    /// How long a slice works before it leaves the rest to the next.
    pub slice: Duration,
    /// What is done at the same time.
    pub at_once: AtOnce,
}

/// A bulk revocation could not be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// A port failed, and what depends on it is still to be done.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The subject is one person: the function `revoke` does that.
    #[error("the subject is a single one; the function revoke ends its sessions")]
    SingleSubject,
    /// The same id with another payload (I8).
    #[error("bulk revocation {0} was already requested with another payload")]
    IdConflict(RevocationId),
    /// A control request was refused.
    #[error(transparent)]
    Control(#[from] BadControl),
    /// Others kept changing the same control.
    #[error("the control is being changed by others at the same moment")]
    Contended,
}

/// Why a slice ends early.
pub(super) enum Stop {
    /// A service is out: later.
    Stalled(PortError),
    /// Another slice took the lease.
    LostLease,
    /// A port failed.
    Failed(PortError),
    /// The slice is over, or somebody wishes otherwise, in the middle of a page.
    Interrupted,
}

// === impl BulkError ===

impl Disposed for BulkError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Port(error) => error.disposition,
            Self::Contended => Disposition::Retry,
            Self::SingleSubject | Self::IdConflict(_) | Self::Control(_) => Disposition::Reject,
        }
    }
}

impl From<PortError> for Stop {
    fn from(error: PortError) -> Self {
        Self::Failed(error)
    }
}

// === impl BulkRevoker ===

impl BulkRevoker {
    /// Takes a request on, which the queue handed over first at `received_at`, and does the first slice of it. `message` is the
    /// same for every delivery of this message.
    pub async fn begin(
        &self,
        request: RevocationRequest,
        received_at: EpochMillis,
        message: &str,
    ) -> Result<(), BulkError> {
        if !request.sub_id.is_many() {
            return Err(BulkError::SingleSubject);
        }
        let job = BulkJob::new(request, received_at, self.settings.approval_above.is_some());
        match self.jobs.create(&job).await? {
            Some(standing) if standing.digest != job.digest => return Err(BulkError::IdConflict(job.id)),
            Some(_) => {}
            None if job.stage == Stage::AwaitingApproval => {
                tracing::warn!(job_id = %job.id, reason = %job.request.reason, "a bulk revocation waits for approval");
            }
            None => tracing::info!(job_id = %job.id, reason = %job.request.reason, "a bulk revocation begins"),
        }
        self.proceed(&job.id, message).await
    }

    /// Notes what somebody wishes of a job. Where it may go on now, somebody is told to.
    pub async fn steer(&self, request: &ControlRequest) -> Result<(), BulkError> {
        let job = self.jobs.load(&request.job_id).await?.ok_or(BadControl::NoSuchJob)?;
        for _ in 0..MOST_STEERS {
            let before = self.jobs.control(&job.id).await?;
            let Some(after) = before.after(request, &job.request, self.clock.now())? else {
                return Ok(self.queue.proceed(&job.id, Duration::ZERO).await?);
            };
            if self.jobs.steer(&job.id, &after).await?.is_ok() {
                tracing::info!(job_id = %job.id, action = ?request.action, "steered");
                return Ok(self.queue.proceed(&job.id, Duration::ZERO).await?);
            }
        }
        Err(BulkError::Contended)
    }

    /// Does one slice of a job's work, and has the next one done if there is more.
    pub async fn proceed(&self, id: &RevocationId, message: &str) -> Result<(), BulkError> {
        let Some(job) = self.jobs.load(id).await? else { return Err(BadControl::NoSuchJob.into()) };
        // Whoever has the lease goes on by itself: this message is one too many.
        let now = self.clock.now();
        let Some(leased) = job.leased_to(message, now, now.plus(LEASE)) else { return Ok(()) };
        let Ok(mut job) = self.jobs.save(&leased).await? else { return Ok(()) };
        let delay = match self.slice(&mut job).await {
            Ok(delay) => delay,
            Err(Stop::LostLease) => return Ok(()),
            Err(Stop::Interrupted) => Some(Duration::ZERO),
            Err(Stop::Failed(error)) => {
                // Redriven at once, it is another message.
                job.lease = None;
                let _ = self.jobs.save(&job).await?;
                return Err(error.into());
            }
            Err(Stop::Stalled(error)) => {
                job.stalls = job.stalls.saturating_add(1);
                let delay = stall(job.stalls);
                tracing::warn!(job_id = %id, %error, delay_s = delay.as_secs(), "stalled, will go on later");
                Some(delay)
            }
        };
        job.lease = None;
        let Ok(job) = self.jobs.save(&job).await? else { return Ok(()) };
        // Asked once more now that the lease is free: who steered in the last moment was told that we go on by ourselves.
        let rests = job.next(&self.jobs.control(id).await?) == Work::Rest;
        let delay = if rests { None } else { Some(delay.unwrap_or(Duration::ZERO)) };
        if let Some(delay) = delay {
            self.queue.proceed(id, delay).await?;
        }
        Ok(())
    }

    /// Works until the slice is over or there is nothing to do, which is `None`.
    async fn slice(&self, job: &mut BulkJob) -> Result<Option<Duration>, Stop> {
        let until = self.clock.now().plus(self.settings.slice);
        loop {
            let control = self.jobs.control(&job.id).await?;
            let work = job.next(&control);
            if work == Work::Rest {
                return Ok(None);
            }
            if self.clock.now() >= until {
                return Ok(Some(Duration::ZERO));
            }
            match work {
                Work::Count => self.count(job, until).await?,
                Work::List => self.list(job, until).await?,
                Work::LockOut(page) => self.lock_out(job, page).await?,
                Work::End(page) => self.end(job, page, until).await?,
                Work::CallOff(page) => self.call_off(job, page).await?,
                Work::NextPass => self.next_pass(job).await?,
                Work::Complete => self.complete(job, &control).await?,
                Work::Rest => return Ok(None),
            }
            job.stalls = 0;
        }
    }

    async fn next_pass(&self, job: &mut BulkJob) -> Result<(), Stop> {
        job.pass += 1;
        job.pages_before_pass = job.pages_listed;
        job.cursor = Some(Cursor::default());
        job.stage = Stage::LockingOut;
        self.save(job).await
    }

    /// Told before it is written down: a report made twice is better than none.
    async fn complete(&self, job: &mut BulkJob, control: &Control) -> Result<(), Stop> {
        let cancelled = control.wish == Wish::Cancel;
        job.stage = if cancelled { Stage::Cancelled } else { Stage::Completed };
        job.ended_at = Some(self.clock.now());
        let done = BulkRevocationCompleted::of(job, control);
        self.publisher.publish(&[Event::BulkRevocationCompleted(done)]).await?;
        tracing::info!(job_id = %job.id, tally = ?job.tally, stage = ?job.stage, "a bulk revocation is over");
        self.save(job).await
    }

    /// Saves how far the job has come, and keeps the lease.
    async fn save(&self, job: &mut BulkJob) -> Result<(), Stop> {
        if let Some(lease) = &mut job.lease {
            lease.until = self.clock.now().plus(LEASE);
        }
        *job = self.jobs.save(job).await?.map_err(|_| Stop::LostLease)?;
        Ok(())
    }
}

fn stall(stalls: u32) -> Duration {
    FIRST_STALL.saturating_mul(1 << stalls.saturating_sub(1).min(8)).min(LONGEST_STALL)
}
