//! `completions`: for the user's shell.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Print a completion script for a shell.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl completions bash > ~/.local/share/bash-completion/completions/revokectl
  revokectl completions zsh > ~/.zfunc/_revokectl
  revokectl completions fish > ~/.config/fish/completions/revokectl.fish")]
pub(crate) struct Args {
    /// Shell to complete in.
    shell: Shell,
}

/// Prints the script.
#[expect(clippy::unnecessary_wraps, reason = "every command answers so")]
pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "revokectl", &mut script);
    context.screen.raw(&script);
    Ok(Exit::Done)
}
