//! One account in memory, and a `revoke` function in front of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use revocation_core::domain::audit::{AuditRecord, Step, StepOutcome, Trail};
use revocation_core::domain::event::Event;
use revocation_core::domain::policy::Policy;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Clock as _, DeadLetterQueue, PortError, RedeliveryTimer};
use revocation_core::usecase::account_action::AccountActor;
use revocation_core::usecase::revoke::Revoker;
use revocation_lambda::queue::QueueFunction;
use revocation_testkit::cloud::FakeCloud;
use revoke::RevokeHandler;
use serde_json::{Value, json};

/// Cognito's clock and ours differ by no more.
pub(crate) const SKEW: Duration = Duration::from_secs(2);

pub(crate) struct World {
    pub(crate) cloud: Arc<FakeCloud>,
    queue: Arc<FakeQueue>,
    function: Arc<QueueFunction>,
}

#[derive(Default)]
struct FakeQueue {
    parked: Mutex<Vec<String>>,
}

#[async_trait]
impl DeadLetterQueue for FakeQueue {
    async fn park(&self, _id: &str, _body: &str, reason: &str) -> Result<(), PortError> {
        self.parked.lock().unwrap().push(reason.to_owned());
        Ok(())
    }
}

#[async_trait]
impl RedeliveryTimer for FakeQueue {
    async fn redeliver_in(&self, _handle: &str, _delay: Duration) -> Result<(), PortError> {
        Ok(())
    }
}

/// What the queue did with a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Done,
    Parked(String),
    Again,
}

impl World {
    pub(crate) fn new() -> Self {
        let cloud = Arc::new(FakeCloud::default());
        let queue = Arc::new(FakeQueue::default());
        let function = Arc::new(QueueFunction {
            name: "revoke",
            handler: Arc::new(RevokeHandler::new(revoker(&cloud), actor(&cloud))),
            dead_letters: queue.clone(),
            timer: queue.clone(),
            clock: cloud.clock.clone(),
        });
        Self { cloud, queue, function }
    }

    /// Delivers an event with this detail once.
    pub(crate) async fn deliver(&self, detail: &Value) -> Fate {
        self.deliver_raw(&detail.to_string()).await
    }

    pub(crate) async fn deliver_raw(&self, detail: &str) -> Fate {
        self.deliver_as("Revocation Requested", detail).await
    }

    pub(crate) async fn deliver_as(&self, detail_type: &str, detail: &str) -> Fate {
        let body = format!(r#"{{"id":"1","source":"test","detail-type":"{detail_type}","detail":{detail}}}"#);
        let sent = self.cloud.clock.now().0;
        let batch = serde_json::from_value(json!({"Records": [{
            "messageId": "m1", "receiptHandle": "h1", "body": body, "messageAttributes": {},
            "attributes": {"SentTimestamp": sent.to_string(), "ApproximateReceiveCount": "1"},
        }]}))
        .unwrap();
        let before = self.queue.parked.lock().unwrap().len();
        let response = Arc::clone(&self.function).run(batch).await;
        let parked = self.queue.parked.lock().unwrap();
        match (response.batch_item_failures.is_empty(), parked.get(before)) {
            (true, Some(reason)) => Fate::Parked(reason.clone()),
            (true, None) => Fate::Done,
            (false, _) => Fate::Again,
        }
    }

    pub(crate) fn trail(&self, detail: &Value) -> Trail {
        let request: RevocationRequest = serde_json::from_value(detail.clone()).unwrap();
        self.cloud.state().trails.get(&request.id()).cloned().unwrap()
    }

    /// The subject's record of this request.
    pub(crate) fn record(&self, detail: &Value, subject: Option<&SubjectKey>) -> AuditRecord {
        self.trail(detail).completed.get(&subject.cloned()).cloned().unwrap()
    }

    /// The calls that took effect, by name, without the audit trail's own.
    pub(crate) fn actions(&self) -> Vec<String> {
        let bookkeeping = ["begin", "resolved", "step", "completed", "published", "finished", "sessions", "ended"];
        let state = self.cloud.state();
        state.calls.iter().filter(|call| !bookkeeping.contains(&call.as_str())).cloned().collect()
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.cloud.state().events.clone()
    }

    pub(crate) fn wait(&self, by: Duration) {
        self.cloud.clock.advance(by);
    }

    pub(crate) fn now(&self) -> EpochMillis {
        self.cloud.clock.now()
    }
}

pub(crate) fn actor(cloud: &Arc<FakeCloud>) -> AccountActor {
    AccountActor {
        clock: cloud.clock.clone(),
        resolver: cloud.clone(),
        holds: cloud.clone(),
        locker: cloud.clone(),
        enabler: cloud.clone(),
        memberships: cloud.clone(),
        log: cloud.clone(),
        publisher: cloud.clone(),
        protected_groups: vec!["admins".to_owned()],
    }
}

pub(crate) fn revoker(cloud: &Arc<FakeCloud>) -> Revoker {
    Revoker {
        clock: cloud.clock.clone(),
        resolver: cloud.clone(),
        tombstones: cloud.clone(),
        terminator: cloud.clone(),
        locker: cloud.clone(),
        devices: cloud.clone(),
        audit: cloud.clone(),
        ledger: Some(cloud.clone()),
        publisher: cloud.clone(),
        policy: Policy::default(),
        clock_skew: SKEW,
    }
}

/// A request for `email`, as an intake writes it.
pub(crate) fn request(event_id: &str, email: &str, reason: &str) -> Value {
    json!({
        "version": "1", "source": {"name": "test", "event_id": event_id},
        "sub_id": {"format": "email", "email": email}, "reason": reason,
        "initiator": {"kind": "system", "id": "test"},
    })
}

pub(crate) fn outcome(record: &AuditRecord, step: Step) -> Option<StepOutcome> {
    record.steps.iter().find(|record| record.step == step).map(|record| record.outcome.clone())
}
