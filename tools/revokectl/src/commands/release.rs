//! `release`: the opposite of `hold`.

use revocation_core::domain::action::AccountAction;

use crate::account::{Common, open};
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// End a hold.
///
/// Brings back no token that was revoked, and does not open an account whose sign-out is not confirmed yet.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl release jane@example.com --comment 'INC-4711 is closed'")]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    open(context, &args.common, AccountAction::Release).await
}
