//! A bulk revocation as it is shown.

use std::time::Duration;

use jiff::tz::TimeZone;
use revocation_core::domain::bulk::{BulkJob, Control, Stage, Tally, Wish};
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::time::EpochMillis;
use serde::Serialize;

use crate::failure::Exit;
use crate::grid::Grid;
use crate::moment::{span, stamp};
use crate::screen::{Screen, Tone};

/// What is told of a job.
#[derive(Debug, Serialize)]
pub(crate) struct View<'a> {
    job_id: &'a str,
    state: &'static str,
    subject: String,
    reason: &'static str,
    initiator: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    approve_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<&'a str>,
    tally: Tally,
    pass: u32,
    received_at: EpochMillis,
    locked_out_after_ms: Option<u64>,
    ended_after_ms: Option<u64>,
}

impl<'a> View<'a> {
    /// Of a job.
    pub(crate) fn of(job: &'a BulkJob, control: &'a Control) -> Self {
        let after = |at: Option<EpochMillis>| {
            at.map(|at| u64::try_from(at.since(job.received_at).as_millis()).unwrap_or(u64::MAX))
        };
        Self {
            job_id: &job.id.0,
            state: state(job, control),
            subject: subject(job),
            reason: job.request.reason.as_str(),
            initiator: &job.request.initiator.id,
            approve_by: job.request.approve_by.as_deref(),
            approved_by: control.approved_by.as_deref(),
            tally: job.tally,
            pass: job.pass,
            received_at: job.received_at,
            locked_out_after_ms: after(job.locked_out_at),
            ended_after_ms: after(job.ended_at),
        }
    }

    /// As facts.
    pub(crate) fn draw(&self, screen: &Screen) -> String {
        let mut facts = Grid::of_facts();
        facts.row(["job".into(), self.job_id.into()]);
        facts.row(["state".into(), self.state.into()]);
        facts.row(["who".into(), self.subject.as_str().into()]);
        facts.row(["reason".into(), self.reason.into()]);
        facts.row(["initiator".into(), self.initiator.into()]);
        if let Some(by) = self.approve_by.filter(|_| self.approved_by.is_none()) {
            facts.row(["to be approved by".into(), by.into()]);
        }
        if let Some(by) = self.approved_by {
            facts.row(["approved by".into(), by.into()]);
        }
        facts.row(["received".into(), stamp(self.received_at, &TimeZone::UTC).into()]);
        facts.row(["members".into(), tally(&self.tally).into()]);
        let told = |ms: Option<u64>| ms.map_or("not yet".to_owned(), |ms| span(Duration::from_millis(ms)));
        facts.row(["all refused after".into(), told(self.locked_out_after_ms).into()]);
        facts.row(["ended after".into(), told(self.ended_after_ms).into()]);
        screen.draw(facts)
    }

    /// As a row: when, id, state, who, members, initiator.
    pub(crate) fn row(&self) -> [crate::grid::Cell; 6] {
        [
            stamp(self.received_at, &TimeZone::UTC).into(),
            self.job_id.into(),
            self.state.into(),
            self.subject.as_str().into(),
            format!("{}/{}", self.tally.ended, self.tally.listed).into(),
            self.initiator.into(),
        ]
    }
}

/// The state in a word.
pub(crate) fn state(job: &BulkJob, control: &Control) -> &'static str {
    match (job.stage, control.wish) {
        (Stage::Completed, _) => "completed",
        (Stage::Cancelled, _) => "cancelled",
        (_, Wish::Cancel) => "cancelling",
        (_, Wish::Pause) => "paused",
        (Stage::AwaitingApproval, Wish::Run) => "awaiting approval",
        (Stage::Counting, Wish::Run) => "counting",
        (Stage::LockingOut, Wish::Run) => "locking out",
        (Stage::Ending | Stage::CallingOff, Wish::Run) => "signing out",
    }
}

/// Who is meant.
pub(crate) fn subject(job: &BulkJob) -> String {
    match &job.request.sub_id {
        SubjectIdentifier::Group { group } => format!("group {group}"),
        SubjectIdentifier::List { list } => format!("list {}…", list.chars().take(12).collect::<String>()),
        SubjectIdentifier::Ended {} => "everyone whose end date has passed".to_owned(),
        other => other.format().to_owned(),
    }
}

/// The members in words.
pub(crate) fn tally(tally: &Tally) -> String {
    let Tally { listed, locked_out, ended, failed, handed_over, unknown, called_off } = tally;
    let mut words = vec![format!("{listed} found"), format!("{locked_out} refused"), format!("{ended} done")];
    for (count, what) in [
        (failed, "failed"),
        (handed_over, "left to revoke, which tries longer"),
        (unknown, "names that mean nobody"),
        (called_off, "called off"),
    ] {
        if *count > 0 {
            words.push(format!("{count} {what}"));
        }
    }
    words.join(", ")
}

/// How a job that is over ended.
pub(crate) fn exit(job: &BulkJob) -> Exit {
    let Tally { listed, failed, handed_over, unknown, .. } = job.tally;
    match job.stage {
        Stage::Completed if listed == 0 => Exit::NotFound,
        Stage::Completed if failed + handed_over + unknown == 0 => Exit::Done,
        _ => Exit::Partial,
    }
}

/// The verdict, in colour.
pub(crate) fn verdict(screen: &Screen, job: &BulkJob, control: &Control) -> String {
    let tone = if exit(job) == Exit::Done { Tone::Good } else { Tone::Warning };
    format!("{}: {}", screen.paint(tone, state(job, control)), tally(&job.tally))
}
