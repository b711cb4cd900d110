//! What an intake stands on, in memory: receipts, the fence, queues of requests, texts, with faults on order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use revocation_core::domain::event::Event;
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::revocation_id::PayloadDigest;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{
    Admission, EventPublisher, LastHeardReader, LastHeardWriter, PortError, Receipt, ReceiptLedger, RequestQueue,
    SubjectFence, TextReader,
};
use revocation_core::usecase::intake::{Gate, Intake};

use crate::clock::FakeClock;

/// Everything behind an intake.
#[derive(Default)]
pub struct FakeIntake {
    /// Time.
    pub clock: Arc<FakeClock>,
    state: Mutex<State>,
}

/// What is in it.
#[derive(Default)]
pub struct State {
    /// Receipts: digest, and whether accepted.
    pub receipts: BTreeMap<(String, String), (String, bool)>,
    /// Subjects counted, by source and hour.
    pub counted: BTreeMap<(String, i64), BTreeSet<String>>,
    /// What was published, in order.
    pub published: Vec<RevocationRequest>,
    /// What was sent to a queue, with its delay.
    pub queued: Vec<(RevocationRequest, Duration)>,
    /// When each source was heard of last.
    pub heard: BTreeMap<String, EpochMillis>,
    /// Texts by name.
    pub texts: BTreeMap<String, String>,
    /// Every call that took effect, in order: `receive`, `admit`, `publish`, `queue`, `accept`, `read`, `heard`, `last_heard`.
    pub calls: Vec<&'static str>,
    /// Calls that fail, by name: each is used up by one call.
    pub faults: BTreeMap<&'static str, VecDeque<PortError>>,
}

// === impl FakeIntake ===

impl FakeIntake {
    /// Looks into it.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The next call named `call` fails without effect.
    pub fn fail(&self, call: &'static str, error: PortError) {
        self.state().faults.entry(call).or_default().push_back(error);
    }

    /// Puts a text where `TextReader` finds it.
    pub fn put_text(&self, name: &str, text: &str) {
        self.state().texts.insert(name.to_owned(), text.to_owned());
    }

    /// The gate on it; parked requests are in `queued` without a delay.
    pub fn gate(self: &Arc<Self>) -> Gate {
        Gate { clock: self.clock.clone(), fence: self.clone(), publisher: self.clone(), parking: self.clone() }
    }

    /// The intake on it.
    pub fn intake(self: &Arc<Self>) -> Intake {
        Intake { receipts: self.clone(), gate: self.gate() }
    }

    fn call<T>(&self, name: &'static str, effect: impl FnOnce(&mut State) -> T) -> Result<T, PortError> {
        let mut state = self.state();
        if let Some(error) = state.faults.get_mut(name).and_then(VecDeque::pop_front) {
            return Err(error);
        }
        state.calls.push(name);
        Ok(effect(&mut state))
    }
}

#[async_trait]
impl ReceiptLedger for FakeIntake {
    async fn receive(
        &self,
        source: &str,
        event_id: &str,
        digest: &PayloadDigest,
        _at: EpochMillis,
    ) -> Result<Receipt, PortError> {
        self.call("receive", |state| {
            let key = (source.to_owned(), event_id.to_owned());
            let (standing, accepted) = state.receipts.entry(key).or_insert((digest.0.clone(), false));
            match *standing == digest.0 {
                false => Receipt::Conflict,
                true if *accepted => Receipt::Accepted,
                true => Receipt::Open,
            }
        })
    }

    async fn accept(&self, source: &str, event_id: &str, _at: EpochMillis) -> Result<(), PortError> {
        self.call("accept", |state| {
            let key = (source.to_owned(), event_id.to_owned());
            state.receipts.get_mut(&key).unwrap().1 = true;
        })
    }
}

#[async_trait]
impl SubjectFence for FakeIntake {
    async fn admit(
        &self,
        source: &str,
        subject: &PayloadDigest,
        limit: u32,
        at: EpochMillis,
    ) -> Result<Admission, PortError> {
        self.call("admit", |state| {
            let counted = state.counted.entry((source.to_owned(), at.0 / 3_600_000)).or_default();
            let fits = counted.contains(&subject.0) || counted.len() < limit as usize;
            if !fits {
                return Admission::OverLimit;
            }
            counted.insert(subject.0.clone());
            Admission::Admitted
        })
    }
}

#[async_trait]
impl EventPublisher for FakeIntake {
    async fn publish(&self, events: &[Event]) -> Result<(), PortError> {
        self.call("publish", |state| {
            for event in events {
                if let Event::RevocationRequested(request) = event {
                    state.published.push(request.clone());
                }
            }
        })
    }
}

#[async_trait]
impl RequestQueue for FakeIntake {
    async fn send(&self, request: &RevocationRequest, delay: Duration, _note: &str) -> Result<(), PortError> {
        self.call("queue", |state| state.queued.push((request.clone(), delay)))
    }
}

#[async_trait]
impl LastHeardWriter for FakeIntake {
    async fn heard(&self, source: &str, at: EpochMillis) -> Result<(), PortError> {
        self.call("heard", |state| {
            let last = state.heard.entry(source.to_owned()).or_insert(at);
            *last = at.max(*last);
        })
    }
}

#[async_trait]
impl LastHeardReader for FakeIntake {
    async fn last_heard(&self, source: &str) -> Result<Option<EpochMillis>, PortError> {
        self.call("last_heard", |state| state.heard.get(source).copied())
    }
}

#[async_trait]
impl TextReader for FakeIntake {
    async fn read(&self, name: &str) -> Result<String, PortError> {
        self.call("read", |state| state.texts.get(name).cloned())?.ok_or(PortError::reject("read", "not_found"))
    }
}
