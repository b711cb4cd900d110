//! The table of a run, and what it comes to.

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use serde::Serialize;

use super::case::{Problem, Told};
use crate::run;
use crate::say;

/// What a run comes to.
#[derive(Debug, Serialize)]
pub(super) struct Tally {
    pub(super) cases: usize,
    pub(super) well: usize,
    pub(super) lost: usize,
    pub(super) wrongly_permitted: usize,
    pub(super) double_pages: usize,
    pub(super) other_problems: usize,
    /// Faults injected.
    pub(super) injected: usize,
    /// People told twice, or a page sent twice, because an answer was lost.
    pub(super) sent_again: usize,
    /// Pages of the incident that all revocations of the run make together; must be one.
    pub(super) pages_of_the_run: usize,
    /// Wall-clock time, seconds.
    pub(super) seconds: u64,
}

/// A whole run.
#[derive(Debug, Serialize)]
pub(super) struct Run {
    pub(super) tally: Tally,
    pub(super) cases: Vec<Told>,
}

impl Run {
    pub(super) fn new(cases: Vec<Told>, pages_of_the_run: usize, seconds: u64) -> Self {
        let with = |is: fn(&Problem) -> bool| cases.iter().filter(|told| told.problems.iter().any(is)).count();
        let tally = Tally {
            cases: cases.len(),
            well: cases.iter().filter(|told| told.problems.is_empty()).count(),
            lost: with(|problem| matches!(problem, Problem::Lost(_))),
            wrongly_permitted: with(|problem| matches!(problem, Problem::WronglyPermitted(_))),
            double_pages: with(|problem| matches!(problem, Problem::DoublePage(_)))
                + pages_of_the_run.saturating_sub(1),
            other_problems: with(|problem| matches!(problem, Problem::Other(_))),
            injected: cases.iter().map(|told| told.injected).sum(),
            sent_again: cases.iter().map(|told| told.sent_again).sum(),
            pages_of_the_run,
            seconds,
        };
        Self { tally, cases }
    }

    /// Whether every case is well.
    pub(super) fn is_well(&self) -> bool {
        self.tally.well == self.tally.cases && self.tally.double_pages == 0
    }

    /// Each case as a test.
    pub(super) fn tests(&self) -> run::Tally {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let failed = self.tally.cases.saturating_sub(self.tally.well) + self.tally.pages_of_the_run.saturating_sub(1);
        run::Tally { passed: count(self.tally.well), failed: count(failed) }
    }

    pub(super) fn print(&self) {
        let mut table = Table::new();
        let header = ["case", "the caller saw", "refused after", "all done after", "met", "again", "outcome"];
        table.load_style(UTF8_HORIZONTAL_ONLY).set_header(header);
        for told in &self.cases {
            table.add_row([
                told.name.clone(),
                told.caller.clone(),
                seconds(told.refused_ms),
                seconds(told.ended_ms),
                told.injected.to_string(),
                told.redelivered.to_string(),
                told.outcome(),
            ]);
        }
        say::line(table);
        let Tally { cases, well, lost, wrongly_permitted, double_pages, other_problems, .. } = &self.tally;
        say::line(format_args!(
            "{} faults injected in {} s; told again because an answer was lost: {}",
            self.tally.injected, self.tally.seconds, self.tally.sent_again
        ));
        say::line(format_args!(
            "{cases} cases: {well} well, {lost} lost, {wrongly_permitted} wrongly permitted, {double_pages} double pages, \
             {other_problems} with another problem"
        ));
    }
}

impl Told {
    fn outcome(&self) -> String {
        if self.problems.is_empty() {
            return match (self.redriven, self.sent_again) {
                (0, 0) => "well".to_owned(),
                (0, _) => "well, told again".to_owned(),
                (_, _) => "well, parked and redriven".to_owned(),
            };
        }
        let one = |problem: &Problem| match problem {
            Problem::Lost(what) => format!("LOST: {what}"),
            Problem::WronglyPermitted(what) => format!("PERMITTED: {what}"),
            Problem::DoublePage(what) => format!("DOUBLE PAGE: {what}"),
            Problem::Other(what) => format!("PROBLEM: {what}"),
        };
        self.problems.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

fn seconds(ms: Option<u128>) -> String {
    ms.map_or("-".to_owned(), |ms| format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_problem_is_enough() {
        let well = Told { name: "a".into(), injected: 2, ..Told::default() };
        let mut lost = Told { name: "b".into(), ..Told::default() };
        lost.lost("the record");
        let run = Run::new(vec![well.clone(), lost], 1, 3);
        assert!(!run.is_well());
        assert_eq!((run.tally.cases, run.tally.well, run.tally.lost, run.tally.injected), (2, 1, 1, 2));
        assert!(Run::new(vec![well.clone()], 1, 3).is_well());
        assert!(!Run::new(vec![well], 2, 3).is_well(), "two pages of one incident");
    }
}
