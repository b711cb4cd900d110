//! `down`: ends what `up` started.

use anyhow::Result;

use crate::repo::Repo;
use crate::{local_cloud, say};

/// End the local cloud that `up` started.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs the command. Nothing to end is no failure.
pub(crate) fn run(_args: &Args) -> Result<()> {
    let repo = Repo::find()?;
    if local_cloud::stop(&repo, &local_cloud::facts_file(&repo))? {
        say::line("the local cloud has ended");
    } else {
        say::line("no local cloud is running");
    }
    Ok(())
}
