//! `enable`: the opposite of `disable`.

use revocation_core::domain::action::AccountAction;

use crate::account::{Common, open};
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Enable an account again.
///
/// Sessions that were revoked stay so. Says what else still keeps the person out, such as a hold.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl enable jane@example.com --comment 'INC-4711 is closed'")]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    open(context, &args.common, AccountAction::Enable).await
}
