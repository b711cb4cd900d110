//! `AuditChain`: the chain's table. A link is put where none is and never touched again.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use revocation_core::domain::audit_chain::{ChainHash, Chained, Link, RecordKey};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{AuditChain, Conflict, PortError};

use super::item::{Item, n, number, s, text};
use crate::clients::AwsConfig;
use crate::error::port_error;

const PUT: &str = "dynamodb:PutItem";
const QUERY: &str = "dynamodb:Query";
const TRANSACT: &str = "dynamodb:TransactWriteItems";
/// DynamoDB API, `TransactWriteItems`: up to 100 items.
const MOST_IN_A_TRANSACTION: usize = 100;
/// Links read at a time, from the newest back: more than an ordinary run looks at.
const PAGE: i32 = 100;

/// The table of links.
pub struct DynamoAuditChain {
    client: Client,
    table: String,
}

impl DynamoAuditChain {
    /// The actions it needs; a transaction is authorised by those of its parts.
    pub const IAM_ACTIONS: &[&str] = &[PUT, QUERY];

    /// The chain in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }

    /// All links of a day by number, and the keys of items that are none.
    pub async fn all(&self, day: &str) -> Result<(Vec<Link>, Vec<String>), PortError> {
        let (mut links, mut unreadable) = (Vec::new(), Vec::new());
        let mut pages = self.day(day).into_paginator().send();
        while let Some(page) = pages.next().await {
            for item in page.map_err(|error| port_error(QUERY, &error))?.items() {
                match link(item) {
                    Some(link) => links.push(link),
                    None => unreadable.push(format!("audit_chain {day} #{}", number(item, "n").unwrap_or_default())),
                }
            }
        }
        Ok((links, unreadable))
    }

    /// A strongly consistent query of a day.
    fn day(&self, day: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            // DAY is a reserved word of DynamoDB's expressions.
            .key_condition_expression("#day = :day")
            .expression_attribute_names("#day", "day")
            .expression_attribute_values(":day", s(day))
            .consistent_read(true)
    }

    async fn one(&self, query: QueryFluentBuilder) -> Result<Option<Link>, PortError> {
        let page = query.limit(1).send().await.map_err(|error| port_error(QUERY, &error))?;
        page.items().first().map(read).transpose()
    }
}

#[async_trait]
impl AuditChain for DynamoAuditChain {
    fn most_appended(&self) -> usize {
        MOST_IN_A_TRANSACTION
    }

    async fn opening(&self, day: &str) -> Result<Option<Link>, PortError> {
        Ok(self.one(self.day(day)).await?.filter(|link| link.n == 0))
    }

    async fn last(&self, day: &str) -> Result<Option<Link>, PortError> {
        self.one(self.day(day).scan_index_forward(false)).await
    }

    async fn links(&self, day: &str, since: EpochMillis) -> Result<Vec<Link>, PortError> {
        let mut links: Vec<Link> = Vec::new();
        let mut pages = self.day(day).scan_index_forward(false).limit(PAGE).into_paginator().send();
        while let Some(page) = pages.next().await {
            for item in page.map_err(|error| port_error(QUERY, &error))?.items() {
                links.push(read(item)?);
            }
            if links.last().is_some_and(|oldest| oldest.chained_at < since) {
                break;
            }
        }
        links.reverse();
        Ok(links)
    }

    async fn append(&self, links: &[Link]) -> Result<Result<(), Conflict>, PortError> {
        let mut transaction = self.client.transact_write_items();
        for link in links {
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(item(link)))
                .condition_expression("attribute_not_exists(#hash)")
                .expression_attribute_names("#hash", "hash")
                .build()
                .map_err(|_| PortError::reject(TRANSACT, "request_not_built"))?;
            transaction = transaction.transact_items(TransactWriteItem::builder().put(put).build());
        }
        let Err(error) = transaction.send().await else { return Ok(Ok(())) };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(why))
                if why.cancellation_reasons().iter().all(|reason| {
                    let code = reason.code().unwrap_or("None");
                    ["None", "ConditionalCheckFailed", "TransactionConflict"].contains(&code)
                }) =>
            {
                Ok(Err(Conflict))
            }
            Some(TransactWriteItemsError::TransactionInProgressException(_)) => Ok(Err(Conflict)),
            _ => Err(port_error(TRANSACT, &error)),
        }
    }
}

fn item(link: &Link) -> Item {
    let mut item = Item::from([
        ("day".to_owned(), s(&link.day)),
        ("n".to_owned(), n(i64::try_from(link.n).unwrap_or(i64::MAX))),
        ("chained_at".to_owned(), n(link.chained_at.0)),
        ("previous".to_owned(), s(&link.previous.0)),
        ("hash".to_owned(), s(&link.hash.0)),
    ]);
    if let Chained::Record { key, recorded_at, sha256 } = &link.chained {
        item.extend([
            ("revocation_id".to_owned(), s(&key.revocation_id)),
            ("step".to_owned(), s(&key.step)),
            ("recorded_at".to_owned(), n(recorded_at.0)),
            ("record_sha256".to_owned(), s(sha256)),
        ]);
    }
    item
}

/// An item of another form would end the chain: somebody has to look.
fn read(item: &Item) -> Result<Link, PortError> {
    link(item).ok_or(PortError::reject(QUERY, "unreadable_item"))
}

fn link(item: &Item) -> Option<Link> {
    let owned = |name| text(item, name).map(str::to_owned);
    let chained = match owned("record_sha256") {
        None => Chained::Opening,
        Some(sha256) => Chained::Record {
            key: RecordKey { revocation_id: owned("revocation_id")?, step: owned("step")? },
            recorded_at: EpochMillis(number(item, "recorded_at")?),
            sha256,
        },
    };
    Some(Link {
        day: owned("day")?,
        n: u64::try_from(number(item, "n")?).ok()?,
        chained,
        chained_at: EpochMillis(number(item, "chained_at")?),
        previous: ChainHash(owned("previous")?),
        hash: ChainHash(owned("hash")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_survives_the_round_trip_and_an_item_of_another_form_is_none() {
        let opening = Link::opening("2026-11-26", None, EpochMillis(5));
        let key = RecordKey { revocation_id: "rv_1".into(), step: "completed/p#s".into() };
        let chained = Chained::Record { key, recorded_at: EpochMillis(4), sha256: "ab".into() };
        let next = Link { n: 1, chained, ..opening.clone() };
        for stored in [opening, next] {
            assert_eq!(link(&item(&stored)), Some(stored.clone()));
            for name in ["day", "n", "chained_at", "previous", "hash"] {
                let mut broken = item(&stored);
                broken.remove(name);
                assert_eq!(link(&broken), None, "{name}");
            }
        }
    }
}
