//! A look over the tombstones, for operators: how many sign-outs are outstanding.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use revocation_core::domain::time::EpochSeconds;
use revocation_core::ports::PortError;

use super::item::{number, text};
use crate::clients::AwsConfig;
use crate::error::port_error;

const SCAN: &str = "dynamodb:Scan";
/// Subjects that are named.
const MOST_NAMED: usize = 20;

/// Scans the tombstones table.
pub struct DynamoTombstoneSurvey {
    client: Client,
    table: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Tombstones that were read.
    pub read: u64,
    /// Whether that was all there are.
    pub whole: bool,
    /// Those whose sign-out Cognito has not confirmed.
    pub unsealed: u64,
    /// The cutoff of the oldest of them.
    pub oldest: Option<EpochSeconds>,
    /// The first of them by their keys.
    pub subjects: Vec<String>,
}

impl DynamoTombstoneSurvey {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[SCAN];

    /// The tombstones in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }

    /// Reads on until all are read or at least `most` were. There is no index of the unsealed ones: each write of a
    /// tombstone would pay for it, for a question that is asked a few times a day.
    pub async fn unsealed(&self, most: u64) -> Result<Survey, PortError> {
        let mut survey = Survey::default();
        let mut from = None;
        loop {
            let page = self
                .client
                .scan()
                .table_name(&self.table)
                .filter_expression("attribute_exists(not_before) AND (attribute_not_exists(sealed) OR sealed = :no)")
                .expression_attribute_values(":no", AttributeValue::Bool(false))
                .projection_expression("subject, not_before")
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| port_error(SCAN, &error))?;
            survey.read += u64::try_from(page.scanned_count()).unwrap_or(0);
            for item in page.items() {
                survey.unsealed += 1;
                let since = number(item, "not_before").map(EpochSeconds);
                survey.oldest = survey.oldest.into_iter().chain(since).min();
                if survey.subjects.len() < MOST_NAMED {
                    survey.subjects.extend(text(item, "subject").map(str::to_owned));
                }
            }
            from = page.last_evaluated_key.filter(|key| !key.is_empty());
            survey.whole = from.is_none();
            if survey.whole || survey.read >= most {
                return Ok(survey);
            }
        }
    }
}
