//! The audit trail, read: by revocation, by subject, by day, and what began lately. For operators; functions do without.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::Select;
use revocation_core::domain::action::ActionTrail;
use revocation_core::domain::audit::Trail;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::PortError;

use super::action_log;
use super::audit_log::assemble;
use super::item::{Item, n, number, s, text};
use crate::clients::AwsConfig;
use crate::error::port_error;

const QUERY: &str = "dynamodb:Query";

/// Reads the revocations table and its indexes.
pub struct DynamoAuditReader {
    client: Client,
    table: String,
}

/// An item of the trail, not understood yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The revocation, or the action on an account.
    pub id: RevocationId,
    /// What it is: `started`, `completed/<subject>`, `action/<subject>` …
    pub step: String,
    /// When it was written.
    pub recorded_at: EpochMillis,
    /// JSON; empty where the step alone says it all.
    pub body: String,
}

/// Which items are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Records completed on a UTC day, `YYYY-MM-DD`.
    Day(String),
    /// Records of a subject.
    Subject(SubjectKey),
    /// Revocations and actions that were received on a UTC day.
    Begun(String),
}

/// Some items, and where those that follow begin.
#[derive(Debug, Default)]
pub struct EntryPage {
    /// The newest first.
    pub entries: Vec<Entry>,
    /// `None`: there are no more.
    pub next: Option<Cursor>,
}

/// Where a page ended.
#[derive(Clone, Debug)]
pub struct Cursor(Item);

impl DynamoAuditReader {
    /// The actions it needs, on the table and its indexes.
    pub const IAM_ACTIONS: &[&str] = &[QUERY];

    /// The audit trail in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }

    /// What is written down of one revocation so far, by a consistent read; `None` if it has not begun.
    pub async fn trail(&self, id: &RevocationId) -> Result<Option<Trail>, PortError> {
        let items = self.items(id).await?;
        if items.is_empty() { Ok(None) } else { assemble(&items).map(Some) }
    }

    /// The same of an action on an account.
    pub async fn action_trail(&self, id: &RevocationId) -> Result<Option<ActionTrail>, PortError> {
        let items = self.items(id).await?;
        if items.is_empty() { Ok(None) } else { action_log::assemble(&items).map(Some) }
    }

    /// Every item under an id, in the order in which they were written.
    pub async fn entries(&self, id: &RevocationId) -> Result<Vec<Entry>, PortError> {
        let mut entries: Vec<Entry> = self.items(id).await?.iter().filter_map(entry).collect();
        entries.sort_by(|a, b| (a.recorded_at, &a.step).cmp(&(b.recorded_at, &b.step)));
        Ok(entries)
    }

    /// A page of a listing between two times, both included, the newest first.
    pub async fn page(
        &self,
        listing: &Listing,
        (since, until): (EpochMillis, EpochMillis),
        after: Option<Cursor>,
    ) -> Result<EntryPage, PortError> {
        let (index, attribute, value) = match listing {
            Listing::Day(day) => ("by_day", "day", day.clone()),
            Listing::Subject(subject) => ("by_subject", "subject", subject.to_string()),
            Listing::Begun(day) => ("by_begun", "begun", day.clone()),
        };
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("#key = :key AND recorded_at BETWEEN :since AND :until")
            .expression_attribute_names("#key", attribute)
            .expression_attribute_values(":key", s(value))
            .expression_attribute_values(":since", n(since.0))
            .expression_attribute_values(":until", n(until.0))
            .select(Select::AllProjectedAttributes)
            .scan_index_forward(false)
            .set_exclusive_start_key(after.map(|Cursor(key)| key))
            .send()
            .await
            .map_err(|error| port_error(QUERY, &error))?;
        Ok(EntryPage {
            entries: page.items().iter().filter_map(entry).collect(),
            next: page.last_evaluated_key.filter(|key| !key.is_empty()).map(Cursor),
        })
    }

    async fn items(&self, id: &RevocationId) -> Result<Vec<Item>, PortError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("revocation_id = :id")
            .expression_attribute_values(":id", s(&id.0))
            .consistent_read(true)
            .into_paginator()
            .send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            items.extend(page.map_err(|error| port_error(QUERY, &error))?.items.unwrap_or_default());
        }
        Ok(items)
    }
}

fn entry(item: &Item) -> Option<Entry> {
    Some(Entry {
        id: RevocationId(text(item, "revocation_id")?.to_owned()),
        step: text(item, "step")?.to_owned(),
        recorded_at: EpochMillis(number(item, "recorded_at")?),
        body: text(item, "body").unwrap_or_default().to_owned(),
    })
}
