//! The product's own `CompromiseCounter`, up to its next call.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use revocation_core::domain::incident::{Incident, IncidentLog, Page, Rule, Sign, Stage};
use revocation_core::domain::policy::Policy;
use revocation_core::domain::profile::{Profile, SubjectKey};
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::revocation_id::{PayloadDigest, RevocationId};
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::ports::{
    Clock, CompromiseLedger, Conflict, IncidentStore, Pager, PortError, Recorded, SubjectResolver,
};
use revocation_core::usecase::count_compromise::CompromiseCounter;

use crate::replay::{Code, Heard, Next, Script};

/// More than one account is too many: two are the fewest that can race.
const RULE: Rule = Rule { threshold: 1, window: Duration::from_hours(1) };

/// A call of the use case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Record(Sign),
    Between,
    Load,
    Save(Log),
    Page { incident: String, stage: Stage },
}

/// What it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Recorded(Sign),
    Signs(BTreeSet<Sign>),
    Loaded(Log),
    /// Whether nobody had saved in between.
    Saved(bool),
    Paged,
}

/// The incident log as a part of a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Log(pub(crate) IncidentLog);

/// The counter at work on these requests; the job after them is the tick that looks whether somebody was not told.
pub(crate) struct Counting {
    pub(crate) requests: Vec<RevocationRequest>,
}

impl Hash for Log {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let IncidentLog { version, incidents } = &self.0;
        version.hash(state);
        for incident in incidents {
            let Incident { id, first, last, last_exceeded, opened_at, resolved_at, told, telling_until } = incident;
            (id, first, last, last_exceeded, opened_at, resolved_at, told, telling_until).hash(state);
        }
    }
}

impl Code for Counting {
    type Call = Call;
    type Answer = Answer;
    /// Whether it ended well.
    type End = bool;

    fn run(&self, job: u8, heard: &[Heard<Answer>]) -> Next<Call, bool> {
        let ports = Arc::new(Ports { script: Script::new(heard), job });
        let counter = CompromiseCounter {
            clock: ports.clone(),
            resolver: ports.clone(),
            ledger: ports.clone(),
            incidents: ports.clone(),
            pagers: vec![ports.clone()],
            policy: Policy::default(),
            rule: RULE,
            runbook_url: String::new(),
        };
        let next = match self.requests.get(usize::from(job)) {
            Some(request) => ports.script.run(async { counter.observe(request, EpochMillis(0)).await.is_ok() }),
            None => ports.script.run(async { counter.tick().await.is_ok() }),
        };
        next.unwrap_or(Next::Ended(false))
    }

    fn is_timeless(next: &Next<Call, bool>) -> bool {
        // Leases are counted from the time at which they were thought of, which may be some calls before.
        matches!(next, Next::Ended(_))
    }
}

struct Ports {
    script: Script<Call, Answer>,
    job: u8,
}

impl Clock for Ports {
    fn now(&self) -> EpochMillis {
        self.script.now()
    }
}

#[async_trait]
impl SubjectResolver for Ports {
    async fn resolve(&self, _: &SubjectIdentifier) -> Result<Vec<Profile>, PortError> {
        let username = format!("account-{}", self.job);
        Ok(vec![Profile { key: SubjectKey::new("eu-central-1_MODEL", &username), username, federated: false }])
    }

    fn key_of(&self, _: &SubjectIdentifier) -> Option<SubjectKey> {
        None
    }
}

#[async_trait]
impl CompromiseLedger for Ports {
    async fn record(&self, _: &RevocationId, _: &PayloadDigest, sign: &Sign) -> Result<Recorded, PortError> {
        match self.script.ask(Call::Record(sign.clone())).await {
            Answer::Recorded(sign) => Ok(Recorded::As(sign)),
            _ => Ok(Recorded::Conflict),
        }
    }

    async fn between(&self, _: EpochSeconds, _: EpochSeconds) -> Result<Vec<Sign>, PortError> {
        match self.script.ask(Call::Between).await {
            Answer::Signs(signs) => Ok(signs.into_iter().collect()),
            _ => Ok(Vec::new()),
        }
    }
}

#[async_trait]
impl IncidentStore for Ports {
    async fn load(&self) -> Result<IncidentLog, PortError> {
        match self.script.ask(Call::Load).await {
            Answer::Loaded(log) => Ok(log.0),
            _ => Ok(IncidentLog::default()),
        }
    }

    async fn save(&self, log: &IncidentLog) -> Result<Result<(), Conflict>, PortError> {
        match self.script.ask(Call::Save(Log(log.clone()))).await {
            Answer::Saved(true) => Ok(Ok(())),
            _ => Ok(Err(Conflict)),
        }
    }
}

#[async_trait]
impl Pager for Ports {
    fn name(&self) -> &'static str {
        "on-call"
    }

    async fn page(&self, page: &Page) -> Result<(), PortError> {
        self.script.ask(Call::Page { incident: page.incident_id.clone(), stage: page.stage }).await;
        Ok(())
    }
}
