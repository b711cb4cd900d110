//! The client: one signed call over a connection of the pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Clock, PortError};
use tokio::sync::Semaphore;

use crate::answer::Answer;
use crate::config::StoreConfig;
use crate::credentials::{CredentialCache, Identity};
use crate::failure::{Again, Failure, Meaning};
use crate::pool::{LATELY, LONGEST_IDLE, Pool};
use crate::race::{Patience, Source, race};
use crate::signer::{self, Signer};
use crate::tls::Dialer;

/// Requests on the way at a time; more wait, within their budget. Bounds sockets and memory.
const MOST_IN_FLIGHT: usize = 512;
/// A hedge costs this much, every answer earns one: of a store that is slow for everybody, no more than one request in
/// ten is sent twice.
const HEDGE_COST: i32 = 10;
const MOST_HEDGE_CREDIT: i32 = 100;
/// A dialled connection is given this many times the usual time before it is hedged: its handshake takes longer, and a
/// small Lambda function pays for every one with its CPU.
const DIAL_FACTOR: u32 = 3;
/// The store accepts signatures five minutes old. A clock nearer than that is not what it complains of.
const MOST_TOLERATED_SKEW_MS: u64 = 240_000;

/// One of the store's operations.
pub(crate) struct Operation {
    /// As IAM names it.
    pub(crate) name: &'static str,
    /// `X-Amz-Target`
    pub(crate) target: &'static str,
    /// The largest answer read, bytes.
    pub(crate) most: usize,
}

/// Speaks to one endpoint. Cloning is cheap; the connections are shared.
#[derive(Clone)]
pub struct StoreClient(Arc<Inner>);

struct Inner {
    signer: Signer,
    host: HeaderValue,
    credentials: CredentialCache,
    dialer: Dialer,
    pool: Pool,
    clock: Arc<dyn Clock>,
    reads: Patience,
    in_flight: Semaphore,
    hedge_credit: AtomicI32,
    /// How far the store's clock is ahead of ours, milliseconds; zero until the store complains.
    skew: AtomicI64,
    sends: AtomicU64,
    dials: AtomicU64,
    hedges: AtomicU64,
}

/// What a client did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientStats {
    /// Requests sent.
    pub sends: u64,
    /// Connections opened, or tried to.
    pub dials: u64,
    /// Requests sent because an earlier one had not been answered soon enough.
    pub hedges: u64,
}

impl StoreClient {
    /// A client; nothing is opened yet.
    #[must_use]
    pub fn new(config: StoreConfig, clock: Arc<dyn Clock>) -> Self {
        let StoreConfig { region, endpoint, credentials, extra_roots, limits } = config;
        let reads = Patience {
            attempt: limits.attempt,
            hedge_after: Some(limits.hedge_after),
            total: limits.total,
            // The first, a hedge, and a retry.
            sends: 3,
        };
        Self(Arc::new(Inner {
            host: endpoint.authority.clone(),
            signer: Signer::new(region, String::from_utf8_lossy(endpoint.authority.as_bytes()).into_owned()),
            credentials: CredentialCache::new(credentials),
            dialer: Dialer::new(endpoint, extra_roots),
            pool: Pool::default(),
            clock,
            reads,
            in_flight: Semaphore::new(MOST_IN_FLIGHT),
            hedge_credit: AtomicI32::new(MOST_HEDGE_CREDIT),
            skew: AtomicI64::new(0),
            sends: AtomicU64::new(0),
            dials: AtomicU64::new(0),
            hedges: AtomicU64::new(0),
        }))
    }

    /// Counters, for metrics and tests.
    #[must_use]
    pub fn stats(&self) -> ClientStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ClientStats { sends: read(&self.0.sends), dials: read(&self.0.dials), hedges: read(&self.0.hedges) }
    }

    /// The limits of a read while a request waits.
    pub(crate) fn reads(&self) -> Patience {
        let mut patience = self.0.reads;
        if !self.0.pool.has_idle() {
            patience.hedge_after = patience.hedge_after.map(|after| (after * DIAL_FACTOR).min(patience.attempt));
        }
        patience
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Calls the store until `read` understands an answer, within `patience`.
    pub(crate) async fn call<T: Send>(
        &self,
        operation: &'static Operation,
        body: Bytes,
        patience: &Patience,
        read: impl Fn(&Answer) -> Result<T, Failure> + Send + Sync,
    ) -> Result<T, PortError> {
        let attempt = |source| self.0.attempt(operation, body.clone(), source, &read);
        let answer = race(patience, || self.0.may_hedge(), attempt).await;
        answer.map_err(|failure| failure.port_error(operation.name))
    }
}

impl Inner {
    async fn attempt<T>(
        &self,
        operation: &'static Operation,
        body: Bytes,
        source: Source,
        read: &(impl Fn(&Answer) -> Result<T, Failure> + Sync),
    ) -> Result<T, Failure> {
        let _place = self.in_flight.acquire().await.map_err(|_| Failure::Unreachable)?;
        let began = self.clock.now();
        let identity = self.credentials.get(began).await?;
        let age = if source == Source::Any { LONGEST_IDLE } else { LATELY };
        let mut sender = if let Some(sender) = self.pool.take(began, age).await {
            sender
        } else {
            self.dials.fetch_add(1, Ordering::Relaxed);
            self.dialer.dial().await?
        };
        let skew = self.skew.load(Ordering::Relaxed);
        let request = self.request(operation, &identity, body, skew)?;
        self.sends.fetch_add(1, Ordering::Relaxed);
        let response = sender.send_request(request).await.map_err(|_| Failure::Lost)?;
        let answer = Answer::read(response, operation.most).await?;
        let now = self.clock.now();
        if answer.is_good()? {
            let understood = read(&answer);
            // A connection that gave an answer nobody understands is not used again: it may be out of step.
            if !matches!(understood, Err(Failure::BadResponse)) {
                self.pool.put(sender, now);
                self.earn();
            }
            return understood;
        }
        self.pool.put(sender, now);
        let (meaning, failure) = answer.refusal();
        let helped = match meaning {
            Meaning::ClockMayBeOff => self.corrected(&answer, now, skew),
            Meaning::CredentialsExpired => self.credentials.forget(&identity, now),
            Meaning::Other(_) => false,
        };
        match failure {
            Failure::Refused { code, .. } if helped => Err(Failure::Refused { code, again: Again::Now }),
            failure => Err(failure),
        }
    }

    fn request(
        &self,
        operation: &Operation,
        identity: &Identity,
        body: Bytes,
        skew: i64,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let at = EpochMillis(self.clock.now().0.saturating_add(skew));
        let signed = self.signer.sign(identity, operation.target, &body, at)?;
        // To `/`, which is where a new request goes.
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(signer::CONTENT_TYPE));
        headers.insert("x-amz-target", HeaderValue::from_static(operation.target));
        headers.insert("x-amz-date", signed.date);
        if let Some(token) = &identity.token {
            headers.insert("x-amz-security-token", token.clone());
        }
        headers.insert(AUTHORIZATION, signed.authorization);
        headers.insert(USER_AGENT, HeaderValue::from_static("session-revocation"));
        Ok(request)
    }

    /// Takes the store's word for the time, if the request was signed by another. The store is who its certificate says.
    fn corrected(&self, answer: &Answer, now: EpochMillis, signed_with: i64) -> bool {
        let Some(date) = answer.date() else { return false };
        let skew = date.0.saturating_sub(now.0);
        if skew.abs_diff(signed_with) < MOST_TOLERATED_SKEW_MS {
            return false;
        }
        // Of several requests on the way at once, the first says so; all are signed anew.
        if self.skew.swap(skew, Ordering::Relaxed).abs_diff(skew) >= MOST_TOLERATED_SKEW_MS {
            tracing::warn!(skew_ms = skew, "this machine's clock is off; signatures follow the store's");
        }
        true
    }

    fn may_hedge(&self) -> bool {
        let paid = self.hedge_credit.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |credit| {
            (credit >= HEDGE_COST).then(|| credit - HEDGE_COST)
        });
        if paid.is_ok() {
            self.hedges.fetch_add(1, Ordering::Relaxed);
        }
        paid.is_ok()
    }

    fn earn(&self) {
        if self.hedge_credit.load(Ordering::Relaxed) < MOST_HEDGE_CREDIT {
            self.hedge_credit.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The limits of what happens in the background or in the init phase.
pub(crate) const UNHURRIED: Patience =
    Patience { attempt: Duration::from_secs(3), hedge_after: None, total: Duration::from_secs(10), sends: 3 };
