//! `test`: the whole test suite, the local cloud's part included.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::browser::chromium;
use crate::faults;
use crate::local_cloud::{LocalCloud, StartOptions};
use crate::node::NodePrograms;
use crate::repo::Repo;
use crate::run::{self, Tally};
use crate::say;
use crate::venv::Venv;

/// Everything but the package `tests`. Not by `--exclude`: that is another set of features (see [`run::build`]).
const UNIT_TESTS: [&str; 5] = ["--lib", "--bins", "--examples", "--test", "cli"];
/// The targets of the package `tests` that need nothing.
const OFFLINE_TESTS: [&str; 3] = ["pipeline", "contract", "architecture"];
/// The one that needs a local cloud.
const CLOUD_TESTS: &str = "local_cloud";
/// And the one that must run after all others: it revokes everybody.
const LAST_TESTS: &str = "local_cloud_alone";

/// Run every test: unit, pipeline, contract, architecture, the report in a real browser, then those against a local cloud, some of them in
/// other languages: a SCIM client and a checker that nobody here wrote, and the kits for Node.js and Python.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only tests whose name contains this.
    #[arg(long)]
    filter: Option<String>,
    /// Leave out the tests that need a local cloud.
    #[arg(long)]
    no_cloud: bool,
    /// Leave out the faults: a few of each kind, at the end (`faults --short`).
    #[arg(long)]
    no_faults: bool,
    /// Go on after a failure and tell of all of them at the end.
    #[arg(long)]
    keep_going: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let repo = Repo::find()?;
    let mut parts = Vec::new();
    let go_on = |parts: &[Part]| args.keep_going || parts.iter().all(|part| part.ok);
    parts.push(part("unit", run::tests(&mut test(&repo, args, &UNIT_TESTS))?));
    for name in OFFLINE_TESTS {
        if go_on(&parts) {
            parts.push(part(name, run::tests(&mut test(&repo, args, &["--test", name]))?));
        }
    }
    // The checks of these have no names to filter by.
    if args.filter.is_none() && go_on(&parts) {
        parts.push(part("browser", run::tests(&mut browser(&repo)?)?));
    }
    if !args.no_cloud && go_on(&parts) {
        // The tests spawn it as people do; Cargo does not build another package's program for them.
        run::run(run::build(&repo).args(["--quiet", "--bin", "revokectl"]))?;
        // Built first, and dropped, with it the server, before the summary.
        let cloud = LocalCloud::start(&repo, &StartOptions::for_command(&repo, "test"))?;
        // First: it looks for whom it made on the first page of everybody.
        if args.filter.is_none() && go_on(&parts) {
            parts.push(part("scim-client", run::tests(&mut scim_client(&repo, &cloud)?)?));
        }
        let mut online = test(&repo, args, &["--test", CLOUD_TESTS]);
        online.env("LOCAL_CLOUD_FILE", cloud.facts_file());
        parts.push(part("local_cloud", run::tests(&mut online)?));
        if args.filter.is_none() && go_on(&parts) {
            parts.push(part("kit-node", run::tests(&mut node_kit(&repo, &cloud)?)?));
        }
        if args.filter.is_none() && go_on(&parts) {
            parts.push(part("kit-python", run::tests(&mut python_kit(&repo, &cloud)?)?));
        }
        if go_on(&parts) {
            let mut last = test(&repo, args, &["--test", LAST_TESTS]);
            last.env("LOCAL_CLOUD_FILE", cloud.facts_file());
            parts.push(part(LAST_TESTS, run::tests(&mut last)?));
        }
        drop(cloud);
        // A cloud of its own: there nothing may interfere with what is counted. It needs /proc.
        if !args.no_faults && args.filter.is_none() && cfg!(target_os = "linux") && go_on(&parts) {
            parts.push(part("faults", faults::test(&repo)?));
        }
    }
    summarise(&parts)
}

/// Reports of made-up people, a few and many, in a real browser.
fn browser(repo: &Repo) -> Result<Command> {
    let dir = repo.target("browser");
    let mut reports = Vec::new();
    run::run(run::build(repo).arg("--quiet"))?;
    for (name, count) in [("few", "60"), ("many", "2500")] {
        let report = dir.join(name);
        run::run(Command::new(repo.built("debug", "examples/sample_report")).arg(&report).arg(count))?;
        reports.push(report.join("report.html"));
    }
    let chromium = chromium()?;
    let programs = NodePrograms::ensure(repo, &dir.join("node"), &[repo.root().join("tests/browser")])?;
    let mut command = programs.run("report.mjs");
    // A path, not a name: it is not looked for again.
    command.arg(run::capture(Command::new("which").arg(chromium))?.trim()).arg(dir.join("shots")).args(reports);
    Ok(command)
}

fn scim_client(repo: &Repo, cloud: &LocalCloud) -> Result<Command> {
    let dir = repo.root().join("tests/scim-client");
    let venv = Venv::ensure(&repo.target("scim-client/venv"), &dir.join("requirements.txt"))?;
    let mut command = venv.python();
    command.arg(dir.join("round_trips.py")).arg("--facts").arg(cloud.facts_file());
    Ok(command)
}

fn node_kit(repo: &Repo, cloud: &LocalCloud) -> Result<Command> {
    let sources = [repo.root().join("docs/enforcement/kits/node"), repo.root().join("tests/kits")];
    let programs = NodePrograms::ensure(repo, &repo.target("kits/node"), &sources)?;
    let mut command = programs.run("node_kit.mjs");
    command.arg(cloud.facts_file()).arg(vectors(repo));
    Ok(command)
}

fn python_kit(repo: &Repo, cloud: &LocalCloud) -> Result<Command> {
    let dir = repo.root().join("tests/kits");
    let venv = Venv::ensure(&repo.target("kits/python/venv"), &dir.join("requirements.txt"))?;
    let mut command = venv.python();
    // No folder of compiled code beside the sources.
    command.arg("-B").arg(dir.join("python_kit.py")).arg("--kit").arg(repo.root().join("docs/enforcement/kits/python"));
    command.arg("--facts").arg(cloud.facts_file()).arg("--vectors").arg(vectors(repo));
    Ok(command)
}

/// What the kits must decide, and the library (`tests/contract/kits.rs`).
fn vectors(repo: &Repo) -> PathBuf {
    repo.root().join("tests/kits/vectors.json")
}

fn test(repo: &Repo, args: &Args, what: &[&str]) -> Command {
    let mut cargo = run::cargo(repo);
    cargo.args(["test", "--workspace"]).args(what).env_remove("LOCAL_CLOUD_FILE");
    if args.keep_going {
        cargo.arg("--no-fail-fast");
    }
    cargo.args(&args.filter);
    cargo
}

struct Part {
    name: &'static str,
    ok: bool,
    tally: Tally,
}

fn part(name: &'static str, (ok, tally): (bool, Tally)) -> Part {
    Part { name, ok, tally }
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
