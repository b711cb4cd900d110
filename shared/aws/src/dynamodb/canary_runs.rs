//! `CanaryRuns`: the table of the canary's runs. All share a partition, of some hundred small items a day.
//!
//! | `series` | `tick` | holds |
//! |---|---|---|
//! | `runs` | `<time>#<id of the event>` | `body` S: the run as JSON; `expires_at` N |

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use revocation_core::domain::canary::CanaryRun;
use revocation_core::ports::{CanaryRuns, PortError};

use super::item::{condition_failed, from_json, json, n, s};
use crate::clients::AwsConfig;
use crate::error::port_error;

const PUT: &str = "dynamodb:PutItem";
const QUERY: &str = "dynamodb:Query";

const SERIES: &str = "runs";
/// A quarter's evidence that the promise was kept.
const KEPT: Duration = Duration::from_hours(24 * 90);

/// The table of runs.
pub struct DynamoCanaryRuns {
    client: Client,
    table: String,
}

// === impl DynamoCanaryRuns ===

impl DynamoCanaryRuns {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[PUT];

    /// Runs in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }

    /// The latest runs, the last first; for operators.
    pub async fn latest(&self, count: u16) -> Result<Vec<CanaryRun>, PortError> {
        let query = self.client.query().table_name(&self.table).key_condition_expression("series = :runs");
        let query = query.expression_attribute_values(":runs", s(SERIES)).scan_index_forward(false);
        let page = query.limit(i32::from(count)).send().await.map_err(|error| port_error(QUERY, &error))?;
        page.items().iter().map(|item| from_json(QUERY, item, "body")).collect()
    }

    fn item(&self, run: &CanaryRun) -> Result<PutItemFluentBuilder, PortError> {
        let put = self.client.put_item().table_name(&self.table).item("series", s(SERIES)).item("tick", s(&run.tick));
        let expires_at = run.began_at.plus(KEPT).seconds().0;
        Ok(put.item("body", json(PUT, run)?).item("expires_at", n(expires_at)))
    }
}

#[async_trait]
impl CanaryRuns for DynamoCanaryRuns {
    async fn begin(&self, run: &CanaryRun) -> Result<bool, PortError> {
        match self.item(run)?.condition_expression("attribute_not_exists(series)").send().await {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(port_error(PUT, &error)),
        }
    }

    async fn end(&self, run: &CanaryRun) -> Result<(), PortError> {
        self.item(run)?.send().await.map(drop).map_err(|error| port_error(PUT, &error))
    }
}
