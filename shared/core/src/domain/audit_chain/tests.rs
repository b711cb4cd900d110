#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    clippy::too_many_lines,
    reason = "small numbers, and one table of tamperings"
)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const DAY: &str = "2026-11-26";
/// Noon of that day.
const NOON: i64 = 1_795_694_400_000;
const NOW: EpochMillis = EpochMillis(NOON + 30 * 3_600_000);

fn record(name: &str, recorded_at: i64) -> StoredRecord {
    let key = RecordKey { revocation_id: format!("rv_{name}"), step: format!("completed/pool#{name}") };
    let text = |text: &str| Attribute::Text(text.to_owned());
    let attributes = [
        ("revocation_id", text(&key.revocation_id)),
        ("step", text(&key.step)),
        ("recorded_at", Attribute::Number(recorded_at.to_string())),
        ("day", text(DAY)),
        ("subject", text(&format!("pool#{name}"))),
        ("body", text(&format!("{{\"outcome\":\"complete\",\"who\":\"{name}\"}}"))),
    ];
    StoredRecord { key, attributes: attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
}

/// A day as it should be: `count` records a minute apart, a digest after every third and one at its end.
fn honest(count: usize) -> (DayEvidence, Vec<StoredRecord>) {
    let yesterday = Link::opening("2026-11-25", None, EpochMillis(NOON - 86_400_000));
    let mut last = Link::opening(DAY, Some(&yesterday), EpochMillis(NOON));
    let opening = last.clone();
    let mut evidence = DayEvidence { day: DAY.into(), links: vec![opening.clone()], ..DayEvidence::default() };
    let records: Vec<_> = (0..count).map(|n| record(&format!("{n:04}"), NOON + n as i64 * 60_000)).collect();
    for (n, record) in records.iter().enumerate() {
        last = last.then(record, EpochMillis(NOON + n as i64 * 60_000 + 30_000));
        evidence.links.push(last.clone());
        evidence.records.insert(record.key.clone(), record.sha256());
        let recorded_at = record.recorded_at().unwrap();
        evidence.listed.push(Listed { recorded_at, key: record.key.clone() });
        if n % 3 == 2 {
            evidence.digests.push(Digest::of(Span::Hour(n as u8 % 24), &opening, &last, last.chained_at));
        }
    }
    evidence.digests.push(Digest::of(Span::Day, &opening, &last, EpochMillis(NOON + 13 * 3_600_000)));
    (evidence, records)
}

fn before() -> BTreeSet<ChainHash> {
    [Link::opening("2026-11-25", None, EpochMillis(NOON - 86_400_000)).hash].into()
}

fn found(evidence: &DayEvidence) -> Vec<Finding> {
    verify_day(evidence, Some(&before()), NOW).findings
}

/// The chain made anew over these records, as whoever can write the table would.
fn rehash(evidence: &mut DayEvidence, records: &[StoredRecord]) {
    let times: Vec<_> = evidence.links.iter().map(|link| link.chained_at).collect();
    evidence.links.truncate(1);
    for (record, at) in records.iter().zip(times.into_iter().skip(1)) {
        let link = evidence.links.last().unwrap().then(record, at);
        evidence.links.push(link);
    }
    evidence.records = records.iter().map(|record| (record.key.clone(), record.sha256())).collect();
}

#[test]
fn an_honest_day_has_no_findings_nor_has_an_empty_one() {
    for count in [0, 1, 2, 50] {
        let (evidence, _) = honest(count);
        let result = verify_day(&evidence, Some(&before()), NOW);
        assert_eq!((result.findings, result.records), (vec![], count as u64));
    }
}

#[test]
fn the_forms_do_not_change() {
    // Chains are kept for years: whoever changes a form changes its name, and reads both. Computed with Python's hashlib from
    // what docs/AUDIT.md says.
    let (evidence, records) = honest(1);
    assert_eq!(records[0].sha256(), "63c2746dbc97d40acd8ceb89ea8043a30526d75773584390f096a85a628e8aee");
    assert_eq!(evidence.links[0].hash.0, "ae0229304f985ebc63d412648362199250e0be9e7b1b03ef5bf73521c52fd0f1");
    assert_eq!(evidence.links[1].hash.0, "1a5e1681744ddd5dda077892243c7dd15e0e0aaef09f42c4e9c5ab812b548038");
    let message = evidence.digests[0].message();
    assert!(
        message.starts_with("session-revocation digest/1\nday 2026-11-26\nspan day\nrecords 1\nhead "),
        "{message}"
    );
}

#[test]
fn a_record_whose_time_is_not_of_its_day_is_named_chained_or_not() {
    let noon = NOON + 60 * 60_000;
    for (name, at) in [("the next day", NOON + 86_400_000), ("the year 2100", 4_102_444_800_000)] {
        let (mut evidence, _) = honest(3);
        evidence.digests.clear();
        let forged = record(name, at);
        evidence.listed.push(Listed { recorded_at: EpochMillis(at), key: forged.key.clone() });
        let result = verify_day(&evidence, Some(&before()), EpochMillis(noon));
        assert_eq!((result.pending, result.findings[0].mistake.clone()), (0, Mistake::RecordMisdated), "{name}");
        let link = evidence.links.last().unwrap().then(&forged, EpochMillis(noon));
        evidence.links.push(link);
        evidence.records.insert(forged.key.clone(), forged.sha256());
        let result = verify_day(&evidence, Some(&before()), EpochMillis(noon));
        assert_eq!(result.findings.len(), 1, "{name}: {:?}", result.findings);
        assert_eq!(result.findings[0].mistake, Mistake::RecordMisdated, "{name}");
    }
    // Later today is no time of today yet.
    let (mut evidence, _) = honest(0);
    evidence.listed.push(Listed { recorded_at: EpochMillis(NOON + 7_200_000), key: record("later", 0).key });
    let mistakes: Vec<_> = verify_day(&evidence, Some(&before()), EpochMillis(NOON)).findings;
    assert!(mistakes.iter().any(|one| one.mistake == Mistake::RecordMisdated), "{mistakes:?}");
}

#[test]
fn a_record_too_young_to_be_chained_is_pending_and_an_old_one_was_inserted() {
    let (mut evidence, _) = honest(3);
    evidence.digests.clear();
    let now = EpochMillis(NOON + 3_600_000);
    for (name, age) in [("young", 60_000), ("old", 700_000)] {
        let listed = Listed { recorded_at: EpochMillis(now.0 - age), key: record(name, 0).key };
        evidence.listed.push(listed);
    }
    let result = verify_day(&evidence, Some(&before()), now);
    assert_eq!((result.pending, result.findings.len()), (1, 1));
    assert_eq!(result.findings[0].mistake, Mistake::RecordInserted);
    assert_eq!(result.findings[0].record, Some(record("old", 0).key));
}

#[test]
fn an_inserted_record_that_was_chained_is_told_by_its_time_unless_the_chain_stood_still() {
    let (mut evidence, _) = honest(20);
    let old = record("inserted", NOON + 60_000);
    let last = evidence.links.last().unwrap().clone();
    let link = last.then(&old, last.chained_at.plus(Duration::from_mins(1)));
    evidence.records.insert(old.key.clone(), old.sha256());
    evidence.links.push(link);
    evidence.digests.clear();
    let findings = verify_day(&evidence, Some(&before()), EpochMillis(NOON + 3_600_000)).findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((findings[0].n, findings[0].mistake.clone()), (Some(21), Mistake::RecordBackdated));
    // All of a day chained in one late run: nobody was there earlier.
    let (mut evidence, records) = honest(20);
    let late = EpochMillis(NOON + 10 * 3_600_000);
    evidence.links.truncate(1);
    evidence.digests.clear();
    for record in &records {
        // Link by link, as batches are: nobody's turn was taken.
        let link =
            evidence.links.last().unwrap().then(record, late.plus(Duration::from_secs(evidence.links.len() as u64)));
        evidence.links.push(link);
    }
    assert_eq!(verify_day(&evidence, Some(&before()), EpochMillis(late.0 + 60_000)).findings, []);
}

#[test]
fn a_day_over_has_a_digest_and_nothing_is_added_after_it() {
    let (mut evidence, records) = honest(4);
    let digests = std::mem::take(&mut evidence.digests);
    assert_eq!(found(&evidence)[0].mistake, Mistake::DigestMissing);
    evidence.digests = digests;
    let added = record("added", NOON + 300_000);
    let link = evidence.links.last().unwrap().then(&added, EpochMillis(NOON + 310_000));
    evidence.links.push(link);
    evidence.records.insert(added.key.clone(), added.sha256());
    assert_eq!(found(&evidence)[0].mistake, Mistake::DigestOutdated);
    assert_eq!(records.len(), 4);
}

#[test]
fn a_day_follows_the_day_before_or_nothing() {
    let (evidence, _) = honest(2);
    let other = [Link::opening("2026-11-25", None, EpochMillis(1)).hash].into();
    assert_eq!(verify_day(&evidence, Some(&other), NOW).findings[0].mistake, Mistake::DayForked);
    assert_eq!(verify_day(&evidence, None, NOW).findings, []);
    // A chain that begins anew although there is one.
    assert_eq!(verify_day(&evidence, Some(&BTreeSet::new()), NOW).findings[0].mistake, Mistake::DayForked);
}

#[test]
fn a_deleted_chain_is_told_by_its_digests() {
    let (mut evidence, _) = honest(3);
    evidence.links.clear();
    let mistakes: Vec<_> = found(&evidence).into_iter().map(|finding| finding.mistake).collect();
    assert!(mistakes.iter().any(|mistake| matches!(mistake, Mistake::Truncated { records: 3, .. })), "{mistakes:?}");
}

#[test]
fn days_are_counted_and_nothing_else_is_a_day() {
    assert_eq!(day_plus("2026-03-01", -1).as_deref(), Some("2026-02-28"));
    assert_eq!(day_plus("2026-12-31", 1).as_deref(), Some("2027-01-01"));
    for text in ["", "today", "2026-13-01", "20260301", "2026-03-01T00:00:00Z"] {
        assert_eq!(day_plus(text, 1), None, "{text}");
    }
}

/// One thing done to the record or link at `at`.
#[derive(Clone, Debug)]
enum Tampering {
    AlterRecord { attribute: usize },
    AddAttribute,
    RemoveRecord,
    RemoveLink,
    RemoveBoth,
    AlterLink { part: usize },
    SwapLinks,
    Truncate,
    Rehash,
    RehashWithout,
    RehashReordered,
    InsertLink,
    ForgeDigest { part: usize },
}

fn tampering() -> impl Strategy<Value = Tampering> {
    prop_oneof![
        (0..6usize).prop_map(|attribute| Tampering::AlterRecord { attribute }),
        Just(Tampering::AddAttribute),
        Just(Tampering::RemoveRecord),
        Just(Tampering::RemoveLink),
        Just(Tampering::RemoveBoth),
        (0..7usize).prop_map(|part| Tampering::AlterLink { part }),
        Just(Tampering::SwapLinks),
        Just(Tampering::Truncate),
        Just(Tampering::Rehash),
        Just(Tampering::RehashWithout),
        Just(Tampering::RehashReordered),
        Just(Tampering::InsertLink),
        (0..2usize).prop_map(|part| Tampering::ForgeDigest { part }),
    ]
}

/// Does it, and says what must be found: the link's number, the record, and the kinds of mistake of which one must be named.
fn tamper(evidence: &mut DayEvidence, records: &mut Vec<StoredRecord>, what: &Tampering, at: usize) -> Expected {
    let (n, key) = (at as u64 + 1, records[at].key.clone());
    let link = |n, mistake: fn(&Mistake) -> bool| Expected { n: Some(n), record: None, mistake };
    let of_record = |mistake: fn(&Mistake) -> bool| Expected { n: None, record: Some(key.clone()), mistake };
    match what {
        Tampering::AlterRecord { attribute } => {
            let name = records[at].attributes.keys().nth(*attribute).unwrap().clone();
            let value = records[at].attributes.get_mut(&name).unwrap();
            *value = match &*value {
                Attribute::Text(text) => Attribute::Text(format!("{text} ")),
                _ => Attribute::Number("7".into()),
            };
            evidence.records.insert(key.clone(), records[at].sha256());
            of_record(|mistake| *mistake == Mistake::RecordAltered)
        }
        Tampering::AddAttribute => {
            records[at].attributes.insert("approved_by".into(), Attribute::Text("nobody".into()));
            evidence.records.insert(key.clone(), records[at].sha256());
            of_record(|mistake| *mistake == Mistake::RecordAltered)
        }
        Tampering::RemoveRecord => {
            evidence.records.remove(&key);
            evidence.listed.retain(|listed| listed.key != key);
            of_record(|mistake| *mistake == Mistake::RecordMissing)
        }
        // The last one's is a chain cut off.
        Tampering::RemoveLink | Tampering::RemoveBoth => {
            evidence.links.remove(at + 1);
            if matches!(what, Tampering::RemoveBoth) {
                evidence.records.remove(&key);
                evidence.listed.retain(|listed| listed.key != key);
            }
            link(n, |mistake| matches!(mistake, Mistake::LinkMissing | Mistake::Truncated { .. }))
        }
        Tampering::AlterLink { part } => {
            let altered = &mut evidence.links[at + 1];
            match (part, &mut altered.chained) {
                (0, _) => altered.hash = ChainHash("0".repeat(64)),
                (1, _) => altered.previous = ChainHash("1".repeat(64)),
                (2, _) => altered.chained_at = EpochMillis(altered.chained_at.0 - 1),
                (3, Chained::Record { sha256, .. }) => *sha256 = "2".repeat(64),
                (4, Chained::Record { recorded_at, .. }) => *recorded_at = EpochMillis(recorded_at.0 - 1),
                (5, Chained::Record { key, .. }) => key.step.push('x'),
                (_, Chained::Record { key, .. }) => key.revocation_id.push('x'),
                _ => unreachable!(),
            }
            link(n, |mistake| *mistake == Mistake::LinkAltered)
        }
        Tampering::SwapLinks => {
            let other = if at == 0 { 2 } else { at };
            evidence.links.swap(at + 1, other);
            let (a, b) = (evidence.links[at + 1].n, evidence.links[other].n);
            evidence.links[at + 1].n = b;
            evidence.links[other].n = a;
            link(n, |mistake| *mistake == Mistake::LinkAltered)
        }
        Tampering::Truncate => {
            evidence.links.truncate(at + 1);
            for record in records.drain(at..) {
                evidence.records.remove(&record.key);
                evidence.listed.retain(|listed| listed.key != record.key);
            }
            link(n, |mistake| matches!(mistake, Mistake::Truncated { .. }))
        }
        Tampering::Rehash => {
            records[at].attributes.insert("body".into(), Attribute::Text("{}".into()));
            rehash(evidence, records);
            Expected { n: None, record: None, mistake: |mistake| matches!(mistake, Mistake::Rewritten { .. }) }
        }
        Tampering::RehashWithout => {
            records.remove(at);
            evidence.listed.remove(at);
            rehash(evidence, records);
            Expected {
                n: None,
                record: None,
                mistake: |mistake| matches!(mistake, Mistake::Rewritten { .. } | Mistake::Truncated { .. }),
            }
        }
        Tampering::RehashReordered => {
            let other = if at == 0 { 1 } else { at - 1 };
            records.swap(at, other);
            rehash(evidence, records);
            Expected { n: None, record: None, mistake: |mistake| matches!(mistake, Mistake::Rewritten { .. }) }
        }
        Tampering::InsertLink => {
            let fake = record("fake", NOON + at as i64 * 60_000);
            evidence.records.insert(fake.key.clone(), fake.sha256());
            let inserted = evidence.links[at].then(&fake, evidence.links[at].chained_at);
            evidence.links.insert(at + 1, inserted);
            link(n, |mistake| *mistake == Mistake::LinkForked)
        }
        Tampering::ForgeDigest { part } => {
            let digest = evidence.digests.last_mut().unwrap();
            match part {
                0 => digest.head = ChainHash("3".repeat(64)),
                _ => digest.records += 1,
            }
            Expected {
                n: None,
                record: None,
                mistake: |mistake| matches!(mistake, Mistake::Rewritten { .. } | Mistake::Truncated { .. }),
            }
        }
    }
}

struct Expected {
    n: Option<u64>,
    record: Option<RecordKey>,
    mistake: fn(&Mistake) -> bool,
}

proptest! {
    #[test]
    fn whatever_is_done_to_a_day_is_found_and_named(count in 2..40usize, place in 0..1_000usize, what in tampering()) {
        let (mut evidence, mut records) = honest(count);
        let expected = tamper(&mut evidence, &mut records, &what, place % count);
        let findings = found(&evidence);
        let named = findings.iter().any(|finding| {
            (expected.mistake)(&finding.mistake)
                && expected.n.is_none_or(|n| finding.n == Some(n))
                && expected.record.as_ref().is_none_or(|record| finding.record.as_ref() == Some(record))
        });
        prop_assert!(named, "{what:?} at {}: {findings:#?}", place % count);
        // Only what was touched is named, not all that comes after it.
        let touched = match what {
            Tampering::AlterRecord { .. } | Tampering::AddAttribute | Tampering::RemoveRecord => 1,
            Tampering::AlterLink { .. } | Tampering::RemoveLink | Tampering::RemoveBoth => 12,
            _ => usize::MAX,
        };
        prop_assert!(findings.len() <= touched, "{what:?}: {findings:#?}");
    }
}
