//! The tombstones of a snapshot, in memory, counted.

use std::collections::HashMap;
use std::time::Duration;

use revocation_core::domain::profile::{Sub, SubjectKey, UserPoolId};
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::Tombstone;

/// Kept so long beyond its `expires_at`. By then all it refused has expired (I5), by any clock.
const MARGIN: Duration = Duration::from_hours(1);
/// What an entry costs beside its texts and the tombstone: keys, pointers, slots of the tables left free.
const ENTRY_BYTES: usize = 112;
/// The same for one of its single sessions.
const SESSION_BYTES: usize = 64;

/// What is known of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Its tombstone.
    Known(Box<Tombstone>),
    /// There is an item that cannot be understood: every request reads it, and is refused.
    Unreadable,
}

/// All live tombstones. By pool, so that a look-up by reference copies nothing and a pool's id is kept once.
#[derive(Default)]
pub(super) struct Memory {
    pools: HashMap<UserPoolId, HashMap<Sub, Entry>>,
    entries: usize,
    bytes: usize,
}

impl Memory {
    pub(super) fn get(&self, subject: &SubjectKey) -> Option<&Entry> {
        self.pools.get(&subject.user_pool_id)?.get(&subject.sub)
    }

    /// Takes what was read of a subject; `None` if there is no tombstone.
    pub(super) fn set(&mut self, subject: SubjectKey, entry: Option<Entry>, now: EpochSeconds) {
        let SubjectKey { user_pool_id, sub } = subject;
        if let Some(before) = self.pools.get_mut(&user_pool_id).and_then(|pool| pool.remove(&sub)) {
            self.entries -= 1;
            self.bytes = self.bytes.saturating_sub(size(&sub, &before));
        }
        if let Some(entry) = entry.filter(|entry| !is_over(entry, now)) {
            self.entries += 1;
            self.bytes = self.bytes.saturating_add(size(&sub, &entry));
            self.pools.entry(user_pool_id).or_default().insert(sub, entry);
        }
    }

    /// Drops what refuses nothing any more.
    pub(super) fn sweep(&mut self, now: EpochSeconds) {
        let (entries, bytes) = (&mut self.entries, &mut self.bytes);
        for pool in self.pools.values_mut() {
            pool.retain(|sub, entry| {
                let over = is_over(entry, now);
                if over {
                    *entries -= 1;
                    *bytes = bytes.saturating_sub(size(sub, entry));
                }
                !over
            });
        }
    }

    /// How many there are.
    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    /// What they take, estimated.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Whether it refuses nothing any more: its writers set `expires_at` so that it outlives all it must refuse (I5), except for
/// a hold, which may have no end.
fn is_over(entry: &Entry, now: EpochSeconds) -> bool {
    let past = |at: EpochSeconds| at.plus(MARGIN) < now;
    match entry {
        Entry::Unreadable => false,
        Entry::Known(tombstone) => {
            let held = tombstone.hold.as_ref().is_some_and(|hold| hold.until.is_none_or(|until| !past(until)));
            !held && tombstone.expires_at.is_some_and(past)
        }
    }
}

fn size(sub: &Sub, entry: &Entry) -> usize {
    let of_tombstone = |tombstone: &Tombstone| {
        let texts = [
            tombstone.others.as_ref().map(|others| others.spared.len()),
            tombstone.hold.as_ref().map(|hold| hold.message.len()),
            tombstone.revocation_id.as_ref().map(|id| id.0.len()),
        ];
        let sessions: usize = tombstone.sessions.keys().map(|id| id.len() + SESSION_BYTES).sum();
        size_of::<Tombstone>() + texts.into_iter().flatten().sum::<usize>() + sessions
    };
    let own = if let Entry::Known(tombstone) = entry { of_tombstone(tombstone) } else { 0 };
    sub.0.len() + ENTRY_BYTES + own
}

#[cfg(test)]
mod tests {
    use revocation_core::domain::tombstone::Hold;

    use super::*;

    fn key(number: usize) -> SubjectKey {
        SubjectKey::new("pool", format!("sub-{number}"))
    }

    fn until(expires_at: Option<i64>, hold: Option<Hold>) -> Entry {
        let expires_at = expires_at.map(EpochSeconds);
        Entry::Known(Box::new(Tombstone { expires_at, hold, ..Tombstone::default() }))
    }

    #[test]
    fn counts_what_it_holds() {
        let mut memory = Memory::default();
        for round in 0..3 {
            for number in 0..100 {
                memory.set(key(number), Some(until(None, None)), EpochSeconds(round));
            }
        }
        assert_eq!((memory.entries(), memory.bytes() / 100 > 200), (100, true));
        for number in 0..100 {
            memory.set(key(number), None, EpochSeconds(0));
        }
        assert_eq!((memory.entries(), memory.bytes()), (0, 0));
    }

    #[test]
    fn i05_a_tombstone_stays_while_it_may_refuse_something() {
        let hold = |until| Some(Hold { until, message: String::new() });
        for (entry, stays) in [
            (until(None, None), true),
            (until(Some(10_000), None), true),
            (until(Some(1_000), None), false),
            (until(Some(1_000), hold(None)), true),
            (until(Some(1_000), hold(Some(EpochSeconds(10_000)))), true),
            (until(Some(1_000), hold(Some(EpochSeconds(1_000)))), false),
            (Entry::Unreadable, true),
        ] {
            let mut memory = Memory::default();
            memory.set(key(1), Some(entry.clone()), EpochSeconds(0));
            assert_eq!(memory.entries(), 1);
            memory.sweep(EpochSeconds(1_000 + 3_600));
            assert_eq!(memory.entries(), 1, "an hour is kept: {entry:?}");
            memory.sweep(EpochSeconds(1_000 + 3_601));
            assert_eq!(memory.get(&key(1)).is_some(), stays, "{entry:?}");
            assert_eq!((memory.entries() == 1, memory.bytes() > 0), (stays, stays));
        }
    }
}
