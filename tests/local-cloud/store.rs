//! The tombstone adapters against the reference in the core, on a real DynamoDB API.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use revocation_aws::clients::AwsConfig;
use revocation_aws::dynamodb::DynamoTombstoneWriter;
use revocation_core::domain::hold::{ActionStamp, Hold, HoldChange};
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::session::{EndedSessions, SessionCutoff};
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::domain::tombstone::{Cutoff, CutoffKind, MOST_SESSIONS, OthersCutoff, Seal, Tombstone};
use revocation_core::ports::{TombstoneHolder as _, TombstoneReader as _, TombstoneWriter as _};
use revocation_lambda::clock::SystemClock;
use revocation_store::{StoreClient, StoreConfig, StrictReader};

use revocation_probe::Facts;

use crate::world::{fresh, probe, variable};

#[derive(Clone, Debug)]
#[expect(clippy::option_option, reason = "released, held without an end, held with one")]
enum Write {
    Raise(u8, i64, bool),
    Seal(u8, i64),
    EndOne(u8, i64),
    EndOthers(u8, i64),
    Hold(u8, i64, Option<Option<i64>>),
}

/// Seconds, in the year 2096: what is over is deleted by TTL, in the middle of a story too.
const MOMENTS: std::ops::Range<i64> = 4_000_000_000..4_000_000_020;

fn histories() -> impl Strategy<Value = Vec<Write>> {
    let one = prop_oneof![
        (0..3u8, MOMENTS, any::<bool>()).prop_map(|(n, at, claims)| Write::Raise(n, at, claims)),
        (0..3u8, MOMENTS).prop_map(|(n, at)| Write::Seal(n, at)),
        (0..3u8, MOMENTS).prop_map(|(n, at)| Write::EndOne(n, at)),
        (0..3u8, MOMENTS).prop_map(|(n, at)| Write::EndOthers(n, at)),
        (0..3u8, MOMENTS, proptest::option::of(proptest::option::of(MOMENTS.start..MOMENTS.start + 2_000)))
            .prop_map(|(n, at, hold)| Write::Hold(n, at, hold)),
    ];
    proptest::collection::vec(one, 1..10)
}

/// More sessions ended one by one than a tombstone has room for, with and without a cutoff that stands.
#[tokio::test]
async fn a_tombstone_without_room_is_written_as_the_reference_has_it() {
    let facts = probe().facts.clone();
    let (writer, reader) = store(&facts);
    for standing in [None, Some(MOMENTS.start - 100), Some(MOMENTS.start + 100)] {
        let subject = SubjectKey::new(&facts.user_pool_id, fresh("crowded"));
        let mut reference = Tombstone::default();
        if let Some(at) = standing {
            let cutoff =
                Cutoff { revocation_id: RevocationId("rv_1".into()), at: EpochSeconds(at), kind: CutoffKind::Sessions };
            reference.raise(&cutoff);
            writer.raise(&subject, &cutoff).await.unwrap();
        }
        for n in 0..MOST_SESSIONS + 2 {
            let ended = EndedSessions::One(format!("session-{n}"));
            let cutoff =
                SessionCutoff { revocation_id: RevocationId("rv_s".into()), at: EpochSeconds(MOMENTS.start), ended };
            reference.end_sessions(&cutoff);
            writer.end_sessions(&subject, &cutoff).await.unwrap();
        }
        assert_eq!(reader.read(&subject).await.unwrap().unwrap_or_default(), reference, "{standing:?}");
    }
}

/// Devices that say "everywhere but here" at the same moment: whatever comes between the writes of another, the latest stands,
/// and each was told the truth.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i02_many_at_once_saying_everywhere_but_here_leave_the_latest_standing() {
    const DEVICES: i64 = 10;
    let facts = probe().facts.clone();
    let (writer, reader) = store(&facts);
    let writer = Arc::new(writer);
    for _ in 0..12 {
        let subject = SubjectKey::new(&facts.user_pool_id, fresh("at-once"));
        let devices: Vec<_> = (0..DEVICES)
            .map(|n| {
                let (writer, subject) = (Arc::clone(&writer), subject.clone());
                let ended = EndedSessions::Others { spared: format!("session-{n}") };
                let at = EpochSeconds(MOMENTS.start + n);
                let cutoff = SessionCutoff { revocation_id: RevocationId("rv_s".into()), at, ended };
                tokio::spawn(async move {
                    // As the queue does.
                    while let Err(error) = writer.end_sessions(&subject, &cutoff).await {
                        assert_eq!(error.code, "contended");
                    }
                })
            })
            .collect();
        for device in devices {
            device.await.unwrap();
        }
        // In whatever order: the latest stands, and what each of the others ended has ended.
        let stored = reader.read(&subject).await.unwrap().unwrap();
        let (latest, at) = (DEVICES - 1, |n| EpochSeconds(MOMENTS.start + n));
        let others = OthersCutoff { not_before: at(latest), spared: format!("session-{latest}") };
        assert_eq!((stored.others, stored.not_before, stored.sealed), (Some(others), Some(at(latest - 1)), true));
    }
}

fn store(facts: &Facts) -> (DynamoTombstoneWriter, StrictReader) {
    let variable = |name: &str| variable(facts, name);
    let aws = AwsConfig::from_env(&variable).unwrap();
    let client = StoreClient::new(StoreConfig::from_env(&variable).unwrap(), Arc::new(SystemClock));
    let clock = Arc::new(SystemClock);
    let writer = DynamoTombstoneWriter::new(&aws, &facts.tombstones_table, &facts.tombstone_feed_table, clock);
    (writer, StrictReader::new(&client, &facts.tombstones_table))
}

#[test]
fn i02_i05_the_conditional_writes_do_what_the_reference_does() {
    let probe = probe();
    let facts = probe.facts.clone();
    let (writer, reader) = store(&facts);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() });
    runner
        .run(&histories(), |history| {
            let subject = SubjectKey::new(&facts.user_pool_id, fresh("history"));
            let mut reference = Tombstone::default();
            runtime.block_on(async {
                for write in &history {
                    match write {
                        Write::Raise(n, at, claims) => {
                            let kind = if *claims { CutoffKind::Claims } else { CutoffKind::Sessions };
                            let id = RevocationId(format!("rv_{n}"));
                            let cutoff = Cutoff { revocation_id: id, at: EpochSeconds(*at), kind };
                            let expected = reference.raise(&cutoff);
                            prop_assert_eq!(writer.raise(&subject, &cutoff).await.unwrap(), expected);
                        }
                        Write::EndOne(..) | Write::EndOthers(..) => {}
                        Write::Hold(n, at, hold) => {
                            let by = RevocationId(format!("ac_{n}"));
                            let hold = hold
                                .map(|until| Hold { until: until.map(EpochSeconds), message: format!("held by {n}") });
                            let stamp = ActionStamp { at: EpochMillis(at * 1_000), by };
                            let change = HoldChange { stamp, hold };
                            let expected = reference.change_hold(&change);
                            prop_assert_eq!(writer.change_hold(&subject, &change).await.unwrap(), expected);
                        }
                        // Nobody seals what nobody tombstoned.
                        Write::Seal(..) if reference.not_before.is_none() => {}
                        Write::Seal(n, at) => {
                            let by = RevocationId(format!("rv_{n}"));
                            let now = EpochMillis((MOMENTS.start + 30) * 1_000);
                            let seal = Seal::of(by, EpochSeconds(*at).into(), Duration::ZERO, now);
                            let expected = reference.seal(&seal);
                            prop_assert_eq!(writer.seal(&subject, &seal).await.unwrap(), expected);
                        }
                    }
                    if let Write::EndOne(n, at) | Write::EndOthers(n, at) = write {
                        let session = format!("session-{n}");
                        let ended = match write {
                            Write::EndOne(..) => EndedSessions::One(session),
                            _ => EndedSessions::Others { spared: session },
                        };
                        let cutoff =
                            SessionCutoff { revocation_id: RevocationId("rv_s".into()), at: EpochSeconds(*at), ended };
                        reference.end_sessions(&cutoff);
                        writer.end_sessions(&subject, &cutoff).await.unwrap();
                    }
                    let stored = reader.read(&subject).await.unwrap().unwrap_or_default();
                    prop_assert_eq!(&stored, &reference);
                    for now in [500, 1_500, 2_500].map(|later| EpochSeconds(MOMENTS.start + later)) {
                        prop_assert_eq!(writer.bars(&subject, now).await.unwrap(), reference.bars(now));
                    }
                }
                Ok(())
            })
        })
        .unwrap();
}
