//! `model`: the protocol under the model checker, as `tools/model` has it.

use std::process::Command;

use anyhow::Result;

use crate::repo::Repo;
use crate::run;

/// Check the protocol: every interleaving of the product's own code with everything that may happen beside it, within bounds;
/// then take away one part of it at a time, and show what breaks. docs/MODEL.md.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these scenarios; all if none is named.
    scenarios: Vec<String>,
    /// Larger bounds: minutes instead of seconds.
    #[arg(long)]
    full: bool,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let repo = Repo::find()?;
    let program = "revocation-model";
    run::run(run::build(&repo).args(["--quiet", "--bin", program]))?;
    let mut model = Command::new(repo.built("debug", program));
    model.args(&args.scenarios).args(args.full.then_some("--full")).args(args.json.then_some("--json"));
    run::run(&mut model)
}
