//! `audit show`: everything written down of one revocation.

use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Show everything written down of one revocation.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl audit show rv_0123456789abcdef0123456789abcdef")]
pub(crate) struct Args {
    /// The revocation's id.
    id: String,
}

/// Shows it.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let operations = context.operations().await?;
    context.screen.note(format_args!("{} {}", operations.revocations_table, args.id));
    Ok(Exit::Done)
}
