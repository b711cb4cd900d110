//! `JobReader`: the bulk table, for reading.

use async_trait::async_trait;
use revocation_core::domain::bulk::{BulkJob, BulkPage, Control};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::ports::{BulkJobs as _, JobReader, PortError};

use super::bulk_jobs::DynamoBulkJobs;
use crate::clients::AwsConfig;

/// Reads jobs and writes none.
pub struct DynamoJobReader(DynamoBulkJobs);

impl DynamoJobReader {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &["dynamodb:GetItem"];

    /// Jobs in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self(DynamoBulkJobs::new(aws, table))
    }
}

#[async_trait]
impl JobReader for DynamoJobReader {
    async fn job(&self, id: &RevocationId) -> Result<Option<(BulkJob, Control)>, PortError> {
        let Some(job) = self.0.load(id).await? else { return Ok(None) };
        Ok(Some((job, self.0.control(id).await?)))
    }

    async fn page(&self, id: &RevocationId, number: u32) -> Result<Option<BulkPage>, PortError> {
        self.0.page(id, number).await
    }
}
