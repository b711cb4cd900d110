//! `AuditLog`: items that are put once and never changed. What is there already is what is done already.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use revocation_core::domain::audit::{AuditRecord, Started, StepRecord, Trail};
use revocation_core::domain::profile::{Profile, SubjectKey};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{AuditLog, Begun, PortError};

use super::item::{Item, from_json, json, n, s, text};
use crate::clients::AwsConfig;
use crate::error::port_error;

pub(super) const PUT: &str = "dynamodb:PutItem";
pub(super) const QUERY: &str = "dynamodb:Query";

pub(super) const STARTED: &str = "started";
pub(super) const RESOLVED: &str = "resolved";
pub(super) const FINISHED: &str = "finished";

/// The revocations table.
pub struct DynamoAuditLog {
    client: Client,
    table: String,
}

impl DynamoAuditLog {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[PUT, QUERY];

    /// The audit trail in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }

    /// Puts an item unless its key exists. Returns the one that stands there already.
    pub(super) async fn put_once(
        &self,
        id: &RevocationId,
        step: &str,
        at: EpochMillis,
        more: Item,
    ) -> Result<Option<Item>, PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(more))
            .item("revocation_id", s(&id.0))
            .item("step", s(step))
            .item("recorded_at", n(at.0))
            .condition_expression("attribute_not_exists(revocation_id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(None) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                refused.item().cloned().map(Some).ok_or(PortError::retry(PUT, "no_standing_item"))
            }
            _ => Err(port_error(PUT, &error)),
        }
    }

    /// A query of the table.
    pub(super) fn query(&self) -> QueryFluentBuilder {
        self.client.query().table_name(&self.table)
    }

    /// Everything under one id, as it is now.
    pub(super) async fn items(&self, id: &RevocationId) -> Result<Vec<Item>, PortError> {
        let mut items = Vec::new();
        let mut from = None;
        loop {
            let page = self
                .query()
                .key_condition_expression("revocation_id = :id")
                .expression_attribute_values(":id", s(&id.0))
                .consistent_read(true)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| port_error(QUERY, &error))?;
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(items);
            }
        }
    }
}

#[async_trait]
impl AuditLog for DynamoAuditLog {
    async fn begin(&self, started: &Started) -> Result<Begun, PortError> {
        let body = Item::from([
            ("body".to_owned(), json(PUT, started)?),
            // The key of the index of what began lately, in which nothing else is.
            ("begun".to_owned(), s(started.received_at.utc_day())),
        ]);
        if self.put_once(&started.revocation_id, STARTED, started.received_at, body).await?.is_none() {
            return Ok(Begun::New);
        }
        let items = self.items(&started.revocation_id).await?;
        Ok(Begun::Before(Box::new(assemble(&items)?)))
    }

    async fn resolved(&self, id: &RevocationId, profiles: &[Profile], at: EpochMillis) -> Result<(), PortError> {
        let body = Item::from([("body".to_owned(), json(PUT, &profiles)?)]);
        self.put_once(id, RESOLVED, at, body).await.map(drop)
    }

    async fn step(
        &self,
        id: &RevocationId,
        subject: &SubjectKey,
        record: &StepRecord,
    ) -> Result<StepRecord, PortError> {
        let body = Item::from([("body".to_owned(), json(PUT, record)?)]);
        let step = format!("step/{subject}/{}", record.step.as_str());
        let standing = self.put_once(id, &step, record.at, body).await?;
        standing.map_or(Ok(record.clone()), |standing| from_json(PUT, &standing, "body"))
    }

    async fn completed(&self, record: &AuditRecord, at: EpochMillis) -> Result<AuditRecord, PortError> {
        let subject = record.subject.as_ref().map_or("none".to_owned(), SubjectKey::to_string);
        let item = Item::from([
            ("body".to_owned(), json(PUT, record)?),
            // The keys of the indexes; only complete records have them, so that the indexes list each subject once.
            ("subject".to_owned(), s(&subject)),
            ("day".to_owned(), s(at.utc_day())),
        ]);
        let standing = self.put_once(&record.revocation_id, &format!("completed/{subject}"), at, item).await?;
        standing.map_or(Ok(record.clone()), |standing| from_json(PUT, &standing, "body"))
    }

    async fn published(&self, id: &RevocationId, subject: &SubjectKey, at: EpochMillis) -> Result<(), PortError> {
        self.put_once(id, &format!("published/{subject}"), at, Item::new()).await.map(drop)
    }

    async fn finished(&self, id: &RevocationId, at: EpochMillis) -> Result<(), PortError> {
        self.put_once(id, FINISHED, at, Item::new()).await.map(drop)
    }
}

/// The items of one revocation as a trail.
pub(super) fn assemble(items: &[Item]) -> Result<Trail, PortError> {
    let by_step: BTreeMap<&str, &Item> = items.iter().filter_map(|item| Some((text(item, "step")?, item))).collect();
    let started = by_step.get(STARTED).ok_or(PortError::retry(QUERY, "trail_without_start"))?;
    let mut trail = Trail::new(from_json(QUERY, started, "body")?);
    for (step, item) in by_step {
        match step.split('/').collect::<Vec<_>>().as_slice() {
            [RESOLVED] => trail.resolved = Some(from_json(QUERY, item, "body")?),
            [FINISHED] => trail.finished = true,
            ["step", subject, _] => {
                let record: StepRecord = from_json(QUERY, item, "body")?;
                trail.steps.entry(key(subject)?).or_default().insert(record.step, record);
            }
            ["completed", _] => {
                let record: AuditRecord = from_json(QUERY, item, "body")?;
                trail.completed.insert(record.subject.clone(), record);
            }
            ["published", subject] => trail.published.push(key(subject)?),
            // `started` itself, and what other functions keep here (the notice's claim).
            _ => {}
        }
    }
    Ok(trail)
}

/// Neither pool ids nor `sub`s contain `#` or `/`.
pub(super) fn key(text: &str) -> Result<SubjectKey, PortError> {
    let (pool, sub) = text.split_once('#').ok_or(PortError::reject(QUERY, "unreadable_item"))?;
    Ok(SubjectKey::new(pool, sub))
}
