//! Ports of the bulk revoker.

use std::time::Duration;

use async_trait::async_trait;

use super::{Conflict, PortError};
use crate::domain::account::AccountPage;
use crate::domain::bulk::{BulkJob, BulkPage, Control};
use crate::domain::profile::UserPoolId;
use crate::domain::revocation_id::RevocationId;
use crate::domain::subject::SubjectIdentifier;

/// Keeps bulk revocations, their pages of members, and what people say of them.
#[async_trait]
pub trait BulkJobs: Send + Sync {
    /// Writes a new job unless there is one of its id, which is then returned.
    async fn create(&self, job: &BulkJob) -> Result<Option<BulkJob>, PortError>;

    /// The job by a strongly consistent read.
    async fn load(&self, id: &RevocationId) -> Result<Option<BulkJob>, PortError>;

    /// Replaces the job if it still has the version it was loaded with; answers it with the version it has now.
    async fn save(&self, job: &BulkJob) -> Result<Result<BulkJob, Conflict>, PortError>;

    /// Writes a page, over whatever stands under its number.
    async fn put_page(&self, id: &RevocationId, page: &BulkPage) -> Result<(), PortError>;

    /// A page by a strongly consistent read.
    async fn page(&self, id: &RevocationId, number: u32) -> Result<Option<BulkPage>, PortError>;

    /// What people wish, by a strongly consistent read.
    async fn control(&self, id: &RevocationId) -> Result<Control, PortError>;

    /// Replaces that if it still has the version it was loaded with.
    async fn steer(&self, id: &RevocationId, control: &Control) -> Result<Result<(), Conflict>, PortError>;

    /// A part of a list of subjects that an operator brought; `None` after the last.
    async fn list_part(&self, list: &str, part: u32) -> Result<Option<Vec<SubjectIdentifier>>, PortError>;
}

/// Lists the accounts of a pool, and the members of its groups.
#[async_trait]
pub trait MemberDirectory: Send + Sync {
    /// Some of the members of a group; `None` if there is no such group.
    async fn members(
        &self,
        pool: &UserPoolId,
        group: &str,
        after: Option<&str>,
    ) -> Result<Option<AccountPage>, PortError>;

    /// Some of all accounts.
    async fn accounts(&self, pool: &UserPoolId, after: Option<&str>) -> Result<AccountPage, PortError>;
}

/// Knows which revocations have begun.
#[async_trait]
pub trait BegunReader: Send + Sync {
    /// Of these, those that have.
    async fn begun(&self, ids: &[RevocationId]) -> Result<Vec<RevocationId>, PortError>;
}

/// Keeps calls within a quota that all workers share (I13).
#[async_trait]
pub trait Pacer: Send + Sync {
    /// Returns when it is the caller's turn. Every caller, in whatever process, gets a turn of its own.
    async fn turn(&self) -> Result<(), PortError>;
}

/// Has a job gone on with.
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Somebody works on the job after `delay`. Durable when it returns.
    async fn proceed(&self, job: &RevocationId, delay: Duration) -> Result<(), PortError>;
}
