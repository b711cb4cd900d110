//! `ReceiptLedger` and `SubjectFence`: what an intake must remember of its sources, in the intake table.
//!
//! Every item has a key of its own, so that no partition is hot; only a source's counter of the hour is written for every
//! new subject, and that is as often as the blast radius allows.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::operation::BuildError;
use revocation_core::domain::revocation_id::PayloadDigest;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Admission, PortError, Receipt, ReceiptLedger, SubjectFence};

use super::item::{n, number, s, text};
use crate::clients::AwsConfig;
use crate::error::port_error;

const PUT: &str = "dynamodb:PutItem";
const UPDATE: &str = "dynamodb:UpdateItem";
const GET: &str = "dynamodb:GetItem";
const TRANSACT: &str = "dynamodb:TransactWriteItems";

const HOUR_MS: i64 = 3_600_000;
/// How long a receipt is kept, in seconds: 14 days. After that the audit trail, which forgets nothing, still knows every
/// request an event led to (I8).
const RECEIPT_LIFE: i64 = 14 * 86_400;
/// How long an hour's count is kept, in seconds.
const COUNT_LIFE: i64 = 2 * 3_600;
/// Concurrent transactions on one counter cancel each other; each try is some milliseconds.
const TRIES: usize = 8;

/// Receipts and counts in the intake table.
pub struct DynamoIntakeLedger {
    client: Client,
    table: String,
}

/// How a counting transaction ended without an effect.
enum Cancelled {
    /// The subject was counted before.
    Known,
    /// The counter stands at the limit.
    Full,
    /// Another transaction was at the same items.
    Contended,
}

impl DynamoIntakeLedger {
    /// The actions it needs; a transaction is authorised by those of its parts.
    pub const IAM_ACTIONS: &[&str] = &[PUT, UPDATE];

    /// The ledger in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }

    /// The action [`Self::subjects_this_hour`] needs. Operators ask it; intakes do not.
    pub const OPERATOR_IAM_ACTIONS: &[&str] = &[GET];

    /// How many distinct subjects a source named in the clock hour of `at`.
    pub async fn subjects_this_hour(&self, source: &str, at: EpochMillis) -> Result<u32, PortError> {
        let hour = at.0.div_euclid(HOUR_MS);
        let get = self.client.get_item().table_name(&self.table).key("key", s(format!("hour#{source}#{hour}")));
        let answer = get.send().await.map_err(|error| port_error(GET, &error))?;
        let counted = answer.item.as_ref().and_then(|item| number(item, "subjects"));
        Ok(counted.and_then(|counted| u32::try_from(counted).ok()).unwrap_or(0))
    }

    /// Marks the subject and raises the counter, both or neither.
    async fn count(
        &self,
        source: &str,
        subject: &PayloadDigest,
        limit: u32,
        at: EpochMillis,
    ) -> Result<Option<Cancelled>, PortError> {
        let hour = at.0.div_euclid(HOUR_MS);
        let expires_at = n(at.seconds().0.saturating_add(COUNT_LIFE));
        let mark = Put::builder()
            .table_name(&self.table)
            .item("key", s(format!("subject#{source}#{hour}#{}", subject.0)))
            .item("expires_at", expires_at.clone())
            .condition_expression("attribute_not_exists(#key)")
            .expression_attribute_names("#key", "key")
            .build();
        let raise = Update::builder()
            .table_name(&self.table)
            .key("key", s(format!("hour#{source}#{hour}")))
            .update_expression("ADD subjects :one SET expires_at = :expires_at")
            .condition_expression("attribute_not_exists(subjects) OR subjects < :limit")
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":limit", n(i64::from(limit)))
            .expression_attribute_values(":expires_at", expires_at)
            .build();
        let sent = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(mark.map_err(not_built)?).build())
            .transact_items(TransactWriteItem::builder().update(raise.map_err(not_built)?).build())
            .send()
            .await;
        match sent {
            Ok(_) => Ok(None),
            Err(error) => cancelled(&error).map(Some).ok_or_else(|| port_error(TRANSACT, &error)),
        }
    }
}

fn not_built(_: BuildError) -> PortError {
    PortError::reject(TRANSACT, "request_not_built")
}

/// Why a transaction was cancelled, if it was: one reason an item, in their order
/// (DynamoDB API, `TransactionCanceledException`).
fn cancelled<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<Cancelled> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(why) => {
            let codes: Vec<&str> = why.cancellation_reasons().iter().map(|r| r.code().unwrap_or_default()).collect();
            match codes.as_slice() {
                ["ConditionalCheckFailed", _] => Some(Cancelled::Known),
                [_, "ConditionalCheckFailed"] => Some(Cancelled::Full),
                codes if codes.iter().all(|code| ["None", "TransactionConflict"].contains(code)) => {
                    Some(Cancelled::Contended)
                }
                _ => None,
            }
        }
        TransactWriteItemsError::TransactionInProgressException(_) => Some(Cancelled::Contended),
        _ => None,
    }
}

#[async_trait]
impl SubjectFence for DynamoIntakeLedger {
    async fn admit(
        &self,
        source: &str,
        subject: &PayloadDigest,
        limit: u32,
        at: EpochMillis,
    ) -> Result<Admission, PortError> {
        for _ in 0..TRIES {
            match self.count(source, subject, limit, at).await? {
                None | Some(Cancelled::Known) => return Ok(Admission::Admitted),
                Some(Cancelled::Full) => return Ok(Admission::OverLimit),
                Some(Cancelled::Contended) => {}
            }
        }
        Err(PortError::retry(TRANSACT, "contended"))
    }
}

#[async_trait]
impl ReceiptLedger for DynamoIntakeLedger {
    async fn receive(
        &self,
        source: &str,
        event_id: &str,
        digest: &PayloadDigest,
        at: EpochMillis,
    ) -> Result<Receipt, PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("key", s(receipt_key(source, event_id)))
            .item("digest", s(&digest.0))
            .item("received_at", n(at.0))
            .item("expires_at", n(at.seconds().0.saturating_add(RECEIPT_LIFE)))
            .condition_expression("attribute_not_exists(#key)")
            .expression_attribute_names("#key", "key")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Receipt::Open) };
        let Some(PutItemError::ConditionalCheckFailedException(refused)) = error.as_service_error() else {
            return Err(port_error(PUT, &error));
        };
        // Without the standing item nothing is known of it: doing it again is harmless, not doing it is not.
        let Some(standing) = refused.item() else { return Ok(Receipt::Open) };
        Ok(match text(standing, "digest") == Some(digest.0.as_str()) {
            false => Receipt::Conflict,
            true if standing.contains_key("accepted_at") => Receipt::Accepted,
            true => Receipt::Open,
        })
    }

    async fn accept(&self, source: &str, event_id: &str, at: EpochMillis) -> Result<(), PortError> {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("key", s(receipt_key(source, event_id)))
            .update_expression("SET accepted_at = :at")
            .expression_attribute_values(":at", n(at.0))
            .send()
            .await
            .map(drop)
            .map_err(|error| port_error(UPDATE, &error))
    }
}

/// The id's digest: some senders put an address into it, and it may be long.
fn receipt_key(source: &str, event_id: &str) -> String {
    format!("receipt#{source}#{}", PayloadDigest::of(event_id.as_bytes()).0)
}
