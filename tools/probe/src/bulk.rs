//! Bulk revocations, as the bulk table has them.

use anyhow::{Result, anyhow};
use revocation_aws::dynamodb::DynamoBulkJobs;
use revocation_core::domain::bulk::BulkJob;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::ports::BulkJobs as _;

use crate::Probe;

impl Probe {
    /// The bulk table.
    pub fn bulk_jobs(&self) -> Result<DynamoBulkJobs> {
        Ok(DynamoBulkJobs::new(&self.aws()?, &self.facts.bulk_table))
    }

    /// A bulk revocation.
    pub async fn bulk_job(&self, id: &RevocationId) -> Result<Option<BulkJob>> {
        self.bulk_jobs()?.load(id).await.map_err(|error| anyhow!("cannot read the bulk table: {error}"))
    }
}
