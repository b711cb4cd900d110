//! `user`: ends every session of a person.

use revocation_core::domain::reason::ReasonCode;

use crate::cli::reason;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::revocation::{Wish, carry_out};
use crate::{assent, subject};

/// End every session of a person.
///
/// Shows what would happen, asks, and waits until it is confirmed, step by step.
#[derive(clap::Args)]
#[command(after_help = "\
SUBJECT is an e-mail address, a phone number (+...), a sub (UUID), a user name, <pool>#<sub> or <issuer URL>#<sub>,
found out by its form; email:, phone:, sub: or username: before it says it outright.

Examples:
  revokectl user jane@example.com --reason compromise --comment 'INC-4711: laptop stolen'
  revokectl user jane@example.com --reason offboarding --dry-run
  revokectl user eu-central-1_AbCdEf123#11112222-3333-4444-5555-666677778888 --reason anomaly --yes --output json")]
pub(crate) struct Args {
    /// Whom.
    subject: String,
    /// Why; decides what else happens, besides ending the sessions.
    #[arg(long, value_parser = reason(&ReasonCode::ALL))]
    reason: ReasonCode,
    /// Why, in words, for the record.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Disable the account, where the reason would have its password reset.
    #[arg(long)]
    lockout: bool,
    /// Only show what would happen.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    assent::must_be_possible(context, args.dry_run)?;
    let target = subject::one(context, &args.subject).await?;
    let (reason, lockout, comment) = (args.reason, args.lockout, args.comment.as_deref());
    carry_out(context, Wish { target, reason, comment, lockout, session: None }, args.dry_run).await
}
