//! `verify-install`: is what was deployed as it must be, and does it work?

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::verify_install::{self, Run};
use crate::{assent, screen::Screen};

/// Check a deployed pipeline: tables, pools, APIs, queues, rules, evidence, messages, sources, clock.
///
/// Each check is a line: ok, a warning with advice, or failed with what to do next. Nothing is changed, but by --probe. What you may
/// not look at is a warning that names the IAM action. Exits with 5 when a check failed.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl verify-install
  revokectl verify-install --probe --api https://api.example.com/me
  revokectl verify-install --output json | jq '.checks[] | select(.verdict != \"ok\")'")]
pub(crate) struct Args {
    /// Besides, make a user in the first pool, sign it in, revoke it (reason canary: nobody is told), watch until it is refused,
    /// and delete it.
    #[arg(long)]
    probe: bool,
    /// A protected address that answers 2xx to a good token: its time to refusal is measured.
    #[arg(long, value_name = "URL", requires = "probe")]
    api: Option<String>,
    /// The app client to sign in by [default: the first that takes passwords].
    #[arg(long, value_name = "ID", requires = "probe")]
    client: Option<String>,
}

/// Checks and tells.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let run = args.probe.then(|| Run { api: args.api.clone(), client: args.client.clone() });
    if run.is_some() {
        if !context.globals.yes && (context.screen.is_json() || !context.screen.is_interactive()) {
            let next = "--yes does it without asking; without --probe nothing is changed";
            return Err(Failure::usage("nobody is there to ask").next(next));
        }
        assent::assent(context, "Make a user in the first pool, revoke it, and delete it again?").await?;
    }
    let verification = Box::pin(verify_install::verify(context, run.as_ref())).await?;
    context.screen.result(&verification, |screen: &Screen| verify_install::draw(screen, &verification))?;
    Ok(if verification.failed == 0 { Exit::Done } else { Exit::Partial })
}
