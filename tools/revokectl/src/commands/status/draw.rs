//! The status, for people.

use std::time::Duration;

use jiff::tz::TimeZone;
use revocation_core::domain::canary::{CanaryOutcome, CanaryRun};
use revocation_core::domain::time::EpochMillis;

use super::{CanaryState, IncidentState, SourceState, Status, SurveyState};
use crate::commands::canary::summary;
use crate::grid::Grid;
use crate::moment::{span, stamp};
use crate::screen::{Screen, Tone};

/// Cells of a gauge.
const GAUGE: usize = 10;

pub(super) fn status(screen: &Screen, status: &Status) -> String {
    let mut parts = vec![queues(screen, status)];
    parts.extend(status.tombstones.as_ref().map(|survey| tombstones(screen, survey)));
    parts.extend(status.incidents.as_ref().map(|incidents| window(screen, incidents)));
    parts.extend(status.canary.as_ref().map(|found| canary(screen, found, status)));
    parts.extend(status.sources.as_deref().map(|all| sources(screen, all, status.at)));
    parts.push(verdict(screen, &status.findings));
    parts.join("\n\n")
}

fn queues(screen: &Screen, status: &Status) -> String {
    let mut grid = Grid::new(["queue", "waiting", "being handled", "later", "dead letters"]);
    for queue in &status.queues {
        grid.row([
            (&queue.name).into(),
            queue.waiting.into(),
            queue.in_flight.into(),
            queue.delayed.into(),
            queue.dead_letters.map_or("–".to_owned(), |dead| dead.to_string()).into(),
        ]);
    }
    screen.draw(grid)
}

fn tombstones(screen: &Screen, survey: &SurveyState) -> String {
    let whole = if survey.whole { "all" } else { "the first" };
    let oldest = survey.oldest_unsealed_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let oldest = oldest.map(|age| format!(", the oldest for {}", span(Duration::from_secs(age)))).unwrap_or_default();
    let unsealed = screen.paint(if survey.unsealed == 0 { Tone::Good } else { Tone::Warning }, survey.unsealed);
    let mut text = format!("unsealed tombstones: {unsealed}{oldest} (of {whole} {} read)", survey.read);
    for subject in &survey.subjects {
        text.push_str("\n  ");
        text.push_str(&crate::text::plain(subject));
    }
    text
}

fn window(screen: &Screen, state: &IncidentState) -> String {
    let IncidentState { window_minutes, threshold, accounts, open } = state;
    let tone = if open.is_some() {
        Tone::Bad
    } else if accounts * 2 > *threshold {
        Tone::Warning
    } else {
        Tone::Good
    };
    let open = open.as_ref().map(|id| format!("; open: {}", crate::text::short(id, 64))).unwrap_or_default();
    let gauge = screen.paint(tone, gauge(*accounts, threshold + 1));
    format!(
        "compromise window: {gauge} {accounts} accounts within {window_minutes} min; {} raise a page{open}",
        threshold + 1
    )
}

fn canary(screen: &Screen, found: &CanaryState, status: &Status) -> String {
    if let Some(runs) = &found.runs {
        return runs_of_canary(screen, runs, status);
    }
    let Some(record) = &found.last else {
        let none = screen.paint(Tone::Warning, "none within two days");
        return format!("last canary: {none} ({} records read)", found.read);
    };
    let tone = if record.is_good() { Tone::Good } else { Tone::Bad };
    let at = record.received_at();
    let locked = record.revocation().and_then(|one| one.elapsed_to_tombstone_ms);
    let locked = locked.map(|ms| format!(", locked out after {}", span(Duration::from_millis(ms)))).unwrap_or_default();
    format!(
        "last canary: {}{locked}, {} ({} ago)",
        screen.paint(tone, record.outcome()),
        stamp(at, &TimeZone::UTC),
        span(status.at.since(at))
    )
}

fn runs_of_canary(screen: &Screen, runs: &[CanaryRun], status: &Status) -> String {
    let Some(last) = runs.first() else { return format!("canary: {}", screen.paint(Tone::Warning, "never ran")) };
    let (tone, outcome) = match last.outcome {
        Some(CanaryOutcome::Enforced) => (Tone::Good, CanaryOutcome::Enforced.as_str()),
        Some(outcome) => (Tone::Bad, outcome.as_str()),
        None => (Tone::Warning, "not ended"),
    };
    let enforced = runs.iter().filter(|run| run.outcome == Some(CanaryOutcome::Enforced));
    let slowest = enforced.clone().filter_map(|run| run.times.all_ms).max();
    let slowest = slowest.map(|ms| format!(", the slowest after {ms} ms")).unwrap_or_default();
    format!(
        "canary: {} {}, {} ({} ago)\n  of the last {}: {} enforced{slowest}",
        screen.paint(tone, outcome),
        summary(last),
        stamp(last.began_at, &TimeZone::UTC),
        span(status.at.since(last.began_at)),
        runs.len(),
        enforced.count(),
    )
}

fn sources(screen: &Screen, sources: &[SourceState], now: EpochMillis) -> String {
    let mut grid = Grid::new(["source", "subjects this hour", "of", "", "last heard of"]);
    for source in sources {
        let (used, limit) = (source.subjects_this_hour, source.limit);
        let gauge = gauge(usize::try_from(used).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(usize::MAX));
        let heard = match (source.silent_after_hours, source.heard_at) {
            (None, _) => "–".to_owned(),
            (Some(hours), None) => format!("never (within {hours} h)"),
            (Some(hours), Some(at)) => format!("{} ago (within {hours} h)", span(now.since(at))),
        };
        grid.row([(&source.name).into(), used.into(), limit.into(), gauge.into(), heard.into()]);
    }
    if grid.is_empty() { "sources: none".to_owned() } else { screen.draw(grid) }
}

fn verdict(screen: &Screen, findings: &[String]) -> String {
    if findings.is_empty() {
        return screen.paint(Tone::Good, "nothing needs a hand");
    }
    let lines = findings.iter().map(|finding| format!("\n  {}", crate::text::plain(finding)));
    format!("{}{}", screen.paint(Tone::Bad, "needs a hand:"), lines.collect::<String>())
}

fn gauge(part: usize, whole: usize) -> String {
    let full = part.saturating_mul(GAUGE).div_ceil(whole.max(1)).min(GAUGE);
    format!("{}{}", "█".repeat(full), "░".repeat(GAUGE - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_full_at_the_whole_and_never_empty_at_a_part() {
        assert_eq!(gauge(0, 4), "░".repeat(GAUGE));
        assert_eq!(gauge(1, 1_000), format!("█{}", "░".repeat(GAUGE - 1)));
        assert_eq!(gauge(4, 4), "█".repeat(GAUGE));
        assert_eq!(gauge(usize::MAX, 4), "█".repeat(GAUGE));
        assert_eq!(gauge(1, 0), "█".repeat(GAUGE));
    }
}
