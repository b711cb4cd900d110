//! `SessionRecorder`: notes the sessions in use in the sessions table, off the request's path.
//!
//! A request only looks into a table of hashes and, once per session and five minutes, puts a note into a queue. It never
//! waits and never fails; what is too much is dropped and counted. In a Lambda function the notes are written only while an
//! invocation runs: some wait for the next one, and those of an instance that ends are lost. That is harmless: the session's
//! next request, on whichever instance, notes it again, and nothing is enforced by the ledger.
//!
//! IP addresses and user agents are personal data (I10): never logged, and optionally stored as keyed hashes only.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use revocation_core::domain::session::{Sighting, is_origin_jti};
use revocation_core::ports::{PortError, SessionRecorder};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::client::{Operation, StoreClient};
use crate::race::Patience;
use note::{Kind, Note};
pub use personal_data::PersonalData;
use seen::Seen;

mod note;
mod personal_data;
mod seen;

const UPDATE: Operation = Operation {
    name: "dynamodb:UpdateItem",
    target: "DynamoDB_20120810.UpdateItem",
    // Nothing is asked back.
    most: 64 * 1024,
};
const PATIENCE: Patience =
    Patience { attempt: Duration::from_secs(1), hedge_after: None, total: Duration::from_secs(3), sends: 3 };
/// A session is noted again after so long, so that `last_seen` moves.
const NOTED_FOR: Duration = Duration::from_mins(5);
/// A refusal is noted once: the tokens of a session that was ended live no longer than a day.
const REFUSED_FOR: Duration = Duration::from_hours(24);
/// Notes that wait at most.
const MOST_WAITING: usize = 1_000;
/// Notes written at a time.
const BATCH: usize = 8;
/// Half of what a sort key may have, and far beyond a pool's id and a UUID.
const MAX_SUBJECT_BYTES: usize = 512;

/// Notes sessions in one table.
pub struct LedgerRecorder(Arc<Shared>);

struct Shared {
    client: StoreClient,
    table: String,
    /// How long a session is remembered after it was last seen.
    retention: Duration,
    personal_data: PersonalData,
    hasher: RandomState,
    seen: Mutex<Seen>,
    refused: Mutex<Seen>,
    waiting: Mutex<VecDeque<Note>>,
    /// Whether a task writes what waits.
    writing: AtomicBool,
    written: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

/// What a recorder did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerStats {
    /// Notes written, or overtaken by a later one of another instance.
    pub written: u64,
    /// Sightings for which there was no room, and those that name no session.
    pub dropped: u64,
    /// Notes that could not be written.
    pub failed: u64,
    /// Notes that wait.
    pub waiting: usize,
}

impl LedgerRecorder {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &["dynamodb:UpdateItem"];

    /// A recorder into `table` that asks the store to forget a session `retention` after it was last seen.
    #[must_use]
    pub fn new(client: &StoreClient, table: &str, retention: Duration, personal_data: PersonalData) -> Self {
        Self(Arc::new(Shared {
            client: client.clone(),
            table: table.to_owned(),
            retention,
            personal_data,
            hasher: RandomState::new(),
            seen: Mutex::new(Seen::new(NOTED_FOR)),
            refused: Mutex::new(Seen::new(REFUSED_FOR)),
            waiting: Mutex::default(),
            writing: AtomicBool::new(false),
            written: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }))
    }

    /// Counters, for metrics.
    #[must_use]
    pub fn stats(&self) -> LedgerStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (written, dropped, failed) = (read(&self.0.written), read(&self.0.dropped), read(&self.0.failed));
        LedgerStats { written, dropped, failed, waiting: lock(&self.0.waiting).len() }
    }

    /// Waits until everything noted so far is written or given up, for a server that shuts down; whether it was in time.
    pub async fn drain(&self, within: Duration) -> bool {
        let end = Instant::now() + within;
        while self.0.writing.load(Ordering::SeqCst) || !lock(&self.0.waiting).is_empty() {
            if Instant::now() >= end {
                return false;
            }
            sleep(Duration::from_millis(2)).await;
        }
        true
    }
}

impl SessionRecorder for LedgerRecorder {
    fn saw(&self, sighting: &Sighting<'_>) {
        self.0.take_note(Kind::Seen, sighting);
    }

    fn refused(&self, sighting: &Sighting<'_>) {
        self.0.take_note(Kind::Refused, sighting);
    }
}

impl Shared {
    /// Puts a sighting into the queue, unless it was noted lately.
    fn take_note(self: &Arc<Self>, kind: Kind, sighting: &Sighting<'_>) {
        let hash = self.hasher.hash_one((sighting.subject, sighting.origin_jti));
        if !lock(self.noted(kind)).is_news(hash, sighting.seen_at) {
            return;
        }
        // Not remembered as noted until there is a note of it.
        let Some(note) = self.note(kind, hash, sighting) else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        };
        {
            let mut waiting = lock(&self.waiting);
            if waiting.len() >= MOST_WAITING {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                return;
            }
            waiting.push_back(note);
        }
        lock(self.noted(kind)).remember(hash, sighting.seen_at);
        self.write();
    }

    /// What was noted of that kind.
    fn noted(&self, kind: Kind) -> &Mutex<Seen> {
        match kind {
            Kind::Seen => &self.seen,
            Kind::Refused => &self.refused,
        }
    }

    /// The note of a sighting; `None` if it names no session.
    fn note(&self, kind: Kind, hash: u64, sighting: &Sighting<'_>) -> Option<Note> {
        let subject = sighting.subject.to_string();
        let named = is_origin_jti(sighting.origin_jti) && is_origin_jti(sighting.client_id);
        if !named || subject.len() > MAX_SUBJECT_BYTES {
            return None;
        }
        Some(Note {
            kind,
            hash,
            subject,
            origin_jti: sighting.origin_jti.to_owned(),
            client_id: sighting.client_id.to_owned(),
            auth_time: sighting.auth_time.map(|at| at.0),
            at: sighting.seen_at,
            ip: sighting.ip.and_then(|ip| self.personal_data.ip(ip)),
            user_agent: sighting.user_agent.and_then(|agent| self.personal_data.user_agent(agent)),
        })
    }

    /// Begins to write what waits, unless that is under way.
    fn write(self: &Arc<Self>) {
        // Without a runtime the notes wait for a sighting that has one.
        let Ok(runtime) = Handle::try_current() else { return };
        if self.writing.swap(true, Ordering::SeqCst) {
            return;
        }
        let shared = self.clone();
        runtime.spawn(async move {
            let busy = Writing(&shared);
            loop {
                let batch: Vec<_> = {
                    let mut waiting = lock(&shared.waiting);
                    let count = waiting.len().min(BATCH);
                    waiting.drain(..count).collect()
                };
                if batch.is_empty() {
                    break;
                }
                let mut writes: JoinSet<()> = batch
                    .into_iter()
                    .map(|note| {
                        let shared = shared.clone();
                        async move { shared.put(note).await }
                    })
                    .collect();
                while writes.join_next().await.is_some() {}
            }
            drop(busy);
            // One may have come between the last look and the end.
            if !lock(&shared.waiting).is_empty() {
                shared.write();
            }
        });
    }

    async fn put(&self, note: Note) {
        let (kind, hash, at) = (note.kind, note.hash, note.at);
        let update = note.update(&self.table, self.retention).to_string();
        let written = self.client.call(&UPDATE, update.into(), &PATIENCE, |_| Ok(())).await;
        match written {
            Ok(()) => self.written.fetch_add(1, Ordering::Relaxed),
            // Another instance has seen it later, or refused it earlier.
            Err(PortError { code, .. }) if code == "conditional_check_failed" => {
                self.written.fetch_add(1, Ordering::Relaxed)
            }
            Err(error) => {
                lock(self.noted(kind)).retry(hash, at);
                tracing::debug!(%error, "a session was not noted");
                self.failed.fetch_add(1, Ordering::Relaxed)
            }
        };
    }
}

/// Says at its end, however it comes, that nobody writes any more.
struct Writing<'a>(&'a Shared);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.writing.store(false, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
