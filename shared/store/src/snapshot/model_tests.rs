//! The promise, searched for a counter-example: writers with clocks that are off write tombstone, then feed entry, then
//! acknowledge, slowly and with crashes; refreshes page, fail, and are frozen in the middle. Nothing acknowledged longer
//! ago than the bound is ever missed.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use revocation_core::domain::feed::{FeedKey, KEPT, MOST_WRITE_TIME};
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use tokio::time::sleep;

use super::source::{Batch, FeedEntry, Page};
use super::*;

const START: i64 = 1_790_000_000_000;
const MAX_SKEW_MS: i64 = 9_500;

/// A small generator, so that one seed tells the whole story.
struct Dice(Mutex<u64>);

impl Dice {
    fn below(&self, end: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn chance(&self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// The world: true time, and both tables.
struct World {
    dice: Dice,
    began: Instant,
    /// Time that passed while this process's monotonic clock stood still, milliseconds.
    frozen: Mutex<i64>,
    tombstones: Mutex<BTreeMap<SubjectKey, i64>>,
    /// Bucket → entry → nonce.
    feed: Mutex<HashMap<String, BTreeMap<String, Option<String>>>>,
    /// Acknowledged writes: when, whose, which cutoff.
    acknowledged: Mutex<Vec<(i64, SubjectKey, i64)>>,
    nonces: bool,
    /// Whether the store tells its time, by which a reader's own is checked.
    dates: bool,
    failing: u64,
    slow_ms: u64,
}

struct Skewed {
    world: Arc<World>,
    by: i64,
}

impl Clock for Skewed {
    fn now(&self) -> EpochMillis {
        EpochMillis(self.world.now() + self.by)
    }
}

fn error() -> PortError {
    PortError::retry("test", "failing")
}

impl World {
    /// True time.
    fn now(&self) -> i64 {
        START + i64::try_from(self.began.elapsed().as_millis()).unwrap() + *self.frozen.lock().unwrap()
    }

    fn date(&self) -> Option<EpochMillis> {
        self.dates.then(|| EpochMillis(self.now() / 1_000 * 1_000))
    }

    async fn pause(&self, most: u64) {
        sleep(Duration::from_millis(self.dice.below(most + 1))).await;
    }

    /// What every call to the store meets: the way there, perhaps an error there or on the way back.
    async fn way(&self) -> Result<(), PortError> {
        self.pause(self.slow_ms).await;
        if self.dice.chance(self.failing) { Err(error()) } else { Ok(()) }
    }

    /// A writer: does what `revocation-aws` does for one change.
    async fn write(self: Arc<Self>, skew: i64, subject: SubjectKey, cutoff: i64) {
        // Now and then a note arrives as late as it may.
        let slow = self.dice.chance(25);
        let most = if slow { 800 } else { 300 };
        // A clock that ticks coarsely makes equal keys likely.
        let read_clock = || (self.now() + skew).div_euclid(400) * 400;
        let (mut dated, mut since) = (read_clock(), self.now());
        self.pause(most).await;
        {
            let mut tombstones = self.tombstones.lock().unwrap();
            let standing = tombstones.entry(subject.clone()).or_insert(cutoff);
            *standing = cutoff.max(*standing);
        }
        loop {
            if slow {
                sleep(Duration::from_millis(16_000 + self.dice.below(5_000))).await;
            }
            self.pause(most).await;
            if self.dice.chance(5) {
                return; // crashed: nobody was told
            }
            let key = FeedKey::new(EpochMillis(dated), &subject);
            let nonce = self.nonces.then(|| self.dice.below(u64::MAX).to_string());
            self.feed.lock().unwrap().entry(key.bucket).or_default().insert(key.entry, nonce);
            self.pause(most / 3).await;
            let now = self.now();
            if now - since <= i64::try_from(MOST_WRITE_TIME.as_millis()).unwrap() {
                self.acknowledged.lock().unwrap().push((now, subject, cutoff));
                return;
            }
            (dated, since) = (read_clock(), self.now());
        }
    }

    /// What must be seen by a read that begins now and may be `within` old.
    fn due(&self, subject: &SubjectKey, within: Duration) -> Option<i64> {
        let before = self.now() - i64::try_from(within.as_millis()).unwrap();
        let acknowledged = self.acknowledged.lock().unwrap();
        acknowledged.iter().filter(|(at, of, _)| *at <= before && of == subject).map(|(_, _, cutoff)| *cutoff).max()
    }

    fn entry(cutoff: i64) -> Entry {
        Entry::Known(Box::new(tombstone(cutoff)))
    }
}

fn tombstone(cutoff: i64) -> Tombstone {
    Tombstone { not_before: Some(EpochSeconds(cutoff)), ..Tombstone::default() }
}

fn page<T>(mut items: Vec<(String, T)>, size: usize, date: Option<EpochMillis>) -> Page<T> {
    let more = items.len() > size;
    items.truncate(size);
    let next = if more { items.last().map(|(key, _)| key.clone()) } else { None };
    Page { items: items.into_iter().map(|(_, item)| item).collect(), next, date }
}

#[async_trait]
impl Source for Arc<World> {
    async fn scan(&self, after: Option<&str>) -> Result<Page<(SubjectKey, Entry)>, PortError> {
        self.way().await?;
        let rest = |key: &SubjectKey| after.is_none_or(|after| key.to_string().as_str() > after);
        let items = self
            .tombstones
            .lock()
            .unwrap()
            .iter()
            .filter(|(key, _)| rest(key))
            .map(|(key, cutoff)| (key.to_string(), (key.clone(), World::entry(*cutoff))))
            .collect();
        let page = page(items, 1 + usize::try_from(self.dice.below(3)).unwrap(), self.date());
        self.way().await?;
        Ok(page)
    }

    async fn entries(&self, bucket: &str, from: &str, after: Option<&str>) -> Result<Page<FeedEntry>, PortError> {
        self.way().await?;
        let kept = self.now() - i64::try_from(KEPT.as_millis()).unwrap();
        let mut items = Vec::new();
        if let Some(entries) = self.feed.lock().unwrap().get(bucket) {
            for (entry, nonce) in entries {
                let dated: i64 = entry.split('#').next().unwrap().parse().unwrap();
                if dated >= kept && entry.as_str() >= from && after.is_none_or(|after| entry.as_str() > after) {
                    let subject = FeedKey::subject(entry).unwrap();
                    items.push((entry.clone(), FeedEntry { entry: entry.clone(), nonce: nonce.clone(), subject }));
                }
            }
        }
        let page = page(items, 1 + usize::try_from(self.dice.below(4)).unwrap(), self.date());
        self.way().await?;
        Ok(page)
    }

    async fn subjects(&self, keys: &[SubjectKey]) -> Result<Batch, PortError> {
        self.way().await?;
        let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
        for key in keys {
            if self.dice.chance(self.failing) {
                unprocessed.push(key.clone());
            } else if let Some(cutoff) = self.tombstones.lock().unwrap().get(key) {
                found.push((key.clone(), World::entry(*cutoff)));
            }
        }
        self.way().await?;
        Ok(Batch { found, unprocessed })
    }
}

/// Strict reads of the world.
struct Strict(Arc<World>);

#[async_trait]
impl TombstoneReader for Strict {
    async fn read(&self, subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        Ok(self.0.tombstones.lock().unwrap().get(subject).copied().map(tombstone))
    }

    async fn read_pool(&self, pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        self.read(&SubjectKey::everyone(pool)).await
    }
}

#[derive(Clone, Debug)]
struct Story {
    seed: u64,
    within_ms: u64,
    skew: i64,
    slow_ms: u64,
    failing: u64,
    nonces: bool,
    dates: bool,
    subjects: u64,
    freezes: bool,
}

fn story() -> impl Strategy<Value = Story> {
    (
        0..u64::MAX,
        prop_oneof![Just(50_u64), 50..1_000_u64, 1_000..60_000_u64],
        prop_oneof![Just(-MAX_SKEW_MS), Just(MAX_SKEW_MS), -7_500..=7_500_i64],
        prop_oneof![0..5_u64, 0..200_u64],
        prop_oneof![Just(0_u64), 0..12_u64],
        any::<bool>(),
        any::<bool>(),
        1..12_u64,
        any::<bool>(),
    )
        .prop_map(|(seed, within_ms, skew, slow_ms, failing, nonces, dates, subjects, freezes)| Story {
            seed,
            within_ms,
            skew,
            slow_ms,
            failing,
            nonces,
            dates,
            subjects,
            freezes,
        })
}

/// Plays a story; returns how many reads were answered from memory.
async fn play(story: Story) -> Result<SnapshotStats, TestCaseError> {
    let world = Arc::new(World {
        dice: Dice(Mutex::new(story.seed)),
        began: Instant::now(),
        frozen: Mutex::new(0),
        tombstones: Mutex::default(),
        feed: Mutex::default(),
        acknowledged: Mutex::default(),
        nonces: story.nonces,
        dates: story.dates,
        failing: story.failing,
        slow_ms: story.slow_ms,
    });
    let within = Duration::from_millis(story.within_ms);
    let clock = Arc::new(Skewed { world: world.clone(), by: story.skew });
    let room = Room { entries: 1_000, bytes: 1_000_000 };
    let reader = SnapshotReader::of(Arc::new(Strict(world.clone())), Arc::new(world.clone()), clock, within, room);
    let pool = UserPoolId("pool".into());
    // One of them is everybody.
    let subject = |number: u64| match number {
        0 => SubjectKey::everyone(&pool),
        _ => SubjectKey::new("pool", format!("sub-{number}")),
    };
    let dice = &world.dice;
    let mut pace = 1_000;
    for step in 0..600_i64 {
        match dice.below(20) {
            // The pace of things changes: bursts, and pauses of many seconds.
            0 => pace = [5, 50, 500, 5_000, 60_000][usize::try_from(dice.below(5)).unwrap()],
            1..=5 => {
                // Some writers' clocks are off as far as they may.
                let skew = [-MAX_SKEW_MS, 0, MAX_SKEW_MS][usize::try_from(dice.below(3)).unwrap()];
                let who = subject(dice.below(story.subjects));
                // Later changes need not have later cutoffs.
                let cutoff = 1_000 + step + i64::try_from(dice.below(20)).unwrap();
                tokio::spawn(world.clone().write(skew, who, cutoff));
            }
            6 if story.freezes => {
                let most = [100, 10_000, 9_000_000][usize::try_from(dice.below(3)).unwrap()];
                *world.frozen.lock().unwrap() += i64::try_from(dice.below(most)).unwrap();
            }
            7..=9 => world.pause(pace).await,
            10..=12 => world.pause(pace / 50).await,
            _ => {
                let who = subject(dice.below(story.subjects));
                let due = world.due(&who, within);
                let read = reader.read(&who).await.unwrap().and_then(|tombstone| tombstone.not_before);
                if who.is_everyone() {
                    let due = world.due(&who, within.min(POOL_CUTOFF_WITHIN));
                    let everyone = reader.read_pool(&pool).await.unwrap().and_then(|tombstone| tombstone.not_before);
                    prop_assert!(everyone.map(|cutoff| cutoff.0) >= due, "step {step}: everybody due {due:?}");
                }
                let seen = read.map(|cutoff| cutoff.0);
                prop_assert!(seen >= due, "step {step}: {who} due {due:?}, seen {seen:?}, {:?}", reader.stats());
            }
        }
    }
    Ok(reader.stats())
}

fn run(story: Story) -> Result<SnapshotStats, TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(play(story))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]
    #[test]
    fn nothing_acknowledged_longer_ago_than_the_bound_is_missed(story in story()) {
        run(story)?;
    }
}

#[test]
fn the_stories_are_about_answers_from_memory() {
    let usual = Story {
        seed: 7,
        within_ms: 5_000,
        skew: -7_000,
        slow_ms: 3,
        failing: 2,
        nonces: true,
        dates: true,
        subjects: 5,
        freezes: true,
    };
    let stats: Vec<_> = (0..20).map(|seed| run(Story { seed, ..usual.clone() }).unwrap()).collect();
    let sum = |of: fn(&SnapshotStats) -> u64| stats.iter().map(of).sum::<u64>();
    let (hits, strict, refreshes) = (sum(|s| s.hits), sum(|s| s.strict_reads), sum(|s| s.refreshes));
    assert!(hits > 800 && strict > 300 && refreshes > 200, "{hits} {strict} {refreshes}");
}
