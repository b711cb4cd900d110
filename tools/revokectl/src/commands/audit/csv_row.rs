//! Records as CSV, for a spreadsheet that must not take a name for a formula.

use revocation_report::harmless;

use crate::failure::Failure;
use crate::record::Record;

/// The columns. New ones are added at the end.
pub(super) const HEADER: [&str; 16] = [
    "received_at",
    "id",
    "kind",
    "subject",
    "reason_or_action",
    "outcome",
    "initiator_kind",
    "initiator",
    "source",
    "event_id",
    "tombstoned_at",
    "sealed_at",
    "elapsed_to_tombstone_ms",
    "elapsed_to_seal_ms",
    "sessions_ended",
    "comment",
];

/// A record's line.
pub(super) fn line(record: &Record) -> Result<Vec<u8>, Failure> {
    let revocation = record.revocation();
    let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
    let kind = serde_json::to_value(record.initiator().kind).ok();
    write(&[
        record.received_at().rfc3339(),
        record.id().to_string(),
        if revocation.is_some() { "revocation" } else { "action" }.to_owned(),
        record.subject().map(ToString::to_string).unwrap_or_default(),
        record.what().to_owned(),
        record.outcome().to_owned(),
        kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or_default().to_owned(),
        record.initiator().id.clone(),
        record.source().name.clone(),
        record.source().event_id.clone(),
        revocation
            .and_then(|one| one.tombstoned_at)
            .map(revocation_core::domain::time::EpochMillis::rfc3339)
            .unwrap_or_default(),
        revocation
            .and_then(|one| one.sealed_at)
            .map(revocation_core::domain::time::EpochMillis::rfc3339)
            .unwrap_or_default(),
        number(revocation.and_then(|one| one.elapsed_to_tombstone_ms)),
        number(revocation.and_then(|one| one.elapsed_to_seal_ms)),
        number(revocation.and_then(|one| one.sessions_ended)),
        record.comment().unwrap_or_default().to_owned(),
    ])
}

/// One line of RFC 4180.
pub(super) fn write<T: AsRef<str>>(cells: &[T]) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let written = writer.write_record(cells.iter().map(|cell| harmless(cell.as_ref()).into_owned()));
    written.map_err(|error| Failure::other(format!("cannot write CSV: {error}")))?;
    writer.into_inner().map_err(|error| Failure::other(format!("cannot write CSV: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_leaves_its_quotes() {
        let written = write(&["=HYPERLINK(\"x\")", "a,b", "c\"d", "李"]).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "\"'=HYPERLINK(\"\"x\"\")\",\"a,b\",\"c\"\"d\",李\r\n");
        // As in reports: with white space before it, and in the wide forms, it is a formula to some.
        assert_eq!(String::from_utf8(write(&[" =1", "＝1"]).unwrap()).unwrap(), "' =1,'＝1\r\n");
    }
}
