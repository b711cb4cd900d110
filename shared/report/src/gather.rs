//! Entries of a bulk revocation or of a period, over ports: a page of them at a time.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use revocation_core::domain::action::ActionRecord;
use revocation_core::domain::audit::AuditRecord;
use revocation_core::domain::audit_chain::{Attribute, RecordKey, StoredRecord, day_plus};
use revocation_core::domain::bulk::{BulkJob, BulkPage, Control, member_revocation_id};
use revocation_core::domain::disposition::{Disposed, Disposition};
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{
    JobReader, PersonReader, PortError, RecordIndex, RecordReader, RefusalReader, SessionKey,
};

use serde::de::DeserializeOwned;

use crate::entry::{Entry, Facts, Scope, Who};
use crate::row::word;
use crate::writer::{Finished, ReportError, ReportWriter};

/// Records read at a time.
const AT_A_TIME: usize = 240;
/// Sessions of one record whose refusal is looked for: the ones last seen.
const SESSIONS_LOOKED_AT: usize = 5;
/// The first part of the step of a person's record.
const COMPLETED: &str = "completed/";
/// The same of what an operator did to an account.
const ACTION: &str = "action/";

/// Where entries come from.
pub struct Sources {
    /// Bulk revocations.
    pub jobs: Arc<dyn JobReader>,
    /// Which records a day has.
    pub index: Arc<dyn RecordIndex>,
    /// What they are.
    pub records: Arc<dyn RecordReader>,
    /// Who people are.
    pub people: Arc<dyn PersonReader>,
    /// When ended sessions were refused, where a ledger is kept.
    pub refusals: Option<Arc<dyn RefusalReader>>,
    /// So many people are looked up, each by a call; beyond, the CSV has what else is known of them.
    pub most_people: usize,
}

/// When a report is made, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Epoch milliseconds.
    pub at: EpochMillis,
    /// A caller's ARN, or the function that made it unasked.
    pub by: String,
}

/// A report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// It could not be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// There is no such bulk revocation.
    #[error("there is no such bulk revocation")]
    NoSuchJob,
    /// Not days of the calendar, or the first is after the last.
    #[error("not a period")]
    NotAPeriod,
}

impl Disposed for GatherError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Port(error) => error.disposition,
            Self::Report(_) => Disposition::Retry,
            Self::NoSuchJob | Self::NotAPeriod => Disposition::Reject,
        }
    }
}

impl Sources {
    /// The report of a bulk revocation.
    pub async fn job<C: Write + Send, M: Write + Send>(
        &self,
        id: &RevocationId,
        made: Made,
        csv: C,
        manifest: M,
    ) -> Result<Finished, GatherError> {
        let (job, control) = self.jobs.job(id).await?.ok_or(GatherError::NoSuchJob)?;
        let facts = Facts { scope: job_scope(&job, &control), generated_at: made.at, generated_by: made.by };
        let mut writer = ReportWriter::new(csv, manifest, facts)?;
        let mut looked_up = 0;
        for number in 1..=job.pages_listed {
            // Pages are written before their number is raised; one that is gone is over its time to live.
            let Some(page) = self.jobs.page(id, number).await? else { continue };
            let (keys, mut entries) = members(id, &page);
            self.complete(&keys, &mut entries, &mut looked_up).await?;
            for entry in &entries {
                writer.add(entry)?;
            }
        }
        Ok(writer.finish()?)
    }

    /// The report of these UTC days, both included.
    pub async fn period<C: Write + Send, M: Write + Send>(
        &self,
        since: &str,
        until: &str,
        made: Made,
        csv: C,
        manifest: M,
    ) -> Result<Finished, GatherError> {
        let is_period = day_plus(since, 0).is_some() && day_plus(until, 0).is_some() && since <= until;
        if !is_period {
            return Err(GatherError::NotAPeriod);
        }
        let scope = Scope::Period { since: since.to_owned(), until: until.to_owned() };
        let mut writer =
            ReportWriter::new(csv, manifest, Facts { scope, generated_at: made.at, generated_by: made.by })?;
        let mut looked_up = 0;
        let mut day = Some(since.to_owned());
        while let Some(today) = day.filter(|day| day.as_str() <= until) {
            let listed = self.index.listed(&today, EpochMillis(0)).await?;
            let is_record = |key: &RecordKey| key.step.starts_with(COMPLETED) || key.step.starts_with(ACTION);
            let keys: Vec<_> = listed.into_iter().map(|listed| listed.key).filter(is_record).collect();
            for keys in keys.chunks(AT_A_TIME) {
                let mut entries: Vec<_> = keys.iter().map(|_| nobody()).collect();
                self.complete(keys, &mut entries, &mut looked_up).await?;
                for entry in &entries {
                    writer.add(entry)?;
                }
            }
            day = day_plus(&today, 1);
        }
        Ok(writer.finish()?)
    }

    /// Puts the records of `keys` into their entries, and what else is known.
    async fn complete(
        &self,
        keys: &[RecordKey],
        entries: &mut [Entry],
        looked_up: &mut usize,
    ) -> Result<(), GatherError> {
        let stored = self.records.stored(keys).await?;
        let mut records: BTreeMap<&RecordKey, &StoredRecord> =
            stored.iter().map(|record| (&record.key, record)).collect();
        for (key, entry) in keys.iter().zip(&mut *entries) {
            match records.remove(key) {
                Some(stored) if key.step.starts_with(ACTION) => match read::<ActionRecord>(stored) {
                    Some(action) => {
                        entry.subject.clone_from(&action.subject);
                        entry.action = Some((key.clone(), action));
                    }
                    None => entry.failure = Some("unreadable_record".to_owned()),
                },
                Some(stored) => match read::<AuditRecord>(stored) {
                    Some(record) => {
                        entry.subject.clone_from(&record.subject);
                        entry.record = Some((key.clone(), record));
                    }
                    None => entry.failure = Some("unreadable_record".to_owned()),
                },
                None => {}
            }
        }
        self.refusals(entries).await?;
        self.people(entries, looked_up).await;
        Ok(())
    }

    async fn refusals(&self, entries: &mut [Entry]) -> Result<(), GatherError> {
        let Some(reader) = &self.refusals else { return Ok(()) };
        let asked: Vec<SessionKey> = entries.iter().flat_map(sessions).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let refused = reader.refused_at(&asked).await?;
        for entry in entries {
            // One that was refused before belongs to another revocation.
            let since = entry.record.as_ref().map(|(_, record)| record.received_at);
            let times = sessions(entry).filter_map(|session| refused.get(&session).copied());
            entry.refused_at = times.filter(|at| Some(*at) >= since).min();
        }
        Ok(())
    }

    /// Who they are. A report without names is better than none, so an outage of the directory is only told.
    async fn people(&self, entries: &mut [Entry], looked_up: &mut usize) {
        let mut asked: Vec<SubjectKey> = entries.iter().filter_map(|entry| entry.subject.clone()).collect();
        asked.truncate(self.most_people.saturating_sub(*looked_up));
        *looked_up += asked.len();
        if asked.is_empty() {
            return;
        }
        match self.people.people(&asked).await {
            Ok(people) => {
                for entry in entries {
                    match entry.subject.as_ref().and_then(|subject| people.get(subject)) {
                        Some(Some(person)) => entry.who = Who::Known(person.clone()),
                        Some(None) => entry.who = gone(&entry.who),
                        None => {}
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "the report goes without some of the names"),
        }
    }
}

/// The records a page's members have, or will have, and an entry for each.
fn members(job: &RevocationId, page: &BulkPage) -> (Vec<RecordKey>, Vec<Entry>) {
    let of_member = page.members.iter().map(|member| {
        let id = member_revocation_id(job, &member.key).0;
        let key = RecordKey { revocation_id: id, step: format!("{COMPLETED}{}", member.key) };
        let failure = page.failures.iter().find(|failure| failure.subject == member.key);
        let entry = Entry {
            subject: Some(member.key.clone()),
            who: Who::NotAsked(Some(member.username.clone())),
            record: None,
            action: None,
            refused_at: None,
            failure: failure.map(|failure| failure.code.clone()),
        };
        (key, entry)
    });
    of_member.unzip()
}

/// What is left of whoever was deleted.
fn gone(who: &Who) -> Who {
    match who {
        Who::NotAsked(username) | Who::Gone(username) => Who::Gone(username.clone()),
        Who::Known(person) => Who::Gone(Some(person.username.clone())),
    }
}

fn nobody() -> Entry {
    Entry { subject: None, who: Who::NotAsked(None), record: None, action: None, refused_at: None, failure: None }
}

/// The record in its item; `None` for one of another version.
fn read<T: DeserializeOwned>(stored: &StoredRecord) -> Option<T> {
    match stored.attributes.get("body") {
        Some(Attribute::Text(body)) => serde_json::from_str(body).ok(),
        _ => None,
    }
}

fn sessions(entry: &Entry) -> impl Iterator<Item = SessionKey> + use<'_> {
    let record = entry.record.as_ref().map(|(_, record)| record);
    let sessions = record.map(|record| record.sessions.iter().take(SESSIONS_LOOKED_AT));
    let subject = entry.subject.as_ref();
    sessions.into_iter().flatten().filter_map(move |session| Some((subject?.clone(), session.origin_jti.clone())))
}

fn job_scope(job: &BulkJob, control: &Control) -> Scope {
    let initiator = job.initiator();
    Scope::Job {
        job_id: job.id.0.clone(),
        meant: match &job.request.sub_id {
            SubjectIdentifier::Group { group } => format!("group {group}"),
            SubjectIdentifier::List { .. } => "a list of people".to_owned(),
            _ => "everybody whose work has ended".to_owned(),
        },
        reason: job.request.reason.as_str().to_owned(),
        initiator: format!("{} {}", word(&initiator.kind), initiator.id),
        approved_by: control.approved_by.clone(),
        stage: word(&job.stage),
        received_at: job.received_at.rfc3339(),
        locked_out_at: job.locked_out_at.map(EpochMillis::rfc3339),
        ended_at: job.ended_at.map(EpochMillis::rfc3339),
        unknown: job.tally.unknown,
    }
}

#[cfg(test)]
mod tests;
