//! `token`: what is to be said of one token.

mod claims;
mod inspect;
mod judge;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Find out why a token is refused.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Inspect(inspect::Args),
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let Command::Inspect(args) = &args.command;
    inspect::run(context, args).await
}
