//! What the tests of this crate share: a pool, its keys' endpoint and a store, each counting how often it is asked.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::Tombstone;
use revocation_core::ports::{Clock, PortError, TombstoneReader};
use revocation_testkit::clock::FakeClock;
use revocation_testkit::keys::{jwks, key_a};
use revocation_testkit::token::TokenBuilder;

use crate::check::{Checker, StoreOutage};
use crate::key_cache::JwksSource;
use crate::pool::PoolConfig;
use crate::token::TokenUse;
use crate::verifier::{Verifier, VerifierBuilder};

pub(crate) const POOL: &str = "eu-central-1_Test";
pub(crate) const CLIENT: &str = "client-1";
pub(crate) const SUB: &str = "4f6b1c1e-0000-4000-8000-000000000001";

/// Answers with a document or an error, after yielding once as a network would.
pub(crate) struct FakeJwks {
    pub(crate) answer: Mutex<Result<Vec<u8>, PortError>>,
    pub(crate) hangs: AtomicBool,
    /// The addresses that were asked.
    pub(crate) asked: Mutex<Vec<String>>,
    fetches: AtomicUsize,
}

/// Answers every read alike.
pub(crate) struct FakeStore {
    pub(crate) answer: Mutex<Result<Option<Tombstone>, PortError>>,
    /// What is known of everybody in the pool.
    pub(crate) pool: Mutex<Result<Option<Tombstone>, PortError>>,
    reads: AtomicUsize,
    pool_reads: AtomicUsize,
}

/// A checker of one pool and everything it stands on.
pub(crate) struct Bench {
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) jwks: Arc<FakeJwks>,
    pub(crate) store: Arc<FakeStore>,
    pub(crate) checker: Checker,
}

pub(crate) fn pool() -> PoolConfig {
    PoolConfig::new(UserPoolId(POOL.into()), vec![CLIENT.into()])
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(vec![pool()], vec![TokenUse::Access, TokenUse::Id], StoreOutage::Deny)
    }

    pub(crate) fn with(pools: Vec<PoolConfig>, token_uses: Vec<TokenUse>, store_outage: StoreOutage) -> Self {
        Self::configured(pools, token_uses, store_outage, |builder| builder)
    }

    /// One with options.
    pub(crate) fn and(configure: impl FnOnce(VerifierBuilder) -> VerifierBuilder) -> Self {
        Self::configured(vec![pool()], vec![TokenUse::Access, TokenUse::Id], StoreOutage::Deny, configure)
    }

    fn configured(
        pools: Vec<PoolConfig>,
        token_uses: Vec<TokenUse>,
        store_outage: StoreOutage,
        configure: impl FnOnce(VerifierBuilder) -> VerifierBuilder,
    ) -> Self {
        let (clock, jwks) = (Arc::new(FakeClock::default()), Arc::new(FakeJwks::new(jwks(&[key_a()]))));
        let store = Arc::new(FakeStore {
            answer: Mutex::new(Ok(None)),
            pool: Mutex::new(Ok(None)),
            reads: AtomicUsize::new(0),
            pool_reads: AtomicUsize::new(0),
        });
        let as_clock: Arc<dyn Clock> = clock.clone();
        let source: Arc<dyn JwksSource> = jwks.clone();
        let verifier = configure(Verifier::builder(source, as_clock.clone()).pools(pools).token_uses(token_uses));
        let verifier = verifier.build().unwrap();
        let checker = Checker { verifier, reader: store.clone(), clock: as_clock, store_outage };
        Self { clock, jwks, store, checker }
    }

    pub(crate) fn now(&self) -> EpochSeconds {
        self.clock.now().seconds()
    }

    /// An access token issued now.
    pub(crate) fn access(&self) -> TokenBuilder {
        TokenBuilder::access(POOL, CLIENT, SUB, self.now())
    }

    /// An ID token issued now.
    pub(crate) fn id(&self) -> TokenBuilder {
        TokenBuilder::id(POOL, CLIENT, SUB, self.now())
    }
}

impl FakeJwks {
    pub(crate) fn new(document: Vec<u8>) -> Self {
        Self {
            answer: Mutex::new(Ok(document)),
            hangs: AtomicBool::new(false),
            asked: Mutex::default(),
            fetches: AtomicUsize::new(0),
        }
    }

    pub(crate) fn answer(&self, with: Result<Vec<u8>, PortError>) {
        *self.answer.lock().unwrap() = with;
    }

    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl JwksSource for FakeJwks {
    async fn fetch(&self, pool: &PoolConfig) -> Result<Vec<u8>, PortError> {
        self.asked.lock().unwrap().push(pool.jwks_url.clone());
        self.fetches.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.answer.lock().unwrap().clone()
    }
}

impl FakeStore {
    pub(crate) fn answer(&self, with: Result<Option<Tombstone>, PortError>) {
        *self.answer.lock().unwrap() = with;
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    pub(crate) fn pool_reads(&self) -> usize {
        self.pool_reads.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl TombstoneReader for FakeStore {
    async fn read(&self, _subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.answer.lock().unwrap().clone()
    }

    async fn read_pool(&self, _pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        self.pool_reads.fetch_add(1, Ordering::SeqCst);
        self.pool.lock().unwrap().clone()
    }
}
