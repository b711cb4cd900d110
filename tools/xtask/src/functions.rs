//! Building the Lambda functions for the local cloud and laying them out as `<function>/bootstrap`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::repo::Repo;
use crate::{run, say};

/// The functions; package, binary and folder share the name.
pub(crate) const ALL: [&str; 17] = [
    "intake-partner",
    "revoke",
    "notify",
    "compromise-counter",
    "authorizer",
    "intake-scim",
    "intake-siem",
    "intake-role-change",
    "sign-out",
    "token-gate",
    "introspect",
    "audit-chain",
    "canary",
    "report",
    "bulk",
    "siem-feed",
    "sweeper",
];

/// Where the functions for the local cloud are. Not `target/lambda`: what lies there was built for AWS, and must not be
/// replaced by a quick build for this machine behind the back of whoever deploys next.
pub(crate) fn packages(repo: &Repo) -> PathBuf {
    repo.target("local-cloud/lambda")
}

/// How the functions are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quickly, without optimisation.
    Dev,
    /// As for AWS, which takes minutes.
    Release,
}

// === impl Profile ===

impl Profile {
    /// The name of the profile, and of the folder Cargo builds it into.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Dev => ("dev", "debug"),
            Self::Release => ("release", "release"),
        }
    }
}

/// Builds every function for this machine.
pub(crate) fn build(repo: &Repo, profile: Profile) -> Result<()> {
    say::step(format_args!("building the functions ({})", profile.names().0));
    let mut cargo = match profile {
        Profile::Dev => run::build(repo),
        Profile::Release => packages_alone(repo),
    };
    for name in ALL {
        cargo.args(["--bin", name]);
    }
    run::run(&mut cargo).context("the functions do not build; the compiler's errors are above")?;
    for name in ALL {
        place(repo, profile, name)?;
    }
    Ok(())
}

/// As for AWS: each with the features its own packages ask for.
fn packages_alone(repo: &Repo) -> Command {
    let mut cargo = run::cargo(repo);
    cargo.args(["build", "--release"]);
    for name in ALL {
        cargo.args(["--package", name]);
    }
    cargo
}

/// Copies a binary without its debug information, which is most of it.
fn place(repo: &Repo, profile: Profile, name: &str) -> Result<()> {
    let built = repo.built(profile.names().1, name);
    let dir = packages(repo).join(name);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let bootstrap = dir.join("bootstrap");
    if !run::works(Command::new("strip").arg("-o").arg(&bootstrap).arg(&built)) {
        // Without binutils the packages are larger, nothing else.
        fs::copy(&built, &bootstrap).with_context(|| format!("cannot copy {}", built.display()))?;
    }
    Ok(())
}
