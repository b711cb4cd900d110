//! `demo`: the story of the pipeline, told on a local cloud.

use anyhow::{Result, bail};

use crate::local_cloud::{LocalCloud, StartOptions};
use crate::repo::Repo;

/// Play the story on a local cloud and check that each step comes out as told.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) fn run(_args: &Args) -> Result<()> {
    let repo = Repo::find()?;
    let cloud = LocalCloud::start(&repo, &StartOptions::for_command(&repo, "demo"))?;
    bail!("the story is not written yet; the local cloud started at {} and ends now", cloud.facts.endpoint)
}
