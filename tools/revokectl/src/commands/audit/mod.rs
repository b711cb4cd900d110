//! `audit`: what the audit trail says.

mod csv_row;
mod list;
mod show;
pub(crate) mod verify;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::{Exit, Failure};

/// List what was done, by whom and why, or show one revocation whole.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, after_help = list::EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: list::Args,
}

#[derive(Subcommand)]
enum Command {
    Show(show::Args),
    Verify(verify::Args),
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        None => list::run(context, &args.list).await,
        Some(Command::Show(args)) => show::run(context, args).await,
        Some(Command::Verify(args)) => verify::run(context, args).await,
    }
}
