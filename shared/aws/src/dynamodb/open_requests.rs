//! `RequestIndex` and `RedeliveryLog`: the audit trail, asked for what began and did not end. What was redelivered is written
//! into the trail, under a key of its own in the index of what began, so that it is found again without a search.

use std::collections::BTreeSet;

use async_trait::async_trait;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::sweep::{OpenRequest, OpenTrail};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{BegunRequest, PortError, RedeliveryLog, RequestIndex};

use super::action_log;
use super::audit_log::{self, DynamoAuditLog, FINISHED, PUT, QUERY, STARTED};
use super::begun_reader::DynamoBegunReader;
use super::item::{Item, n, number, s, text};
use crate::clients::AwsConfig;
use crate::error::port_error;

/// The index of what began, and its key.
const BY_BEGUN: &str = "by_begun";
const BEGUN: &str = "begun";
/// The key of redeliveries in that index; a start has the day there.
const REDELIVERED: &str = "redelivered";
/// What the sort key of a redelivery begins with; its number follows.
const REDELIVERY: &str = "redelivered/";
/// The sort key of the end of redeliveries.
const GIVEN_UP: &str = "given_up";
/// What the ids of actions on accounts begin with; those of revocations do not.
const ACTION: &str = "ac_";
/// Starts of a page: a tenth of the megabyte DynamoDB reads at once.
const PAGE: i32 = 100;

/// The revocations table, for the sweeper.
pub struct DynamoOpenRequests {
    trail: DynamoAuditLog,
    ends: DynamoBegunReader,
}

// === impl DynamoOpenRequests ===

impl DynamoOpenRequests {
    /// The actions it needs, on the table and the index.
    pub const IAM_ACTIONS: &[&str] = &[PUT, QUERY, "dynamodb:BatchGetItem"];

    /// The audit trail in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        let table = table.into();
        Self { trail: DynamoAuditLog::new(aws, &table), ends: DynamoBegunReader::new(aws, table) }
    }
}

#[async_trait]
impl RequestIndex for DynamoOpenRequests {
    async fn begun(
        &self,
        day: &str,
        (since, until): (EpochMillis, EpochMillis),
        after: Option<&BegunRequest>,
    ) -> Result<Vec<BegunRequest>, PortError> {
        let start = after.map(|after| {
            Item::from([
                ("revocation_id".to_owned(), s(&after.id.0)),
                ("step".to_owned(), s(STARTED)),
                (BEGUN.to_owned(), s(day)),
                ("recorded_at".to_owned(), n(after.received_at.0)),
            ])
        });
        let page = self
            .trail
            .query()
            .index_name(BY_BEGUN)
            .key_condition_expression("#begun = :day AND recorded_at BETWEEN :since AND :until")
            .projection_expression("revocation_id, recorded_at")
            .expression_attribute_names("#begun", BEGUN)
            .expression_attribute_values(":day", s(day))
            .expression_attribute_values(":since", n(since.0))
            .expression_attribute_values(":until", n(until.0))
            .limit(PAGE)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| port_error(QUERY, &error))?;
        Ok(page.items().iter().filter_map(begun).collect())
    }

    async fn redelivered(&self, since: EpochMillis) -> Result<Vec<RevocationId>, PortError> {
        let mut pages = self
            .trail
            .query()
            .index_name(BY_BEGUN)
            .key_condition_expression("#begun = :redelivered AND recorded_at >= :since")
            .projection_expression("revocation_id, recorded_at")
            .expression_attribute_names("#begun", BEGUN)
            .expression_attribute_values(":redelivered", s(REDELIVERED))
            .expression_attribute_values(":since", n(since.0))
            .into_paginator()
            .send();
        let mut ids = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| port_error(QUERY, &error))?;
            ids.extend(page.items().iter().filter_map(begun).map(|begun| begun.id));
        }
        Ok(ids.into_iter().collect())
    }

    async fn finished(&self, ids: &[RevocationId]) -> Result<Vec<RevocationId>, PortError> {
        self.ends.having(FINISHED, ids).await
    }

    async fn open(&self, id: &RevocationId) -> Result<Option<OpenRequest>, PortError> {
        let items = self.trail.items(id).await?;
        if items.is_empty() {
            return Ok(None);
        }
        let trail = if id.0.starts_with(ACTION) {
            OpenTrail::Action(Box::new(action_log::assemble(&items)?))
        } else {
            OpenTrail::Revocation(Box::new(audit_log::assemble(&items)?))
        };
        let is_redelivery = |item: &&Item| text(item, "step").is_some_and(|step| step.starts_with(REDELIVERY));
        let at = |item| number(item, "recorded_at").map(EpochMillis);
        let mut redeliveries: Vec<EpochMillis> = items.iter().filter(is_redelivery).filter_map(at).collect();
        redeliveries.sort_unstable();
        let given_up = items.iter().any(|item| text(item, "step") == Some(GIVEN_UP));
        Ok(Some(OpenRequest { trail, redeliveries, given_up }))
    }
}

#[async_trait]
impl RedeliveryLog for DynamoOpenRequests {
    async fn claim(&self, id: &RevocationId, number: usize, at: EpochMillis) -> Result<bool, PortError> {
        let key = Item::from([(BEGUN.to_owned(), s(REDELIVERED))]);
        self.trail.put_once(id, &format!("{REDELIVERY}{number}"), at, key).await.map(|standing| standing.is_none())
    }

    async fn give_up(&self, id: &RevocationId, at: EpochMillis) -> Result<bool, PortError> {
        self.trail.put_once(id, GIVEN_UP, at, Item::new()).await.map(|standing| standing.is_none())
    }
}

fn begun(item: &Item) -> Option<BegunRequest> {
    let id = RevocationId(text(item, "revocation_id")?.to_owned());
    Some(BegunRequest { received_at: EpochMillis(number(item, "recorded_at")?), id })
}
