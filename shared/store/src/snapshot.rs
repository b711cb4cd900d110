//! `TombstoneReader` of bounded staleness: answers from memory while its snapshot is younger than a bound, without any I/O,
//! and by a strict read otherwise.
//!
//! ```text
//!  0 ────────── N/2 ─────────── N ──────────▶ age of the snapshot
//!   from memory │ from memory,  │ strict,
//!               │ refresh       │ refresh
//! ```
//!
//! What it promises: every tombstone acknowledged longer than N ago is seen. In a Lambda function a refresh runs only while
//! an invocation does: below some requests a second most reads are strict, and nothing is lost but the gain. A new instance
//! scans the table once; with many tombstones and many instances a strict read per request costs less.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::tombstone::Tombstone;
use revocation_core::ports::{Clock, POOL_CUTOFF_WITHIN, PortError, TombstoneReader};
use tokio::time::Instant;

use crate::client::StoreClient;
use crate::strict::StrictReader;
use memory::Entry;
use refresh::{Refresher, Room, State};
use source::{Source, Tables};

mod memory;
mod refresh;
mod source;

/// The most tombstones kept, unless configured otherwise.
pub const DEFAULT_MAX_ENTRIES: usize = 100_000;
/// The most memory they may take, bytes, estimated; unless configured otherwise.
pub const DEFAULT_MAX_BYTES: usize = 64 * 1024 * 1024;

/// After a failed refresh the next waits so long, doubled with each failure in a row …
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Reads the tombstones table through a snapshot kept up to date by the feed.
pub struct SnapshotReader {
    strict: Arc<dyn TombstoneReader>,
    shared: Arc<Shared>,
    hits: AtomicU64,
    strict_reads: AtomicU64,
}

struct Shared {
    within: Duration,
    clock: Arc<dyn Clock>,
    state: Arc<RwLock<State>>,
    /// Whether a refresh runs.
    refreshing: AtomicBool,
    refresher: tokio::sync::Mutex<Refresher>,
    /// Until when no refresh begins, after one has failed.
    resting: Mutex<Option<Instant>>,
    failures_in_a_row: AtomicU32,
    refreshes: AtomicU64,
    failures: AtomicU64,
}

/// What a snapshot did since it was made, and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotStats {
    /// Reads answered from memory.
    pub hits: u64,
    /// Reads that went to the store.
    pub strict_reads: u64,
    /// Refreshes that completed.
    pub refreshes: u64,
    /// Refreshes that failed.
    pub failures: u64,
    /// Time since the last complete refresh began; `None` before the first, and when a clock was set back.
    pub age: Option<Duration>,
    /// Tombstones held.
    pub entries: usize,
    /// Whether there were too many: every read is strict from then on.
    pub given_up: bool,
}

impl SnapshotReader {
    /// The actions it needs: `Query` on the feed, the others on the tombstones table.
    pub const IAM_ACTIONS: &[&str] = &["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"];

    /// A reader of the table `tombstones`, whose changes `feed` tells, that sees everything acknowledged longer than
    /// `within` ago.
    #[must_use]
    pub fn new(client: &StoreClient, tombstones: &str, feed: &str, within: Duration) -> Self {
        let room = Room { entries: DEFAULT_MAX_ENTRIES, bytes: DEFAULT_MAX_BYTES };
        Self::holding(client, tombstones, feed, within, room)
    }

    /// As [`Self::new`], with other limits: beyond either, every read is strict.
    #[must_use]
    pub fn with_limits(
        client: &StoreClient,
        tombstones: &str,
        feed: &str,
        within: Duration,
        max_entries: usize,
        max_bytes: usize,
    ) -> Self {
        Self::holding(client, tombstones, feed, within, Room { entries: max_entries, bytes: max_bytes })
    }

    fn holding(client: &StoreClient, tombstones: &str, feed: &str, within: Duration, room: Room) -> Self {
        let strict = Arc::new(StrictReader::new(client, tombstones));
        let (tombstones, feed) = (tombstones.to_owned(), feed.to_owned());
        let source = Arc::new(Tables { client: client.clone(), tombstones, feed });
        Self::of(strict, source, client.clock().clone(), within, room)
    }

    fn of(
        strict: Arc<dyn TombstoneReader>,
        source: Arc<dyn Source>,
        clock: Arc<dyn Clock>,
        within: Duration,
        room: Room,
    ) -> Self {
        let state = Arc::<RwLock<State>>::default();
        let refresher = tokio::sync::Mutex::new(Refresher::new(source, clock.clone(), state.clone(), room));
        let shared = Shared {
            within,
            clock,
            state,
            refreshing: AtomicBool::new(false),
            refresher,
            resting: Mutex::new(None),
            failures_in_a_row: AtomicU32::new(0),
            refreshes: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        };
        Self { strict, shared: Arc::new(shared), hits: AtomicU64::new(0), strict_reads: AtomicU64::new(0) }
    }

    /// Counters, for metrics and health checks.
    #[must_use]
    pub fn stats(&self) -> SnapshotStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let state = self.shared.state.read().unwrap_or_else(PoisonError::into_inner);
        SnapshotStats {
            hits: read(&self.hits),
            strict_reads: read(&self.strict_reads),
            refreshes: read(&self.shared.refreshes),
            failures: read(&self.shared.failures),
            age: state.began.and_then(|began| began.age(self.shared.clock.now())),
            entries: state.memory.entries(),
            given_up: state.given_up,
        }
    }

    /// Completes a refresh now, for a Lambda function's init phase or a server's start. An error is for the log.
    pub async fn warm(&self) -> Result<(), PortError> {
        self.shared.refreshing.store(true, Ordering::SeqCst);
        let _done = Refreshing(&self.shared);
        self.shared.refresh().await
    }
}

#[async_trait]
impl TombstoneReader for SnapshotReader {
    async fn read(&self, subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        if let Some(known) = self.shared.look_up(subject) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(known);
        }
        self.strict_reads.fetch_add(1, Ordering::Relaxed);
        self.strict.read(subject).await
    }

    /// From memory where that is fresh enough for everybody; what the strict reader keeps of a pool always is.
    async fn read_pool(&self, pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        if self.shared.within <= POOL_CUTOFF_WITHIN
            && let Some(known) = self.shared.look_up(&SubjectKey::everyone(pool))
        {
            return Ok(known);
        }
        self.strict.read_pool(pool).await
    }
}

impl Shared {
    /// What memory says; `None` if it must not be asked.
    #[expect(clippy::option_option, reason = "the inner one is the answer")]
    fn look_up(self: &Arc<Self>, subject: &SubjectKey) -> Option<Option<Tombstone>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if state.given_up {
            return None;
        }
        let age = state.began.and_then(|began| began.age(self.clock.now()));
        let answer = match (age, state.memory.get(subject)) {
            (Some(age), known) if age < self.within => match known {
                None => Some(None),
                Some(Entry::Known(tombstone)) => Some(Some(Tombstone::clone(tombstone))),
                Some(Entry::Unreadable) => None,
            },
            _ => None,
        };
        drop(state);
        if age.is_none_or(|age| age > self.within / 2) {
            self.trigger();
        }
        answer
    }

    /// Begins a refresh in the background, unless one runs or has just failed.
    fn trigger(self: &Arc<Self>) {
        let resting = *self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        if resting.is_some_and(|until| Instant::now() < until) || self.refreshing.swap(true, Ordering::SeqCst) {
            return;
        }
        let shared = self.clone();
        tokio::spawn(async move {
            let _done = Refreshing(&shared);
            if let Err(error) = shared.refresh().await {
                tracing::debug!(%error, "the snapshot was not refreshed");
            }
        });
    }

    async fn refresh(&self) -> Result<(), PortError> {
        let result = self.refresher.lock().await.refresh().await;
        let pause = if result.is_ok() {
            self.failures_in_a_row.store(0, Ordering::Relaxed);
            self.refreshes.fetch_add(1, Ordering::Relaxed);
            None
        } else {
            self.failures.fetch_add(1, Ordering::Relaxed);
            let before = self.failures_in_a_row.fetch_add(1, Ordering::Relaxed);
            Some((FIRST_PAUSE * 2_u32.saturating_pow(before.min(16))).min(LONGEST_PAUSE))
        };
        *self.resting.lock().unwrap_or_else(PoisonError::into_inner) = pause.map(|pause| Instant::now() + pause);
        result
    }
}

/// Says at its end, however it comes, that no refresh runs any more.
struct Refreshing<'a>(&'a Shared);

impl Drop for Refreshing<'_> {
    fn drop(&mut self) {
        self.0.refreshing.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;
