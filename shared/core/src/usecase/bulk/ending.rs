//! The second half for a page of members: sign-outs and what the policy adds, within the quota.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::locking::{failure, port_error};
use super::{BulkRevoker, Stop};
use crate::domain::audit::{AuditRecord, Outcome};
use crate::domain::bulk::{BulkJob, BulkPage, MemberFailure, Stage, Tally, Wish, member_revocation_id};
use crate::domain::disposition::{Disposed as _, Disposition};
use crate::domain::event::Event;
use crate::domain::profile::Profile;
use crate::domain::time::EpochMillis;
use crate::ports::PortError;
use crate::usecase::revoke::{RevocationOutcome, RevokeError};

/// How often progress is saved, and asked what people wish.
const PROGRESS: Duration = Duration::from_secs(1);
/// So many members in a row, fewer being left to chance, and it is the service that is out, not the members.
const OUTAGE_AFTER: usize = 8;
/// After so many stalled slices (half an hour) members that cannot be finished are left to `revoke`, however many.
const MOST_STALLS: u32 = 20;
/// The same for so few that it may be them and not the service.
const MOST_STALLS_OF_FEW: u32 = 3;
/// How often a page's members are tried before those that fail are left to `revoke`.
const ROUNDS: usize = 3;
/// Code of a member that was left to the function `revoke`.
const HANDED_OVER: &str = "handed_over";

/// What came of one member.
enum Ended {
    /// Nothing is left to do.
    Done,
    /// A step failed for good.
    Failed(MemberFailure),
    /// It may succeed later.
    Later(Profile, PortError),
    /// Not begun.
    Skipped,
}

/// What came of some members.
#[derive(Default)]
struct Round {
    tally: Tally,
    failures: Vec<MemberFailure>,
    /// Those to be tried again, and why the last of them is.
    later: Vec<Profile>,
    why: Option<PortError>,
    /// How many came to nothing in a row.
    in_a_row: usize,
    skipped: bool,
}

impl Round {
    fn is_outage(&self, job: &BulkJob) -> bool {
        self.in_a_row >= OUTAGE_AFTER && job.stalls < MOST_STALLS
    }

    fn add(&mut self, ended: Ended) {
        match ended {
            Ended::Later(member, error) => {
                self.in_a_row += 1;
                self.why = Some(error);
                self.later.push(member);
            }
            // Once an outage is noticed nobody else is tried, which says nothing of the service.
            Ended::Skipped => self.skipped = true,
            Ended::Done | Ended::Failed(_) if self.in_a_row < OUTAGE_AFTER => self.in_a_row = 0,
            Ended::Done | Ended::Failed(_) => {}
        }
    }
}

impl BulkRevoker {
    /// Ends the sessions of everyone on the page; done anew after an interruption, which is quick for those who are done.
    pub(super) async fn end(&self, job: &mut BulkJob, number: u32, until: EpochMillis) -> Result<(), Stop> {
        job.stage = Stage::Ending;
        let mut page = self.page(job, number).await?;
        let (mut tally, mut failures, mut members) = (Tally::default(), Vec::new(), page.members.clone());
        let mut why = None;
        for _ in 0..ROUNDS {
            let round = self.round(job, members, tally, until).await?;
            tally = round.tally;
            self.count_in(job, tally).await?;
            match round.why.clone() {
                Some(error) if round.is_outage(job) => return Err(Stop::Stalled(error)),
                _ if round.skipped => return Err(Stop::Interrupted),
                error => why = error,
            }
            failures.extend(round.failures);
            members = round.later;
            if members.is_empty() {
                break;
            }
        }
        // So few that it may be them, or the service.
        let all_fail = !members.is_empty() && members.len() == page.members.len();
        if let Some(error) = why.filter(|_| all_fail && job.stalls < MOST_STALLS_OF_FEW) {
            return Err(Stop::Stalled(error));
        }
        tally.handed_over = members.len() as u64;
        failures.extend(self.hand_over(job, members).await?);
        self.close(job, page_of(&mut page, failures, self.clock.now()), tally).await
    }

    /// Ends the sessions of `members`, many at a time, until the slice is over or somebody wishes otherwise.
    async fn round(
        &self,
        job: &mut BulkJob,
        members: Vec<Profile>,
        counted: Tally,
        until: EpochMillis,
    ) -> Result<Round, Stop> {
        let (stopped, snapshot) = (AtomicBool::new(false), job.clone());
        let mut round = Round { tally: counted, ..Round::default() };
        let (mut saved_at, mut saved) = (self.clock.now(), Ok(()));
        let ends = stream::iter(members).map(|member| self.end_one(&snapshot, member, &stopped));
        let mut ends = ends.buffer_unordered(self.settings.at_once.members);
        while let Some(ended) = ends.next().await {
            match &ended {
                Ended::Done => round.tally.ended += 1,
                Ended::Failed(failure) => {
                    round.tally.failed += 1;
                    round.failures.push(failure.clone());
                }
                Ended::Later(..) | Ended::Skipped => {}
            }
            round.add(ended);
            if round.is_outage(job) || self.clock.now() >= until {
                stopped.store(true, Ordering::Relaxed);
            }
            if saved.is_ok() && self.clock.now().since(saved_at) >= PROGRESS {
                saved_at = self.clock.now();
                let goes_on = self.progress(job, round.tally).await;
                if !matches!(goes_on, Ok(true)) {
                    stopped.store(true, Ordering::Relaxed);
                }
                // Those under way come to their end also where this has failed.
                saved = goes_on.map(drop);
            }
        }
        drop(ends);
        saved.map(|()| round)
    }

    /// Saves what is counted so far; answers whether people still wish the job to run.
    async fn progress(&self, job: &mut BulkJob, counted: Tally) -> Result<bool, Stop> {
        self.count_in(job, counted).await?;
        Ok(self.jobs.control(&job.id).await?.wish == Wish::Run)
    }

    /// Closes the tombstones of everyone on the page who was not signed out yet, after a cancellation.
    pub(super) async fn call_off(&self, job: &mut BulkJob, number: u32) -> Result<(), Stop> {
        job.stage = Stage::CallingOff;
        // Whoever has not been listed is never touched.
        job.cursor = None;
        let mut page = self.page(job, number).await?;
        let ids: Vec<_> = page.members.iter().map(|member| member_revocation_id(&job.id, &member.key)).collect();
        let begun = self.begun.begun(&ids).await?;
        let snapshot = job.clone();
        let is_begun = |member: &Profile| begun.contains(&member_revocation_id(&snapshot.id, &member.key));
        let members: Vec<Profile> = page.members.iter().filter(|member| is_begun(member)).cloned().collect();
        let ends = stream::iter(members).map(|member| self.call_off_one(&snapshot, member));
        // All of them, also when one has failed: nobody is left in the middle of it.
        let ends: Vec<_> = ends.buffer_unordered(self.settings.at_once.members).collect().await;
        let (mut tally, mut failures) = (Tally::default(), Vec::new());
        tally.called_off = (page.members.len() - begun.len()) as u64;
        for (member, result) in ends {
            match result {
                Ok(outcome) if outcome.records().all(was_called_off) => tally.called_off += 1,
                Ok(outcome) => match outcome.records().find_map(failed_step) {
                    Some(code) => {
                        tally.failed += 1;
                        failures.push(MemberFailure { subject: member.key, code });
                    }
                    None => tally.ended += 1,
                },
                Err(error) if error.disposition() == Disposition::Retry => {
                    return Err(Stop::Stalled(port_error(&error)));
                }
                Err(error) => {
                    tally.failed += 1;
                    failures.push(failure(&member, &error));
                }
            }
        }
        self.close(job, page_of(&mut page, failures, self.clock.now()), tally).await
    }

    async fn call_off_one(&self, job: &BulkJob, member: Profile) -> (Profile, Result<RevocationOutcome, RevokeError>) {
        let called_off = self.revoker.call_off(job.member_request(&member.key), &member, job.received_at).await;
        (member, called_off)
    }

    async fn end_one(&self, job: &BulkJob, member: Profile, stopped: &AtomicBool) -> Ended {
        if stopped.load(Ordering::Relaxed) {
            return Ended::Skipped;
        }
        match self.revoker.revoke(job.member_request(&member.key), job.received_at).await {
            // Also of what an earlier try has recorded: what failed then has failed.
            Ok(outcome) => match outcome.records().find_map(failed_step) {
                Some(code) => Ended::Failed(MemberFailure { subject: member.key, code }),
                None => Ended::Done,
            },
            Err(error) if error.disposition() == Disposition::Retry => {
                let error = port_error(&error);
                tracing::warn!(%error, job_id = %job.id, subject = %member.key, "not ended yet");
                Ended::Later(member, error)
            }
            Err(error) => Ended::Failed(failure(&member, &error)),
        }
    }

    /// Leaves members to `revoke`, whose queue tries them for longer, and then parks them with an alarm (I7). It goes on from
    /// the step that is missing.
    async fn hand_over(&self, job: &BulkJob, members: Vec<Profile>) -> Result<Vec<MemberFailure>, Stop> {
        let events: Vec<_> =
            members.iter().map(|member| Event::RevocationRequested(job.member_request(&member.key))).collect();
        if !events.is_empty() {
            tracing::warn!(job_id = %job.id, members = events.len(), "left to the function revoke");
            self.publisher.publish(&events).await?;
        }
        let left = |member: Profile| MemberFailure { subject: member.key, code: HANDED_OVER.into() };
        Ok(members.into_iter().map(left).collect())
    }

    /// Puts what this run of the page has counted in the place of what an earlier run had.
    async fn count_in(&self, job: &mut BulkJob, counted: Tally) -> Result<(), Stop> {
        job.tally = job.tally.minus(job.in_page).plus(counted);
        job.in_page = counted;
        self.save(job).await
    }

    async fn close(&self, job: &mut BulkJob, page: &BulkPage, tally: Tally) -> Result<(), Stop> {
        self.jobs.put_page(&job.id, page).await?;
        job.tally = job.tally.minus(job.in_page).plus(tally);
        job.in_page = Tally::default();
        job.pages_ended = page.number;
        self.save(job).await
    }
}

fn page_of(page: &mut BulkPage, failures: Vec<MemberFailure>, at: EpochMillis) -> &BulkPage {
    // Who could not be tombstoned is in it already, and stands in the new list if it failed again.
    page.failures = failures;
    page.ended_at = Some(at);
    page
}

fn failed_step(record: &AuditRecord) -> Option<String> {
    let step = record.steps.iter().find(|step| step.outcome.is_failed())?;
    Some(format!("{}_failed", step.step.as_str()))
}

fn was_called_off(record: &AuditRecord) -> bool {
    record.outcome == Outcome::Cancelled
}
