//! `audit`: what the audit trail says.

mod show;
pub(crate) mod verify;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Read the audit trail.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Show(show::Args),
    Verify(verify::Args),
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        Command::Show(args) => show::run(context, args).await,
        Command::Verify(args) => verify::run(context, args).await,
    }
}
