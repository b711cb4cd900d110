//! `job list`

use crate::bulk::{self, view::View};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::grid::Grid;

/// Jobs that are shown at most.
const MOST: usize = 200;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Another month, YYYY-MM (UTC).
    #[arg(long, value_parser = month, value_name = "MONTH")]
    month: Option<String>,
}

fn month(text: &str) -> Result<String, String> {
    let day: Result<jiff::civil::Date, _> = format!("{text}-01").parse();
    if text.len() == 7 && day.is_ok() {
        Ok(text.to_owned())
    } else {
        Err("expected a month such as 2026-01".to_owned())
    }
}

/// Runs the command.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let jobs = bulk::jobs(context).await?;
    let this_month = || context.now().utc_day().chars().take("YYYY-MM".len()).collect();
    let month: String = args.month.clone().unwrap_or_else(this_month);
    let ids = jobs.of_month(&month).await.map_err(|error| context.explain(error.into()))?;
    let mut found = Vec::new();
    for id in ids.iter().take(MOST) {
        match bulk::load(context, &jobs, id).await {
            Ok(job) => found.push(job),
            // The entry is written before the job: it was never taken on.
            Err(failure) if failure.exit == Exit::NotFound => {}
            Err(failure) => return Err(failure),
        }
    }
    let views: Vec<View<'_>> = found.iter().map(|(job, control)| View::of(job, control)).collect();
    context.screen.result(&views, |screen| {
        let mut grid = Grid::new(["received", "job", "state", "who", "done", "initiator"]);
        for view in &views {
            grid.row(view.row());
        }
        if grid.is_empty() { format!("no bulk revocation in {month}") } else { screen.draw(grid) }
    })?;
    Ok(Exit::Done)
}
