//! The tables: there, hard to delete, restorable, and emptied by themselves where they should be.

use revocation_aws::dynamodb::DynamoTableInspector;

use super::Check;
use crate::context::Context;
use crate::failure::Failure;

const GROUP: &str = "tables";
/// The attribute all tables expire by.
const EXPIRES_BY: &str = "expires_at";

/// What a table must have.
#[derive(Clone, Copy, Debug)]
struct Wanted<'a> {
    name: &'a str,
    /// What it is called in the documents.
    called: &'static str,
    /// Items expire. Never in the audit trail and its chain.
    expires: bool,
    /// The stack's end leaves it, and nobody deletes it by mistake. The others go with the stack.
    is_kept: bool,
}

fn kept<'a>(name: &'a str, called: &'static str, expires: bool) -> Wanted<'a> {
    Wanted { name, called, expires, is_kept: true }
}

fn passing<'a>(name: &'a str, called: &'static str) -> Wanted<'a> {
    Wanted { name, called, expires: true, is_kept: false }
}

pub(super) async fn checks(context: &Context) -> Result<Vec<Check>, Failure> {
    let operations = context.operations().await?;

    let mut tables = vec![
        kept(&operations.tombstones_table, "tombstones", true),
        kept(&operations.revocations_table, "revocations", false),
        passing(&operations.compromises_table, "compromises"),
    ];
    tables.extend(operations.sessions_table.as_deref().map(|name| passing(name, "sessions")));
    tables.extend(operations.bulk_table.as_deref().map(|name| kept(name, "bulk", true)));
    tables.extend(operations.intake_table.as_deref().map(|name| passing(name, "intake")));
    tables.extend(operations.audit_chain_table.as_deref().map(|name| kept(name, "audit chain", false)));
    let inspector = DynamoTableInspector::new(context.aws().await?);
    let mut checks = Vec::new();
    for table in tables {
        checks.extend(table_checks(&inspector, table).await);
    }
    Ok(checks)
}

async fn table_checks(inspector: &DynamoTableInspector, wanted: Wanted<'_>) -> Vec<Check> {
    let Wanted { name, called, expires, is_kept } = wanted;
    let facts = match inspector.table(name).await {
        Ok(facts) => facts,
        Err(error) => return vec![Check::not_seen(GROUP, called, error)],
    };
    let mut checks = Vec::new();
    if !facts.active {
        checks.push(Check::failed(GROUP, called, "it is being made, changed or deleted", "wait, and run this again"));
    }
    if is_kept && !facts.deletion_protected {
        let next = "deploy with DeletionProtection=true";
        checks.push(Check::warning(GROUP, called, "whoever may delete tables can delete it", next));
    }
    match inspector.expiry(name).await {
        Ok(attribute) => checks.extend(expiry(called, expires, attribute.as_deref(), name)),
        Err(error) => checks.push(Check::not_seen(GROUP, format!("{called}, time to live"), error)),
    }
    match inspector.is_restorable(name).await {
        Ok(true) => {}
        Ok(false) => checks.push(Check::warning(
            GROUP,
            called,
            "no point-in-time recovery: what is overwritten or deleted is gone",
            format!("aws dynamodb update-continuous-backups --table-name {name} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"),
        )),
        Err(error) => checks.push(Check::not_seen(GROUP, format!("{called}, point-in-time recovery"), error)),
    }
    if checks.is_empty() {
        let protected = if is_kept { "protected, " } else { "" };
        let expires = if expires { "items expire" } else { "nothing expires" };
        checks.push(Check::ok(GROUP, called, format!("{protected}restorable, {expires}")));
    }
    checks
}

/// A trail that expires is none; tombstones that never do are not wrong, only ever more.
fn expiry(called: &str, expires: bool, attribute: Option<&str>, name: &str) -> Option<Check> {
    match (expires, attribute) {
        (true, Some(EXPIRES_BY)) | (false, None) => None,
        (true, _) => Some(Check::warning(
            GROUP,
            called,
            "items do not expire: it grows, and costs, for ever",
            format!(
                "aws dynamodb update-time-to-live --table-name {name} --time-to-live-specification Enabled=true,AttributeName={EXPIRES_BY}"
            ),
        )),
        (false, Some(_)) => Some(Check::failed(
            GROUP,
            called,
            "items expire, and they are evidence",
            format!("switch time to live off on {name}, and restore what is missing from its point-in-time recovery"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn tombstones_expire_and_evidence_does_not() {
        let of = |expires, attribute| expiry("t", expires, attribute, "table").map(|check| check.verdict);
        assert_eq!((of(true, Some("expires_at")), of(false, None)), (None, None));
        assert_eq!((of(true, None), of(true, Some("ttl"))), (Some(Verdict::Warning), Some(Verdict::Warning)));
        assert_eq!(of(false, Some("expires_at")), Some(Verdict::Failed));
    }
}
