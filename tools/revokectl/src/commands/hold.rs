//! `hold`: no token is accepted and none are made, until released.

use revocation_core::domain::action::{AccountAction, HoldTerms, LONGEST_HOLD};
use revocation_core::domain::time::EpochMillis;

use crate::account::{Common, Protection, lock};
use crate::cli::duration;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Put an account on hold: every API refuses its tokens and none are made, until it is released.
///
/// Enforced with the next API request, before Cognito is asked for anything. Nobody is signed out: afterwards the
/// sessions go on, unless they were revoked. For the minutes in which nobody knows yet.
///
/// Cognito's own API goes on to take the access token (new password, address, deletion) until it expires: where theft
/// is suspected, revokectl user --reason anomaly first.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl hold jane@example.com --until 10h --message 'Please call the service desk.'
  revokectl hold jane@example.com --until 2026-02-01T09:00:00+01:00 --comment INC-4711
  revokectl hold jane@example.com --yes        # until revokectl release")]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    protection: Protection,
    /// When it ends by itself: a duration such as 10h, or RFC 3339. Without it, when it is released.
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// What the person reads who tries to sign in; 300 characters at most.
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let until = args.until.as_deref().map(|text| end(text, context.now())).transpose()?;
    let terms = HoldTerms { until: until.map(EpochMillis::rfc3339), message: args.message.clone() };
    lock(context, &args.common, &args.protection, (AccountAction::Hold, terms)).await
}

/// `10h` from now, or a date.
fn end(text: &str, now: EpochMillis) -> Result<EpochMillis, Failure> {
    let read = duration(text).map(|length| now.plus(length)).or_else(|_| EpochMillis::parse_rfc3339(text));
    let end = read.map_err(|_| Failure::usage("--until is neither a duration such as 10h nor RFC 3339"))?;
    if end <= now {
        return Err(Failure::usage("--until is past"));
    }
    if end > now.plus(LONGEST_HOLD) {
        let failure = Failure::usage("--until is more than 366 days ahead");
        return Err(failure.next("without --until the hold lasts until revokectl release"));
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-31T18:00:00Z
    const NOW: EpochMillis = EpochMillis(1_769_882_400_000);

    #[test]
    fn an_end_is_read_as_people_write_it_and_lies_ahead() {
        for (text, meant) in [
            ("10h", "2026-02-01T04:00:00.000Z"),
            ("90m", "2026-01-31T19:30:00.000Z"),
            ("2026-02-01T09:00:00+01:00", "2026-02-01T08:00:00.000Z"),
        ] {
            assert_eq!(end(text, NOW).unwrap().rfc3339(), meant, "{text}");
        }
        for bad in ["", "soon", "0", "2026-01-31T18:00:00Z", "2025-01-01T00:00:00Z", "2028-01-01T00:00:00Z", "9000h"] {
            assert_eq!(end(bad, NOW).unwrap_err().exit, Exit::Usage, "{bad}");
        }
    }
}
