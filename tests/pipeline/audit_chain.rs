//! The chain over the audit trail: whatever runs, crashes, overlaps or comes late, every record is chained once and the chain
//! verifies.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use revocation_core::domain::audit_chain::{DayEvidence, Mistake, Span, verify_day};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Clock as _;
use revocation_core::usecase::chain_audit::{AuditChainer, ChainRun};
use revocation_testkit::clock::FakeClock;
use revocation_testkit::evidence::FakeEvidence;

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

struct World {
    clock: Arc<FakeClock>,
    evidence: Arc<FakeEvidence>,
    chainer: Arc<AuditChainer>,
}

impl World {
    fn at(time: &str) -> Self {
        let clock = Arc::new(FakeClock::default());
        clock.set(EpochMillis::parse_rfc3339(time).unwrap());
        let evidence = Arc::new(FakeEvidence::default());
        let chainer = AuditChainer {
            clock: clock.clone(),
            index: evidence.clone(),
            records: evidence.clone(),
            chain: evidence.clone(),
            digests: evidence.clone(),
            signer: None,
            budget: Duration::from_secs(40),
        };
        Self { clock, evidence, chainer: Arc::new(chainer) }
    }

    async fn run(&self) -> ChainRun {
        self.chainer.run().await.unwrap()
    }

    fn wait(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// What a verification of these days finds.
    fn mistakes(&self, days: &[&str]) -> Vec<Mistake> {
        let mut before: Option<BTreeSet<_>> = None;
        let mut mistakes = Vec::new();
        for day in days {
            let records = self.evidence.records.lock().unwrap();
            let of_day = records.values().filter(|record| record.recorded_at().unwrap().utc_day() == *day);
            let evidence = DayEvidence {
                day: (*day).to_owned(),
                links: self.evidence.chain(day),
                records: records.values().map(|record| (record.key.clone(), record.sha256())).collect(),
                listed: of_day
                    .map(|record| revocation_core::domain::audit_chain::Listed {
                        recorded_at: record.recorded_at().unwrap(),
                        key: record.key.clone(),
                    })
                    .collect(),
                digests: self
                    .evidence
                    .digests
                    .lock()
                    .unwrap()
                    .iter()
                    .filter(|digest| digest.day == *day)
                    .cloned()
                    .collect(),
                mistakes: Vec::new(),
            };
            let result = verify_day(&evidence, before.as_ref(), self.clock.now());
            mistakes.extend(result.findings.into_iter().map(|finding| finding.mistake));
            before = Some(result.hashes);
        }
        mistakes
    }
}

#[tokio::test]
async fn records_are_chained_in_order_and_a_day_follows_the_day_before() {
    let world = World::at("2026-11-25T23:58:00Z");
    world.evidence.record("a", world.clock.now());
    assert_eq!(world.run().await, ChainRun { chained: 1, digests: 1, ..ChainRun::default() });
    world.wait(MINUTE);
    world.evidence.record("b", world.clock.now());
    assert_eq!(world.run().await, ChainRun { chained: 1, ..ChainRun::default() });
    // Of yesterday, and chained today.
    world.evidence.record("c", world.clock.now().plus(Duration::from_secs(59)));
    world.wait(2 * MINUTE);
    world.evidence.record("d", world.clock.now());
    assert_eq!(world.run().await, ChainRun { chained: 2, digests: 1, ..ChainRun::default() });
    assert_eq!(world.evidence.chain("2026-11-25").len(), 4);
    let today = world.evidence.chain("2026-11-26");
    assert_eq!((today.len(), &today[0].previous), (2, &world.evidence.chain("2026-11-25")[3].hash));
    assert_eq!(world.mistakes(&["2026-11-25", "2026-11-26"]), []);
}

#[tokio::test]
async fn a_day_gets_its_digest_once_and_a_new_version_for_a_late_record() {
    let world = World::at("2026-11-25T23:50:00Z");
    let late = world.evidence.record("late", world.clock.now());
    world.evidence.record("b", world.clock.now());
    world.evidence.lagging.lock().unwrap().push(late);
    world.run().await;
    world.wait(30 * MINUTE);
    let digests = |world: &World| {
        let digests = world.evidence.digests.lock().unwrap();
        digests.iter().filter(|digest| digest.span == Span::Day).map(|digest| digest.records).collect::<Vec<_>>()
    };
    for _ in 0..3 {
        world.run().await;
        assert_eq!(digests(&world), [1]);
        world.wait(MINUTE);
    }
    world.evidence.lagging.lock().unwrap().clear();
    // Beyond the ordinary look back: the first run of the next hour finds it, and says that it is late.
    world.wait(60 * MINUTE);
    assert_eq!(world.run().await.late, 1);
    assert_eq!(digests(&world), [1, 2]);
    world.wait(DAY);
    world.run().await;
    assert_eq!(world.mistakes(&["2026-11-25", "2026-11-26"]), [Mistake::RecordBackdated]);
}

#[tokio::test]
async fn an_outage_of_days_is_caught_up_with_day_by_day() {
    let world = World::at("2026-11-20T12:00:00Z");
    world.run().await;
    for n in 0..20 {
        world.evidence.record(&n.to_string(), world.clock.now().plus(DAY / 4 * n));
    }
    world.wait(5 * DAY);
    // Too little time for all of it.
    let run = AuditChainer { budget: Duration::ZERO, ..parts(&world) }.run().await.unwrap();
    assert_eq!((run.chained, run.unfinished), (0, true));
    let run = world.run().await;
    assert_eq!((run.chained, run.unfinished), (20, false));
    world.wait(MINUTE);
    let days = ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24", "2026-11-25"];
    assert_eq!(world.mistakes(&days), []);
}

/// The clock of a machine: it goes on with every look.
struct Ticking(Arc<FakeClock>);

impl revocation_core::ports::Clock for Ticking {
    fn now(&self) -> EpochMillis {
        self.0.advance(Duration::from_millis(250));
        self.0.now()
    }
}

#[tokio::test]
async fn an_outage_within_the_hour_is_no_insertion() {
    let world = World::at("2026-11-25T10:01:00Z");
    world.evidence.record("before", world.clock.now());
    world.run().await;
    for n in 0..50_u32 {
        world.evidence.record(&n.to_string(), world.clock.now().plus(MINUTE * (n + 1)));
    }
    // Not the first run of its hour, and some batches one after the other.
    world.wait(52 * MINUTE);
    let ticking = AuditChainer { clock: Arc::new(Ticking(world.clock.clone())), ..parts(&world) };
    let few = AuditChainer { budget: Duration::from_secs(2), ..parts(&world) };
    let few = AuditChainer { clock: ticking.clock.clone(), ..few }.run().await.unwrap();
    assert!(few.unfinished && few.chained < 50, "{few:?}");
    assert_eq!(few.chained + ticking.run().await.unwrap().chained, 50);
    world.wait(20 * MINUTE);
    ticking.run().await.unwrap();
    assert_eq!(world.mistakes(&["2026-11-25"]), []);
}

fn parts(world: &World) -> AuditChainer {
    let AuditChainer { clock, index, records, chain, digests, signer, budget } = &*world.chainer;
    AuditChainer {
        clock: clock.clone(),
        index: index.clone(),
        records: records.clone(),
        chain: chain.clone(),
        digests: digests.clone(),
        signer: signer.clone(),
        budget: *budget,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Two runs at once, records arriving between them, a call failing anywhere.
    #[test]
    fn runs_that_overlap_and_fail_fork_nothing(
        seed in any::<u64>(),
        records in 0..25usize,
        failures in proptest::collection::vec(proptest::option::of(0..40u32), 1..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::at("2026-11-25T23:57:00Z");
            *world.evidence.seed.lock().unwrap() = seed;
            for n in 0..records {
                world.evidence.record(&n.to_string(), world.clock.now().plus(Duration::from_secs(n as u64 * 20)));
            }
            for failure in &failures {
                *world.evidence.fail_after.lock().unwrap() = *failure;
                let both = [world.chainer.clone(), world.chainer.clone()].map(|chainer| {
                    tokio::spawn(async move { chainer.run().await })
                });
                for run in both {
                    let _ = run.await.unwrap();
                }
                world.wait(MINUTE);
            }
            *world.evidence.fail_after.lock().unwrap() = None;
            world.wait(20 * MINUTE);
            world.run().await;
            let chained = ["2026-11-25", "2026-11-26"].map(|day| world.evidence.chain(day).len().saturating_sub(1));
            prop_assert_eq!(chained.iter().sum::<usize>(), records);
            // A record was late where every run before had failed; nothing else may be wrong.
            let mut mistakes = world.mistakes(&["2026-11-25", "2026-11-26"]);
            mistakes.retain(|mistake| *mistake != Mistake::RecordBackdated);
            prop_assert_eq!(mistakes, vec![]);
            Ok(())
        })?;
    }
}
