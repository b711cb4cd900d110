//! The feed of tombstones: what changed lately, so that a reader that keeps a snapshot need not read them all again.
//!
//! A writer notes an entry *after* its tombstone is durable and *before* anybody is told that it is (the
//! acknowledgement), dated by its own clock with a time taken before the write. If tombstone and entry together took
//! longer than [`MOST_WRITE_TIME`], the entry is written anew with a fresh time. So, for an acknowledgement at A:
//!
//! ```text
//!  entry's date ≥ A − MOST_WRITE_TIME − MOST_SKEW          (either clock within MOST_SKEW of the truth)
//! ```
//!
//! and a reader whose last refresh began at R misses nothing if it asks for all entries since [`reread_from`]`(R)`.

use std::time::Duration;

use super::profile::SubjectKey;
use super::time::EpochMillis;

/// How long a writer's entry may lag behind its date.
pub const MOST_WRITE_TIME: Duration = Duration::from_secs(20);
/// How far any clock in play may be from the truth. Lambda's hosts are within milliseconds; this is a bound, not a guess.
pub const MOST_SKEW: Duration = Duration::from_secs(10);
/// Entries of one minute stand in [`SHARDS`] partitions, since one takes 1,000 writes a second.
pub const BUCKET: Duration = Duration::from_mins(1);
/// See [`BUCKET`].
pub const SHARDS: u8 = 2;
/// How long an entry is kept. A reader that has not refreshed for half of that starts over.
pub const KEPT: Duration = Duration::from_hours(1);

/// An entry's place in the table: `bucket` is the partition key, `entry` the sort key, both strings. Beside them stand
/// `expires_at`, a number, and `nonce`, a string that differs with every writing: two changes of one subject within a
/// millisecond share a place, and a reader must not take the second for the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedKey {
    /// `<minutes since 1970>#<shard>`
    pub bucket: String,
    /// `<milliseconds since 1970, 13 digits>#<user pool id>#<sub>`
    pub entry: String,
}

// === impl FeedKey ===

impl FeedKey {
    /// The place of an entry dated `at`.
    #[must_use]
    pub fn new(at: EpochMillis, subject: &SubjectKey) -> Self {
        // Spreads evenly and needs no hasher: the last character of a UUID.
        let shard = subject.sub.0.bytes().last().unwrap_or_default() % SHARDS;
        Self { bucket: bucket(minute(at), shard), entry: format!("{:013}#{subject}", at.0.max(0)) }
    }

    /// The subject an entry is about; `None` if it is of another form.
    #[must_use]
    pub fn subject(entry: &str) -> Option<SubjectKey> {
        let mut parts = entry.splitn(3, '#');
        let (_, pool, sub) = (parts.next()?, parts.next()?, parts.next()?);
        Some(SubjectKey::new(pool, sub))
    }
}

/// From when on a reader asks whose last complete refresh began at `began`, by its own clock.
#[must_use]
pub fn reread_from(began: EpochMillis) -> EpochMillis {
    let back = MOST_WRITE_TIME + 2 * MOST_SKEW;
    EpochMillis(began.0.saturating_sub(i64::try_from(back.as_millis()).unwrap_or(i64::MAX)))
}

/// The partitions with entries dated between these times, the latter extended by what a writer's clock may be ahead.
#[must_use]
pub fn buckets(from: EpochMillis, now: EpochMillis) -> Vec<String> {
    let last = minute(now.plus(2 * MOST_SKEW));
    (minute(from)..=last).flat_map(|minute| (0..SHARDS).map(move |shard| bucket(minute, shard))).collect()
}

fn minute(at: EpochMillis) -> i64 {
    at.0.max(0) / 60_000
}

fn bucket(minute: i64, shard: u8) -> String {
    format!("{minute}#{shard}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_in_the_buckets_of_its_time() {
        for sub in ["a", "b", "4f6b1c1e-0000-4000-8000-000000000001"] {
            let subject = SubjectKey::new("eu-central-1_Test", sub);
            for at in [0, 59_999, 60_000, 1_790_000_000_123] {
                let key = FeedKey::new(EpochMillis(at), &subject);
                assert_eq!(FeedKey::subject(&key.entry), Some(subject.clone()));
                // Read by a clock that is behind the writer's, or long after.
                for (from, now) in [(at, at), (at - 30_000, at - 20_000), (at, at + 180_000)] {
                    assert!(buckets(EpochMillis(from), EpochMillis(now)).contains(&key.bucket), "{at} {from} {now}");
                }
            }
        }
    }

    #[test]
    fn places_are_as_written_down_and_a_reader_goes_back_far_enough() {
        let at = EpochMillis(5 * 60_000 + 59_999);
        let key = FeedKey::new(at, &SubjectKey::new("pool", "sub-2"));
        assert_eq!((key.bucket.as_str(), key.entry.as_str()), ("5#0", "0000000359999#pool#sub-2"));
        assert_eq!(FeedKey::new(at, &SubjectKey::new("pool", "sub-3")).bucket, "5#1");
        assert_eq!(reread_from(EpochMillis(100_000)), EpochMillis(60_000), "20 s, and both clocks' 10 s");
        assert_eq!(buckets(at, EpochMillis(6 * 60_000)), ["5#0", "5#1", "6#0", "6#1"]);
    }

    #[test]
    fn what_is_no_entry_names_nobody() {
        for text in ["", "1", "1#pool", "x"] {
            assert_eq!(FeedKey::subject(text), None);
        }
    }
}
