//! `session`: ends one session of a person.

use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::session::SessionScope;

use crate::cli::reason;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::revocation::{Wish, carry_out};
use crate::{assent, subject};

/// The reasons that say something of one device and not of the person (`RevocationRequest::check`).
const REASONS: [ReasonCode; 3] = [ReasonCode::UserRequest, ReasonCode::Anomaly, ReasonCode::Canary];

/// End one session of a person, such as that of a lost phone.
///
/// Its tokens are refused by every API. Cognito itself can end single sessions only for whoever holds their refresh token,
/// so new tokens may still be made; they are refused, too. Cognito's own API goes on to take its access token (new
/// password, address, deletion) until it expires.
#[derive(clap::Args)]
#[command(after_help = "\
The session's origin_jti stands in its tokens, in the session ledger (revokectl inspect) and in audit records.

Examples:
  revokectl session jane@example.com 5a1f3b52-91a5-4d0e-8f3d-2f60d4a4f7a1
  revokectl session jane@example.com 5a1f3b52-91a5-4d0e-8f3d-2f60d4a4f7a1 --reason anomaly --yes")]
pub(crate) struct Args {
    /// Whose: see `revokectl user --help`.
    subject: String,
    /// The session.
    origin_jti: String,
    /// Why.
    #[arg(long, value_parser = reason(&REASONS), default_value = "user_request")]
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
    let target = subject::one(context, &args.subject).await?;
    let session = Some(SessionScope::Only(args.origin_jti.clone()));
    let (reason, comment) = (args.reason, args.comment.as_deref());
    carry_out(context, Wish { target, reason, comment, lockout: false, session }, args.dry_run).await
}
