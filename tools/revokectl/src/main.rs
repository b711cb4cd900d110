//! `revokectl`: what an operator does under pressure, from one tool and safe by construction. Each command is one file
//! in `commands/`.

mod account;
mod assent;
mod bulk;
mod cli;
mod commands;
mod context;
mod failure;
mod follow;
mod grid;
mod inspection;
mod look;
mod moment;
mod operations;
mod random;
mod record;
mod revocation;
mod screen;
mod subject;
mod text;
mod verify_install;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::context::Context;
use crate::failure::{Exit, Failure};

fn main() -> ExitCode {
    let Cli { globals, command } = Cli::parse();
    let context = Context::new(globals);
    let result = match &command {
        // Need neither network nor clock, and answer a shell that is starting up.
        Command::Completions(args) => commands::completions::run(&context, args),
        Command::Man(args) => commands::man::run(&context, args),
        _ => online(&context, &command),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            context.screen.failure(&failure);
            failure.exit.into()
        }
    }
}

/// Runs a command that may talk to AWS, until it ends or Ctrl-C does.
fn online(context: &Context, command: &Command) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::other(format!("cannot start: {error}")))?;
    let result = runtime.block_on(async {
        tokio::select! {
            result = commands::run(context, command) => result,
            _ = tokio::signal::ctrl_c() => Err(context.interrupted()),
        }
    });
    // A question that nobody answered is still being read; it is not waited for.
    runtime.shutdown_background();
    result
}
