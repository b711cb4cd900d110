//! `dlq redrive`: back to where they came from, to be tried again.

use revocation_aws::sqs::{Moved, SqsInspector};
use serde_json::json;

use super::{PARKED, letters, named};
use crate::assent;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::moment::span;

/// Have messages tried again.
///
/// What was done already is not done twice: every request has its effect once. `parked` releases requests beyond a
/// source's blast radius; look at them first.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl dlq redrive revoke
  revokectl dlq redrive parked --yes
  revokectl dlq redrive notify --message 5fea7756-0ea4-451a-a703-a558b933e274")]
pub(crate) struct Args {
    /// Whose.
    queue: String,
    /// Only this one; may be given several times.
    #[arg(long = "message", value_name = "ID")]
    messages: Vec<String>,
    /// Only show what would happen.
    #[arg(long)]
    dry_run: bool,
}

/// Most messages among which the named ones are looked for.
const LOOKED_THROUGH: usize = 500;

/// Moves them.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    assent::must_be_possible(context, args.dry_run)?;
    let letters = letters(context, &args.queue).await?;
    let inspector = SqsInspector::new(context.aws().await?);
    let explain = |error: revocation_core::ports::PortError| context.explain(error.into());
    let waiting = inspector.depth(&letters.url).await.map_err(explain)?.waiting;
    let count = if args.messages.is_empty() { format!("about {waiting}") } else { args.messages.len().to_string() };
    let what = if args.queue == PARKED { "be released" } else { "be tried again" };
    if args.dry_run {
        let told = json!({"would": {"redrive": args.queue, "waiting": waiting, "messages": args.messages}});
        context.screen.result(&told, |_| format!("{count} messages of {} would {what}", args.queue))?;
        return Ok(Exit::Done);
    }
    if waiting == 0 && args.messages.is_empty() {
        context.screen.result(&json!({"moved": 0}), |_| "nothing is there".to_owned())?;
        return Ok(Exit::Done);
    }
    assent::assent(context, &format!("Shall {count} messages of {} {what}?", args.queue)).await?;
    let unknown = format!("some messages of {} may have been moved; look with: revokectl dlq list", args.queue);
    context.pending(Some(unknown));
    let moved = if args.messages.is_empty() {
        inspector.redrive(&letters.url, &letters.back_to, context.globals.timeout).await.map_err(explain)?
    } else {
        let meant = named(context, &inspector, &letters.url, (&args.messages, LOOKED_THROUGH)).await?;
        let mut moved = 0;
        for one in &meant {
            inspector.forward(&letters.url, &letters.back_to, one).await.map_err(explain)?;
            moved += 1;
        }
        Some(Moved::ByHand(moved))
    };
    context.pending(None);
    let Some(moved) = moved else {
        let limit = span(context.globals.timeout);
        let failure = Failure::new(Exit::TimedOut, format!("SQS is still moving them after {limit}"));
        return Err(failure.next("it goes on without us; look with: revokectl dlq list"));
    };
    let (count, how) = match moved {
        Moved::BySqs(count) => (count, "by SQS"),
        Moved::ByHand(count) => (count, "one by one"),
    };
    let told = json!({"moved": count, "how": how});
    context
        .screen
        .result(&told, |_| format!("moved: {count} ({how}); what becomes of them: revokectl watch --since 1m"))?;
    Ok(Exit::Done)
}
