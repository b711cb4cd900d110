//! Verifies an Amazon Cognito token, then asks whether it has been revoked.
#![doc = include_str!("../README.md")]

mod check;
mod claims;
mod deny;
mod jwks;
mod jws;
mod key_cache;
mod pool;
mod signature_cache;
mod sources;
mod strict_json;
mod token;
mod verifier;

pub use check::{Checker, Denied, Permit, StoreOutage};
pub use claims::{BadClaim, ClaimCheck, RawClaims};
pub use deny::{DenyClass, DenyReason};
pub use jwks::{BadKeySet, KeySet, MAX_JWKS_BYTES, PublicKey};
pub use jws::MAX_TOKEN_BYTES;
pub use key_cache::{FETCH_LIMIT, JwksSource, REFRESH_FLOOR, RENEW_AFTER, RETRY_FLOOR};
pub use pool::{PoolConfig, updated_issuer};
pub use sources::{Bundled, FileJwks};
pub use token::{TokenUse, VerifiedToken};
pub use verifier::{BadVerifier, FUTURE_LEEWAY, NBF_LEEWAY, Verifier, VerifierBuilder};

#[cfg(test)]
mod testing;
