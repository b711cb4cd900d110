//! `lint`: everything that can be said about the code and the template without running them.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::cargo_tools::DENY;
use crate::repo::Repo;
use crate::venv::Venv;
use crate::{run, say};

/// Check formatting, lints, the template and the dependencies.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Go on after a finding and tell of all of them at the end.
    #[arg(long)]
    keep_going: bool,
    /// Leave out cargo-deny, which takes a minute to install the first time.
    #[arg(long)]
    no_deny: bool,
}

struct Check {
    name: &'static str,
    run: fn(&Repo) -> Result<()>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let repo = Repo::find()?;
    let mut checks: Vec<Check> = vec![
        Check { name: "formatting", run: formatting },
        Check { name: "clippy", run: clippy },
        Check { name: "cfn-lint", run: cfn_lint },
        Check { name: "SAM transform", run: sam_transform },
    ];
    if !args.no_deny {
        checks.push(Check { name: "cargo-deny", run: cargo_deny });
    }
    let mut failed = Vec::new();
    for Check { name, run } in checks {
        say::step(name);
        if let Err(error) = run(&repo) {
            say::error(&error.context(name));
            failed.push(name);
            if !args.keep_going {
                break;
            }
        }
    }
    if failed.is_empty() {
        say::line("no findings");
        return Ok(());
    }
    bail!("findings in: {}", failed.join(", "))
}

fn formatting(repo: &Repo) -> Result<()> {
    run::run(run::cargo(repo).args(["fmt", "--all", "--check"])).context("run `cargo fmt --all`")
}

fn clippy(repo: &Repo) -> Result<()> {
    run::run(run::cargo(repo).args(["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"]))
}

fn cfn_lint(repo: &Repo) -> Result<()> {
    let mut command = lint_venv(repo)?.program("cfn-lint");
    run::run(command.arg("--non-zero-exit-code").arg("informational").arg(template(repo)))
}

fn sam_transform(repo: &Repo) -> Result<()> {
    let mut command = lint_venv(repo)?.python();
    run::run(command.arg(repo.root().join("tools/xtask/lint/transform.py")).arg(template(repo)))
}

fn cargo_deny(repo: &Repo) -> Result<()> {
    let deny = || -> Result<Command> {
        let mut command = cargo_deny_command(repo)?;
        command.current_dir(repo.root()).args(["--log-level", "error"]);
        Ok(command)
    };
    run::run(deny()?.args(["check", "bans", "licenses", "sources"]))?;
    // The RustSec database is a git repository that not every network lets through. Without it there is nothing to say.
    if run::works(deny()?.args(["fetch", "db"])) {
        return run::run(deny()?.args(["check", "--disable-fetch", "advisories"]));
    }
    say::step("cargo-deny: advisories SKIPPED, the RustSec database cannot be fetched from here");
    Ok(())
}

/// cargo-deny from the PATH, where a newer one is as good, else our own, installed first if need be.
fn cargo_deny_command(repo: &Repo) -> Result<Command> {
    if run::works(Command::new("cargo").args(["deny", "--version"])) {
        let mut command = Command::new("cargo");
        command.arg("deny");
        return Ok(command);
    }
    Ok(Command::new(DENY.ensure(repo).context("`cargo xtask lint --no-deny` goes without it")?))
}

fn template(repo: &Repo) -> std::path::PathBuf {
    repo.root().join("infra/template.yaml")
}

fn lint_venv(repo: &Repo) -> Result<Venv> {
    Venv::ensure(&repo.target("lint/venv"), &repo.root().join("tools/xtask/lint/requirements.txt"))
}
