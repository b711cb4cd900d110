//! Who belongs to a bulk revocation: pages are written down before anything is done to their members.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};

use super::{BulkRevoker, Stop};
use crate::domain::account::{Account, AccountPage, AccountStatus};
use crate::domain::bulk::{
    BulkJob, BulkPage, Counted, Cursor, LIST_PART_ENTRIES, MOST_PAGE_MEMBERS, Stage, member_revocation_id,
};
use crate::domain::disposition::Disposition;
use crate::domain::end_date::EndDate;
use crate::domain::profile::{Profile, SubjectKey, UserPoolId};
use crate::domain::subject::SubjectIdentifier;
use crate::domain::time::EpochMillis;
use crate::ports::{MEANS_NO_ACCOUNT, PortError};

/// Looks at most between two saves: a few seconds' work at the usual share of the quota.
const MOST_LOOKS: usize = 60;
/// Members of one page of Cognito's.
const OF_COGNITO: usize = 60;
/// What is named when there is nobody to look for.
const LIST_MEMBERS: &str = "cognito-idp:ListUsersInGroup";
const NO_SUCH_GROUP: &str = "no_such_group";
const READ_LIST: &str = "dynamodb:GetItem";
/// Cognito's code for a value that it takes for no value of the attribute.
const BAD_VALUE: &str = "invalid_parameter";

/// What some looks into the directory gave.
#[derive(Default)]
struct Found {
    members: Vec<Profile>,
    unknown: Vec<u32>,
    next: Option<Cursor>,
}

impl Found {
    fn len(&self) -> usize {
        self.members.len() + self.unknown.len()
    }
}

impl BulkRevoker {
    /// Counts the members, as far as it takes: with more than the limit, somebody must approve.
    pub(super) async fn count(&self, job: &mut BulkJob, until: EpochMillis) -> Result<(), Stop> {
        let limit = self.settings.approval_above.unwrap_or(u64::MAX);
        let Counted { members, next } = job.counted.clone().unwrap_or_default();
        let over = usize::try_from(limit.saturating_sub(members)).unwrap_or(usize::MAX).saturating_add(1);
        let found = self.look_on(job, next, over, until).await?;
        // Of a pool that was begun anew some are counted twice: an approval too many is better than one too few.
        let members = members + found.members.len() as u64;
        job.counted = found.next.filter(|_| members <= limit).map(|next| Counted { members, next });
        if job.counted.is_none() {
            job.stage = if members > limit { Stage::AwaitingApproval } else { Stage::LockingOut };
        }
        if job.stage == Stage::AwaitingApproval {
            tracing::warn!(job_id = %job.id, "a bulk revocation waits for approval");
        }
        self.save(job).await
    }

    /// Writes the next page down, unless nobody on it is new. Only then does the cursor move on: whom a look has found is not
    /// found again.
    pub(super) async fn list(&self, job: &mut BulkJob, until: EpochMillis) -> Result<(), Stop> {
        job.stage = Stage::LockingOut;
        let Some(cursor) = job.cursor.clone() else { return Ok(()) };
        // Several of Cognito's pages make one of ours, while there is room for another one.
        let Found { members, unknown, next } =
            self.look_on(job, cursor, MOST_PAGE_MEMBERS - OF_COGNITO + 1, until).await?;
        let members = self.new_ones(job, members).await?;
        if !members.is_empty() || !unknown.is_empty() {
            let number = job.pages_listed + 1;
            let (listed, unknown_entries) = (members.len() as u64, unknown.len() as u64);
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
            job.tally.listed += listed;
            job.tally.unknown += unknown_entries;
            job.pages_listed = number;
        }
        job.cursor = next;
        self.save(job).await
    }

    /// Looks from `cursor` on until it has found `enough`, or looked often enough for one save, or the slice is over. What was
    /// found before a failure counts: the next look meets the failure again.
    async fn look_on(
        &self,
        job: &mut BulkJob,
        cursor: Cursor,
        enough: usize,
        until: EpochMillis,
    ) -> Result<Found, Stop> {
        let mut found = match self.look(job, &cursor, until).await {
            Err(Stop::Failed(error)) if error.code == NO_SUCH_GROUP => {
                // Redriven, it is asked for in every pool again.
                (job.cursor, job.counted) = (Some(Cursor::default()), None);
                self.save(job).await?;
                return Err(Stop::Failed(error));
            }
            looked => looked?,
        };
        for _ in 1..MOST_LOOKS {
            let Some(next) = found.next.as_ref().filter(|_| found.len() < enough && self.clock.now() < until) else {
                break;
            };
            let Ok(more) = self.look(job, next, until).await else { break };
            found.members.extend(more.members);
            found.unknown.extend(more.unknown);
            found.next = more.next;
        }
        Ok(found)
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

    async fn look(&self, job: &BulkJob, cursor: &Cursor, until: EpochMillis) -> Result<Found, Stop> {
        if let SubjectIdentifier::List { list } = &job.request.sub_id {
            return self.look_into_list(job, list, cursor, until).await;
        }
        match self.look_into_pool(job, cursor).await {
            // The directory's own cursors expire, and a paused job may be older.
            Err(Stop::Failed(error)) if is_refused(&error) && cursor.after.is_some() && !cursor.restarted => {
                tracing::warn!(%error, job_id = %job.id, "a pool is listed from its start again");
                let next = Some(Cursor { at: cursor.at, after: None, restarted: true, met: cursor.met });
                Ok(Found { next, ..Found::default() })
            }
            looked => looked,
        }
    }

    async fn look_into_pool(&self, job: &BulkJob, cursor: &Cursor) -> Result<Found, Stop> {
        let pools = self.pools(job);
        let Some(pool) = usize::try_from(cursor.at).ok().and_then(|at| pools.get(at)) else {
            return Ok(Found::default());
        };
        let after = cursor.after.as_deref();
        match &job.request.sub_id {
            SubjectIdentifier::Group { group } => {
                // A pool without the group has no members of it; if none has it, the request means nobody, by a typing error
                // or because the group was deleted too early. A later pass knows that there was one.
                let page = self.ask(self.members.members(pool, group, after)).await?;
                let cursor = Cursor { met: cursor.met || page.is_some(), ..cursor.clone() };
                let found = in_pool(pool, page.unwrap_or_default(), &cursor, pools.len(), |_| true);
                if found.next.is_none() && !cursor.met && job.pass <= 1 {
                    return Err(Stop::Failed(PortError::reject(LIST_MEMBERS, NO_SUCH_GROUP)));
                }
                Ok(found)
            }
            SubjectIdentifier::Ended {} => {
                let page = self.ask(self.members.accounts(pool, after)).await?;
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
        search.await.map_err(out_or_refused)
    }

    /// Entries of one part, from where the cursor is until the slice is over.
    async fn look_into_list(
        &self,
        job: &BulkJob,
        list: &str,
        cursor: &Cursor,
        until: EpochMillis,
    ) -> Result<Found, Stop> {
        let Some(entries) = self.jobs.list_part(list, cursor.at).await? else {
            if cursor.at == 0 {
                return Err(Stop::Failed(PortError::reject(READ_LIST, "no_such_list")));
            }
            return Ok(Found::default());
        };
        let first = cursor.at.saturating_mul(LIST_PART_ENTRIES) + 1;
        let from = cursor.after.as_deref().and_then(|after| after.parse().ok()).unwrap_or(0);
        let of_part = entries.len();
        let in_time = |n: usize| n == from || self.clock.now() < until;
        let lines = (first..).zip(entries).enumerate().skip(from).take_while(|(n, _)| in_time(*n));
        let looks = lines.map(|(_, (line, entry))| self.look_for(job, line, entry));
        let mut looks = stream::iter(looks).buffered(self.settings.at_once.searches);
        let (mut found, mut done) = (Found::default(), from);
        while let Some(looked) = looks.next().await {
            match looked {
                Ok((line, meant)) if meant.is_empty() => found.unknown.push(line),
                Ok((_, meant)) => found.members.extend(meant),
                Err(stop) if done == from => return Err(stop),
                Err(_) => break,
            }
            done += 1;
        }
        found.next = Some(if done < of_part {
            Cursor { at: cursor.at, after: Some(done.to_string()), ..Cursor::default() }
        } else {
            Cursor { at: cursor.at + 1, ..Cursor::default() }
        });
        Ok(found)
    }

    /// A turn for each search that it takes: one a pool, and as many spellings as there are.
    async fn look_for(&self, job: &BulkJob, line: u32, entry: SubjectIdentifier) -> Result<(u32, Vec<Profile>), Stop> {
        for _ in 0..self.resolver.searches(&entry) {
            self.searches.turn().await?;
        }
        match self.resolver.resolve(&entry).await {
            Ok(mut found) => {
                found.retain(|profile| job.request.is_within_its_pools(&profile.key));
                Ok((line, found))
            }
            // An entry that can mean nobody is unknown; it must not keep the others from being revoked.
            Err(error) if is_of_the_entry(&error) => Ok((line, Vec::new())),
            Err(error) => Err(out_or_refused(error)),
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

fn is_refused(error: &PortError) -> bool {
    error.disposition == Disposition::Reject
}

/// Refused for what the entry is, not for what we may do.
fn is_of_the_entry(error: &PortError) -> bool {
    is_refused(error) && (error.code == BAD_VALUE || MEANS_NO_ACCOUNT.contains(&error.code.as_str()))
}

/// What is refused for good is refused later, too: somebody must look (I7).
fn out_or_refused(error: PortError) -> Stop {
    if is_refused(&error) { Stop::Failed(error) } else { Stop::Stalled(error) }
}

fn in_pool(
    pool: &UserPoolId,
    page: AccountPage,
    cursor: &Cursor,
    pools: usize,
    is_meant: impl Fn(&Account) -> bool,
) -> Found {
    let members = page.accounts.iter().filter(|account| is_meant(account)).map(|account| profile(pool, account));
    let next_pool = cursor.at + 1;
    let next = if page.next.is_some() {
        Some(Cursor { after: page.next, ..cursor.clone() })
    } else {
        let next = Cursor { at: next_pool, met: cursor.met, ..Cursor::default() };
        usize::try_from(next_pool).is_ok_and(|at| at < pools).then_some(next)
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
