//! `reset-password`: a new password before the next sign-in.

use revocation_core::domain::action::{AccountAction, HoldTerms};

use crate::account::{Common, Protection, lock};
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Have a password reset: a code is sent, and without it nobody signs in.
///
/// Sessions go on. To end them as well: `revokectl user --reason compromise`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl reset-password jane@example.com
  revokectl reset-password jane@example.com --yes --no-wait")]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    protection: Protection,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    lock(context, &args.common, &args.protection, (AccountAction::ResetPassword, HoldTerms::default())).await
}
