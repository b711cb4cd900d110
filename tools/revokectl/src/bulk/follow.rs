//! Following a bulk revocation: bars on a terminal, lines elsewhere. It goes on without us.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use revocation_aws::dynamodb::DynamoBulkJobs;
use revocation_core::domain::bulk::{BulkJob, Control, Stage, Tally, Wish};
use revocation_core::domain::revocation_id::RevocationId;

use super::load;
use super::view::{View, exit, state, verdict};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::moment::span;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Waits until the job is over, or rests because somebody must say something. The time limit counts from the last progress.
pub(crate) async fn to_the_end(context: &Context, jobs: &DynamoBulkJobs, id: &RevocationId) -> Result<Exit, Failure> {
    context.pending(Some(format!("{id} goes on without us; look again with: revokectl job watch {id}")));
    let mut bars = Bars::new(context);
    let (mut moved, mut last) = (Instant::now(), None);
    loop {
        // The pipeline may not have taken it on yet.
        match load(context, jobs, id).await {
            Ok((job, control)) => {
                bars.show(context, &job, &control);
                let now = (job.stage, job.tally, job.pass, control.wish);
                if last != Some(now) {
                    (moved, last) = (Instant::now(), Some(now));
                }
                if job.is_over() {
                    bars.end();
                    return end(context, &job, &control);
                }
                if let Some(rest) = rests(&job, &control) {
                    bars.end();
                    context.pending(None);
                    return Err(Failure::new(Exit::Partial, format!("{id} {}", rest.0)).next(rest.1));
                }
            }
            Err(failure) if failure.exit == Exit::NotFound && last.is_none() => {}
            Err(failure) => return Err(failure),
        }
        if moved.elapsed() >= context.globals.timeout {
            bars.end();
            context.pending(None);
            let what = format!("{id} has made no progress for {}", span(context.globals.timeout));
            return Err(Failure::new(Exit::TimedOut, what).next(format!(
                "it goes on without us: revokectl job watch {id}\nwhat holds it up: revokectl status; was it parked: revokectl dlq show bulk"
            )));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn end(context: &Context, job: &BulkJob, control: &Control) -> Result<Exit, Failure> {
    context.pending(None);
    let id = &job.id;
    context.screen.result(&View::of(job, control), |screen| {
        let after =
            |at: Option<_>| at.map(|at: revocation_core::domain::time::EpochMillis| span(at.since(job.received_at)));
        let refused = after(job.locked_out_at)
            .map(|after| format!("\neverybody was refused {after} after the request was received"));
        let ended = after(job.ended_at).map(|after| format!(", all was done after {after}"));
        let failures = if exit(job) == Exit::Partial {
            format!("\nwhat did not go as it should: revokectl job show {id}")
        } else {
            String::new()
        };
        format!(
            "{}{}{}{failures}\nreport: revokectl report --job {id}",
            verdict(screen, job, control),
            refused.unwrap_or_default(),
            ended.unwrap_or_default()
        )
    })?;
    Ok(exit(job))
}

/// What a job waits for that only people can say, and what to do.
fn rests(job: &BulkJob, control: &Control) -> Option<(&'static str, String)> {
    let id = &job.id;
    match (control.wish, job.stage) {
        (Wish::Run, Stage::AwaitingApproval) if control.approved_by.is_none() => Some((
            "waits for a second person's approval; nobody is revoked yet",
            format!(
                "{}: revokectl job approve {id}\nthen: revokectl job watch {id}",
                job.request.approve_by.as_deref().unwrap_or("somebody else")
            ),
        )),
        (Wish::Pause, _) if job.lease.is_none() => {
            Some(("is paused; tombstones stand", format!("go on: revokectl job resume {id}")))
        }
        _ => None,
    }
}

/// What is drawn meanwhile.
struct Bars {
    locked_out: ProgressBar,
    ended: ProgressBar,
    all: MultiProgress,
    lines: bool,
    line_at: Option<Instant>,
}

impl Bars {
    fn new(context: &Context) -> Self {
        let drawn = context.screen.is_interactive() && !context.screen.is_json();
        let target = if drawn { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let all = MultiProgress::with_draw_target(target);
        let bar = |what: &'static str, template: &str| {
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            all.add(ProgressBar::new(0).with_style(style.progress_chars("█▉▊▋▌▍▎▏ ")).with_prefix(what))
        };
        Self {
            locked_out: bar("refused", "{prefix:>10} {bar:30} {pos}/{len}"),
            ended: bar("signed out", "{prefix:>10} {bar:30} {pos}/{len}  {per_sec:.1}  {eta} left  {msg}"),
            lines: !drawn && !context.screen.is_json(),
            line_at: None,
            all,
        }
    }

    fn show(&mut self, context: &Context, job: &BulkJob, control: &Control) {
        let Tally { listed, locked_out, ended, failed, handed_over, called_off, .. } = job.tally;
        let done = ended + failed + handed_over + called_off;
        for (bar, position) in [(&self.locked_out, locked_out + failed), (&self.ended, done)] {
            bar.set_length(listed);
            bar.set_position(position.min(listed));
        }
        let failed =
            if failed + handed_over > 0 { format!("  {} failed", failed + handed_over) } else { String::new() };
        self.ended.set_message(format!("{}{failed}", state(job, control)));
        let due = self.line_at.is_none_or(|at| at.elapsed() >= LINE_EVERY);
        if self.lines && due {
            self.line_at = Some(Instant::now());
            context
                .screen
                .note(format_args!("{}: {locked_out} of {listed} refused, {done} done{failed}", state(job, control)));
        }
    }

    fn end(&self) {
        self.locked_out.finish();
        self.ended.finish();
        let _ = self.all.clear();
    }
}
