//! The audit trail's records, chain and digests in memory. Every call yields first, so that concurrent runs interleave.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use revocation_core::domain::audit_chain::{Attribute, Digest, Link, Listed, RecordKey, Span, StoredRecord};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{AuditChain, Conflict, DigestStore, PortError, RecordIndex, RecordReader};

/// Records, links and digests.
#[derive(Default)]
pub struct FakeEvidence {
    /// The table.
    pub records: Mutex<BTreeMap<RecordKey, StoredRecord>>,
    /// Records that the index does not list yet.
    pub lagging: Mutex<Vec<RecordKey>>,
    /// The chain by day.
    pub links: Mutex<BTreeMap<String, Vec<Link>>>,
    /// Every version, the oldest first.
    pub digests: Mutex<Vec<Digest>>,
    /// Decides how often each call yields: another order of the same tasks.
    pub seed: Mutex<u64>,
    /// So many calls succeed, then one fails.
    pub fail_after: Mutex<Option<u32>>,
}

impl FakeEvidence {
    /// Writes a record of that time.
    pub fn record(&self, name: &str, at: EpochMillis) -> RecordKey {
        let key = RecordKey { revocation_id: format!("rv_{name}"), step: format!("completed/pool#{name}") };
        let attributes = [
            ("day", Attribute::Text(at.utc_day())),
            ("recorded_at", Attribute::Number(at.0.to_string())),
            ("body", Attribute::Text(format!("{{\"name\":\"{name}\"}}"))),
        ];
        let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.records.lock().unwrap().insert(key.clone(), StoredRecord { key: key.clone(), attributes });
        key
    }

    /// The chain of a day.
    pub fn chain(&self, day: &str) -> Vec<Link> {
        self.links.lock().unwrap().get(day).cloned().unwrap_or_default()
    }

    async fn call(&self) -> Result<(), PortError> {
        let times = {
            let mut seed = self.seed.lock().unwrap();
            // Knuth's MMIX generator: any spread will do, but it must be the same for the same seed.
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*seed >> 33) % 4
        };
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
        let mut left = self.fail_after.lock().unwrap();
        match left.as_mut() {
            Some(0) => {
                *left = None;
                Err(PortError::retry("fake", "timeout"))
            }
            Some(n) => {
                *n -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

#[async_trait]
impl RecordIndex for FakeEvidence {
    async fn listed(&self, day: &str, since: EpochMillis) -> Result<Vec<Listed>, PortError> {
        self.call().await?;
        let lagging = self.lagging.lock().unwrap();
        let of_day = |record: &&StoredRecord| record.attributes.get("day") == Some(&Attribute::Text(day.to_owned()));
        let records = self.records.lock().unwrap();
        let mut listed: Vec<_> = records
            .values()
            .filter(of_day)
            .filter(|record| !lagging.contains(&record.key))
            .map(|record| Listed { recorded_at: record.recorded_at().unwrap(), key: record.key.clone() })
            .filter(|listed| listed.recorded_at >= since)
            .collect();
        listed.sort();
        Ok(listed)
    }
}

#[async_trait]
impl RecordReader for FakeEvidence {
    async fn stored(&self, keys: &[RecordKey]) -> Result<Vec<StoredRecord>, PortError> {
        self.call().await?;
        let records = self.records.lock().unwrap();
        Ok(keys.iter().filter_map(|key| records.get(key).cloned()).collect())
    }
}

#[async_trait]
impl AuditChain for FakeEvidence {
    fn most_appended(&self) -> usize {
        3
    }

    async fn opening(&self, day: &str) -> Result<Option<Link>, PortError> {
        self.call().await?;
        Ok(self.chain(day).first().cloned())
    }

    async fn last(&self, day: &str) -> Result<Option<Link>, PortError> {
        self.call().await?;
        Ok(self.chain(day).last().cloned())
    }

    async fn links(&self, day: &str, since: EpochMillis) -> Result<Vec<Link>, PortError> {
        self.call().await?;
        let chain = self.chain(day);
        let from = chain.iter().rposition(|link| link.chained_at < since).unwrap_or(0);
        Ok(chain.get(from..).unwrap_or_default().to_vec())
    }

    async fn append(&self, links: &[Link]) -> Result<Result<(), Conflict>, PortError> {
        self.call().await?;
        let mut all = self.links.lock().unwrap();
        for link in links {
            let taken = all.get(&link.day).is_some_and(|chain| chain.iter().any(|standing| standing.n == link.n));
            if taken {
                return Ok(Err(Conflict));
            }
        }
        for link in links {
            all.entry(link.day.clone()).or_default().push(link.clone());
        }
        Ok(Ok(()))
    }
}

#[async_trait]
impl DigestStore for FakeEvidence {
    async fn latest(&self, day: &str, span: Span) -> Result<Option<Digest>, PortError> {
        self.call().await?;
        let digests = self.digests.lock().unwrap();
        Ok(digests.iter().rfind(|digest| digest.day == day && digest.span == span).cloned())
    }

    async fn put(&self, digest: &Digest) -> Result<(), PortError> {
        self.call().await?;
        self.digests.lock().unwrap().push(digest.clone());
        Ok(())
    }
}
