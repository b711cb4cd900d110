//! Tables as whoever installed them checks them: is expiry on, can they be restored, are they hard to delete?

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{PointInTimeRecoveryStatus, TableStatus, TimeToLiveStatus};
use revocation_core::ports::PortError;

use crate::clients::AwsConfig;
use crate::error::port_error;

const DESCRIBE: &str = "dynamodb:DescribeTable";
const TIME_TO_LIVE: &str = "dynamodb:DescribeTimeToLive";
const BACKUPS: &str = "dynamodb:DescribeContinuousBackups";

/// Looks at tables. Reads only.
pub struct DynamoTableInspector {
    client: Client,
}

/// What a table is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFacts {
    /// It can be read and written.
    pub active: bool,
    /// It cannot be deleted by accident.
    pub deletion_protected: bool,
}

impl DynamoTableInspector {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[DESCRIBE, TIME_TO_LIVE, BACKUPS];

    /// Tables of the account.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.dynamodb() }
    }

    /// What the table is like.
    pub async fn table(&self, name: &str) -> Result<TableFacts, PortError> {
        let answer = self.client.describe_table().table_name(name).send().await;
        let table = answer.map_err(|error| port_error(DESCRIBE, &error))?.table;
        let table = table.ok_or(PortError::reject(DESCRIBE, "resource_not_found"))?;
        Ok(TableFacts {
            active: matches!(table.table_status(), Some(TableStatus::Active | TableStatus::Updating)),
            deletion_protected: table.deletion_protection_enabled() == Some(true),
        })
    }

    /// The attribute by which items expire, if they do.
    pub async fn expiry(&self, name: &str) -> Result<Option<String>, PortError> {
        let answer = self.client.describe_time_to_live().table_name(name).send().await;
        let described = answer.map_err(|error| port_error(TIME_TO_LIVE, &error))?.time_to_live_description;
        let on = [TimeToLiveStatus::Enabled, TimeToLiveStatus::Enabling];
        let described = described.filter(|it| it.time_to_live_status().is_some_and(|status| on.contains(status)));
        Ok(described.and_then(|it| it.attribute_name))
    }

    /// Whether it can be restored to any second of the last weeks.
    pub async fn is_restorable(&self, name: &str) -> Result<bool, PortError> {
        let answer = self.client.describe_continuous_backups().table_name(name).send().await;
        let described = answer.map_err(|error| port_error(BACKUPS, &error))?.continuous_backups_description;
        let recovery = described.and_then(|it| it.point_in_time_recovery_description);
        Ok(recovery.is_some_and(|it| it.point_in_time_recovery_status() == Some(&PointInTimeRecoveryStatus::Enabled)))
    }
}
