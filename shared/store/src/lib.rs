//! Tombstones at the speed limit: DynamoDB's HTTP API spoken directly, one signed `POST` over a kept-alive connection.
//!
//! The SDK's client does the same at twice the CPU and a third more memory; a check of every API request is worth the
//! difference. Primitives are libraries (`aws-sigv4`, `hyper`, `rustls` on ring); what is here is the order of things:
//!
//! ```text
//!  read ─▶ attempt ─▶ pool | dial ─▶ sign ─▶ POST ─▶ answer ─▶ Option<Tombstone>
//!             └▶ one hedge, one retry, within one budget                └▶ anything else is an error (I6)
//! ```
//!
//! [`StrictReader`] reads the store with every request, and once a second whether a whole pool was revoked. [`SnapshotReader`] answers from memory while its snapshot is younger
//! than a bound, and strictly otherwise. [`LedgerRecorder`] notes the sessions in use, off the request's path.
//!
//! Usable in a Lambda function (current-thread tokio) and in a server. Connections belong to the tokio runtime that opened
//! them: use one [`StoreClient`] per runtime.

mod answer;
mod client;
mod config;
mod credentials;
mod everyone;
mod failure;
mod freshness;
mod item;
mod ledger;
mod moment;
mod pool;
mod race;
mod signer;
mod snapshot;
mod strict;
#[cfg(test)]
mod testing;
mod tls;

pub use client::{ClientStats, StoreClient};
pub use config::{BadStoreConfig, ReadLimits, StoreConfig};
pub use freshness::{BadFreshness, Freshness};
pub use ledger::{LedgerRecorder, LedgerStats, PersonalData};
pub use snapshot::{DEFAULT_MAX_BYTES, DEFAULT_MAX_ENTRIES, SnapshotReader, SnapshotStats};
pub use strict::StrictReader;
