//! Who belongs to a bulk revocation: pages are written down before anything is done to their members.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{BulkRevoker, Stop};
use crate::domain::account::{Account, AccountPage, AccountStatus};
use crate::domain::bulk::{
    BulkJob, BulkPage, Cursor, LIST_PART_ENTRIES, MOST_PAGE_MEMBERS, Stage, member_revocation_id,
};
use crate::domain::disposition::Disposition;
use crate::domain::end_date::EndDate;
use crate::domain::profile::{Profile, SubjectKey, UserPoolId};
use crate::domain::subject::SubjectIdentifier;
use crate::ports::PortError;

/// Searches at the same time; the pacer decides how many a second.
const SEARCHES: usize = 8;

/// What one look into the directory gave.
#[derive(Default)]
struct Found {
    members: Vec<Profile>,
    unknown: Vec<u32>,
    next: Option<Cursor>,
}

impl BulkRevoker {
    /// Counts the members, as far as it takes: with more than the limit, somebody must approve.
    pub(super) async fn count(&self, job: &mut BulkJob) -> Result<(), Stop> {
        let limit = self.settings.approval_above.unwrap_or(u64::MAX);
        let (mut count, mut cursor) = (0, Some(Cursor::default()));
        while let Some(at) = cursor {
            let found = self.look(job, &at).await?;
            count += found.members.len() as u64;
            cursor = found.next.filter(|_| count <= limit);
        }
        job.stage = if count > limit { Stage::AwaitingApproval } else { Stage::LockingOut };
        if job.stage == Stage::AwaitingApproval {
            tracing::warn!(job_id = %job.id, "a bulk revocation waits for approval");
        }
        self.save(job).await
    }

    /// Writes the next page down, unless nobody on it is new.
    pub(super) async fn list(&self, job: &mut BulkJob) -> Result<(), Stop> {
        job.stage = Stage::LockingOut;
        let Some(mut cursor) = job.cursor.clone() else { return Ok(()) };
        let (mut members, mut unknown) = (Vec::new(), Vec::new());
        // Several of Cognito's pages make one of ours, while there is room for another one.
        loop {
            let found = self.look(job, &cursor).await?;
            members.extend(found.members);
            unknown.extend(found.unknown);
            job.cursor.clone_from(&found.next);
            match found.next {
                Some(next) if members.len() + OF_COGNITO <= MOST_PAGE_MEMBERS => cursor = next,
                _ => break,
            }
        }
        let members = self.new_ones(job, members).await?;
        if !members.is_empty() || !unknown.is_empty() {
            let number = job.pages_listed + 1;
            job.tally.listed += members.len() as u64;
            job.tally.unknown += unknown.len() as u64;
            let page = BulkPage {
                number,
                pass: job.pass,
                members,
                unknown,
                listed_at: self.clock.now(),
                locked_out_at: None,
                ended_at: None,
                failures: Vec::new(),
            };
            self.jobs.put_page(&job.id, &page).await?;
            job.pages_listed = number;
        }
        self.save(job).await
    }

    /// Those of `members` whom no page has yet, each once.
    async fn new_ones(&self, job: &BulkJob, members: Vec<Profile>) -> Result<Vec<Profile>, Stop> {
        if members.is_empty() {
            return Ok(members);
        }
        let id_of = |member: &Profile| member_revocation_id(&job.id, &member.key);
        let ids: Vec<_> = members.iter().map(id_of).collect();
        let mut seen: BTreeSet<_> = self.begun.begun(&ids).await?.into_iter().collect();
        Ok(members.into_iter().filter(|member| seen.insert(id_of(member))).collect())
    }

    async fn look(&self, job: &BulkJob, cursor: &Cursor) -> Result<Found, Stop> {
        let pools = self.pools(job);
        let pool = || usize::try_from(cursor.at).ok().and_then(|at| pools.get(at));
        match &job.request.sub_id {
            SubjectIdentifier::List { list } => self.look_into_list(job, list, cursor.at).await,
            SubjectIdentifier::Group { group } => {
                let Some(pool) = pool() else { return Ok(Found::default()) };
                // A pool without the group has no members of it.
                let page =
                    self.ask(self.members.members(pool, group, cursor.after.as_deref())).await?.unwrap_or_default();
                Ok(in_pool(pool, page, cursor, pools.len(), |_| true))
            }
            SubjectIdentifier::Ended {} => {
                let Some(pool) = pool() else { return Ok(Found::default()) };
                let page = self.ask(self.members.accounts(pool, cursor.after.as_deref())).await?;
                Ok(in_pool(pool, page, cursor, pools.len(), |account| self.has_ended(account)))
            }
            // Refused before the job was made.
            _ => Ok(Found::default()),
        }
    }

    fn pools(&self, job: &BulkJob) -> Vec<UserPoolId> {
        let meant = |pool: &&UserPoolId| job.request.pools.is_empty() || job.request.pools.contains(pool);
        self.settings.pools.iter().filter(meant).cloned().collect()
    }

    /// One search, in turn. The adapter has tried it again where that may help.
    async fn ask<T>(&self, search: impl Future<Output = Result<T, PortError>>) -> Result<T, Stop> {
        self.searches.turn().await?;
        search.await.map_err(Stop::Stalled)
    }

    async fn look_into_list(&self, job: &BulkJob, list: &str, part: u32) -> Result<Found, Stop> {
        let Some(entries) = self.jobs.list_part(list, part).await? else { return Ok(Found::default()) };
        let first = part.saturating_mul(LIST_PART_ENTRIES) + 1;
        let lines: Vec<(u32, SubjectIdentifier)> = (first..).zip(entries).collect();
        let found: Vec<(u32, Vec<Profile>)> = stream::iter(lines)
            .map(|(line, entry)| self.look_for(job, line, entry))
            .buffered(SEARCHES)
            .try_collect()
            .await?;
        let unknown = found.iter().filter(|(_, meant)| meant.is_empty()).map(|(line, _)| *line).collect();
        let members = found.into_iter().flat_map(|(_, meant)| meant).collect();
        Ok(Found { members, unknown, next: Some(Cursor { at: part + 1, after: None }) })
    }

    async fn look_for(&self, job: &BulkJob, line: u32, entry: SubjectIdentifier) -> Result<(u32, Vec<Profile>), Stop> {
        self.searches.turn().await?;
        match self.resolver.resolve(&entry).await {
            Ok(mut found) => {
                found.retain(|profile| job.request.is_within_its_pools(&profile.key));
                Ok((line, found))
            }
            // An entry that can mean nobody is unknown; it must not keep the others from being revoked.
            Err(error) if error.disposition == Disposition::Reject => Ok((line, Vec::new())),
            Err(error) => Err(Stop::Stalled(error)),
        }
    }

    fn has_ended(&self, account: &Account) -> bool {
        let Some(attribute) = self.settings.end_date_attribute.as_deref() else { return false };
        let Some(text) = account.attribute(attribute) else { return false };
        let Ok(end) = EndDate::parse(text) else {
            // The token gate refuses such a date already (I6); disabling somebody because of a typing error is not ours.
            tracing::warn!(sub = %account.sub, "an end date cannot be read");
            return false;
        };
        account.enabled && end.is_some_and(|end| end.passed(self.clock.now().seconds()))
    }
}

/// Members of one page of Cognito's.
const OF_COGNITO: usize = 60;

fn in_pool(
    pool: &UserPoolId,
    page: AccountPage,
    cursor: &Cursor,
    pools: usize,
    is_meant: impl Fn(&Account) -> bool,
) -> Found {
    let members = page.accounts.iter().filter(|account| is_meant(account)).map(|account| profile(pool, account));
    let next_pool = cursor.at + 1;
    let next = match page.next {
        Some(after) => Some(Cursor { at: cursor.at, after: Some(after) }),
        None => {
            (usize::try_from(next_pool).is_ok_and(|at| at < pools)).then_some(Cursor { at: next_pool, after: None })
        }
    };
    Found { members: members.collect(), unknown: Vec::new(), next }
}

fn profile(pool: &UserPoolId, account: &Account) -> Profile {
    Profile {
        key: SubjectKey { user_pool_id: pool.clone(), sub: account.sub.clone() },
        username: account.username.clone(),
        federated: account.status == AccountStatus::Federated,
    }
}
