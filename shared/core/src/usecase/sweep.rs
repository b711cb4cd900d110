//! Finds requests that were begun and not finished, and has them delivered again. It runs every few minutes; two runs at
//! once are as good as one, because a redelivery is written down before it is made, and only once.
//!
//! Why nothing is missed: a tombstone is raised only after `started` is written, under the same id (I2 needs its cutoff), so
//! every tombstone that still waits for its seal belongs to a start without a finish, and every start is in the index of what
//! began. Tombstones are not scanned: only those of such requests are read.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::audit_chain::day_plus;
use crate::domain::disposition::Disposition;
use crate::domain::revocation_id::RevocationId;
use crate::domain::sweep::{OpenTrail, Remedy};
use crate::domain::time::EpochMillis;
use crate::ports::{
    BegunRequest, Clock, JobReader, PortError, Redeliverer, RedeliveryLog, RequestIndex, TombstoneReader,
};

/// An ordinary run looks back this far.
const RECENT: Duration = Duration::from_hours(3);
/// The first runs of an hour look back this far: for what was received long before it was begun.
const HOURLY: Duration = Duration::from_hours(48);
/// Those of one hour of the day look back this far: a message lives 4 days on the queue and 14 among the dead letters.
const DAILY: Duration = Duration::from_hours(18 * 24);
/// That hour, UTC.
const DAILY_AT: i64 = 3;
/// So long into an hour a run counts as one of its first.
const FIRST: Duration = Duration::from_mins(10);

/// The ports and settings of the sweeper.
pub struct Sweeper {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What has begun, and what was finished.
    pub index: Arc<dyn RequestIndex>,
    /// What was redelivered.
    pub log: Arc<dyn RedeliveryLog>,
    /// Tombstones, of which only those of open requests are asked for.
    pub tombstones: Arc<dyn TombstoneReader>,
    /// Bulk revocations, which look after their members themselves.
    pub jobs: Arc<dyn JobReader>,
    /// Redelivers.
    pub queue: Arc<dyn Redeliverer>,
    /// A request that has been quiet for so long has lost its message; longer than a message is tried for.
    pub quiet: Duration,
    /// A run ends by itself after so long.
    pub budget: Duration,
}

/// What a run found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Requests that were looked at.
    pub looked_at: u64,
    /// Of these, those without an outcome that have been quiet for too long and are nobody else's.
    pub without_outcome: u64,
    /// Subjects of these with a tombstone that is not sealed.
    pub unsealed: u64,
    /// How long ago the oldest of those tombstones was written.
    pub oldest_unsealed: Duration,
    /// Requests that are a bulk revocation's to finish.
    pub of_jobs: u64,
    /// Requests that were put on the queue again.
    pub redelivered: u64,
    /// Requests that were not, because they may lie among the dead letters.
    pub held_back: u64,
    /// Requests that were put there as often as may be, and are given up now.
    pub given_up: u64,
    /// Requests that could not be looked at.
    pub failed: u64,
    /// Whether it ran out of time.
    pub unfinished: bool,
}

/// One run.
struct Run<'a> {
    sweeper: &'a Sweeper,
    began: EpochMillis,
    sweep: Sweep,
    seen: BTreeSet<RevocationId>,
    /// Asked once, when the first request would be redelivered.
    parked: Option<u64>,
    failure: Option<PortError>,
}

// === impl Sweeper ===

impl Sweeper {
    /// Looks at everything that is due to be looked at. A failure of one request does not keep the others from being looked
    /// at: what was found is told together with it.
    pub async fn run(&self) -> (Sweep, Result<(), PortError>) {
        let began = self.clock.now();
        let sweep = Sweep::default();
        let mut run = Run { sweeper: self, began, sweep, seen: BTreeSet::new(), parked: None, failure: None };
        let result = run.go().await;
        (run.sweep, result.and(run.failure.map_or(Ok(()), Err)))
    }
}

// === impl Run ===

impl Run<'_> {
    async fn go(&mut self) -> Result<(), PortError> {
        // What was found once is looked at every time, until it is finished.
        let known = self.sweeper.index.redelivered(before(self.began, DAILY)).await?;
        self.look_at(known).await?;
        let since = before(self.began, look_back(self.began));
        let until = before(self.began, self.sweeper.quiet);
        for day in days(since, until) {
            let mut last: Option<BegunRequest> = None;
            loop {
                if self.sweeper.clock.now().since(self.began) >= self.sweeper.budget {
                    self.sweep.unfinished = true;
                    return Ok(());
                }
                let begun = self.sweeper.index.begun(&day, (since, until), last.as_ref()).await?;
                last = begun.last().cloned();
                if last.is_none() {
                    break;
                }
                self.look_at(begun.into_iter().map(|begun| begun.id).collect()).await?;
            }
        }
        Ok(())
    }

    async fn look_at(&mut self, ids: Vec<RevocationId>) -> Result<(), PortError> {
        let ids: Vec<RevocationId> = ids.into_iter().filter(|id| self.seen.insert(id.clone())).collect();
        self.sweep.looked_at += ids.len() as u64;
        let finished: BTreeSet<RevocationId> = self.sweeper.index.finished(&ids).await?.into_iter().collect();
        for id in ids.iter().filter(|id| !finished.contains(*id)) {
            if let Err(error) = self.one(id).await {
                tracing::error!(revocation_id = %id, %error, "could not be looked at");
                self.sweep.failed += 1;
                // One that may pass decides: the run is tried again then.
                let passes = |error: &PortError| error.disposition == Disposition::Retry;
                self.failure = Some(self.failure.take().filter(passes).unwrap_or(error));
            }
        }
        Ok(())
    }

    async fn one(&mut self, id: &RevocationId) -> Result<(), PortError> {
        let Some(open) = self.sweeper.index.open(id).await?.filter(|open| !open.trail.is_finished()) else {
            return Ok(());
        };
        let since = match self.job_of(&open.trail).await? {
            Job::Goes => {
                self.sweep.of_jobs += 1;
                return Ok(());
            }
            Job::Ended(at) => at.max(Some(open.trail.last_heard_of())),
        };
        let now = self.sweeper.clock.now();
        if since.is_some_and(|since| now.since(since) < self.sweeper.quiet) {
            return Ok(());
        }
        self.count_unsealed(&open.trail, now).await?;
        if open.given_up {
            return Ok(());
        }
        self.sweep.without_outcome += 1;
        match open.remedy(now, self.sweeper.quiet) {
            Remedy::Wait => Ok(()),
            Remedy::Redeliver(number) => self.redeliver(&open.trail, number, now).await,
            Remedy::GiveUp => {
                self.sweep.given_up += u64::from(self.sweeper.log.give_up(id, now).await?);
                Ok(())
            }
        }
    }

    /// Whose the request is. A job that is paused, waits for approval or is at work will come to it; one that is over may have
    /// left it to `revoke`, and one that is gone certainly has.
    async fn job_of(&self, trail: &OpenTrail) -> Result<Job, PortError> {
        let Some(id) = trail.job() else { return Ok(Job::Ended(None)) };
        let Some((job, _)) = self.sweeper.jobs.job(&id).await? else { return Ok(Job::Ended(None)) };
        Ok(if job.is_over() { Job::Ended(job.ended_at) } else { Job::Goes })
    }

    /// Those of its tombstones that wait for its seal. Another revocation may have taken one over since, and sealed it.
    async fn count_unsealed(&mut self, trail: &OpenTrail, now: EpochMillis) -> Result<(), PortError> {
        for (subject, at) in trail.subjects() {
            let tombstone = self.sweeper.tombstones.read(&subject).await?;
            if tombstone.is_some_and(|it| !it.sealed && it.revocation_id.as_ref() == Some(trail.id())) {
                self.sweep.unsealed += 1;
                self.sweep.oldest_unsealed = self.sweep.oldest_unsealed.max(now.since(at));
            }
        }
        Ok(())
    }

    /// Written down first: a crash in between costs one of its redeliveries, the other way round it would have no bound.
    async fn redeliver(&mut self, trail: &OpenTrail, number: usize, now: EpochMillis) -> Result<(), PortError> {
        if self.parked().await? > 0 {
            self.sweep.held_back += 1;
            return Ok(());
        }
        if !self.sweeper.log.claim(trail.id(), number, now).await? {
            return Ok(());
        }
        self.sweeper.queue.redeliver(trail).await?;
        self.sweep.redelivered += 1;
        tracing::warn!(revocation_id = %trail.id(), number, "begun and not finished: put on the queue again");
        Ok(())
    }

    /// As long as something lies among the dead letters, somebody has been told, and decides what is redriven.
    async fn parked(&mut self) -> Result<u64, PortError> {
        let parked = match self.parked {
            Some(parked) => parked,
            None => self.sweeper.queue.parked().await?,
        };
        self.parked = Some(parked);
        Ok(parked)
    }
}

/// Whether a bulk revocation still looks after a request; if not, when it stopped, where there was one.
enum Job {
    Goes,
    Ended(Option<EpochMillis>),
}

fn look_back(now: EpochMillis) -> Duration {
    let of_day = now.seconds().0.rem_euclid(86_400);
    let is_first = of_day.rem_euclid(3_600) < i64::try_from(FIRST.as_secs()).unwrap_or(i64::MAX);
    match is_first {
        true if of_day.div_euclid(3_600) == DAILY_AT => DAILY,
        true => HOURLY,
        false => RECENT,
    }
}

/// The UTC days between two times, the first one first.
fn days(since: EpochMillis, until: EpochMillis) -> Vec<String> {
    let (first, last) = (since.utc_day(), until.utc_day());
    let days = (0..).map_while(|n| day_plus(&first, n));
    days.take_while(|day| *day <= last).collect()
}

fn before(at: EpochMillis, by: Duration) -> EpochMillis {
    EpochMillis(at.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)).max(0))
}
