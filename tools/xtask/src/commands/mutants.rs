//! `mutants`: changes the code that decides in small ways, and sees whether a test notices (docs/MUTANTS.md).

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::cargo_tools::MUTANTS;
use crate::repo::Repo;
use crate::{run, say};

/// A mutant that makes the tests hang is noticed, after this.
const TIMEOUT_SECONDS: &str = "120";
/// Compiling a mutant and everything that uses it, when nothing is compiled yet.
const BUILD_TIMEOUT_SECONDS: &str = "1200";
/// Whose own tests are run.
const PACKAGES: [&str; 2] = ["revocation-verify", "revocation-core"];
/// What decides whether a token is refused, what a source may do, when it pages, and what records say.
const DECIDES: [&str; 3] = ["shared/verify/src/**/*.rs", "shared/core/src/domain/**/*.rs", "shared/core/src/trace.rs"];
/// What a revocation does; its tests have a crate of their own.
const USE_CASES: [&str; 1] = ["shared/core/src/usecase/**/*.rs"];
/// Changes of what is read by people alone.
const WORDS: &str = "fmt::(Display|Debug)|expecting";

/// Change the code that verifies tokens and decides about revocations in small ways; each change must make a test fail.
///
/// An hour or two for all of it: `--shard 0/20` does a twentieth. Survivors are listed in target/mutants/mutants.out/missed.txt.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files, as globs below the repository; by default shared/verify and the domain of shared/core.
    files: Vec<String>,
    /// Run tests/pipeline instead of the crates' own tests; by default for the use cases of shared/core.
    #[arg(long)]
    pipeline: bool,
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
    command.args(["--no-shuffle", "--colors", "never", "--exclude-re", WORDS, "--output"]).arg(output);
    if args.pipeline {
        // Unchanged, cargo-mutants would build the tests of the changed package alone, and find no such target there.
        command.args(["--baseline", "skip", "--build-timeout", BUILD_TIMEOUT_SECONDS]);
        command.args(["--test-package", "tests", "--cargo-arg=--test=pipeline"]);
    }
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    let by_default: &[&str] = if args.pipeline { &USE_CASES } else { &DECIDES };
    for file in
        args.files.iter().map(String::as_str).chain(by_default.iter().copied().filter(|_| args.files.is_empty()))
    {
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
