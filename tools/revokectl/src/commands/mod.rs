//! One file a command: its arguments, and what it does.

pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod man;
pub(crate) mod report;

use crate::cli::Command;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Runs a command.
pub(crate) async fn run(context: &Context, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Audit(args) => audit::run(context, args).await,
        Command::Completions(args) => completions::run(context, args),
        Command::Report(args) => report::run(context, args).await,
        Command::Man(args) => man::run(context, args),
    }
}
