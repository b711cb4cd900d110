//! How a [`Verifier`] is put together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use revocation_core::ports::Clock;

use super::{Pool, Verifier};
use crate::claims::ClaimCheck;
use crate::key_cache::{JwksSource, KeyCache};
use crate::pool::PoolConfig;
use crate::signature_cache::{DEFAULT_ENTRIES, SignatureCache};
use crate::token::TokenUse;

/// Puts a [`Verifier`] together.
#[must_use]
pub struct VerifierBuilder {
    pools: Vec<PoolConfig>,
    token_uses: Vec<TokenUse>,
    source: Arc<dyn JwksSource>,
    clock: Arc<dyn Clock>,
    cache_entries: usize,
    end_date_claim: Option<String>,
    claim_check: Option<Arc<dyn ClaimCheck>>,
}

/// A configuration by which nothing could be verified, or not clearly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadVerifier {
    /// No pool.
    #[error("no pool is configured")]
    NoPool,
    /// Neither access nor ID tokens.
    #[error("no token use is configured")]
    NoTokenUse,
    /// Two pools claim it, so that whose keys are meant cannot be known; or one pool stands there twice.
    #[error("the issuer {0} is configured twice")]
    IssuerTwice(Arc<str>),
}

// === impl Verifier ===

impl Verifier {
    /// Begins with what there is no default for: where keys come from, and what time it is.
    pub fn builder(source: Arc<dyn JwksSource>, clock: Arc<dyn Clock>) -> VerifierBuilder {
        VerifierBuilder {
            pools: Vec::new(),
            token_uses: vec![TokenUse::Access, TokenUse::Id],
            source,
            clock,
            cache_entries: DEFAULT_ENTRIES,
            end_date_claim: None,
            claim_check: None,
        }
    }
}

// === impl VerifierBuilder ===

impl VerifierBuilder {
    /// Accepts the tokens of this pool. At least one is needed.
    pub fn pool(self, pool: PoolConfig) -> Self {
        self.pools([pool])
    }

    /// Accepts the tokens of these pools.
    pub fn pools(mut self, pools: impl IntoIterator<Item = PoolConfig>) -> Self {
        self.pools.extend(pools);
        self
    }

    /// Accepts only these kinds of tokens; both, unless this is said.
    pub fn token_uses(mut self, token_uses: impl IntoIterator<Item = TokenUse>) -> Self {
        self.token_uses = token_uses.into_iter().collect();
        self
    }

    /// How many tokens are remembered whose signature was good, and how many whose signature was bad: 1,000 each, unless
    /// this is said. 0 checks every signature every time.
    pub fn cache_entries(mut self, entries: usize) -> Self {
        self.cache_entries = entries;
        self
    }

    /// Refuses tokens when the date in this claim has passed: a text or a number, as [`EndDate`] reads it. A token without
    /// the claim, or with an empty text in it, has no end date; one that cannot be read is refused.
    ///
    /// [`EndDate`]: revocation_core::domain::end_date::EndDate
    pub fn end_date_claim(mut self, name: impl Into<String>) -> Self {
        self.end_date_claim = Some(name.into());
        self
    }

    /// Asks this check too, after all others.
    pub fn claim_check(mut self, check: Arc<dyn ClaimCheck>) -> Self {
        self.claim_check = Some(check);
        self
    }

    /// The verifier. Nothing is fetched yet.
    pub fn build(self) -> Result<Verifier, BadVerifier> {
        if self.pools.is_empty() {
            return Err(BadVerifier::NoPool);
        }
        if self.token_uses.is_empty() {
            return Err(BadVerifier::NoTokenUse);
        }
        let mut pools = Vec::new();
        let mut by_issuer = HashMap::new();
        for (issuers, config) in self.pools.iter().flat_map(PoolConfig::by_region) {
            let pool = Arc::new(Pool {
                user_pool_id: config.user_pool_id.clone(),
                client_ids: config.client_ids.clone(),
                keys: Arc::new(KeyCache::new(config, Arc::clone(&self.source), Arc::clone(&self.clock))),
            });
            for issuer in issuers {
                match by_issuer.entry(Arc::<str>::from(issuer)) {
                    Entry::Occupied(taken) => return Err(BadVerifier::IssuerTwice(Arc::clone(taken.key()))),
                    Entry::Vacant(free) => {
                        free.insert(Arc::clone(&pool));
                    }
                }
            }
            pools.push(pool);
        }
        Ok(Verifier {
            pools,
            by_issuer,
            token_uses: self.token_uses,
            clock: self.clock,
            cache: SignatureCache::new(self.cache_entries),
            end_date_claim: self.end_date_claim.filter(|name| !name.is_empty()),
            claim_check: self.claim_check,
        })
    }
}
