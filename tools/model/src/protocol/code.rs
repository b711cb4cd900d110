//! The product's own `Revoker`, up to its next call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use revocation_core::domain::audit::{AuditRecord, Started, Step, StepRecord, Trail};
use revocation_core::domain::event::Event;
use revocation_core::domain::policy::Policy;
use revocation_core::domain::profile::{Profile, Sub, SubjectKey, UserPoolId};
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::session::SessionCutoff;
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::time::EpochMillis;
use revocation_core::domain::tombstone::{Cutoff, Raised, Seal, Sealed};
use revocation_core::ports::{
    AccountLocker, Acted, AuditLog, Begun, Clock, DeviceForgetter, EventPublisher, PortError, SessionTerminator,
    SubjectResolver, TombstoneWriter,
};
use revocation_core::usecase::revoke::{RevocationOutcome, Revoker};

use super::calls::{Answer, Call, End, How, Noted, Steps};
use crate::replay::{Code, Heard, Next, Script};

/// The requests that are delivered, by number.
pub(crate) struct Revocations {
    pub(crate) requests: Vec<RevocationRequest>,
    pub(crate) clock_skew: Duration,
}

/// The one person there is.
pub(crate) fn alice() -> Profile {
    let key = SubjectKey { user_pool_id: UserPoolId("eu-central-1_MODEL".into()), sub: Sub("alice".into()) };
    Profile { key, username: "alice".into(), federated: false }
}

impl Code for Revocations {
    type Call = Call;
    type Answer = Answer;
    type End = End;

    fn run(&self, job: u8, heard: &[Heard<Answer>]) -> Next<Call, End> {
        let Some(request) = self.requests.get(usize::from(job)) else { return Next::Ended(End::Failed) };
        let ports = Arc::new(Ports { script: Script::new(heard), request: request.clone() });
        let revoker = Revoker {
            clock: ports.clone(),
            resolver: ports.clone(),
            tombstones: ports.clone(),
            terminator: ports.clone(),
            locker: ports.clone(),
            devices: ports.clone(),
            audit: ports.clone(),
            ledger: None,
            publisher: ports.clone(),
            policy: Policy::default(),
            clock_skew: self.clock_skew,
        };
        // When the queue got it is told and never decided by.
        let next = ports.script.run(revoker.revoke(request.clone(), EpochMillis(0)));
        match next.unwrap_or(Next::Call(Call::Unforeseen("waits"))) {
            Next::Call(call) => Next::Call(call),
            Next::Ended(Ok(RevocationOutcome::Ended { written: records, .. })) => {
                Next::Ended(End::Done { reports: !records.is_empty() })
            }
            Next::Ended(Ok(RevocationOutcome::Repeated(_))) => Next::Ended(End::Repeated),
            Next::Ended(Err(_)) => Next::Ended(End::Failed),
        }
    }

    /// Of the times a revocation writes down, only the cutoff, the sign-out's and those on the tombstone are read again.
    fn is_timeless(next: &Next<Call, End>) -> bool {
        let Next::Call(call) = next else { return true };
        match call {
            Call::Begin { .. } | Call::Raise(_) | Call::Seal(_) => false,
            Call::Wrote { step, .. } => *step != Step::GlobalSignOut,
            _ => true,
        }
    }
}

struct Ports {
    script: Script<Call, Answer>,
    request: RevocationRequest,
}

impl Ports {
    async fn done(&self, call: Call) -> Result<(), PortError> {
        match self.script.ask(call).await {
            Answer::Failed => Err(failed()),
            _ => Ok(()),
        }
    }

    async fn acted(&self, call: Call) -> Result<Acted, PortError> {
        self.done(call).await.map(|()| Acted::Done)
    }

    fn trail(&self, noted: &Noted, started: &Started) -> Trail {
        let key = alice().key;
        let started = Started { not_before: noted.not_before, ..started.clone() };
        let completed = noted.completed.as_ref().map(|steps| self.record(&started, steps));
        // As the table gives it: a subject without a step is not in it.
        let steps = Some(records(&noted.steps)).filter(|steps| !steps.is_empty());
        Trail {
            resolved: noted.resolved.then(|| vec![alice()]),
            steps: steps.map(|steps| (key.clone(), steps)).into_iter().collect(),
            completed: completed.map(|record| (Some(key.clone()), record)).into_iter().collect(),
            published: noted.published.then_some(key).into_iter().collect(),
            finished: noted.finished,
            started,
        }
    }

    fn record(&self, started: &Started, steps: &Steps) -> AuditRecord {
        debug_assert_eq!(started.revocation_id, self.request.id());
        AuditRecord::sum_up(started, Some(&alice().key), &records(steps))
    }
}

fn failed() -> PortError {
    PortError::retry("model", "timeout")
}

fn records(steps: &Steps) -> BTreeMap<Step, StepRecord> {
    steps.iter().map(|(step, (how, at))| (*step, StepRecord { step: *step, outcome: how.outcome(), at: *at })).collect()
}

impl Clock for Ports {
    fn now(&self) -> EpochMillis {
        self.script.now()
    }
}

#[async_trait]
impl SubjectResolver for Ports {
    async fn resolve(&self, _: &SubjectIdentifier) -> Result<Vec<Profile>, PortError> {
        self.done(Call::Resolve).await.map(|()| vec![alice()])
    }

    fn key_of(&self, subject: &SubjectIdentifier) -> Option<SubjectKey> {
        matches!(subject, SubjectIdentifier::Opaque { .. }).then(|| alice().key)
    }
}

#[async_trait]
impl TombstoneWriter for Ports {
    async fn raise(&self, _: &SubjectKey, cutoff: &Cutoff) -> Result<Raised, PortError> {
        match self.script.ask(Call::Raise(cutoff.clone())).await {
            Answer::Failed => Err(failed()),
            Answer::Moved(true) => Ok(Raised::Moved),
            _ => Ok(Raised::AlreadyLater),
        }
    }

    async fn seal(&self, _: &SubjectKey, seal: &Seal) -> Result<Sealed, PortError> {
        match self.script.ask(Call::Seal(seal.clone())).await {
            Answer::Failed => Err(failed()),
            Answer::Sealed(true) => Ok(Sealed::Sealed),
            _ => Ok(Sealed::LeftToAnother),
        }
    }

    async fn end_sessions(&self, _: &SubjectKey, _: &SessionCutoff) -> Result<(), PortError> {
        self.done(Call::Unforeseen("end_sessions")).await
    }
}

#[async_trait]
impl SessionTerminator for Ports {
    async fn sign_out_everywhere(&self, _: &Profile) -> Result<Acted, PortError> {
        self.acted(Call::SignOut).await
    }
}

#[async_trait]
impl AccountLocker for Ports {
    async fn disable(&self, _: &Profile) -> Result<Acted, PortError> {
        self.acted(Call::Disable).await
    }

    async fn reset_password(&self, _: &Profile) -> Result<Acted, PortError> {
        self.acted(Call::Unforeseen("reset_password")).await
    }
}

#[async_trait]
impl DeviceForgetter for Ports {
    async fn forget_devices(&self, _: &Profile) -> Result<Acted, PortError> {
        self.acted(Call::Unforeseen("forget_devices")).await
    }
}

#[async_trait]
impl AuditLog for Ports {
    async fn begin(&self, started: &Started) -> Result<Begun, PortError> {
        match self.script.ask(Call::Begin { not_before: started.not_before }).await {
            Answer::Failed => Err(failed()),
            Answer::Before(noted) => Ok(Begun::Before(Box::new(self.trail(&noted, started)))),
            _ => Ok(Begun::New),
        }
    }

    async fn resolved(&self, _: &RevocationId, _: &[Profile], _: EpochMillis) -> Result<(), PortError> {
        self.done(Call::Resolved).await
    }

    async fn step(&self, _: &RevocationId, _: &SubjectKey, record: &StepRecord) -> Result<StepRecord, PortError> {
        let (step, how) = (record.step, How::of(&record.outcome));
        match self.script.ask(Call::Wrote { step, how, at: record.at }).await {
            Answer::Failed => Err(failed()),
            Answer::Stands(how, at) => Ok(StepRecord { step, outcome: how.outcome(), at }),
            _ => Ok(record.clone()),
        }
    }

    async fn completed(&self, record: &AuditRecord, _: EpochMillis) -> Result<AuditRecord, PortError> {
        match self.script.ask(Call::Completed).await {
            Answer::Failed => Err(failed()),
            // `Done`: it is this one.
            Answer::Record(steps) => {
                Ok(AuditRecord { steps: records(&steps).into_values().collect(), ..record.clone() })
            }
            _ => Ok(record.clone()),
        }
    }

    async fn published(&self, _: &RevocationId, _: &SubjectKey, _: EpochMillis) -> Result<(), PortError> {
        self.done(Call::Published).await
    }

    async fn finished(&self, _: &RevocationId, _: EpochMillis) -> Result<(), PortError> {
        self.done(Call::Finished).await
    }
}

#[async_trait]
impl EventPublisher for Ports {
    async fn publish(&self, _: &[Event]) -> Result<(), PortError> {
        self.done(Call::Publish).await
    }
}
