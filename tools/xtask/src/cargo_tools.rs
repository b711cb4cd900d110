//! Programs of Cargo's, installed under `target/tools` when they are first needed, each in the version given here.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::repo::Repo;
use crate::{run, say};

/// A program, by the name of its package.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CargoTool {
    /// Package and program.
    pub(crate) name: &'static str,
    /// The version that is installed.
    pub(crate) version: &'static str,
    /// How long that takes, for whoever waits.
    pub(crate) takes: &'static str,
}

/// Checks licences, sources and advisories of the dependencies.
pub(crate) const DENY: CargoTool = CargoTool { name: "cargo-deny", version: "0.20.2", takes: "a minute" };
/// Lists the dependencies as `CycloneDX`.
pub(crate) const CYCLONEDX: CargoTool = CargoTool { name: "cargo-cyclonedx", version: "0.5.9", takes: "a minute" };
/// Changes the code in small ways, to see whether a test notices.
pub(crate) const MUTANTS: CargoTool = CargoTool { name: "cargo-mutants", version: "27.1.0", takes: "a minute" };

// === impl CargoTool ===

impl CargoTool {
    /// The installed program, installed first if need be.
    pub(crate) fn ensure(&self, repo: &Repo) -> Result<PathBuf> {
        let tools = repo.target("tools");
        let program = tools.join("bin").join(self.name);
        let says_version = run::capture(Command::new(&program).args([self.subcommand(), "--version"]));
        if !says_version.is_ok_and(|said| said.contains(self.version)) {
            let Self { name, version, takes } = *self;
            say::step(format_args!("installing {name} {version} into {} ({takes}, once)", tools.display()));
            let mut cargo = run::cargo(repo);
            // Unoptimised: it runs for seconds, and compiles for as long as it is optimised.
            cargo
                .args(["install", "--quiet", "--locked", "--debug", "--version", version, "--root"])
                .arg(&tools)
                .arg(name);
            run::run(&mut cargo).with_context(|| format!("{name} cannot be installed"))?;
        }
        Ok(program)
    }

    /// What Cargo would call it by, which its own command line expects first.
    pub(crate) fn subcommand(&self) -> &'static str {
        self.name.trim_start_matches("cargo-")
    }
}
