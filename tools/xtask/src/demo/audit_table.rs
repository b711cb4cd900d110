//! The audit trail as a table.

use anyhow::Result;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use revocation_core::domain::audit::{AuditRecord, StepOutcome};
use revocation_core::ports::{Clock as _, NoticeResult};
use revocation_lambda::clock::SystemClock;
use revocation_probe::{Probe, User};

/// Today's records; the names of known users stand for their `sub`.
pub(super) async fn table(probe: &Probe, users: &[User]) -> Result<Table> {
    let records = probe.records_on(&SystemClock.now().utc_day()).await?;
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "received (UTC)",
        "who",
        "reason",
        "from",
        "by",
        "outcome",
        "steps",
        "sessions ended",
        "told by",
        "refused ms",
        "sealed ms",
    ]);
    for record in &records {
        table.add_row(row(record, users, &told_by(probe, record).await?));
    }
    for column in table.column_iter_mut().skip(9) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    Ok(table)
}

/// How the person was told, or why not.
async fn told_by(probe: &Probe, record: &AuditRecord) -> Result<String> {
    let Some(subject) = &record.subject else { return Ok("-".into()) };
    let notice = probe.notice_of(&record.revocation_id, subject).await?;
    Ok(notice.map_or("-".into(), |notice| match notice.result {
        NoticeResult::Sent { channel } => word(channel),
        NoticeResult::NotSent { code } => format!("nobody\n({code})"),
    }))
}

fn row(record: &AuditRecord, users: &[User], told_by: &str) -> Vec<String> {
    let name = |user: &&User| Some(&user.key) == record.subject.as_ref();
    let who = users.iter().find(name).map_or("-", |user| user.name.as_str());
    let time: String = record.received_at.rfc3339().chars().skip(11).take(8).collect();
    let milliseconds = |elapsed: Option<u64>| elapsed.map_or("-".to_owned(), |elapsed| format!("{elapsed} ms"));
    let steps: Vec<String> = record
        .steps
        .iter()
        .map(|step| match &step.outcome {
            StepOutcome::Done => step.step.as_str().to_owned(),
            StepOutcome::NotNeeded { code } => format!("{}\n({code})", step.step.as_str()),
            StepOutcome::Failed { code } => format!("{} FAILED\n({code})", step.step.as_str()),
        })
        .collect();
    vec![
        time,
        who.to_owned(),
        record.reason.to_string(),
        record.source.name.clone(),
        format!("{}\n{}", word(record.initiator.kind), short(&record.initiator.id)),
        word(record.outcome),
        steps.join("\n"),
        sessions(record),
        told_by.to_owned(),
        milliseconds(record.elapsed_to_tombstone_ms),
        milliseconds(record.elapsed_to_seal_ms),
    ]
}

/// How many, and what is known of the first of them.
fn sessions(record: &AuditRecord) -> String {
    let count = record.sessions_ended.map_or("-".to_owned(), |count| count.to_string());
    let Some(session) = record.sessions.first() else { return count };
    let agent: String = session.user_agent.as_deref().unwrap_or("-").chars().take(24).collect();
    format!("{count}: {}\n{agent}", session.ip.as_deref().unwrap_or("-"))
}

/// A value's name on the wire.
fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The last part of an ARN or of an event type.
fn short(id: &str) -> &str {
    id.rsplit(['/', '.']).next().unwrap_or(id)
}
