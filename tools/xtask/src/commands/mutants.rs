//! `mutants`: changes the code that decides in small ways, and sees whether a test notices (docs/MUTANTS.md).

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::cargo_tools::MUTANTS;
use crate::repo::Repo;
use crate::{run, say};

/// A mutant that makes the tests hang is noticed, after this.
const TIMEOUT_SECONDS: &str = "120";
/// What decides whether a token is refused, and what a revocation does.
const CORE: [&str; 6] = [
    "shared/core/src/domain/tombstone.rs",
    "shared/core/src/domain/tombstone/*.rs",
    "shared/core/src/domain/incident.rs",
    "shared/core/src/domain/grant.rs",
    "shared/core/src/usecase/revoke.rs",
    "shared/core/src/usecase/revoke/*.rs",
];
const PACKAGES: [&str; 2] = ["revocation-verify", "revocation-core"];

/// Change the code that verifies tokens and carries out revocations in small ways; each change must make a test fail.
///
/// Hours for all of it: `--shard 0/20` does a twentieth. Survivors are listed in target/mutants/mutants.out/missed.txt.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files, as globs below the repository; by default shared/verify and what decides in shared/core.
    files: Vec<String>,
    /// One part of several, such as 0/20.
    #[arg(long)]
    shard: Option<String>,
    /// List the mutants and test none.
    #[arg(long)]
    list: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let repo = Repo::find()?;
    let mut command = Command::new(MUTANTS.ensure(&repo)?);
    command.current_dir(repo.root()).args([MUTANTS.subcommand(), "--jobs", "1", "--timeout", TIMEOUT_SECONDS]);
    let output = repo.target("mutants");
    fs::create_dir_all(&output).with_context(|| format!("cannot make {}", output.display()))?;
    command.args(["--no-shuffle", "--colors", "never", "--output"]).arg(output);
    // Only the tests of the package that was changed.
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    if args.files.is_empty() {
        command.args(["--file", "shared/verify/src/**/*.rs"]);
    }
    for file in args.files.iter().map(String::as_str).chain(CORE.into_iter().filter(|_| args.files.is_empty())) {
        command.args(["--file", file]);
    }
    if let Some(shard) = &args.shard {
        command.args(["--shard", shard]);
    }
    if args.list {
        return run::run(command.arg("--list"));
    }
    say::step("each mutant is a build and a run of the tests");
    run::run(&mut command)
}
