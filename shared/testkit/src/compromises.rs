//! The counter's tables and pager in memory. Every call yields first, so that concurrent tasks interleave everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use revocation_core::domain::incident::{IncidentLog, Page, Sign};
use revocation_core::domain::revocation_id::{PayloadDigest, RevocationId};
use revocation_core::domain::time::EpochSeconds;
use revocation_core::ports::{CompromiseLedger, Conflict, IncidentStore, Pager, PortError, Recorded};

/// Signs, incidents, and the pages sent.
#[derive(Default)]
pub struct FakeCompromises {
    requests: Mutex<BTreeMap<RevocationId, (PayloadDigest, Sign)>>,
    signs: Mutex<BTreeSet<Sign>>,
    log: Mutex<IncidentLog>,
    /// Every page that was sent.
    pub pages: Mutex<Vec<Page>>,
    /// As many pages are refused before the next is taken.
    pub refuse_pages: Mutex<usize>,
    /// Decides how often each call yields: another order of the same tasks.
    pub seed: Mutex<u64>,
}

impl FakeCompromises {
    async fn interleave(&self) {
        let times = {
            let mut seed = self.seed.lock().unwrap();
            // Knuth's MMIX generator: any spread will do, but it must be the same for the same seed.
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*seed >> 33) % 4
        };
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
    }

    /// The incident log as it stands.
    pub fn log(&self) -> IncidentLog {
        self.log.lock().unwrap().clone()
    }
}

#[async_trait]
impl CompromiseLedger for FakeCompromises {
    async fn record(&self, id: &RevocationId, digest: &PayloadDigest, sign: &Sign) -> Result<Recorded, PortError> {
        self.interleave().await;
        let (first, standing) =
            self.requests.lock().unwrap().entry(id.clone()).or_insert((digest.clone(), sign.clone())).clone();
        if first != *digest {
            return Ok(Recorded::Conflict);
        }
        self.interleave().await;
        self.signs.lock().unwrap().insert(standing.clone());
        Ok(Recorded::As(standing))
    }

    async fn between(&self, first: EpochSeconds, last: EpochSeconds) -> Result<Vec<Sign>, PortError> {
        self.interleave().await;
        Ok(self.signs.lock().unwrap().iter().filter(|sign| first <= sign.at && sign.at <= last).cloned().collect())
    }
}

#[async_trait]
impl IncidentStore for FakeCompromises {
    async fn load(&self) -> Result<IncidentLog, PortError> {
        self.interleave().await;
        Ok(self.log())
    }

    async fn save(&self, log: &IncidentLog) -> Result<Result<(), Conflict>, PortError> {
        self.interleave().await;
        let mut standing = self.log.lock().unwrap();
        if standing.version != log.version {
            return Ok(Err(Conflict));
        }
        *standing = IncidentLog { version: log.version + 1, ..log.clone() };
        Ok(Ok(()))
    }
}

#[async_trait]
impl Pager for FakeCompromises {
    fn name(&self) -> &'static str {
        "fake"
    }

    async fn page(&self, page: &Page) -> Result<(), PortError> {
        self.interleave().await;
        let mut refuse = self.refuse_pages.lock().unwrap();
        if *refuse > 0 {
            *refuse -= 1;
            return Err(PortError::retry("sns:Publish", "throttled"));
        }
        self.pages.lock().unwrap().push(page.clone());
        Ok(())
    }
}
