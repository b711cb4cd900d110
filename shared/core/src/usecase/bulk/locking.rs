//! The first half for a page of members: their tombstones, many at once.

use futures_util::{StreamExt as _, stream};

use super::{BulkRevoker, Stop};
use crate::domain::bulk::{BulkJob, BulkPage, MemberFailure};
use crate::domain::disposition::{Disposed as _, Disposition};
use crate::domain::profile::Profile;
use crate::ports::PortError;
use crate::usecase::revoke::RevokeError;

/// Members at the same time. Each is four writes one after the other; DynamoDB takes thousands a second.
const AT_ONCE: usize = 64;

impl BulkRevoker {
    /// Tombstones everyone on the page. Done anew after a crash, which changes nothing for those who are done.
    pub(super) async fn lock_out(&self, job: &mut BulkJob, number: u32) -> Result<(), Stop> {
        let mut page = self.page(job, number).await?;
        let snapshot = job.clone();
        let locked: Vec<(Profile, Result<(), RevokeError>)> = stream::iter(page.members.clone())
            .map(|member| self.lock_out_one(&snapshot, member))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let (mut failures, mut outage) = (Vec::new(), None);
        for (member, result) in locked {
            match result {
                Ok(()) => {}
                Err(error) if error.disposition() == Disposition::Retry => outage = Some(port_error(&error)),
                // One bad member does not stop the rest; its revocation is tried once more when its sessions are ended.
                Err(error) => failures.push(failure(&member, &error)),
            }
        }
        // Everybody must be locked out before anybody is signed out, so there is no going on without these.
        if let Some(error) = outage {
            return Err(Stop::Stalled(error));
        }
        job.tally.locked_out += (page.members.len() - failures.len()) as u64;
        page.failures = failures;
        page.locked_out_at = Some(self.clock.now());
        self.jobs.put_page(&job.id, &page).await?;
        job.pages_locked_out = number;
        if job.cursor.is_none() && job.pages_locked_out == job.pages_listed {
            job.locked_out_at = job.locked_out_at.or(page.locked_out_at);
        }
        self.save(job).await
    }

    async fn lock_out_one(&self, job: &BulkJob, member: Profile) -> (Profile, Result<(), RevokeError>) {
        let locked = self.revoker.lock_out(job.member_request(&member.key), &member, job.received_at).await;
        (member, locked)
    }

    pub(super) async fn page(&self, job: &BulkJob, number: u32) -> Result<BulkPage, Stop> {
        let page = self.jobs.page(&job.id, number).await?;
        page.ok_or_else(|| Stop::Failed(PortError::retry("bulk:page", "page_missing")))
    }
}

pub(super) fn failure(member: &Profile, error: &RevokeError) -> MemberFailure {
    MemberFailure { subject: member.key.clone(), code: port_error(error).code }
}

/// The port's error behind a failure of the use case.
pub(super) fn port_error(error: &RevokeError) -> PortError {
    match error {
        RevokeError::Port(error) | RevokeError::Unfinished { why: error, .. } => error.clone(),
        RevokeError::IdConflict(_) => PortError::reject("bulk:member", "id_conflict"),
        RevokeError::ManySubjects | RevokeError::ForeignPool => {
            PortError::reject("bulk:member", "not_a_single_subject")
        }
    }
}
