//! `completions`: for the user's shell.

use clap_complete::Shell;

/// Print a completion script for a shell.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Shell to complete in.
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run<Cli: clap::CommandFactory>(args: &Args) {
    clap_complete::generate(args.shell, &mut Cli::command(), "cargo-xtask", &mut std::io::stdout());
}
