//! The audit trail as a table.

use anyhow::Result;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use revocation_core::domain::audit::{AuditRecord, StepOutcome};
use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::{Probe, User};

/// Today's records; the names of known users stand for their `sub`.
pub(super) async fn table(probe: &Probe, users: &[&User]) -> Result<Table> {
    let records = probe.records_on(&SystemClock.now().utc_day()).await?;
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY);
    table.set_header(["received (UTC)", "who", "reason", "from", "by", "outcome", "steps", "refused ms", "sealed ms"]);
    for record in &records {
        table.add_row(row(record, users));
    }
    for column in table.column_iter_mut().skip(7) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    Ok(table)
}

fn row(record: &AuditRecord, users: &[&User]) -> Vec<String> {
    let name = |user: &&&User| Some(&user.key) == record.subject.as_ref();
    let who = users.iter().find(name).map_or("-", |user| user.name.as_str());
    let time: String = record.received_at.rfc3339().chars().skip(11).take(12).collect();
    let milliseconds = |elapsed: Option<u64>| elapsed.map_or("-".to_owned(), |elapsed| elapsed.to_string());
    let steps: Vec<String> = record
        .steps
        .iter()
        .map(|step| match &step.outcome {
            StepOutcome::Done => step.step.as_str().to_owned(),
            StepOutcome::NotNeeded { code } => format!("{} ({code})", step.step.as_str()),
            StepOutcome::Failed { code } => format!("{} FAILED ({code})", step.step.as_str()),
        })
        .collect();
    vec![
        time,
        who.to_owned(),
        record.reason.to_string(),
        record.source.name.clone(),
        format!("{} {}", word(record.initiator.kind), record.initiator.id),
        word(record.outcome),
        steps.join(", "),
        milliseconds(record.elapsed_to_tombstone_ms),
        milliseconds(record.elapsed_to_seal_ms),
    ]
}

/// A value's name on the wire.
fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
