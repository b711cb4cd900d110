//! `pool`: ends every session of everybody in a user pool.

use revocation_core::domain::reason::ReasonCode;

use crate::assent;
use crate::cli::reason;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::revocation::carry_out_for_everyone;

/// The reasons that concern everybody (`RevocationRequest::check`).
const REASONS: [ReasonCode; 2] = [ReasonCode::Compromise, ReasonCode::PolicyViolation];

/// End every session of everybody in a user pool, by one write.
///
/// For when nobody knows whose sessions are good: an identity provider was broken into, a key leaked. Every API honours it
/// within a second; people sign in anew. It cannot be taken back, so the pool's id has to be typed; --yes skips that.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl pool eu-central-1_AbCdEf123 --reason compromise --comment 'INC-4712: provider breached'
  revokectl pool eu-central-1_AbCdEf123 --reason compromise --dry-run")]
pub(crate) struct Args {
    /// Which pool.
    #[arg(value_name = "POOL")]
    user_pool_id: String,
    /// Why.
    #[arg(long, value_parser = reason(&REASONS))]
    reason: ReasonCode,
    /// Why, in words, for the record.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Only show what would happen.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    assent::must_be_possible(context, args.dry_run)?;
    carry_out_for_everyone(context, &args.user_pool_id, args.reason, args.comment.as_deref(), args.dry_run).await
}
