//! `SessionLedger`: the sessions table. Its items are written by the authorizer and the layer (`revocation-store`); here
//! they are read, and marked by the revocation that ended them.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::session::SessionRecord;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::ports::{PortError, SessionLedger};

use super::item::{Item, number, s, text};
use crate::clients::AwsConfig;
use crate::error::port_error;

const QUERY: &str = "dynamodb:Query";
const UPDATE: &str = "dynamodb:UpdateItem";
/// Sessions of one person that are looked at, a page more or less. Nobody honest has as many in 30 days.
const MOST: usize = 2_000;

/// Reads and marks the sessions table.
pub struct DynamoSessionLedger {
    client: Client,
    table: String,
}

impl DynamoSessionLedger {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[QUERY, UPDATE];

    /// The ledger in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }

    /// The subject's sessions that no revocation has ended yet: what one would end now.
    pub async fn going_on(&self, subject: &SubjectKey) -> Result<Vec<SessionRecord>, PortError> {
        self.read(subject, Some("attribute_not_exists(ended_by)")).await
    }

    async fn read(&self, subject: &SubjectKey, only: Option<&str>) -> Result<Vec<SessionRecord>, PortError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("subject = :subject")
            .expression_attribute_values(":subject", s(subject.to_string()))
            .set_filter_expression(only.map(str::to_owned))
            .consistent_read(true)
            .into_paginator()
            .send();
        let mut sessions = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| port_error(QUERY, &error))?;
            // An item of another form is no session anybody could be told of.
            sessions.extend(page.items().iter().filter_map(session));
            if sessions.len() >= MOST {
                tracing::warn!(subject = %subject, "more sessions in the ledger than are counted");
                break;
            }
        }
        sessions.sort_by_key(|session| std::cmp::Reverse(session.last_seen));
        Ok(sessions)
    }
}

#[async_trait]
impl SessionLedger for DynamoSessionLedger {
    async fn sessions(&self, subject: &SubjectKey) -> Result<Vec<SessionRecord>, PortError> {
        self.read(subject, None).await
    }

    async fn ended(&self, subject: &SubjectKey, origin_jti: &str, by: &RevocationId) -> Result<bool, PortError> {
        let mark = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("subject", s(subject.to_string()))
            .key("origin_jti", s(origin_jti))
            .update_expression("SET ended_by = :id")
            // Gone meanwhile by its TTL: not made anew.
            .condition_expression("attribute_exists(origin_jti) AND (attribute_not_exists(ended_by) OR ended_by = :id)")
            .expression_attribute_values(":id", s(&by.0));
        match mark.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(port_error(UPDATE, &error)),
        }
    }
}

fn session(item: &Item) -> Option<SessionRecord> {
    let owned = |name| text(item, name).map(str::to_owned);
    Some(SessionRecord {
        origin_jti: owned("origin_jti")?,
        client_id: owned("client_id").unwrap_or_default(),
        auth_time: number(item, "auth_time").map(EpochSeconds),
        first_seen: EpochMillis(number(item, "first_seen")?),
        last_seen: EpochMillis(number(item, "last_seen")?),
        ip: owned("ip"),
        user_agent: owned("user_agent"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::item::n;
    use super::*;

    #[test]
    fn reads_what_the_recorder_writes_and_leaves_out_what_is_no_session() {
        let entries = [
            ("subject", s("p#s")),
            ("origin_jti", s("o")),
            ("client_id", s("c")),
            ("auth_time", n(7)),
            ("first_seen", n(8_000)),
            ("last_seen", n(9_000)),
            ("ip", s("192.0.2.1")),
        ];
        let item: Item = entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let read = session(&item).unwrap();
        assert_eq!(
            (read.auth_time, read.first_seen, read.last_seen.0),
            (Some(EpochSeconds(7)), EpochMillis(8_000), 9_000)
        );
        assert_eq!((read.ip.as_deref(), read.user_agent), (Some("192.0.2.1"), None));
        for missing in ["origin_jti", "first_seen", "last_seen"] {
            let mut item = item.clone();
            item.remove(missing);
            assert_eq!(session(&item), None, "{missing}");
        }
    }
}
