//! `job show`

use revocation_core::domain::bulk::{Control, MemberFailure};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::ports::BulkJobs as _;
use serde::Serialize;

use crate::bulk::{self, view::View};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::grid::Grid;

/// Failures that are shown; the report has all.
const MOST: usize = 100;

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    view: View<'a>,
    control: &'a Control,
    failures: Vec<MemberFailure>,
}

/// Runs the command.
pub(super) async fn run(context: &Context, id: &RevocationId) -> Result<Exit, Failure> {
    let jobs = bulk::jobs(context).await?;
    let (job, control) = bulk::load(context, &jobs, id).await?;
    let mut failures = Vec::new();
    for number in 1..=job.pages_listed {
        if failures.len() >= MOST || job.tally.failed + job.tally.handed_over == 0 {
            break;
        }
        let page = jobs.page(id, number).await.map_err(|error| context.explain(error.into()))?;
        failures.extend(page.map(|page| page.failures).unwrap_or_default());
    }
    failures.truncate(MOST);
    let shown = Shown { view: View::of(&job, &control), control: &control, failures };
    context.screen.result(&shown, |screen| {
        let said = control
            .entries
            .iter()
            .map(|entry| format!("{} {:?} by {}", entry.at.rfc3339(), entry.action, crate::text::plain(&entry.by.id)));
        let mut grid = Grid::new(["subject", "why"]);
        for failure in &shown.failures {
            grid.row([failure.subject.to_string().into(), failure.code.as_str().into()]);
        }
        let failures = (!grid.is_empty()).then(|| format!("\n{}", screen.draw(grid)));
        std::iter::once(shown.view.draw(screen)).chain(said).chain(failures).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Exit::Done)
}
