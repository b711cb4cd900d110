//! Keeping a snapshot complete: a first load, then increments by the feed.
//!
//! That nothing is missed is argued in `revocation_core::domain::feed`, and rests on three things done here: a refresh's time
//! is taken before its first read; a subject is read after the entry that names it was seen; and the time of the last
//! *complete* refresh moves only when everything named since was read.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use revocation_core::domain::feed::{KEPT, MOST_SKEW, buckets, reread_from};
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Clock, PortError};
use tokio::time::sleep;

use super::memory::Memory;
use super::source::{BATCH, MOST_KEYS, Page, QUERY, SCAN, Source};
use crate::moment::Moment;

/// After so long without a complete refresh the feed may not reach back far enough: the snapshot starts over.
const START_OVER_AFTER: Duration = Duration::from_secs(KEPT.as_secs() / 2);
/// A refresh that completes so long after the last one began may have been asked too late: entries expire meanwhile.
const MOST_BETWEEN: Duration = Duration::from_mins(45);
/// The store's `Date` counts whole seconds; within this our clock agrees with it as well as the feed requires.
const AGREES: Duration = MOST_SKEW.saturating_sub(Duration::from_secs(2));
/// How often the store may leave keys of one batch for later.
const MOST_ROUNDS: u32 = 6;
const FIRST_ROUND_PAUSE: Duration = Duration::from_millis(25);

/// What the readers look at.
#[derive(Default)]
pub(super) struct State {
    pub(super) memory: Memory,
    /// When the last complete refresh began.
    pub(super) began: Option<Moment>,
    /// There is too much for this snapshot.
    pub(super) given_up: bool,
}

/// The most a snapshot may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) entries: usize,
    pub(super) bytes: usize,
}

/// Refreshes one snapshot; used by one task at a time.
pub(super) struct Refresher {
    pub(super) source: Arc<dyn Source>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) state: Arc<RwLock<State>>,
    pub(super) room: Room,
    /// Entries of the window whose subjects were read after they were seen, each as key and nonce.
    seen: HashSet<(String, String)>,
}

// === impl Refresher ===

impl Refresher {
    pub(super) fn new(source: Arc<dyn Source>, clock: Arc<dyn Clock>, state: Arc<RwLock<State>>, room: Room) -> Self {
        Self { source, clock, state, room, seen: HashSet::new() }
    }

    /// Completes the snapshot as of now.
    pub(super) async fn refresh(&mut self) -> Result<(), PortError> {
        let began = Moment::now(&*self.clock);
        let last = self.state.read().unwrap_or_else(PoisonError::into_inner).began;
        match last.filter(|last| last.is_within(START_OVER_AFTER, began.wall)) {
            Some(last) => self.increment(last, began).await,
            None => self.load(began).await,
        }
    }

    /// Reads everything.
    async fn load(&mut self, began: Moment) -> Result<(), PortError> {
        self.seen.clear();
        let (mut memory, mut next) = (Memory::default(), None::<String>);
        loop {
            let page = self.timed(SCAN.name, self.source.scan(next.as_deref())).await?;
            let now = self.clock.now().seconds();
            for (subject, entry) in page.items {
                memory.set(subject, Some(entry), now);
            }
            if !self.fits(&memory) {
                return Ok(());
            }
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        (state.memory, state.began) = (memory, Some(began));
        Ok(())
    }

    /// Reads whom the feed names since the last complete refresh.
    async fn increment(&mut self, last: Moment, began: Moment) -> Result<(), PortError> {
        let from = format!("{:013}", reread_from(last.wall).0.max(0));
        let (mut new, mut subjects) = (Vec::new(), HashSet::new());
        // What is noted after `began` is the next refresh's.
        for bucket in buckets(reread_from(last.wall), began.wall) {
            let mut next = None::<String>;
            loop {
                let page = self.timed(QUERY.name, self.source.entries(&bucket, &from, next.as_deref())).await?;
                for entry in page.items {
                    // Without a nonce nobody can tell whether a second change was noted under the same key since.
                    let seen = entry.nonce.map(|nonce| (entry.entry, nonce));
                    if seen.as_ref().is_some_and(|seen| self.seen.contains(seen)) {
                        continue;
                    }
                    new.extend(seen);
                    subjects.insert(entry.subject);
                }
                if subjects.len() > self.room.entries || new.len() > 4 * self.room.entries {
                    return Err(PortError::retry(QUERY.name, "too_large"));
                }
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
        }
        let subjects: Vec<_> = subjects.into_iter().collect();
        for keys in subjects.chunks(MOST_KEYS) {
            if !self.read(keys).await? {
                return Ok(());
            }
        }
        let now = self.clock.now();
        if !last.is_within(MOST_BETWEEN, now) {
            self.state.write().unwrap_or_else(PoisonError::into_inner).began = None;
            return Err(PortError::retry(QUERY.name, "too_slow"));
        }
        self.seen.extend(new);
        // Older ones are not asked for again.
        let from = format!("{:013}", reread_from(began.wall).0.max(0));
        self.seen.retain(|(entry, _)| *entry >= from);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.memory.sweep(now.seconds());
        state.began = Some(began);
        Ok(())
    }

    /// Reads subjects into the snapshot; whether they fit.
    async fn read(&self, keys: &[SubjectKey]) -> Result<bool, PortError> {
        let (mut left, mut pause) = (keys.to_vec(), FIRST_ROUND_PAUSE);
        for _ in 0..MOST_ROUNDS {
            let batch = self.source.subjects(&left).await?;
            let mut absent: HashSet<SubjectKey> = left.into_iter().collect();
            for key in batch.found.iter().map(|(key, _)| key).chain(&batch.unprocessed) {
                absent.remove(key);
            }
            let now = self.clock.now().seconds();
            let fits = {
                let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
                let found = batch.found.into_iter().map(|(key, entry)| (key, Some(entry)));
                for (key, entry) in found.chain(absent.into_iter().map(|key| (key, None))) {
                    state.memory.set(key, entry, now);
                }
                self.is_in_room(&state.memory)
            };
            if !fits {
                self.give_up();
                return Ok(false);
            }
            left = batch.unprocessed;
            if left.is_empty() {
                return Ok(true);
            }
            sleep(pause).await;
            pause *= 2;
        }
        Err(PortError::retry(BATCH.name, "throttled"))
    }

    /// Reads a page and compares our clock with the store's: the window of the feed is laid by ours.
    async fn timed<T>(
        &self,
        operation: &'static str,
        read: impl Future<Output = Result<Page<T>, PortError>>,
    ) -> Result<Page<T>, PortError> {
        let before = self.clock.now();
        let page = read.await?;
        let after = self.clock.now();
        let agrees =
            |date: EpochMillis| before <= date.plus(AGREES + Duration::from_secs(1)) && date <= after.plus(AGREES);
        if page.date.is_none_or(agrees) { Ok(page) } else { Err(PortError::retry(operation, "clock_is_off")) }
    }

    fn fits(&self, memory: &Memory) -> bool {
        let fits = self.is_in_room(memory);
        if !fits {
            self.give_up();
        }
        fits
    }

    fn is_in_room(&self, memory: &Memory) -> bool {
        memory.entries() <= self.room.entries && memory.bytes() <= self.room.bytes
    }

    fn give_up(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *state = State { given_up: true, ..State::default() };
        tracing::warn!(
            most_entries = self.room.entries,
            most_bytes = self.room.bytes,
            "too many tombstones for a snapshot: every request reads the store from now on"
        );
    }
}
