//! `dlq list`: how much is in each.

use revocation_aws::sqs::SqsInspector;
use serde::Serialize;

use super::{PARKED, letters};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::grid::Grid;
use crate::moment::span;

/// Messages that are looked at for the oldest.
const LOOKED_AT: usize = 10;

/// Show how much is in each queue of dead letters, and how old it is.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl dlq list
  revokectl dlq list --output json")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Row {
    queue: String,
    messages: u64,
    /// Of those that were looked at: SQS itself does not tell.
    oldest_seen_seconds: Option<u64>,
}

/// Lists them.
pub(super) async fn run(context: &Context, _: &Args) -> Result<Exit, Failure> {
    let (operations, inspector) = (context.operations().await?, SqsInspector::new(context.aws().await?));
    let explain = |error: revocation_core::ports::PortError| context.explain(error.into());
    let parked = operations.parked_queue_url.is_some().then_some(PARKED);
    let now = context.now();
    let mut rows = Vec::new();
    for name in operations.queues.keys().map(String::as_str).chain(parked) {
        let url = letters(context, name).await?.url;
        let depth = inspector.depth(&url).await.map_err(explain)?;
        let messages = depth.waiting + depth.in_flight + depth.delayed;
        let mut oldest = None;
        if depth.waiting > 0 {
            let seen = inspector.peek(&url, LOOKED_AT).await.map_err(explain)?;
            inspector.put_back(&url, &seen).await.map_err(explain)?;
            oldest = seen.iter().filter_map(|one| one.sent_at).min();
        }
        let oldest_seen_seconds = oldest.map(|at| now.since(at).as_secs());
        rows.push(Row { queue: name.to_owned(), messages, oldest_seen_seconds });
    }
    context.screen.result(&rows, |screen| {
        let mut grid = Grid::new(["dead letters of", "messages", "oldest seen"]);
        for row in &rows {
            let oldest = row.oldest_seen_seconds.map(std::time::Duration::from_secs).map(span).unwrap_or_default();
            grid.row([(&row.queue).into(), row.messages.into(), oldest.into()]);
        }
        screen.draw(grid)
    })?;
    Ok(Exit::Done)
}
