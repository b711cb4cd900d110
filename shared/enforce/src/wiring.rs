//! The parts put together.

use std::sync::Arc;
use std::time::Duration;

use revocation_aws::jwks::HttpsJwks;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::ports::{SessionRecorder, TombstoneReader};
use revocation_lambda::clock::SystemClock;
use revocation_store::{
    BadStoreConfig, Freshness, LedgerRecorder, SnapshotReader, StoreClient, StoreConfig, StrictReader,
};
use revocation_verify::{BadVerifier, Checker, Verifier};

use crate::store::StoreSettings;
use crate::timed::Timed;
use crate::tokens::TokenSettings;

/// How long the init phase may spend on getting ready. AWS allows 10 s for all of it; a store that takes longer than
/// this is down, and then the first request's own timeouts shall tell.
const WARM_UP: Duration = Duration::from_secs(1);
/// A `sub` nobody has.
const NOBODY: &str = "warm-up";

/// A checker over the real store, and the ledger beside it.
pub struct Enforcer {
    /// Decides about tokens.
    pub checker: Checker,
    /// Notes sessions in use; `None` where no ledger is kept.
    pub recorder: Option<Arc<dyn SessionRecorder>>,
}

/// The parts do not fit.
#[derive(Debug, thiserror::Error)]
pub enum NotConnected {
    /// The store's address or credentials.
    #[error(transparent)]
    Store(#[from] BadStoreConfig),
    /// The pools.
    #[error(transparent)]
    Verifier(#[from] BadVerifier),
}

// === impl Enforcer ===

impl Enforcer {
    /// The actions of everything it may hold (I14): reading tombstones, strictly or through a snapshot, and noting sessions.
    pub const IAM_ACTIONS: &[&[&str]] =
        &[StrictReader::IAM_ACTIONS, SnapshotReader::IAM_ACTIONS, LedgerRecorder::IAM_ACTIONS];

    /// Connects to the store that `variable` names, which looks up one environment variable.
    pub fn connect(
        variable: &dyn Fn(&str) -> Option<String>,
        tokens: TokenSettings,
        store: &StoreSettings,
    ) -> Result<Self, NotConnected> {
        let client = StoreClient::new(StoreConfig::from_env(variable)?, Arc::new(SystemClock));
        let recorder = store.sessions_table.as_ref().map(|table| -> Arc<dyn SessionRecorder> {
            Arc::new(LedgerRecorder::new(&client, table, store.retention, store.client_data.into()))
        });
        // AWS gives the function's name to each of its instances.
        let function = variable("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "unknown".to_owned());
        Ok(Self { checker: checker(tokens, reader(&client, store, function))?, recorder })
    }

    /// Fetches keys and opens the connection to the store in the init phase, where CPU is not throttled and no request
    /// waits. A failure is ignored: what is missing is fetched again by the first request, which is denied if that fails.
    pub async fn warm(&self) {
        let _ = tokio::time::timeout(WARM_UP, self.checker.warm(&SubjectKey::new(NOBODY, NOBODY))).await;
    }
}

/// Reads tombstones as fresh as configured.
fn reader(client: &StoreClient, store: &StoreSettings, function: String) -> Arc<dyn TombstoneReader> {
    match (store.freshness, &store.feed_table) {
        (Freshness::Within(within), Some(feed)) => {
            Arc::new(SnapshotReader::new(client, &store.tombstones_table, feed, within))
        }
        (Freshness::Strict, _) | (Freshness::Within(_), None) => {
            // A snapshot answers from memory: there is nothing to measure.
            Arc::new(Timed::new(Arc::new(StrictReader::new(client, &store.tombstones_table)), function))
        }
    }
}

/// The checker as configured, over the real clock and the pools' own key endpoints.
pub fn checker(tokens: TokenSettings, reader: Arc<dyn TombstoneReader>) -> Result<Checker, BadVerifier> {
    let store_outage = tokens.store_outage;
    Ok(Checker { verifier: verifier(tokens)?, reader, clock: Arc::new(SystemClock), store_outage })
}

/// The verifier as configured.
pub fn verifier(tokens: TokenSettings) -> Result<Verifier, BadVerifier> {
    Verifier::builder(Arc::new(HttpsJwks::default()), Arc::new(SystemClock))
        .pools(tokens.pools)
        .token_uses(tokens.token_uses)
        .cache_entries(tokens.signature_cache)
        .end_date_claim(tokens.end_date_claim)
        .build()
}
