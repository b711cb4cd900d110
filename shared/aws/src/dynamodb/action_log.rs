//! `ActionLog`: the actions' part of the audit trail, in the same table as the revocations'. Items are put once and never
//! changed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use revocation_core::domain::action::{AccountAction, ActionOutcome, ActionRecord, ActionStarted, ActionTrail};
use revocation_core::domain::hold::ActionStamp;
use revocation_core::domain::profile::{Profile, SubjectKey};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{ActionBegun, ActionLog, PortError};

use super::audit_log::{DynamoAuditLog, FINISHED, PUT, QUERY, RESOLVED, STARTED, key};
use super::item::{Item, from_json, json, n, s, text};
use crate::clients::AwsConfig;
use crate::error::port_error;

/// What the sort key of an account's record begins with.
const RECORD: &str = "action";
/// The index of records by account.
const BY_SUBJECT: &str = "by_subject";
/// A record is dated by the function that wrote it, a request by the queue: their clocks differ by less.
const CLOCKS_DIFFER_MS: i64 = 60_000;

/// The revocations table, for actions.
pub struct DynamoActionLog {
    trail: DynamoAuditLog,
}

impl DynamoActionLog {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = DynamoAuditLog::IAM_ACTIONS;

    /// The audit trail in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { trail: DynamoAuditLog::new(aws, table) }
    }
}

#[async_trait]
impl ActionLog for DynamoActionLog {
    async fn begin(&self, started: &ActionStarted) -> Result<ActionBegun, PortError> {
        let body = Item::from([
            ("body".to_owned(), json(PUT, started)?),
            // The key of the index of what began lately.
            ("begun".to_owned(), s(started.received_at.utc_day())),
        ]);
        if self.trail.put_once(&started.id, STARTED, started.received_at, body).await?.is_none() {
            return Ok(ActionBegun::New);
        }
        let items = self.trail.items(&started.id).await?;
        Ok(ActionBegun::Before(Box::new(assemble(&items)?)))
    }

    async fn resolved(&self, id: &RevocationId, profiles: &[Profile], at: EpochMillis) -> Result<(), PortError> {
        let body = Item::from([("body".to_owned(), json(PUT, &profiles)?)]);
        self.trail.put_once(id, RESOLVED, at, body).await.map(drop)
    }

    async fn was_superseded(
        &self,
        subject: &SubjectKey,
        action: AccountAction,
        stamp: &ActionStamp,
    ) -> Result<bool, PortError> {
        let mut pages = self
            .trail
            .query()
            .index_name(BY_SUBJECT)
            .key_condition_expression("subject = :subject AND recorded_at >= :at")
            .expression_attribute_values(":subject", s(subject.to_string()))
            .expression_attribute_values(":at", n(stamp.at.0.saturating_sub(CLOCKS_DIFFER_MS)))
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| port_error(QUERY, &error))?;
            for item in page.items().iter().filter(|item| is_record(item)) {
                let record: ActionRecord = from_json(QUERY, item, "body")?;
                let is_later = record.stamp() > *stamp && record.outcome == ActionOutcome::Done;
                if is_later && record.action.competes_with(action) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    async fn completed(&self, record: &ActionRecord) -> Result<ActionRecord, PortError> {
        let subject = record.subject.as_ref().map_or("none".to_owned(), SubjectKey::to_string);
        let item = Item::from([
            ("body".to_owned(), json(PUT, record)?),
            ("subject".to_owned(), s(&subject)),
            ("day".to_owned(), s(record.at.utc_day())),
        ]);
        let standing = self.trail.put_once(&record.id, &format!("{RECORD}/{subject}"), record.at, item).await?;
        standing.map_or(Ok(record.clone()), |standing| from_json(PUT, &standing, "body"))
    }

    async fn published(&self, id: &RevocationId, subject: &SubjectKey, at: EpochMillis) -> Result<(), PortError> {
        self.trail.put_once(id, &format!("published/{subject}"), at, Item::new()).await.map(drop)
    }

    async fn finished(&self, id: &RevocationId, at: EpochMillis) -> Result<(), PortError> {
        self.trail.put_once(id, FINISHED, at, Item::new()).await.map(drop)
    }
}

fn is_record(item: &Item) -> bool {
    text(item, "step").and_then(|step| step.split_once('/')).is_some_and(|(kind, _)| kind == RECORD)
}

/// The items of one action as a trail.
pub(super) fn assemble(items: &[Item]) -> Result<ActionTrail, PortError> {
    let by_step: BTreeMap<&str, &Item> = items.iter().filter_map(|item| Some((text(item, "step")?, item))).collect();
    let started = by_step.get(STARTED).ok_or(PortError::retry(QUERY, "trail_without_start"))?;
    let mut trail = ActionTrail::new(from_json(QUERY, started, "body")?);
    for (step, item) in by_step {
        match step.split('/').collect::<Vec<_>>().as_slice() {
            [RESOLVED] => trail.resolved = Some(from_json(QUERY, item, "body")?),
            [FINISHED] => trail.finished = true,
            [RECORD, _] => {
                let record: ActionRecord = from_json(QUERY, item, "body")?;
                trail.completed.insert(record.subject.clone(), record);
            }
            ["published", subject] => trail.published.push(key(subject)?),
            _ => {}
        }
    }
    Ok(trail)
}
