//! An account in memory: a user pool, the tombstones, the audit trail and the bus, with faults on order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use revocation_core::domain::action::ActionTrail;
use revocation_core::domain::audit::{AuditRecord, Started, StepRecord, Trail};
use revocation_core::domain::event::Event;
use revocation_core::domain::profile::{Profile, SubjectKey, UserPoolId};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::session::{SessionCutoff, SessionRecord};
use revocation_core::domain::time::EpochMillis;
use revocation_core::domain::tombstone::{Cutoff, Raised, Seal, Sealed, Tombstone};
use revocation_core::ports::{
    AccountLocker, Acted, AuditLog, Begun, DeviceForgetter, EventPublisher, PortError, SessionLedger,
    SessionTerminator, TombstoneReader, TombstoneWriter,
};

use crate::clock::FakeClock;

mod resolver;

/// The pool all users are in.
pub const POOL: &str = "eu-central-1_TEST";

/// The account.
#[derive(Default)]
pub struct FakeCloud {
    /// Time. Every call to the cloud takes 100 ms of it, so that steps can be told apart.
    pub clock: Arc<FakeClock>,
    state: Mutex<State>,
}

/// What is in it.
#[derive(Default)]
pub struct State {
    /// Users by e-mail address.
    pub users: Vec<(String, Profile)>,
    /// Tombstones.
    pub tombstones: BTreeMap<SubjectKey, Tombstone>,
    /// The session ledger, with the revocation that ended each.
    pub sessions: BTreeMap<SubjectKey, Vec<(SessionRecord, Option<RevocationId>)>>,
    /// Pools that cannot be searched.
    pub unsearchable: BTreeSet<UserPoolId>,
    /// Audit trails.
    pub trails: BTreeMap<RevocationId, Trail>,
    /// Trails of actions on accounts.
    pub action_trails: BTreeMap<RevocationId, ActionTrail>,
    /// Groups by user name.
    pub groups: BTreeMap<String, Vec<String>>,
    /// User names of accounts that are disabled.
    pub disabled: BTreeSet<String>,
    /// What was published.
    pub events: Vec<Event>,
    /// Every call that took effect, in order: `raise`, `sign_out alice` …
    pub calls: Vec<String>,
    /// Faults, by call name: each is used up by one call. `Lost` lets the call take effect first.
    pub faults: BTreeMap<&'static str, VecDeque<Fault>>,
}

/// What goes wrong with one call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// It fails without effect.
    Fails(PortError),
    /// It takes effect, but its answer is lost.
    Lost(PortError),
}

// === impl FakeCloud ===

impl FakeCloud {
    /// Looks into the account.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Adds a user `name` with the address `name@example.com`; returns their key.
    pub fn add_user(&self, name: &str) -> SubjectKey {
        self.add_profile(&format!("{name}@example.com"), name, false)
    }

    /// Adds a user.
    pub fn add_profile(&self, email: &str, username: &str, federated: bool) -> SubjectKey {
        let key = SubjectKey::new(POOL, format!("sub-{username}"));
        let profile = Profile { key: key.clone(), username: username.to_owned(), federated };
        self.state().users.push((email.to_owned(), profile));
        key
    }

    /// The next call named `call` fails without effect.
    pub fn fail(&self, call: &'static str, error: PortError) {
        self.state().faults.entry(call).or_default().push_back(Fault::Fails(error));
    }

    /// The next call named `call` takes effect, but its answer is lost.
    pub fn lose_answer(&self, call: &'static str) {
        let lost = Fault::Lost(PortError::retry("lost", "timeout"));
        self.state().faults.entry(call).or_default().push_back(lost);
    }

    /// The next call named `call` passes: so that a fault ordered after it strikes the one after that.
    pub fn pass(&self, call: &'static str) {
        self.state().faults.entry(call).or_default().push_back(Fault::None);
    }

    /// A user's tombstone.
    pub fn tombstone(&self, key: &SubjectKey) -> Option<Tombstone> {
        self.state().tombstones.get(key).cloned()
    }

    /// One call: time passes, a fault on order strikes, the effect takes place and is noted.
    pub(crate) fn call<T>(
        &self,
        name: &'static str,
        note: &str,
        effect: impl FnOnce(&mut State) -> T,
    ) -> Result<T, PortError> {
        self.clock.advance(Duration::from_millis(100));
        let mut state = self.state();
        let fault = state.faults.get_mut(name).and_then(VecDeque::pop_front);
        if let Some(Fault::Fails(error)) = fault {
            return Err(error);
        }
        let done = effect(&mut state);
        state.calls.push(if note.is_empty() { name.to_owned() } else { format!("{name} {note}") });
        match fault {
            Some(Fault::Lost(error)) => Err(error),
            _ => Ok(done),
        }
    }

    pub(crate) fn act(&self, name: &'static str, profile: &Profile) -> Result<Acted, PortError> {
        self.call(name, &profile.username, |state| {
            let known = state.users.iter().any(|(_, user)| user.key == profile.key);
            if known { Acted::Done } else { Acted::NotNeeded("user_not_found") }
        })
    }

    fn append<T>(
        &self,
        name: &'static str,
        id: &RevocationId,
        append: impl FnOnce(&mut Trail) -> T,
    ) -> Result<T, PortError> {
        self.call(name, "", |state| state.trails.get_mut(id).map(append).unwrap())
    }
}

#[async_trait]
impl TombstoneReader for FakeCloud {
    async fn read(&self, subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        self.call("read", "", |state| state.tombstones.get(subject).cloned())
    }

    async fn read_pool(&self, pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        self.call("read_pool", "", |state| state.tombstones.get(&SubjectKey::everyone(pool)).cloned())
    }
}

#[async_trait]
impl TombstoneWriter for FakeCloud {
    async fn raise(&self, subject: &SubjectKey, cutoff: &Cutoff) -> Result<Raised, PortError> {
        self.call("raise", "", |state| state.tombstones.entry(subject.clone()).or_default().raise(cutoff))
    }

    async fn seal(&self, subject: &SubjectKey, seal: &Seal) -> Result<Sealed, PortError> {
        self.call("seal", "", |state| state.tombstones.entry(subject.clone()).or_default().seal(seal))
    }

    async fn end_sessions(&self, subject: &SubjectKey, cutoff: &SessionCutoff) -> Result<(), PortError> {
        self.call("end_sessions", "", |state| state.tombstones.entry(subject.clone()).or_default().end_sessions(cutoff))
    }
}

#[async_trait]
impl SessionLedger for FakeCloud {
    async fn sessions(&self, subject: &SubjectKey) -> Result<Vec<SessionRecord>, PortError> {
        self.call("sessions", "", |state| {
            let known = state.sessions.get(subject).into_iter().flatten();
            known.map(|(session, _)| session.clone()).collect()
        })
    }

    async fn ended(&self, subject: &SubjectKey, origin_jti: &str, by: &RevocationId) -> Result<bool, PortError> {
        self.call("ended", "", |state| {
            let mut known = state.sessions.get_mut(subject).into_iter().flatten();
            let found = known.find(|(session, _)| session.origin_jti == origin_jti);
            found.is_some_and(|(_, ended_by)| ended_by.get_or_insert_with(|| by.clone()) == by)
        })
    }
}

#[async_trait]
impl SessionTerminator for FakeCloud {
    async fn sign_out_everywhere(&self, profile: &Profile) -> Result<Acted, PortError> {
        self.act("sign_out", profile)
    }
}

#[async_trait]
impl AccountLocker for FakeCloud {
    async fn disable(&self, profile: &Profile) -> Result<Acted, PortError> {
        let acted = self.act("disable", profile)?;
        self.state().disabled.insert(profile.username.clone());
        Ok(acted)
    }

    async fn reset_password(&self, profile: &Profile) -> Result<Acted, PortError> {
        self.act("reset_password", profile)
    }
}

#[async_trait]
impl DeviceForgetter for FakeCloud {
    async fn forget_devices(&self, profile: &Profile) -> Result<Acted, PortError> {
        self.act("forget_devices", profile)
    }
}

#[async_trait]
impl AuditLog for FakeCloud {
    async fn begin(&self, started: &Started) -> Result<Begun, PortError> {
        self.call("begin", "", |state| {
            if let Some(trail) = state.trails.get(&started.revocation_id) {
                return Begun::Before(Box::new(trail.clone()));
            }
            state.trails.insert(started.revocation_id.clone(), Trail::new(started.clone()));
            Begun::New
        })
    }

    async fn resolved(&self, id: &RevocationId, profiles: &[Profile], _: EpochMillis) -> Result<(), PortError> {
        self.append("resolved", id, |trail| {
            trail.resolved.get_or_insert(profiles.to_vec());
        })
    }

    async fn step(
        &self,
        id: &RevocationId,
        subject: &SubjectKey,
        record: &StepRecord,
    ) -> Result<StepRecord, PortError> {
        self.append("step", id, |trail| {
            trail.steps.entry(subject.clone()).or_default().entry(record.step).or_insert(record.clone()).clone()
        })
    }

    async fn completed(&self, record: &AuditRecord, _: EpochMillis) -> Result<AuditRecord, PortError> {
        self.append("completed", &record.revocation_id, |trail| {
            trail.completed.entry(record.subject.clone()).or_insert(record.clone()).clone()
        })
    }

    async fn published(&self, id: &RevocationId, subject: &SubjectKey, _: EpochMillis) -> Result<(), PortError> {
        self.append("published", id, |trail| trail.published.push(subject.clone()))
    }

    async fn finished(&self, id: &RevocationId, _: EpochMillis) -> Result<(), PortError> {
        self.append("finished", id, |trail| trail.finished = true)
    }
}

#[async_trait]
impl EventPublisher for FakeCloud {
    async fn publish(&self, events: &[Event]) -> Result<(), PortError> {
        self.call("publish", "", |state| state.events.extend_from_slice(events))
    }
}
