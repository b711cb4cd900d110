//! `inspect`: everything that is known of an account, on one screen.

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::inspection::{Scope, draw, gather};
use crate::subject;

/// Show everything that is known of an account: status, groups, sign-ins and their risk, devices, sessions, what was done.
///
/// Changes nothing. Each part fails by itself, and says which IAM action is missing. What is shown is personal data.
#[derive(clap::Args)]
#[command(after_help = "\
SUBJECT: see revokectl user --help.

Examples:
  revokectl inspect jane@example.com
  revokectl inspect jane@example.com --mfa --last 50
  revokectl inspect jane@example.com --output json | jq .sign_ins")]
pub(crate) struct Args {
    /// Whom.
    subject: String,
    /// How many sign-ins, and how many AWS calls, at most 50.
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=50))]
    last: u8,
    /// Look at second factors, too: `AdminGetUser`, which counts the person as active this month and is billed.
    #[arg(long)]
    mfa: bool,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let target = subject::one(context, &args.subject).await?;
    let scope = Scope { last: args.last.into(), mfa: args.mfa };
    let inspection = Box::pin(gather(context, target, scope)).await?;
    context.screen.result(&inspection, |screen| draw::draw(screen, &inspection))?;
    Ok(if inspection.is_partial() { Exit::Partial } else { Exit::Done })
}
