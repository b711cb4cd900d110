//! The audit trail's evidence: records by day, the chain over them, and the digests of it.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Conflict, PortError};
use crate::domain::audit_chain::{Digest, DigestSignature, Link, Listed, RecordKey, Span, StoredRecord};
use crate::domain::bulk::{BulkJob, BulkPage, Control};
use crate::domain::profile::{Person, SubjectKey};
use crate::domain::revocation_id::RevocationId;
use crate::domain::time::EpochMillis;

/// Lists the records of a day. What it lists may lag.
#[async_trait]
pub trait RecordIndex: Send + Sync {
    /// Those recorded at `since` or later, the oldest first.
    async fn listed(&self, day: &str, since: EpochMillis) -> Result<Vec<Listed>, PortError>;
}

/// Reads records as they are stored.
#[async_trait]
pub trait RecordReader: Send + Sync {
    /// Those that are there, in any order.
    async fn stored(&self, keys: &[RecordKey]) -> Result<Vec<StoredRecord>, PortError>;
}

/// The chain. What it tells is what is written: it never lags.
#[async_trait]
pub trait AuditChain: Send + Sync {
    /// The most links one [`AuditChain::append`] takes.
    fn most_appended(&self) -> usize;

    /// The day's opening link.
    async fn opening(&self, day: &str) -> Result<Option<Link>, PortError>;

    /// The day's last link.
    async fn last(&self, day: &str) -> Result<Option<Link>, PortError>;

    /// The day's links chained at `since` or later, and its last one in any case; by number.
    async fn links(&self, day: &str, since: EpochMillis) -> Result<Vec<Link>, PortError>;

    /// Appends all of them or none. A conflict: somebody else has appended there, and nothing was written.
    async fn append(&self, links: &[Link]) -> Result<Result<(), Conflict>, PortError>;
}

/// Keeps digests. An object that is there gets a new version.
#[async_trait]
pub trait DigestStore: Send + Sync {
    /// The newest one for that.
    async fn latest(&self, day: &str, span: Span) -> Result<Option<Digest>, PortError>;

    /// Keeps this one.
    async fn put(&self, digest: &Digest) -> Result<(), PortError>;
}

/// Signs digests.
#[async_trait]
pub trait DigestSigner: Send + Sync {
    /// The signature over [`Digest::message`].
    async fn sign(&self, digest: &Digest) -> Result<DigestSignature, PortError>;
}

/// Reads bulk revocations, their pages, and what people said of them.
#[async_trait]
pub trait JobReader: Send + Sync {
    /// The job with what people wished of it; `None` if there is none.
    async fn job(&self, id: &RevocationId) -> Result<Option<(BulkJob, Control)>, PortError>;

    /// A page of its members, from 1.
    async fn page(&self, id: &RevocationId, number: u32) -> Result<Option<BulkPage>, PortError>;
}

/// Knows who subjects are.
#[async_trait]
pub trait PersonReader: Send + Sync {
    /// Each of them: `None` for whoever is not in the pool any more.
    async fn people(&self, subjects: &[SubjectKey]) -> Result<BTreeMap<SubjectKey, Option<Person>>, PortError>;
}

/// A session, by subject and `origin_jti`.
pub type SessionKey = (SubjectKey, String);

/// Knows when APIs first refused sessions that were ended.
#[async_trait]
pub trait RefusalReader: Send + Sync {
    /// Of these sessions, those that were refused.
    async fn refused_at(&self, sessions: &[SessionKey]) -> Result<BTreeMap<SessionKey, EpochMillis>, PortError>;
}
