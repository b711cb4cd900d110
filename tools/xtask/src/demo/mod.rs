//! `demo`: the story of the pipeline, told on a local cloud.

mod audit_table;
pub(crate) mod cast;
mod contractors;
mod enforcement;
mod intakes;
mod layer;
mod story;
mod teller;

use anyhow::{Context as _, Result};
use revocation_probe::Probe;

use crate::local_cloud::{LocalCloud, StartOptions};
use crate::repo::Repo;

/// Play the story on a local cloud and check that each step comes out as told.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs the command. Fails at the first thing that is not as told.
pub(crate) fn run(_args: &Args) -> Result<()> {
    let repo = Repo::find()?;
    let revokectl = contractors::built(&repo)?;
    let cloud = LocalCloud::start(&repo, &StartOptions::for_command(&repo, "demo"))?;
    let probe = Probe::read(cloud.facts_file())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no async runtime")?;
    let reports = repo.target("demo-report");
    runtime.block_on(story::tell(&probe, &revokectl, reports)).with_context(|| {
        format!("the story did not come out as told; what the pipeline wrote is in {}", probe.facts.log)
    })
}
