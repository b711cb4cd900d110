//! The account in memory, for what operators do to its users.

use async_trait::async_trait;
use revocation_core::domain::action::{AccountAction, ActionOutcome, ActionRecord, ActionStarted, ActionTrail};
use revocation_core::domain::hold::{ActionStamp, Bar, HoldChange, HoldChanged};
use revocation_core::domain::profile::{Profile, SubjectKey};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::ports::{
    AccountEnabler, Acted, ActionBegun, ActionLog, MembershipReader, PortError, TombstoneHolder,
};

use crate::cloud::FakeCloud;

impl FakeCloud {
    fn write<T>(
        &self,
        name: &'static str,
        id: &RevocationId,
        write: impl FnOnce(&mut ActionTrail) -> T,
    ) -> Result<T, PortError> {
        self.call(name, "", |state| state.action_trails.get_mut(id).map(write).unwrap())
    }
}

#[async_trait]
impl TombstoneHolder for FakeCloud {
    async fn change_hold(&self, subject: &SubjectKey, change: &HoldChange) -> Result<HoldChanged, PortError> {
        self.call("change_hold", "", |state| state.tombstones.entry(subject.clone()).or_default().change_hold(change))
    }

    async fn bars(&self, subject: &SubjectKey, now: EpochSeconds) -> Result<Vec<Bar>, PortError> {
        self.call("bars", "", |state| state.tombstones.get(subject).map(|it| it.bars(now)).unwrap_or_default())
    }
}

#[async_trait]
impl AccountEnabler for FakeCloud {
    async fn enable(&self, profile: &Profile) -> Result<Acted, PortError> {
        let acted = self.act("enable", profile)?;
        self.state().disabled.remove(&profile.username);
        Ok(acted)
    }
}

#[async_trait]
impl MembershipReader for FakeCloud {
    async fn groups_of(&self, profile: &Profile) -> Result<Vec<String>, PortError> {
        self.call("groups_of", "", |state| state.groups.get(&profile.username).cloned().unwrap_or_default())
    }
}

#[async_trait]
impl ActionLog for FakeCloud {
    async fn begin(&self, started: &ActionStarted) -> Result<ActionBegun, PortError> {
        self.call("begin_action", "", |state| {
            if let Some(trail) = state.action_trails.get(&started.id) {
                return ActionBegun::Before(Box::new(trail.clone()));
            }
            state.action_trails.insert(started.id.clone(), ActionTrail::new(started.clone()));
            ActionBegun::New
        })
    }

    async fn resolved(&self, id: &RevocationId, profiles: &[Profile], _: EpochMillis) -> Result<(), PortError> {
        self.write("resolved", id, |trail| {
            trail.resolved.get_or_insert(profiles.to_vec());
        })
    }

    async fn was_superseded(
        &self,
        subject: &SubjectKey,
        action: AccountAction,
        stamp: &ActionStamp,
    ) -> Result<bool, PortError> {
        self.call("was_superseded", "", |state| {
            let records = state.action_trails.values().filter_map(|trail| trail.completed.get(&Some(subject.clone())));
            let mut later = records.filter(|record| record.outcome == ActionOutcome::Done && record.stamp() > *stamp);
            later.any(|record| record.action.competes_with(action))
        })
    }

    async fn completed(&self, record: &ActionRecord) -> Result<ActionRecord, PortError> {
        self.write("completed", &record.id, |trail| {
            trail.completed.entry(record.subject.clone()).or_insert(record.clone()).clone()
        })
    }

    async fn published(&self, id: &RevocationId, subject: &SubjectKey, _: EpochMillis) -> Result<(), PortError> {
        self.write("published", id, |trail| trail.published.push(subject.clone()))
    }

    async fn finished(&self, id: &RevocationId, _: EpochMillis) -> Result<(), PortError> {
        self.write("finished", id, |trail| trail.finished = true)
    }
}
