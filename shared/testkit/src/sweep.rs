//! What the sweeper sees of the account in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::sweep::{OpenRequest, OpenTrail};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{BegunRequest, PortError, Redeliverer, RedeliveryLog, RequestIndex};

use crate::cloud::FakeCloud;

/// Starts of one page: few, so that a handful of requests makes several.
const PAGE: usize = 2;

/// Redeliveries, beside an account in memory: its faults strike here too.
pub struct FakeSweep {
    cloud: Arc<FakeCloud>,
    state: Mutex<State>,
}

/// What is in it.
#[derive(Default)]
pub struct State {
    /// Redeliveries that were written down, by request and number.
    pub claims: BTreeMap<(RevocationId, usize), EpochMillis>,
    /// Requests that were given up.
    pub given_up: Vec<RevocationId>,
    /// What was put on the queue.
    pub sent: Vec<OpenTrail>,
    /// How many messages lie among the dead letters.
    pub parked: u64,
}

// === impl FakeSweep ===

impl FakeSweep {
    /// Nothing yet.
    #[must_use]
    pub fn new(cloud: Arc<FakeCloud>) -> Self {
        Self { cloud, state: Mutex::default() }
    }

    /// Looks into it.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn trails(&self) -> Vec<OpenTrail> {
        let state = self.cloud.state();
        let revocations = state.trails.values().map(|trail| OpenTrail::Revocation(Box::new(trail.clone())));
        let actions = state.action_trails.values().map(|trail| OpenTrail::Action(Box::new(trail.clone())));
        revocations.chain(actions).collect()
    }
}

fn received_at(trail: &OpenTrail) -> EpochMillis {
    match trail {
        OpenTrail::Revocation(trail) => trail.started.received_at,
        OpenTrail::Action(trail) => trail.started.received_at,
    }
}

#[async_trait]
impl RequestIndex for FakeSweep {
    async fn begun(
        &self,
        day: &str,
        (since, until): (EpochMillis, EpochMillis),
        after: Option<&BegunRequest>,
    ) -> Result<Vec<BegunRequest>, PortError> {
        let trails = self.trails();
        let listed =
            trails.iter().map(|trail| BegunRequest { received_at: received_at(trail), id: trail.id().clone() });
        let is_meant = |begun: &BegunRequest| {
            let in_time = since <= begun.received_at && begun.received_at <= until;
            in_time && begun.received_at.utc_day() == day && after.is_none_or(|after| begun > after)
        };
        let mut listed: Vec<_> = listed.filter(is_meant).collect();
        listed.sort();
        listed.truncate(PAGE);
        self.cloud.call("list_begun", "", |_| listed)
    }

    async fn redelivered(&self, since: EpochMillis) -> Result<Vec<RevocationId>, PortError> {
        self.cloud.call("redelivered", "", |_| {
            let state = self.state();
            let mut ids: Vec<_> =
                state.claims.iter().filter(|(_, at)| **at >= since).map(|((id, _), _)| id.clone()).collect();
            ids.dedup();
            ids
        })
    }

    async fn finished(&self, ids: &[RevocationId]) -> Result<Vec<RevocationId>, PortError> {
        let trails = self.trails();
        self.cloud.call("list_finished", "", |_| {
            let finished = trails.iter().filter(|trail| trail.is_finished() && ids.contains(trail.id()));
            finished.map(|trail| trail.id().clone()).collect()
        })
    }

    async fn open(&self, id: &RevocationId) -> Result<Option<OpenRequest>, PortError> {
        let trail = self.trails().into_iter().find(|trail| trail.id() == id);
        self.cloud.call("open", "", |_| {
            let state = self.state();
            let claims = state.claims.iter().filter(|((of, _), _)| of == id).map(|(_, at)| *at);
            let (redeliveries, given_up) = (claims.collect(), state.given_up.contains(id));
            trail.map(|trail| OpenRequest { trail, redeliveries, given_up })
        })
    }
}

#[async_trait]
impl RedeliveryLog for FakeSweep {
    async fn claim(&self, id: &RevocationId, number: usize, at: EpochMillis) -> Result<bool, PortError> {
        self.cloud.call("claim", "", |_| {
            let mut state = self.state();
            let is_new = !state.claims.contains_key(&(id.clone(), number));
            state.claims.entry((id.clone(), number)).or_insert(at);
            is_new
        })
    }

    async fn give_up(&self, id: &RevocationId, _: EpochMillis) -> Result<bool, PortError> {
        self.cloud.call("give_up", "", |_| {
            let mut state = self.state();
            let is_new = !state.given_up.contains(id);
            state.given_up.push(id.clone());
            is_new
        })
    }
}

#[async_trait]
impl Redeliverer for FakeSweep {
    async fn redeliver(&self, trail: &OpenTrail) -> Result<(), PortError> {
        self.cloud.call("redeliver", "", |_| self.state().sent.push(trail.clone()))
    }

    async fn parked(&self) -> Result<u64, PortError> {
        self.cloud.call("parked", "", |_| self.state().parked)
    }
}
