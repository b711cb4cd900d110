//! `man`: the manual pages, one a command.

use std::path::PathBuf;

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Print the manual page, or write the pages of all commands into a folder.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl man | man -l -
  revokectl man --dir ~/.local/share/man/man1")]
pub(crate) struct Args {
    /// Folder to write the pages into, which must exist.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

/// Prints or writes them.
pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
        rendered.map_err(|error| Failure::other(format!("cannot make the page: {error}")))?;
        context.screen.raw(&page);
        return Ok(Exit::Done);
    };
    let written = clap_mangen::generate_to(Cli::command(), dir);
    written.map_err(|error| Failure::other(format!("cannot write into {}: {error}", dir.display())))?;
    context.screen.note(format_args!("the pages are in {}", dir.display()));
    Ok(Exit::Done)
}
