//! The checks, for people.

use super::{Check, Verdict, Verification};
use crate::screen::{Screen, Tone};
use crate::text::plain;

/// Draws them: a line each, and below it what to do.
pub(crate) fn draw(screen: &Screen, verification: &Verification) -> String {
    let mut lines = Vec::new();
    let mut group = "";
    for check in &verification.checks {
        if check.group != group {
            group = check.group;
            lines.push(screen.paint(Tone::Strong, group));
        }
        lines.push(line(screen, check));
    }
    let Verification { ok, warnings, failed, .. } = verification;
    let tone = match (failed, warnings) {
        (0, 0) => Tone::Good,
        (0, _) => Tone::Warning,
        _ => Tone::Bad,
    };
    lines.push(screen.paint(tone, format_args!("{ok} ok, {warnings} warnings, {failed} failed")));
    lines.join("\n")
}

fn line(screen: &Screen, check: &Check) -> String {
    let mark = match check.verdict {
        Verdict::Ok => screen.paint(Tone::Good, "ok     "),
        Verdict::Warning => screen.paint(Tone::Warning, "warning"),
        Verdict::Failed => screen.paint(Tone::Bad, "FAILED "),
    };
    let next = check.next.as_deref().map(|next| format!("\n          → {}", plain(next))).unwrap_or_default();
    format!("  {mark} {}: {}{next}", plain(&check.what), plain(&check.found))
}
