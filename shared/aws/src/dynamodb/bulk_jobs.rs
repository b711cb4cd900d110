//! `BulkJobs`: the bulk table. A job, what people wish of it and its pages share a partition; lists have one each.
//!
//! | `job_id` | `entry` | holds |
//! |---|---|---|
//! | id of the job | `job` | the job, with its `version` |
//! | id of the job | `control` | what people wish, with its `version` |
//! | id of the job | `page#000001` … | pages of members |
//! | `list#<SHA-256>` | `part#000000` … | subjects an operator brought |
//! | `jobs#<month>` | `<time>#<id of the job>` | the jobs there are, for whoever looks for one |

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use revocation_core::domain::bulk::{BulkJob, BulkPage, Control};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{BulkJobs, Conflict, PortError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::item::{Item, from_json, json, n, s, text};
use super::mark;
use crate::clients::AwsConfig;
use crate::error::port_error;

const GET: &str = "dynamodb:GetItem";
const PUT: &str = "dynamodb:PutItem";
const QUERY: &str = "dynamodb:Query";

const JOB: &str = "job";
const CONTROL: &str = "control";
/// Pages name people; the audit trail, which is kept, names `sub`s only.
const KEPT: Duration = Duration::from_hours(24 * 90);

/// The bulk table.
pub struct DynamoBulkJobs {
    client: Client,
    table: String,
}

// === impl DynamoBulkJobs ===

impl DynamoBulkJobs {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[GET, PUT];
    /// Those of whoever looks for jobs.
    pub const SEARCH_IAM_ACTIONS: &[&str] = &[QUERY];

    /// Jobs in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }

    /// The ids of the jobs requested in a month, `YYYY-MM`, the latest first.
    pub async fn of_month(&self, month: &str) -> Result<Vec<RevocationId>, PortError> {
        let (mut ids, mut from) = (Vec::new(), None);
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("job_id = :month")
                .expression_attribute_values(":month", s(format!("jobs#{month}")))
                .scan_index_forward(false)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| port_error(QUERY, &error))?;
            let entries = page.items().iter().filter_map(|item| text(item, "entry"));
            ids.extend(entries.filter_map(|entry| entry.split_once('#')).map(|(_, id)| RevocationId(id.to_owned())));
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(ids);
            }
        }
    }

    /// Writes a part of a list, from 0. The same list again changes nothing.
    pub async fn put_list_part(
        &self,
        list: &str,
        part: u32,
        entries: &[SubjectIdentifier],
        now: EpochMillis,
    ) -> Result<(), PortError> {
        let item = body(&entries, now)?;
        self.put(&format!("list#{list}"), &format!("part#{part:06}"), item).await
    }

    async fn put(&self, id: &str, entry: &str, item: Item) -> Result<(), PortError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = put.item("job_id", s(id)).item("entry", s(entry));
        put.send().await.map(drop).map_err(|error| port_error(PUT, &error))
    }

    async fn get<T: DeserializeOwned>(&self, id: &str, entry: &str) -> Result<Option<T>, PortError> {
        let get = self.client.get_item().table_name(&self.table).key("job_id", s(id)).key("entry", s(entry));
        let answer = get.consistent_read(true).send().await.map_err(|error| port_error(GET, &error))?;
        answer.item.map(|item| from_json(GET, &item, "body")).transpose()
    }

    /// Replaces an item of the version `loaded`; 0 is one that is not there.
    async fn replace(&self, id: &str, entry: &str, loaded: u64, item: Item) -> Result<Result<(), Conflict>, PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .item("job_id", s(id))
            .item("entry", s(entry))
            .item("version", version(loaded + 1))
            .expression_attribute_names("#version", "version")
            .condition_expression("#version = :loaded OR (attribute_not_exists(#version) AND :loaded = :none)")
            .expression_attribute_values(":loaded", version(loaded))
            .expression_attribute_values(":none", n(0));
        mark::replace(put).await
    }
}

#[async_trait]
impl BulkJobs for DynamoBulkJobs {
    async fn create(&self, job: &BulkJob) -> Result<Option<BulkJob>, PortError> {
        // The index first: a job that is found but was not made is harmless, one that was made and is not found is not.
        let (day, at) = (job.received_at.utc_day(), job.received_at.rfc3339());
        let month: String = day.chars().take("YYYY-MM".len()).collect();
        let entry = Item::from([("expires_at".to_owned(), n(job.received_at.plus(KEPT).seconds().0))]);
        self.put(&format!("jobs#{month}"), &format!("{at}#{}", job.id), entry).await?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(body(job, job.received_at)?))
            .item("job_id", s(&job.id.0))
            .item("entry", s(JOB))
            .item("version", version(job.version))
            .condition_expression("attribute_not_exists(job_id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(None) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                let standing = refused.item().ok_or(PortError::retry(PUT, "no_standing_item"))?;
                from_json(PUT, standing, "body").map(Some)
            }
            _ => Err(port_error(PUT, &error)),
        }
    }

    async fn load(&self, id: &RevocationId) -> Result<Option<BulkJob>, PortError> {
        self.get(&id.0, JOB).await
    }

    async fn save(&self, job: &BulkJob) -> Result<Result<BulkJob, Conflict>, PortError> {
        let next = BulkJob { version: job.version + 1, ..job.clone() };
        let saved = self.replace(&job.id.0, JOB, job.version, body(&next, job.received_at)?).await?;
        Ok(saved.map(|()| next))
    }

    async fn put_page(&self, id: &RevocationId, page: &BulkPage) -> Result<(), PortError> {
        self.put(&id.0, &page_key(page.number), body(page, page.listed_at)?).await
    }

    async fn page(&self, id: &RevocationId, number: u32) -> Result<Option<BulkPage>, PortError> {
        self.get(&id.0, &page_key(number)).await
    }

    async fn control(&self, id: &RevocationId) -> Result<Control, PortError> {
        Ok(self.get(&id.0, CONTROL).await?.unwrap_or_default())
    }

    async fn steer(&self, id: &RevocationId, control: &Control) -> Result<Result<(), Conflict>, PortError> {
        let next = Control { version: control.version + 1, ..control.clone() };
        let at = control.entries.last().map_or(EpochMillis(0), |entry| entry.at);
        self.replace(&id.0, CONTROL, control.version, body(&next, at)?).await
    }

    async fn list_part(&self, list: &str, part: u32) -> Result<Option<Vec<SubjectIdentifier>>, PortError> {
        self.get(&format!("list#{list}"), &format!("part#{part:06}")).await
    }
}

fn body<T: Serialize>(value: &T, at: EpochMillis) -> Result<Item, PortError> {
    Ok(Item::from([("body".to_owned(), json(PUT, value)?), ("expires_at".to_owned(), n(at.plus(KEPT).seconds().0))]))
}

fn page_key(number: u32) -> String {
    format!("page#{number:06}")
}

fn version(number: u64) -> aws_sdk_dynamodb::types::AttributeValue {
    n(i64::try_from(number).unwrap_or(i64::MAX))
}
