//! `bench`: figures of this build.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::repo::Repo;
use crate::{functions, run, say};

/// Measure the functions as they go to AWS. So far: the size of each release binary.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) fn run(_args: &Args) -> Result<()> {
    let repo = Repo::find()?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(repo.root()).args(["build", "--release"]);
    for name in functions::ALL {
        cargo.args(["--package", name, "--bin", name]);
    }
    run::run(&mut cargo).context("the release build failed; the compiler's errors are above")?;
    for name in functions::ALL {
        let built = repo.built("release", name);
        let bytes = fs::metadata(&built).with_context(|| format!("{} is missing", built.display()))?.len();
        say::line(format_args!("{name:<20} {:>6} KiB", bytes / 1024));
    }
    Ok(())
}
