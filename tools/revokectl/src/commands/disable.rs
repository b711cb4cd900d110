//! `disable`: nobody signs in with the account.

use revocation_core::domain::action::{AccountAction, HoldTerms};

use crate::account::{Common, Protection, lock};
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Disable an account: no sign-in and no refresh.
///
/// Tokens already issued stay good until they expire. To end sessions as well: `revokectl user`, whose reasons
/// `offboarding` and `policy_violation` disable the account, too.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl disable jane@example.com --comment 'INC-4711'
  revokectl disable jane@example.com --dry-run")]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    protection: Protection,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    lock(context, &args.common, &args.protection, (AccountAction::Disable, HoldTerms::default())).await
}
