//! What is wrong with a day: each record and each link that is not as it was, by name.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::finding::{Finding, Mistake};
use super::{CHAINED_WITHIN, ChainHash, Chained, Digest, Link, Listed, RecordKey, Span, day_plus};
use crate::domain::time::EpochMillis;

/// After the end of a day its digest is there within so long.
const DIGEST_WITHIN: std::time::Duration = std::time::Duration::from_hours(2);

/// Everything there is to see of a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayEvidence {
    /// The UTC day, `YYYY-MM-DD`.
    pub day: String,
    /// Its links, by number.
    pub links: Vec<Link>,
    /// SHA-256 of the records the links name, as they are stored now; those that are gone are missing here.
    pub records: BTreeMap<RecordKey, String>,
    /// The records that the index lists for the day.
    pub listed: Vec<Listed>,
    /// Its digests: every version of every object.
    pub digests: Vec<Digest>,
    /// What was found to be wrong while it was read.
    pub mistakes: Vec<Mistake>,
}

/// What a day came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DayResult {
    /// The UTC day.
    pub day: String,
    /// Records chained.
    pub records: u64,
    /// Records too young to be missed in the chain.
    pub pending: u64,
    /// Digests compared.
    pub digests: usize,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// The hashes of its links, for the next day's opening.
    #[serde(skip)]
    pub hashes: BTreeSet<ChainHash>,
}

/// Compares a day's links with one another, with the records, with the index and with the digests. `before` are the hashes of
/// the previous day's chain, `None` where it was not looked at.
#[must_use]
pub fn verify_day(evidence: &DayEvidence, before: Option<&BTreeSet<ChainHash>>, now: EpochMillis) -> DayResult {
    let mut findings = Findings { day: &evidence.day, found: Vec::new() };
    for mistake in &evidence.mistakes {
        findings.add(None, None, mistake.clone());
    }
    links(evidence, &mut findings);
    opening(evidence, before, &mut findings);
    records(evidence, &mut findings);
    let pending = unchained(evidence, now, &mut findings);
    digests(evidence, now, &mut findings);
    let hashes = evidence.links.iter().flat_map(|link| [link.hash.clone(), link.expected_hash()]).collect();
    let mut found = findings.found;
    found.sort();
    found.dedup();
    DayResult {
        day: evidence.day.clone(),
        records: evidence.links.last().map_or(0, |link| link.n),
        pending,
        digests: evidence.digests.len(),
        findings: found,
        hashes,
    }
}

struct Findings<'a> {
    day: &'a str,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, n: Option<u64>, record: Option<&RecordKey>, mistake: Mistake) {
        self.found.push(Finding { day: self.day.to_owned(), n, record: record.cloned(), mistake });
    }

    fn link(&mut self, link: &Link, mistake: Mistake) {
        self.add(Some(link.n), link.record(), mistake);
    }
}

/// Each link by itself and after the one before it. An altered one is named once: the next follows it if it follows either
/// what it is or what it should be.
fn links(evidence: &DayEvidence, findings: &mut Findings<'_>) {
    let mut before: Option<&Link> = None;
    for link in &evidence.links {
        let expected = before.map_or(0, |before| before.n.saturating_add(1));
        if link.n < expected {
            findings.link(link, Mistake::LinkForked);
            continue;
        }
        // A wild number must not make a wild list.
        for n in (expected..link.n).take(1_000) {
            findings.add(Some(n), None, Mistake::LinkMissing);
        }
        let opens = link.chained == Chained::Opening;
        if link.hash != link.expected_hash() || link.day != evidence.day || opens != (link.n == 0) {
            findings.link(link, Mistake::LinkAltered);
        } else if let Some(before) = before.filter(|before| before.n.checked_add(1) == Some(link.n))
            && link.previous != before.hash
            && link.previous != before.expected_hash()
        {
            findings.link(link, Mistake::LinkForked);
        }
        before = Some(link);
    }
}

fn opening(evidence: &DayEvidence, before: Option<&BTreeSet<ChainHash>>, findings: &mut Findings<'_>) {
    let Some(opening) = evidence.links.first().filter(|link| link.n == 0) else { return };
    let Some(before) = before else { return };
    // The first of all days follows nothing; a day follows any link of the one before, which may have grown since.
    let first = before.is_empty() && opening.previous == ChainHash::none();
    if !first && !before.contains(&opening.previous) && opening.hash == opening.expected_hash() {
        findings.link(opening, Mistake::DayForked);
    }
}

/// Each record as it is stored now, and in its time.
fn records(evidence: &DayEvidence, findings: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    let mut latest = EpochMillis(i64::MIN);
    for link in &evidence.links {
        if let Chained::Record { key, recorded_at, sha256 } = &link.chained {
            if !seen.insert(key) {
                findings.link(link, Mistake::RecordChainedTwice);
            }
            match evidence.records.get(key) {
                None => findings.link(link, Mistake::RecordMissing),
                // An altered link is named as such, not its record.
                Some(stored) if stored != sha256 && link.hash == link.expected_hash() => {
                    findings.link(link, Mistake::RecordAltered);
                }
                Some(_) => {}
            }
            let known = |digest: &&Digest| digest.records < link.n && digest.written_at < link.chained_at;
            let digested = evidence.digests.iter().filter(known).map(|digest| digest.written_at).max();
            // Whoever catches up after an outage goes by the records' own times: late is not yet out of turn.
            if latest.max(digested.unwrap_or(latest)) > recorded_at.plus(CHAINED_WITHIN) {
                findings.link(link, Mistake::RecordBackdated);
            }
            if recorded_at.utc_day() != evidence.day {
                findings.link(link, Mistake::RecordMisdated);
            }
            latest = latest.max(*recorded_at);
        }
    }
}

/// Records that no link names; answers how many of them may still become one.
fn unchained(evidence: &DayEvidence, now: EpochMillis, findings: &mut Findings<'_>) -> u64 {
    let chained: BTreeSet<_> = evidence.links.iter().filter_map(Link::record).collect();
    let mut pending = 0;
    for listed in evidence.listed.iter().filter(|listed| !chained.contains(&listed.key)) {
        let at = listed.recorded_at;
        // A time to come would keep it out of every chain, and waiting for one, for ever.
        if at.utc_day() != evidence.day || at > now.plus(CHAINED_WITHIN) {
            findings.add(None, Some(&listed.key), Mistake::RecordMisdated);
        } else if at.plus(CHAINED_WITHIN) < now {
            findings.add(None, Some(&listed.key), Mistake::RecordInserted);
        } else {
            pending += 1;
        }
    }
    pending
}

fn digests(evidence: &DayEvidence, now: EpochMillis, findings: &mut Findings<'_>) {
    let last = evidence.links.last().map(|link| link.n);
    for digest in &evidence.digests {
        let written_at = digest.written_at;
        match evidence.links.iter().find(|link| link.n == digest.records) {
            Some(link) if link.hash == digest.head || link.hash != link.expected_hash() => {}
            Some(link) => findings.link(link, Mistake::Rewritten { written_at }),
            // In the middle it is a link that is missing, and named as such.
            None if last.is_some_and(|last| last > digest.records) => {}
            None => {
                let records = digest.records;
                findings.add(last.map(|n| n.saturating_add(1)), None, Mistake::Truncated { records, written_at });
            }
        }
    }
    let Some(last) = evidence.links.last() else { return };
    let over =
        day_plus(&evidence.day, 1).and_then(|next| EpochMillis::parse_rfc3339(&format!("{next}T00:00:00Z")).ok());
    if over.is_none_or(|over| now <= over.plus(DIGEST_WITHIN)) {
        return;
    }
    let of_day = evidence.digests.iter().filter(|digest| digest.span == Span::Day);
    match of_day.map(|digest| digest.records).max() {
        None => findings.add(None, None, Mistake::DigestMissing),
        Some(records) if records < last.n && last.chained_at.plus(DIGEST_WITHIN) < now => {
            findings.link(last, Mistake::DigestOutdated);
        }
        Some(_) => {}
    }
}
