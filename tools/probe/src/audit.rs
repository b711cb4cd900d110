//! The audit trail and the tombstones, as an auditor reads them.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use revocation_core::domain::action::ActionRecord;
use revocation_core::domain::audit::AuditRecord;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::ports::NoticeRecord;

use crate::Probe;

impl Probe {
    /// The records of one subject, oldest first.
    pub async fn records_of(&self, subject: &SubjectKey) -> Result<Vec<AuditRecord>> {
        self.records("completed/", "by_subject", "subject", &subject.to_string()).await
    }

    /// The records of operators' actions on one account, oldest first.
    pub async fn actions_on(&self, subject: &SubjectKey) -> Result<Vec<ActionRecord>> {
        self.records("action/", "by_subject", "subject", &subject.to_string()).await
    }

    /// The records of one UTC day (`YYYY-MM-DD`), oldest first.
    pub async fn records_on(&self, day: &str) -> Result<Vec<AuditRecord>> {
        self.records("completed/", "by_day", "day", day).await
    }

    /// Rewrites a record, as only somebody with the account's root credentials can.
    pub async fn rewrite_record(&self, record: &AuditRecord) -> Result<()> {
        let subject = record.subject.as_ref().context("a record of nobody")?;
        self.dynamodb
            .update_item()
            .table_name(&self.facts.revocations_table)
            .key("revocation_id", AttributeValue::S(record.revocation_id.0.clone()))
            .key("step", AttributeValue::S(format!("completed/{subject}")))
            .update_expression("SET body = :body")
            .expression_attribute_values(":body", AttributeValue::S("{}".into()))
            .send()
            .await
            .map(drop)
            .context("cannot rewrite the record")
    }

    /// Records of one kind, which their sort key begins with.
    async fn records<T: serde::de::DeserializeOwned>(
        &self,
        kind: &str,
        index: &str,
        name: &str,
        value: &str,
    ) -> Result<Vec<T>> {
        let mut records = Vec::new();
        let mut from = None;
        loop {
            let page = self
                .dynamodb
                .query()
                .table_name(&self.facts.revocations_table)
                .index_name(index)
                .key_condition_expression("#name = :value")
                .expression_attribute_names("#name", name)
                .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
                .set_exclusive_start_key(from)
                .send()
                .await
                .context("cannot read the audit trail")?;
            let is_meant = |item: &&HashMap<String, AttributeValue>| {
                item.get("step").and_then(|step| step.as_s().ok()).is_some_and(|step| step.starts_with(kind))
            };
            for item in page.items().iter().filter(is_meant) {
                records.push(body(item)?);
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(records);
            }
        }
    }

    /// How the notice of a revocation ended; `None` while it has not.
    pub async fn notice_of(&self, id: &RevocationId, subject: &SubjectKey) -> Result<Option<NoticeRecord>> {
        let get = self
            .dynamodb
            .get_item()
            .table_name(&self.facts.revocations_table)
            .key("revocation_id", AttributeValue::S(id.0.clone()))
            .key("step", AttributeValue::S(format!("notice/{subject}")))
            .consistent_read(true);
        let item = get.send().await.context("cannot read the notice")?.item;
        item.filter(|item| item.contains_key("body")).as_ref().map(body).transpose()
    }

    /// How many signs of compromise have been recorded.
    pub async fn signs_recorded(&self) -> Result<usize> {
        self.signs(|_| true).await
    }

    /// How many of them are of one account.
    pub async fn signs_of(&self, subject: &SubjectKey) -> Result<usize> {
        self.signs(|account| account.contains(&subject.sub.0)).await
    }

    async fn signs(&self, counts: impl Fn(&str) -> bool) -> Result<usize> {
        let mut count = 0;
        let mut from = None;
        loop {
            let scan = self.dynamodb.scan().table_name(&self.facts.compromises_table).consistent_read(true);
            let page = scan.set_exclusive_start_key(from).send().await.context("cannot read the compromises")?;
            count += page
                .items()
                .iter()
                .filter_map(|item| item.get("account")?.as_s().ok())
                .filter(|one| counts(one))
                .count();
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(count);
            }
        }
    }

    /// `origin_jti` of the subject's sessions in the ledger.
    pub async fn sessions_of(&self, subject: &SubjectKey) -> Result<Vec<String>> {
        let query = self.dynamodb.query().table_name(&self.facts.sessions_table);
        let query = query.key_condition_expression("subject = :subject").consistent_read(true);
        let query = query.expression_attribute_values(":subject", AttributeValue::S(subject.to_string()));
        let page = query.send().await.context("cannot read the session ledger")?;
        let named = page.items().iter().filter_map(|item| item.get("origin_jti")?.as_s().ok().cloned());
        Ok(named.collect())
    }

    /// A subject's tombstone as it is stored.
    pub async fn tombstone_item(&self, subject: &SubjectKey) -> Result<Option<HashMap<String, AttributeValue>>> {
        let get = self
            .dynamodb
            .get_item()
            .table_name(&self.facts.tombstones_table)
            .key("subject", AttributeValue::S(subject.to_string()))
            .consistent_read(true);
        Ok(get.send().await.context("cannot read the tombstone")?.item)
    }

    /// Puts an item where the subject's tombstone is, whatever stood there; `None` takes it away.
    pub async fn put_tombstone_item(
        &self,
        subject: &SubjectKey,
        item: Option<HashMap<String, AttributeValue>>,
    ) -> Result<()> {
        let (table, key) = (&self.facts.tombstones_table, AttributeValue::S(subject.to_string()));
        if let Some(mut item) = item {
            item.insert("subject".to_owned(), key);
            let put = self.dynamodb.put_item().table_name(table).set_item(Some(item));
            put.send().await.context("cannot write the tombstone")?;
        } else {
            let delete = self.dynamodb.delete_item().table_name(table).key("subject", key);
            delete.send().await.context("cannot delete the tombstone")?;
        }
        Ok(())
    }

    /// The same, from JSON of numbers, booleans, texts and objects.
    pub async fn put_tombstone_json(&self, subject: &SubjectKey, item: &serde_json::Value) -> Result<()> {
        match attribute(item) {
            Some(AttributeValue::M(item)) => self.put_tombstone_item(subject, Some(item)).await,
            _ => anyhow::bail!("not an item"),
        }
    }
}

fn attribute(value: &serde_json::Value) -> Option<AttributeValue> {
    Some(match value {
        serde_json::Value::Bool(value) => AttributeValue::Bool(*value),
        serde_json::Value::Number(value) => AttributeValue::N(value.to_string()),
        serde_json::Value::String(value) => AttributeValue::S(value.clone()),
        serde_json::Value::Object(members) => {
            let members = members.iter().map(|(name, value)| Some((name.clone(), attribute(value)?)));
            AttributeValue::M(members.collect::<Option<_>>()?)
        }
        serde_json::Value::Null | serde_json::Value::Array(_) => return None,
    })
}

fn body<T: serde::de::DeserializeOwned>(item: &HashMap<String, AttributeValue>) -> Result<T> {
    let text = item.get("body").and_then(|value| value.as_s().ok()).context("an item without a body")?;
    serde_json::from_str(text).context("an item of another version")
}
