//! Bulk revocations in memory, beside an account in memory: its faults strike here too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use revocation_core::domain::account::{Account, AccountPage, AccountStatus};
use revocation_core::domain::bulk::{BulkJob, BulkPage, Control};
use revocation_core::domain::profile::{Profile, SubjectKey, UserPoolId};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{BegunReader, BulkJobs, Conflict, JobQueue, JobReader, MemberDirectory, Pacer, PortError};

use crate::cloud::{FakeCloud, POOL};

/// Members of one page of the directory: small, so that a few people make several pages.
const PAGE: usize = 3;

/// Jobs, groups and lists.
pub struct FakeBulk {
    cloud: Arc<FakeCloud>,
    state: Mutex<State>,
}

/// What is in it.
#[derive(Default)]
pub struct State {
    /// Members by group, by user name.
    pub groups: BTreeMap<String, Vec<String>>,
    /// End dates by user name.
    pub end_dates: BTreeMap<String, String>,
    /// Jobs.
    pub jobs: BTreeMap<RevocationId, BulkJob>,
    /// Pages by job and number.
    pub pages: BTreeMap<(RevocationId, u32), BulkPage>,
    /// What people wish.
    pub controls: BTreeMap<RevocationId, Control>,
    /// Parts of lists, by list and number.
    pub lists: BTreeMap<(String, u32), Vec<SubjectIdentifier>>,
    /// Jobs that have work due, with how long they wait.
    pub due: Vec<(RevocationId, Duration)>,
    /// Turns that were drawn.
    pub turns: usize,
}

// === impl FakeBulk ===

impl FakeBulk {
    /// Nothing yet.
    #[must_use]
    pub fn new(cloud: Arc<FakeCloud>) -> Self {
        Self { cloud, state: Mutex::default() }
    }

    /// Looks into it.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Adds a user to the pool and to a group.
    pub fn add_member(&self, group: &str, name: &str) -> SubjectKey {
        let key = self.cloud.add_user(name);
        self.state().groups.entry(group.to_owned()).or_default().push(name.to_owned());
        key
    }

    fn call<T>(&self, name: &'static str, effect: impl FnOnce(&mut State) -> T) -> Result<T, PortError> {
        self.cloud.call(name, "", |_| effect(&mut self.state()))
    }

    fn accounts_of(&self, is_meant: impl Fn(&str) -> bool, after: Option<&str>) -> AccountPage {
        let ends = self.state().end_dates.clone();
        let users: Vec<Profile> = self.cloud.state().users.iter().map(|(_, profile)| profile.clone()).collect();
        let meant: Vec<Profile> = users.into_iter().filter(|profile| is_meant(&profile.username)).collect();
        let from: usize = after.map_or(0, |after| after.parse().unwrap());
        let next = (from + PAGE < meant.len()).then(|| (from + PAGE).to_string());
        let accounts = meant.iter().skip(from).take(PAGE).map(|profile| account(profile, ends.get(&profile.username)));
        AccountPage { accounts: accounts.collect(), next }
    }
}

fn account(profile: &Profile, end: Option<&String>) -> Account {
    Account {
        sub: profile.key.sub.clone(),
        username: profile.username.clone(),
        enabled: true,
        status: if profile.federated { AccountStatus::Federated } else { AccountStatus::Local },
        attributes: end.map(|end| ("custom:project_end_date".to_owned(), end.clone())).into_iter().collect(),
        created: EpochMillis(0),
        modified: EpochMillis(0),
    }
}

#[async_trait]
impl BulkJobs for FakeBulk {
    async fn create(&self, job: &BulkJob) -> Result<Option<BulkJob>, PortError> {
        self.call("create_job", |state| {
            let standing = state.jobs.get(&job.id).cloned();
            state.jobs.entry(job.id.clone()).or_insert_with(|| job.clone());
            standing
        })
    }

    async fn load(&self, id: &RevocationId) -> Result<Option<BulkJob>, PortError> {
        self.call("load_job", |state| state.jobs.get(id).cloned())
    }

    async fn save(&self, job: &BulkJob) -> Result<Result<BulkJob, Conflict>, PortError> {
        self.call("save_job", |state| {
            if state.jobs.get(&job.id).is_none_or(|standing| standing.version != job.version) {
                return Err(Conflict);
            }
            let next = BulkJob { version: job.version + 1, ..job.clone() };
            state.jobs.insert(job.id.clone(), next.clone());
            Ok(next)
        })
    }

    async fn put_page(&self, id: &RevocationId, page: &BulkPage) -> Result<(), PortError> {
        self.call("put_page", |state| drop(state.pages.insert((id.clone(), page.number), page.clone())))
    }

    async fn page(&self, id: &RevocationId, number: u32) -> Result<Option<BulkPage>, PortError> {
        self.call("page", |state| state.pages.get(&(id.clone(), number)).cloned())
    }

    async fn control(&self, id: &RevocationId) -> Result<Control, PortError> {
        self.call("control", |state| state.controls.get(id).cloned().unwrap_or_default())
    }

    async fn steer(&self, id: &RevocationId, control: &Control) -> Result<Result<(), Conflict>, PortError> {
        self.call("steer", |state| {
            if state.controls.get(id).map_or(0, |standing| standing.version) != control.version {
                return Err(Conflict);
            }
            let next = Control { version: control.version + 1, ..control.clone() };
            state.controls.insert(id.clone(), next);
            Ok(())
        })
    }

    async fn list_part(&self, list: &str, part: u32) -> Result<Option<Vec<SubjectIdentifier>>, PortError> {
        self.call("list_part", |state| state.lists.get(&(list.to_owned(), part)).cloned())
    }
}

#[async_trait]
impl JobReader for FakeBulk {
    async fn job(&self, id: &RevocationId) -> Result<Option<(BulkJob, Control)>, PortError> {
        let Some(job) = self.load(id).await? else { return Ok(None) };
        Ok(Some((job, self.control(id).await?)))
    }

    async fn page(&self, id: &RevocationId, number: u32) -> Result<Option<BulkPage>, PortError> {
        BulkJobs::page(self, id, number).await
    }
}

#[async_trait]
impl MemberDirectory for FakeBulk {
    async fn members(
        &self,
        pool: &UserPoolId,
        group: &str,
        after: Option<&str>,
    ) -> Result<Option<AccountPage>, PortError> {
        let members = self.call("members", |state| state.groups.get(group).cloned())?;
        let in_pool = pool.0 == POOL;
        Ok(members.filter(|_| in_pool).map(|members| self.accounts_of(|name| members.iter().any(|m| m == name), after)))
    }

    async fn accounts(&self, _: &UserPoolId, after: Option<&str>) -> Result<AccountPage, PortError> {
        self.call("accounts", |_| ())?;
        Ok(self.accounts_of(|_| true, after))
    }
}

#[async_trait]
impl BegunReader for FakeBulk {
    async fn begun(&self, ids: &[RevocationId]) -> Result<Vec<RevocationId>, PortError> {
        self.cloud.call("begun", "", |state| ids.iter().filter(|id| state.trails.contains_key(id)).cloned().collect())
    }
}

#[async_trait]
impl Pacer for FakeBulk {
    async fn turn(&self) -> Result<(), PortError> {
        self.call("turn", |state| state.turns += 1)
    }
}

#[async_trait]
impl JobQueue for FakeBulk {
    async fn proceed(&self, job: &RevocationId, delay: Duration) -> Result<(), PortError> {
        self.call("proceed", |state| state.due.push((job.clone(), delay)))
    }
}
