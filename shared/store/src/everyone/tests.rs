use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use proptest::prelude::*;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use tokio::time::{Instant, sleep};

use super::*;

const START: i64 = 1_790_000_000_000;

/// A store with one pool's item, on a clock that goes on while the monotonic one is frozen.
struct World {
    began: Instant,
    frozen: AtomicI64,
    cutoff: AtomicI64,
    reads: AtomicUsize,
    /// How long the next reads take, and whether they fail.
    slow_ms: AtomicI64,
    failing: AtomicUsize,
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            frozen: AtomicI64::new(0),
            cutoff: AtomicI64::new(0),
            reads: AtomicUsize::new(0),
            slow_ms: AtomicI64::new(0),
            failing: AtomicUsize::new(0),
        })
    }

    async fn read(self: Arc<Self>) -> Result<Option<Tombstone>, PortError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let slow = u64::try_from(self.slow_ms.load(Ordering::SeqCst)).unwrap();
        sleep(Duration::from_millis(slow / 2)).await;
        let cutoff = self.cutoff.load(Ordering::SeqCst);
        sleep(Duration::from_millis(slow / 2)).await;
        if self.failing.load(Ordering::SeqCst) > 0 {
            return Err(PortError::retry("test", "failing"));
        }
        let not_before = Some(EpochSeconds(cutoff));
        Ok((cutoff > 0).then(|| Tombstone { not_before, ..Tombstone::default() }))
    }
}

impl Clock for World {
    fn now(&self) -> EpochMillis {
        let elapsed = i64::try_from(self.began.elapsed().as_millis()).unwrap();
        EpochMillis(START + elapsed + self.frozen.load(Ordering::SeqCst))
    }
}

fn pool() -> UserPoolId {
    UserPoolId("pool".into())
}

async fn ask(everyone: &Arc<Everyone>, world: &Arc<World>) -> Result<i64, PortError> {
    let found = everyone.answer(&pool(), || Arc::clone(world).read()).await?;
    Ok(found.and_then(|tombstone| tombstone.not_before).map_or(0, |at| at.0))
}

#[tokio::test(start_paused = true)]
async fn under_load_there_are_two_reads_a_second_and_nobody_waits() {
    let world = World::new();
    let everyone = Arc::new(Everyone::new(world.clone()));
    world.slow_ms.store(20, Ordering::SeqCst);
    ask(&everyone, &world).await.unwrap();
    for _ in 0..10_000 {
        let before = Instant::now();
        ask(&everyone, &world).await.unwrap();
        assert_eq!(before.elapsed(), Duration::ZERO);
        sleep(Duration::from_millis(1)).await;
    }
    let reads = world.reads.load(Ordering::SeqCst);
    assert!((19..=21).contains(&reads), "{reads} in ten seconds");
}

#[tokio::test(start_paused = true)]
async fn what_is_a_second_old_is_read_and_a_failure_is_told() {
    let world = World::new();
    let everyone = Arc::new(Everyone::new(world.clone()));
    assert_eq!(ask(&everyone, &world).await, Ok(0));
    world.cutoff.store(7, Ordering::SeqCst);
    sleep(Duration::from_millis(400)).await;
    assert_eq!(ask(&everyone, &world).await, Ok(0));
    // Behind its back it fails, and what is known serves on until it is a second old.
    world.failing.store(1, Ordering::SeqCst);
    sleep(Duration::from_millis(599)).await;
    assert_eq!(ask(&everyone, &world).await, Ok(0));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(ask(&everyone, &world).await.unwrap_err().code, "failing");
    world.failing.store(0, Ordering::SeqCst);
    assert_eq!(ask(&everyone, &world).await, Ok(7));
    // Frozen for an hour, of which the monotonic clock knows nothing.
    world.cutoff.store(8, Ordering::SeqCst);
    world.frozen.store(3_600_000, Ordering::SeqCst);
    assert_eq!(ask(&everyone, &world).await, Ok(8));
    // Set back: nobody knows how old it is.
    world.cutoff.store(9, Ordering::SeqCst);
    world.frozen.store(0, Ordering::SeqCst);
    assert_eq!(ask(&everyone, &world).await, Ok(9));
}

#[tokio::test(start_paused = true)]
async fn each_pool_is_known_by_itself() {
    let world = World::new();
    let everyone = Arc::new(Everyone::new(world.clone()));
    ask(&everyone, &world).await.unwrap();
    world.cutoff.store(7, Ordering::SeqCst);
    let other = everyone.answer(&UserPoolId("other".into()), || Arc::clone(&world).read()).await;
    assert!(other.unwrap().is_some());
    assert_eq!(ask(&everyone, &world).await, Ok(0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// Whatever happens in between (slow reads, failures, freezes, changes), an answer is never older than a second.
    #[test]
    fn a_cutoff_that_stood_a_second_ago_is_never_missed(
        story in proptest::collection::vec((0..6_u8, 0..2_500_i64), 1..200),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            let everyone = Arc::new(Everyone::new(world.clone()));
            // When each cutoff began to stand, by true time.
            let mut stood = vec![(i64::MIN, 0)];
            for (what, amount) in story {
                match what {
                    0 => {
                        let next = world.cutoff.fetch_add(1, Ordering::SeqCst) + 1;
                        stood.push((world.now().0, next));
                    }
                    1 => world.slow_ms.store(amount, Ordering::SeqCst),
                    2 => world.failing.store(usize::from(amount < 800), Ordering::SeqCst),
                    3 => { world.frozen.fetch_add(amount * 4, Ordering::SeqCst); }
                    4 => sleep(Duration::from_millis(u64::try_from(amount).unwrap())).await,
                    _ => {
                        let began = world.now().0;
                        let due = stood.iter().filter(|(at, _)| *at <= began.saturating_sub(1_000)).map(|(_, cutoff)| *cutoff).max();
                        if let Ok(seen) = ask(&everyone, &world).await {
                            prop_assert!(Some(seen) >= due, "seen {seen}, due {due:?}");
                        }
                    }
                }
            }
            Ok(())
        })?;
    }
}
