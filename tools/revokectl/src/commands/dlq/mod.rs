//! `dlq`: what could not be handled, for every queue, and the requests parked beyond a source's blast radius.

mod discard;
mod list;
mod redrive;
mod show;

use clap::Subcommand;
use revocation_aws::sqs::{Parked, SqsInspector};

use crate::context::Context;
use crate::failure::{Exit, Failure};

/// How the parked requests are called where functions name the other queues.
pub(crate) const PARKED: &str = "parked";
/// The function that puts released requests on the bus.
const RELEASED_THROUGH: &str = "intake-partner";

/// Look at dead letters and parked requests, have them tried again, or give them up.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
    Redrive(redrive::Args),
    Discard(discard::Args),
}

/// A queue of messages nobody handles.
struct Letters {
    /// Where they are.
    url: String,
    /// Where they are tried again.
    back_to: String,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        Command::List(args) => list::run(context, args).await,
        Command::Show(args) => show::run(context, args).await,
        Command::Redrive(args) => redrive::run(context, args).await,
        Command::Discard(args) => discard::run(context, args).await,
    }
}

/// The queue of this name.
async fn letters(context: &Context, name: &str) -> Result<Letters, Failure> {
    let operations = context.operations().await?;
    let queue = |name: &str| operations.queues.get(name);
    if name == PARKED {
        let released = queue(RELEASED_THROUGH).map(|queue| queue.url.clone());
        let parked = operations.parked_queue_url.clone().zip(released);
        let (url, back_to) = parked.ok_or_else(|| Failure::not_found("the HTTPS intakes are not deployed here"))?;
        return Ok(Letters { url, back_to });
    }
    let Some(queue) = queue(name) else {
        let mut names: Vec<&str> = operations.queues.keys().map(String::as_str).collect();
        names.extend(operations.parked_queue_url.is_some().then_some(PARKED));
        return Err(Failure::not_found("there is no such queue").next(format!("there are: {}", names.join(", "))));
    };
    Ok(Letters { url: queue.dead_letters_url.clone(), back_to: queue.url.clone() })
}

/// The messages with these ids, held back for as long as it takes; all there are, up to `most`, if none is named.
async fn named(
    context: &Context,
    inspector: &SqsInspector,
    url: &str,
    (ids, most): (&[String], usize),
) -> Result<Vec<Parked>, Failure> {
    let explain = |error: revocation_core::ports::PortError| context.explain(error.into());
    let parked = inspector.peek(url, most).await.map_err(explain)?;
    let (meant, others): (Vec<_>, Vec<_>) = parked.into_iter().partition(|one| ids.is_empty() || ids.contains(&one.id));
    inspector.put_back(url, &others).await.map_err(explain)?;
    if let Some(missing) = ids.iter().find(|id| !meant.iter().any(|one| one.id == **id)) {
        inspector.put_back(url, &meant).await.map_err(explain)?;
        let what = format!("there is no message {} among the first {most}", crate::text::short(missing, 64));
        return Err(Failure::not_found(what).next("somebody may be looking at it: try again in half a minute"));
    }
    Ok(meant)
}
