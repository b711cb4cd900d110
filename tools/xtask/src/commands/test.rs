//! `test`: the whole test suite, the local cloud's part included.

use std::process::Command;

use anyhow::{Result, bail};
use cargo_metadata::TargetKind;

use crate::local_cloud::{LocalCloud, StartOptions};
use crate::repo::Repo;
use crate::run::{self, Runner, Tally};
use crate::say;

/// The target of the package `tests` that needs a local cloud.
const CLOUD_TESTS: &str = "local_cloud";

/// Run every test: unit, pipeline, contract, architecture, then those against a local cloud.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only tests whose name contains this.
    #[arg(long)]
    filter: Option<String>,
    /// Leave out the tests that need a local cloud.
    #[arg(long)]
    no_cloud: bool,
    /// Go on after a failure and tell of all of them at the end.
    #[arg(long)]
    keep_going: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let repo = Repo::find()?;
    let mut parts = Vec::new();
    let (runner, mut command) = offline(&repo, args);
    parts.push(part("without a cloud", run::tests(runner, &mut command)?));
    if !args.no_cloud && (args.keep_going || parts.iter().all(|part| part.ok)) {
        if has_cloud_tests(&repo) {
            // Dropped, and with it the server, before the summary.
            let cloud = LocalCloud::start(&repo, &StartOptions::for_command(&repo, "test"))?;
            parts.push(part("local cloud", run::tests(Runner::Cargo, &mut online(&repo, args, &cloud))?));
        } else {
            say::step(format_args!(
                "the package `tests` has no target `{CLOUD_TESTS}` yet: nothing to run on a local cloud"
            ));
        }
    }
    summarise(&parts)
}

fn has_cloud_tests(repo: &Repo) -> bool {
    repo.has_target("tests", &TargetKind::Test, CLOUD_TESTS)
}

struct Part {
    name: &'static str,
    ok: bool,
    tally: Tally,
}

fn part(name: &'static str, (ok, tally): (bool, Tally)) -> Part {
    Part { name, ok, tally }
}

/// Everything but the local cloud's tests. Nextest where it is installed: it is faster and isolates tests.
fn offline(repo: &Repo, args: &Args) -> (Runner, Command) {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(repo.root());
    let nextest = run::works(Command::new("cargo").args(["nextest", "--version"]));
    if nextest {
        cargo.args(["nextest", "run", "--workspace", "--no-tests=pass", "--hide-progress-bar"]);
        // Nextest refuses to name a binary that does not exist.
        if has_cloud_tests(repo) {
            cargo.args(["-E", &format!("not binary(={CLOUD_TESTS})")]);
        }
    } else {
        // `cargo test` cannot leave one target out; its tests pass at once without LOCAL_CLOUD_FILE.
        cargo.args(["test", "--workspace", "--all-targets"]).env_remove("LOCAL_CLOUD_FILE");
    }
    if args.keep_going {
        cargo.arg("--no-fail-fast");
    }
    cargo.args(&args.filter);
    (if nextest { Runner::Nextest } else { Runner::Cargo }, cargo)
}

fn online(repo: &Repo, args: &Args, cloud: &LocalCloud) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(repo.root()).args(["test", "--package", "tests", "--test", CLOUD_TESTS]);
    cargo.args(&args.filter).env("LOCAL_CLOUD_FILE", cloud.facts_file());
    cargo
}

/// Says how each part went and, as the very last line, what it came to.
fn summarise(parts: &[Part]) -> Result<()> {
    let mut total = Tally::default();
    say::line("");
    for Part { name, ok, tally } in parts {
        let verdict = if *ok { "ok" } else { "FAILED" };
        say::line(format_args!("{name:<16} {verdict:<7} {} passed, {} failed", tally.passed, tally.failed));
        total.passed += tally.passed;
        total.failed += tally.failed;
    }
    say::line(format_args!("{} passed, {} failed", total.passed, total.failed));
    if parts.iter().any(|part| !part.ok) {
        bail!("not all is well; `--filter NAME` runs fewer, `--keep-going` runs on");
    }
    Ok(())
}
