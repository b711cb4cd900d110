//! `job`: bulk revocations that run, or ran.

mod list;
mod show;

use revocation_core::domain::bulk::ControlAction;
use revocation_core::domain::revocation_id::RevocationId;

use crate::assent;
use crate::bulk::{self, follow, job_id};
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Look at bulk revocations, pause, resume, cancel or approve them.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// The bulk revocations of this month, or another one.
    List(list::Args),
    /// One of them, with what did not go as it should.
    Show(Job),
    /// Follow one to its end.
    Watch(Job),
    /// Let it rest. Whoever is refused already stays so.
    Pause(Job),
    /// Let it go on.
    Resume(Job),
    /// End it for good. Whoever is refused and not signed out yet may sign in again; old sessions stay refused.
    Cancel(Job),
    /// Let a large one begin that somebody else has asked for.
    Approve(Job),
}

#[derive(clap::Args)]
struct Job {
    /// Which.
    #[arg(value_parser = job_id, value_name = "JOB")]
    id: RevocationId,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        Command::List(args) => list::run(context, args).await,
        Command::Show(job) => show::run(context, &job.id).await,
        Command::Watch(job) => follow::to_the_end(context, &bulk::jobs(context).await?, &job.id).await,
        Command::Pause(job) => steer(context, &job.id, ControlAction::Pause, "Pause").await,
        Command::Resume(job) => steer(context, &job.id, ControlAction::Resume, "Resume").await,
        Command::Cancel(job) => steer(context, &job.id, ControlAction::Cancel, "Cancel").await,
        Command::Approve(job) => steer(context, &job.id, ControlAction::Approve, "Approve").await,
    }
}

async fn steer(context: &Context, id: &RevocationId, action: ControlAction, verb: &str) -> Result<Exit, Failure> {
    assent::must_be_possible(context, false)?;
    let jobs = bulk::jobs(context).await?;
    let (job, control) = bulk::load(context, &jobs, id).await?;
    if job.is_over() {
        return Err(Failure::usage(format!("{id} is over: {}", bulk::view::state(&job, &control))));
    }
    let me = context.initiator().await?;
    if action == ControlAction::Approve && me.id == job.initiator().id {
        let failure = Failure::new(Exit::NotPermitted, "you asked for it yourself: somebody else must approve it");
        return Err(failure);
    }
    if let Some(named) = job.request.approve_by.as_ref().filter(|named| **named != me.id)
        && action == ControlAction::Approve
    {
        let what = format!("only {named} may approve it: the request says so");
        return Err(Failure::new(Exit::NotPermitted, what));
    }
    assent::assent(context, &format!("{verb} {id} ({})?", bulk::view::subject(&job))).await?;
    let said = bulk::steer(context, id, action).await?;
    wait(context, &jobs, id, &said).await?;
    context.pending(None);
    let (job, control) = bulk::load(context, &jobs, id).await?;
    let view = bulk::view::View::of(&job, &control);
    context.screen.result(&view, |screen| view.draw(screen))?;
    Ok(Exit::Done)
}

/// Until the pipeline has heard it.
async fn wait(
    context: &Context,
    jobs: &revocation_aws::dynamodb::DynamoBulkJobs,
    id: &RevocationId,
    said: &str,
) -> Result<(), Failure> {
    let begun = std::time::Instant::now();
    if context.globals.no_wait {
        return Ok(());
    }
    loop {
        let (_, control) = bulk::load(context, jobs, id).await?;
        if control.entries.iter().any(|entry| entry.event_id == said) {
            return Ok(());
        }
        if begun.elapsed() >= context.globals.timeout {
            return Err(Failure::new(Exit::TimedOut, format!("{id}: it was said, but not heard yet"))
                .next(format!("look with: revokectl job show {id}; was it parked: revokectl dlq show bulk")));
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}
