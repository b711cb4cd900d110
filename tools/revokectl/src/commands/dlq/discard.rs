//! `dlq discard`: given up for good.

use std::collections::BTreeMap;

use revocation_aws::sqs::{Parked, SqsInspector};
use revocation_core::domain::event::Envelope;
use serde_json::json;

use super::{letters, named};
use crate::assent;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::text::short;

/// Give messages up for good. Says what is lost, and asks.
#[derive(clap::Args)]
#[command(after_help = "\
A request that is discarded was not carried out: whoever it named keeps their sessions. If it had begun (`audit show`), the
sweeper takes it up again all the same, up to five times, and then tells of it: an alarm, not a silence.

Examples:
  revokectl dlq discard notify --message 5fea7756-0ea4-451a-a703-a558b933e274
  revokectl dlq discard parked --all --dry-run
  revokectl dlq discard parked --all --yes")]
pub(crate) struct Args {
    /// Whose.
    queue: String,
    /// This one; may be given several times.
    #[arg(long = "message", value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    messages: Vec<String>,
    /// All of them; 500 at a time.
    #[arg(long)]
    all: bool,
    /// Only show what would be lost.
    #[arg(long)]
    dry_run: bool,
}

/// Most messages that are discarded at once. They are held back meanwhile, for half a minute.
const MOST: usize = 500;

/// Discards them.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    assent::must_be_possible(context, args.dry_run)?;
    let url = letters(context, &args.queue).await?.url;
    let inspector = SqsInspector::new(context.aws().await?);
    let explain = |error: revocation_core::ports::PortError| context.explain(error.into());
    let looked_at = named(context, &inspector, &url, (&args.messages, MOST)).await?;
    // Put back for as long as the answer takes, or they would be back by themselves in the middle of it.
    inspector.put_back(&url, &looked_at).await.map_err(explain)?;
    let lost = lost(&looked_at);
    if looked_at.is_empty() || args.dry_run {
        let told = json!({"would": {"discard": args.queue, "lost": lost}});
        context.screen.result(&told, |_| in_words(&lost, "would be lost"))?;
        return Ok(Exit::Done);
    }
    if !context.globals.yes {
        context.screen.line(in_words(&lost, "will be lost"));
    }
    assent::assent(context, "Discard them for good?").await?;
    let ids: Vec<String> = looked_at.into_iter().map(|one| one.id).collect();
    // Only those that were shown, whatever came meanwhile.
    let meant = named(context, &inspector, &url, (&ids, MOST)).await?;
    let mut discarded = 0;
    for one in &meant {
        let lost = format!("{discarded} messages of {} are discarded, the others are still there", args.queue);
        context.pending(Some(lost));
        inspector.delete(&url, one).await.map_err(explain)?;
        discarded += 1;
    }
    context.pending(None);
    context.screen.result(&json!({"discarded": discarded, "lost": lost}), |_| format!("discarded: {discarded}"))?;
    Ok(Exit::Done)
}

/// How many of what, by detail-type and reason of parking.
fn lost(parked: &[Parked]) -> BTreeMap<String, usize> {
    let mut lost = BTreeMap::new();
    for one in parked {
        let envelope: Option<Envelope<'_>> = serde_json::from_str(&one.body).ok();
        let what = envelope.map_or("what is no event".to_owned(), |envelope| short(&envelope.detail_type, 64));
        let why = one.reason.as_deref().unwrap_or("failed again and again");
        *lost.entry(format!("{what}: {}", short(why, 160))).or_default() += 1;
    }
    lost
}

fn in_words(lost: &BTreeMap<String, usize>, how: &str) -> String {
    if lost.is_empty() {
        return "nothing is there (or somebody else is looking at it)".to_owned();
    }
    let lines = lost.iter().map(|(what, count)| format!("\n  {count} × {what}"));
    format!("this {how}:{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_told_by_kind_and_names_nobody() {
        let event =
            r#"{"id":"1","source":"s","detail-type":"Revocation Requested","detail":{"email":"jane@example.com"}}"#;
        let parked = [
            Parked::of("1", event, Some("over the limit")),
            Parked::of("2", event, Some("over the limit")),
            Parked::of("3", "jane@example.com", None),
        ];
        let told = in_words(&lost(&parked), "would be lost");
        assert!(told.contains("2 × Revocation Requested: over the limit") && !told.contains("jane"), "{told}");
    }
}
