//! Whether something that cannot be undone is done: asked on a terminal, said by `--yes` in scripts, and never guessed.

use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Refuses at once what could only be asked later: without a terminal nobody can answer, and in JSON a question has no
/// place.
pub(crate) fn must_be_possible(context: &Context, dry_run: bool) -> Result<(), Failure> {
    if dry_run || context.globals.yes {
        return Ok(());
    }
    if !context.screen.is_interactive() {
        let failure = Failure::usage("nobody is there to ask");
        return Err(failure.next("--dry-run shows what would happen; --yes does it without asking"));
    }
    if context.screen.is_json() {
        return Err(Failure::usage("--output json needs --yes, or --dry-run"));
    }
    Ok(())
}

/// Asks, unless `--yes` was given. What would happen was shown before.
pub(crate) async fn assent(context: &Context, question: &str) -> Result<(), Failure> {
    if context.globals.yes || context.screen.confirm(question).await? {
        return Ok(());
    }
    Err(Failure::new(Exit::Failed, "declined; nothing was requested"))
}
