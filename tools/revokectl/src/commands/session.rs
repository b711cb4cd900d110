//! `session`: ends one session of a person.

use revocation_aws::dynamodb::DynamoSessionLedger;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::session::SessionScope;

use crate::assent;
use crate::cli::reason;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::revocation::{Wish, carry_out};
use crate::subject::{self, Target};

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
    /// Although the session ledger does not know the session: no API has seen it yet, or the ledger was off.
    #[arg(long)]
    unseen: bool,
    /// Only show what would happen.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    assent::must_be_possible(context, args.dry_run)?;
    let target = subject::one(context, &args.subject).await?;
    if !args.unseen && !may_be_theirs(context, &target, &args.origin_jti).await? {
        return Err(Failure::not_found("the session ledger knows no such session of theirs that goes on").next(
            "`revokectl inspect` lists them; --unseen ends one that no API has seen; `revokectl user` ends all of them",
        ));
    }
    let session = Some(SessionScope::Only(args.origin_jti.clone()));
    let (reason, comment) = (args.reason, args.comment.as_deref());
    carry_out(context, Wish { target, reason, comment, lockout: false, session }, args.dry_run).await
}

/// Not if there is a ledger that does not have it: a typing error would end nothing, and look as if it had.
async fn may_be_theirs(context: &Context, target: &Target, origin_jti: &str) -> Result<bool, Failure> {
    let Some(table) = &context.operations().await?.sessions_table else { return Ok(true) };
    match DynamoSessionLedger::new(context.aws().await?, table).going_on(&target.key).await {
        Ok(sessions) => Ok(sessions.iter().any(|session| session.origin_jti == origin_jti)),
        // Enforcement does not need it, so neither does the operator.
        Err(error) => {
            context
                .screen
                .note(format_args!("the session ledger cannot be read ({error}): nobody knows whether it is theirs"));
            Ok(true)
        }
    }
}
