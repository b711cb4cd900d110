//! Who asks: credentials, kept until shortly before they expire, and the key derived from them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::sign::v4::generate_signing_key;
use hyper::header::HeaderValue;
use revocation_core::domain::time::EpochMillis;
use tokio::time::timeout;

use crate::failure::Failure;

/// Fetched anew in the background so long before they expire. ECS and EC2 have the next ones at least 5 minutes ahead.
const RENEW_BEFORE: Duration = Duration::from_mins(4);
/// Not used any more so shortly before they expire: the request is still to travel.
const UNUSABLE_BEFORE: Duration = Duration::from_secs(5);
/// After a failed renewal the provider is left alone for so long.
const RENEW_PAUSE: Duration = Duration::from_secs(5);
/// What a provider may take, however impatient the requests are: a chain of roles, or a program, takes a second or two. The
/// SDK's own limit (`load_timeout`).
const PROVIDER_LIMIT: Duration = Duration::from_secs(5);

/// Credentials, ready for use.
pub(crate) struct Identity {
    pub(crate) access_key_id: String,
    secret: String,
    /// The session token; marked as sensitive.
    pub(crate) token: Option<HeaderValue>,
    expires: Option<EpochMillis>,
    fetched: EpochMillis,
    /// The signing key and the day, counted from 1970, for which it holds.
    key: Mutex<Option<(i64, [u8; 32])>>,
}

/// Credentials from a provider, fetched once for many requests.
#[derive(Clone)]
pub(crate) struct CredentialCache(Arc<Inner>);

struct Inner {
    provider: SharedCredentialsProvider,
    current: Mutex<Option<Arc<Identity>>>,
    /// Held while the provider is asked; holds when it was last asked in vain.
    asking: Arc<tokio::sync::Mutex<Option<EpochMillis>>>,
}

// === impl Identity ===

impl Identity {
    fn new(credentials: &Credentials, fetched: EpochMillis) -> Result<Self, Failure> {
        let token = credentials.session_token().map(HeaderValue::from_str).transpose();
        let mut token = token.map_err(|_| Failure::NoCredentials)?;
        if let Some(token) = &mut token {
            token.set_sensitive(true);
        }
        let id = credentials.access_key_id();
        if HeaderValue::from_str(id).is_err() {
            return Err(Failure::NoCredentials);
        }
        let millis = |at: Duration| EpochMillis(i64::try_from(at.as_millis()).unwrap_or(i64::MAX));
        // One that expired before 1970 has expired.
        let expires = credentials.expiry().map(|at| at.duration_since(UNIX_EPOCH).map_or(EpochMillis(0), millis));
        let (access_key_id, secret) = (id.to_owned(), credentials.secret_access_key().to_owned());
        Ok(Self { access_key_id, secret, token, expires, fetched, key: Mutex::new(None) })
    }

    /// The key that signs on the day of `at`. It takes five hashes to derive and holds for the day.
    pub(crate) fn signing_key(&self, at: EpochMillis, region: &str) -> [u8; 32] {
        let day = at.0.div_euclid(86_400_000);
        let mut kept = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = kept.filter(|(of, _)| *of == day) {
            return key;
        }
        let time = UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap_or(0));
        let derived = generate_signing_key(&self.secret, time, region, "dynamodb");
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(derived.as_ref()) {
            *to = *from;
        }
        *kept = Some((day, key));
        key
    }

    fn expires_within(&self, now: EpochMillis, time: Duration) -> bool {
        self.expires.is_some_and(|expires| expires <= now.plus(time))
    }
}

// === impl CredentialCache ===

impl CredentialCache {
    pub(crate) fn new(provider: SharedCredentialsProvider) -> Self {
        Self(Arc::new(Inner { provider, current: Mutex::default(), asking: Arc::default() }))
    }

    /// Credentials good at `now`. Waits for the provider only when there are none.
    pub(crate) async fn get(&self, now: EpochMillis) -> Result<Arc<Identity>, Failure> {
        match self.usable(now) {
            Some(identity) if !identity.expires_within(now, RENEW_BEFORE) => Ok(identity),
            Some(identity) => {
                // Somebody else's renewal under way is enough.
                if self.0.asking.try_lock().is_ok() {
                    let cache = self.clone();
                    tokio::spawn(async move { cache.renew(now, RENEW_BEFORE).await.map(drop) });
                }
                Ok(identity)
            }
            None => self.renew(now, UNUSABLE_BEFORE).await,
        }
    }

    /// Forgets credentials that the store refused as expired, so that the next attempt asks the provider. Whether that is
    /// worth it: not for credentials just fetched.
    pub(crate) fn forget(&self, refused: &Arc<Identity>, now: EpochMillis) -> bool {
        if now.since(refused.fetched) < RENEW_PAUSE {
            return false;
        }
        let mut current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|identity| Arc::ptr_eq(identity, refused)) {
            *current = None;
        }
        true
    }

    fn usable(&self, now: EpochMillis) -> Option<Arc<Identity>> {
        let current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|identity| !identity.expires_within(now, UNUSABLE_BEFORE)).cloned()
    }

    /// Has the provider asked, unless another request just did, and waits for what it says. It is asked by a task of its own:
    /// a request that gives up waiting does not end it, or a provider slower than a request would never be heard.
    async fn renew(&self, now: EpochMillis, good_for: Duration) -> Result<Arc<Identity>, Failure> {
        let mut failed = Arc::clone(&self.0.asking).lock_owned().await;
        if let Some(identity) = self.usable(now).filter(|identity| !identity.expires_within(now, good_for)) {
            return Ok(identity);
        }
        // With credentials in hand there is time; without any, everyone who waits would ask in vain one after another.
        let pause = if self.usable(now).is_some() { RENEW_PAUSE } else { RENEW_PAUSE / 10 };
        if failed.is_some_and(|at| now >= at && now.since(at) < pause) {
            return Err(Failure::NoCredentials);
        }
        // Set beforehand, so that the pause is kept even if the provider panics.
        *failed = Some(now);
        let cache = self.clone();
        let asking = tokio::spawn(async move { cache.ask(now).await.inspect(|_| *failed = None) });
        asking.await.unwrap_or(Err(Failure::NoCredentials))
    }

    /// Asks the provider, and keeps what it gives.
    async fn ask(&self, now: EpochMillis) -> Result<Arc<Identity>, Failure> {
        let provided = timeout(PROVIDER_LIMIT, self.0.provider.provide_credentials()).await;
        let provided = provided.ok().and_then(Result::ok).ok_or(Failure::NoCredentials)?;
        let identity = Arc::new(Identity::new(&provided, now)?);
        *self.0.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(identity.clone());
        Ok(identity)
    }
}

#[cfg(test)]
mod tests;
