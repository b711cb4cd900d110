//! `canary`: the test user's accounts, and a run when one is wanted.

mod run;
mod set_up;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::operations::Canary;

pub(crate) use run::summary;

/// Set the canary's users up, or have it run now.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    SetUp(set_up::Args),
    Run(run::Args),
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        Command::SetUp(args) => set_up::run(context, args).await,
        Command::Run(args) => run::run(context, args).await,
    }
}

async fn deployed(context: &Context) -> Result<&Canary, Failure> {
    let canary = context.operations().await?.canary.as_ref();
    canary.ok_or_else(|| {
        Failure::not_found("the canary is not deployed here").next("deploy with DeployCanary=true (docs/CANARY.md)")
    })
}
