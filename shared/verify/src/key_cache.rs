//! A pool's keys in memory: fetched when first needed, again when a token names a key not seen yet, and when they are old.
//!
//! Anybody can make up a `kid`, so fetches have a floor between them. One fetch is under way at most; who needs a key that
//! is known never waits for it. A fetch is a task of its own: whoever hangs up while waiting does not end it, or a stream of
//! such requests could keep a new key from ever arriving.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use async_trait::async_trait;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Clock, PortError};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::deny::DenyReason;
use crate::jwks::{BadKeySet, KeySet, PublicKey};
use crate::pool::PoolConfig;

/// At least this long between a fetch that succeeded and the next. A rotation shows with the first token that names the
/// new key; only if there was a fetch just before does it wait, and then this long at most. A flood from outside costs the
/// pool's endpoint one request a minute and instance.
pub const REFRESH_FLOOR: Duration = Duration::from_mins(1);
/// At least this long between a fetch that failed and the next: soon enough for whoever is denied meanwhile, rare enough
/// to let an endpoint recover.
pub const RETRY_FLOOR: Duration = Duration::from_secs(5);
/// Known keys are fetched anew from this age on, while they go on serving. So long may a key that the pool has withdrawn be
/// trusted where nobody names a new one.
pub const RENEW_AFTER: Duration = Duration::from_hours(1);

/// How long callers wait for a source, whatever it does. Our own gives up after 3 s by itself; the authorizer's limit is 5 s.
pub const FETCH_LIMIT: Duration = Duration::from_secs(4);

/// Fetches a pool's keys.
#[async_trait]
pub trait JwksSource: Send + Sync {
    /// The pool's JWK set as served at `jwks_url`. To be bounded in time and size: callers wait for it, though never longer
    /// than [`FETCH_LIMIT`], and what is larger than [`MAX_JWKS_BYTES`](crate::MAX_JWKS_BYTES) is not read.
    async fn fetch(&self, pool: &PoolConfig) -> Result<Vec<u8>, PortError>;

    /// Whether it can ever bring another key than the bundled ones. If not, a key that is not known is unknown, and not
    /// one that may be fetched later.
    fn fetches(&self) -> bool {
        true
    }
}

/// One pool's keys.
pub(crate) struct KeyCache {
    pool: PoolConfig,
    source: Arc<dyn JwksSource>,
    clock: Arc<dyn Clock>,
    /// Held for a lookup only, never across a fetch.
    known: RwLock<Known>,
    /// Held during a fetch: the others wait for its result instead of fetching too.
    last_fetch: Arc<Mutex<Option<Fetch>>>,
}

/// The last good set.
struct Known {
    keys: Option<KeySet>,
    /// When it was asked for; of bundled keys, when the cache was made.
    as_of: EpochMillis,
}

/// A fetch that was made.
#[derive(Clone, Copy)]
struct Fetch {
    at: EpochMillis,
    succeeded: bool,
}

// === impl KeyCache ===

impl KeyCache {
    /// Keys of `pool`; nothing is fetched yet.
    pub(crate) fn new(pool: PoolConfig, source: Arc<dyn JwksSource>, clock: Arc<dyn Clock>) -> Self {
        let known = RwLock::new(Known { keys: pool.bundled_keys.clone(), as_of: clock.now() });
        Self { pool, source, clock, known, last_fetch: Arc::default() }
    }

    /// The key named `kid`, fetched if need and floor be.
    pub(crate) async fn key(self: &Arc<Self>, kid: &str) -> Result<Arc<PublicKey>, DenyReason> {
        if let Some(key) = self.known(kid) {
            self.renew_if_old();
            return Ok(key);
        }
        if !self.source.fetches() {
            // Without any key, it is us who are not configured.
            let has_keys = self.read().keys.is_some();
            return Err(if has_keys { DenyReason::UnknownKey } else { DenyReason::KeysUnavailable });
        }
        let last = Arc::clone(&self.last_fetch).lock_owned().await;
        // Another caller may have fetched it while this one waited.
        if let Some(key) = self.known(kid) {
            return Ok(key);
        }
        let now = self.clock.now();
        if let Some(fetch) = last.filter(|fetch| fetch.is_recent(now)) {
            return Err(fetch.denial());
        }
        let fetch = self.begin(last, now).await.unwrap_or(Fetch { at: now, succeeded: false });
        self.known(kid).ok_or(fetch.denial())
    }

    /// Has old keys fetched anew, without anybody waiting: what the pool has withdrawn must not be trusted for ever.
    pub(crate) fn renew_if_old(self: &Arc<Self>) {
        let (now, as_of) = (self.clock.now(), self.read().as_of);
        if (now >= as_of && now.since(as_of) < RENEW_AFTER) || !self.source.fetches() {
            return;
        }
        // One that is under way is enough.
        if let Ok(last) = Arc::clone(&self.last_fetch).try_lock_owned()
            && !last.is_some_and(|fetch| fetch.is_recent(now))
        {
            drop(self.begin(last, now));
        }
    }

    /// Whether that very key is among the pool's, as they are known now.
    pub(crate) fn has(&self, key: &Arc<PublicKey>) -> bool {
        self.read().keys.as_ref().is_some_and(|keys| keys.has(key))
    }

    /// Fetches the keys ahead of the first token, unless they are there. A failure leaves no trace: it is not a caller's
    /// doing, so the first token may try at once.
    pub(crate) async fn warm(self: Arc<Self>) {
        let mut last = self.last_fetch.lock().await;
        let now = self.clock.now();
        if self.read().keys.is_none() && self.source.fetches() && self.fetch(now).await {
            *last = Some(Fetch { at: now, succeeded: true });
        }
    }

    /// Begins a fetch, as a task that holds the lock.
    fn begin(self: &Arc<Self>, mut last: OwnedMutexGuard<Option<Fetch>>, now: EpochMillis) -> JoinHandle<Fetch> {
        // Noted before the fetch, so that the floor holds even if the source panics.
        *last = Some(Fetch { at: now, succeeded: false });
        let cache = Arc::clone(self);
        tokio::spawn(async move {
            let fetch = Fetch { at: now, succeeded: cache.fetch(now).await };
            *last = Some(fetch);
            fetch
        })
    }

    /// Fetches and keeps the keys; what is there stays if that fails.
    async fn fetch(&self, now: EpochMillis) -> bool {
        let document = timeout(FETCH_LIMIT, self.source.fetch(&self.pool)).await;
        let document = match document.unwrap_or_else(|_| Err(PortError::retry("jwks:fetch", "timeout"))) {
            Ok(document) => document,
            Err(PortError { operation, code, .. }) => {
                tracing::warn!(pool = %self.pool.user_pool_id, operation, code, "the pool's keys cannot be fetched");
                return false;
            }
        };
        match KeySet::parse(&document) {
            Ok(keys) => {
                let known = Known { keys: Some(keys), as_of: now };
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
                true
            }
            Err(error) => {
                log_bad(&self.pool, error);
                false
            }
        }
    }

    fn known(&self, kid: &str) -> Option<Arc<PublicKey>> {
        self.read().keys.as_ref()?.get(kid)
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        // A set is replaced as a whole, so even a poisoned lock holds a good one.
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log_bad(pool: &PoolConfig, error: BadKeySet) {
    tracing::warn!(pool = %pool.user_pool_id, error = %error, "the pool's keys cannot be read");
}

// === impl Fetch ===

impl Fetch {
    /// Whether the floor after it has not passed. A clock that was set back ends it, or it might stand for hours.
    fn is_recent(self, now: EpochMillis) -> bool {
        let floor = if self.succeeded { REFRESH_FLOOR } else { RETRY_FLOOR };
        now >= self.at && now.since(self.at) < floor
    }

    /// What a key that is not known means after this fetch.
    fn denial(self) -> DenyReason {
        // After a failure it may be a new key of the pool: do not tell an honest client that its token is bad.
        if self.succeeded { DenyReason::UnknownKey } else { DenyReason::KeysUnavailable }
    }
}

#[cfg(test)]
mod tests;
