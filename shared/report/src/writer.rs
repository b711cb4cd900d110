//! From entries to files.

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};

use revocation_core::domain::action::ActionOutcome;
use revocation_core::domain::audit::Outcome;
use revocation_core::domain::audit_chain::RecordKey;
use revocation_core::domain::profile::SubjectKey;

use crate::counts::{Counts, Distribution};
use crate::entry::{Entry, Facts, Scope};
use crate::hashing::{Hashing, sha256};
use crate::manifest::{FileFacts, ManifestWriter};
use crate::page::Page;
use crate::row::{COLUMNS, Row, harmless};

/// What a spreadsheet needs to read names in other scripts.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// What is written into failed.
    #[error("the report cannot be written")]
    Io(#[from] io::Error),
    /// The same, below the CSV.
    #[error("the CSV cannot be written")]
    Csv(#[from] csv::Error),
    /// The page's template failed.
    #[error("the page cannot be made")]
    Page(#[from] askama::Error),
}

/// A report that is being written.
pub struct ReportWriter<C: Write, M: Write> {
    csv: csv::Writer<Hashing<BufWriter<C>>>,
    manifest: ManifestWriter<BufWriter<M>>,
    approved_by: String,
    seen: HashSet<SubjectKey>,
    counts: Counts,
    to_tombstone: Distribution,
    to_seal: Distribution,
    page: Page,
}

/// A report that is written.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The page.
    pub html: String,
    /// What it adds up to.
    pub counts: Counts,
    /// Its files, as the manifest names them.
    pub files: Vec<FileFacts>,
}

impl<C: Write, M: Write> ReportWriter<C, M> {
    /// Begins a report whose CSV goes into `csv` and whose manifest into `manifest`.
    pub fn new(csv: C, manifest: M, facts: Facts) -> Result<Self, ReportError> {
        let mut csv = Hashing::new(BufWriter::new(csv));
        csv.write_all(BYTE_ORDER_MARK)?;
        let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(csv);
        csv.write_record(COLUMNS)?;
        let approved_by = match &facts.scope {
            Scope::Job { approved_by, .. } => approved_by.clone().unwrap_or_default(),
            Scope::Period { .. } => String::new(),
        };
        Ok(Self {
            csv,
            manifest: ManifestWriter::begin(BufWriter::new(manifest), &facts)?,
            approved_by,
            seen: HashSet::new(),
            counts: Counts::default(),
            to_tombstone: Distribution::default(),
            to_seal: Distribution::default(),
            page: Page::new(facts),
        })
    }

    /// Adds an entry.
    pub fn add(&mut self, entry: &Entry) -> Result<(), ReportError> {
        if let Some((key, action)) = &entry.action {
            return self.add_action(entry, key, action.outcome);
        }
        let duplicate = entry.subject.as_ref().is_some_and(|subject| !self.seen.insert(subject.clone()));
        self.count(entry, duplicate);
        let row = Row::of(entry, duplicate);
        self.csv.write_record(row.cells(&self.approved_by).map(|cell| harmless(cell).into_owned()))?;
        if let Some((key, _)) = &entry.record {
            self.manifest.record(key)?;
        }
        self.page.add(row);
        Ok(())
    }

    /// No revocation: it makes nobody's sessions end, so it counts for itself, and its subject as named before by none.
    fn add_action(&mut self, entry: &Entry, key: &RecordKey, outcome: ActionOutcome) -> Result<(), ReportError> {
        self.counts.actions += 1;
        self.counts.actions_not_done += u64::from(matches!(outcome, ActionOutcome::Failed | ActionOutcome::Refused));
        let row = Row::of(entry, false);
        self.csv.write_record(row.cells("").map(|cell| harmless(cell).into_owned()))?;
        self.manifest.record(key)?;
        self.page.add_action(row);
        Ok(())
    }

    /// Writes what is left, and makes the page.
    pub fn finish(mut self) -> Result<Finished, ReportError> {
        let hashing = self.csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
        let (_, csv_sha256, csv_bytes) = hashing.finish()?;
        let html = self.page.render(&self.counts, &mut self.to_tombstone, &mut self.to_seal, &csv_sha256)?;
        let files = vec![
            FileFacts { name: "report.csv".into(), sha256: csv_sha256, bytes: csv_bytes },
            FileFacts { name: "report.html".into(), sha256: sha256(html.as_bytes()), bytes: html.len() as u64 },
        ];
        self.manifest.finish(&self.counts, &files)?;
        Ok(Finished { html, counts: self.counts, files })
    }

    fn count(&mut self, entry: &Entry, duplicate: bool) {
        let counts = &mut self.counts;
        counts.entries += 1;
        counts.duplicates += u64::from(duplicate);
        counts.confirmed += u64::from(entry.refused_at.is_some());
        let Some((_, record)) = &entry.record else {
            counts.without_record += 1;
            return;
        };
        match record.outcome {
            Outcome::Complete => counts.complete += 1,
            Outcome::Partial => counts.partial += 1,
            Outcome::NoSuchUser => counts.no_such_user += 1,
            Outcome::Cancelled => counts.cancelled += 1,
        }
        match record.sessions_ended {
            Some(ended) => counts.sessions_ended += ended,
            None => counts.sessions_unknown += 1,
        }
        if let Some(elapsed) = record.elapsed_to_tombstone_ms {
            self.to_tombstone.add(elapsed);
        }
        if let Some(elapsed) = record.elapsed_to_seal_ms {
            self.to_seal.add(elapsed);
        }
    }
}
