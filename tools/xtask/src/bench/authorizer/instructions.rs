//! Instructions of a request, by valgrind: the same in every run of a build, so that a change can be seen that times hide.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::{Value, json};

use super::TLS;
use super::plan::{Harness, Placement, Variant};
use crate::{run, say};

/// Two run lengths: what starting costs is in both.
const SHORT: u32 = 200;
const LONG: u32 = 1_200;

/// What was counted.
#[derive(Debug, Serialize)]
pub(super) struct Instructions {
    pub(super) per_request: f64,
    /// Up to the first answer, about.
    pub(super) of_start: f64,
}

/// Counting slows the instance down fifty times: on a busy machine its reads run out of time, and it denies.
const ATTEMPTS: usize = 3;

/// `None` without valgrind, or if it did not work: the other figures are not lost for that.
pub(super) fn count(harness: &Harness, ours: &Variant) -> Option<Instructions> {
    if !run::works(Command::new("valgrind").arg("--version")) {
        say::step("no valgrind: instructions are not counted");
        return None;
    }
    say::step("counting instructions");
    for _ in 0..ATTEMPTS {
        match both(harness, ours) {
            Ok(instructions) => return Some(instructions),
            Err(error) => say::step(format_args!("instructions could not be counted: {error:#}")),
        }
    }
    None
}

fn both(harness: &Harness, ours: &Variant) -> Result<Instructions> {
    let (short, long) = (of(harness, ours, SHORT)?, of(harness, ours, LONG)?);
    let per_request = (long - short) / f64::from(LONG - SHORT);
    Ok(Instructions { per_request, of_start: short - per_request * f64::from(SHORT) })
}

fn of(harness: &Harness, ours: &Variant, requests: u32) -> Result<f64> {
    let file = harness.dir.join(format!("callgrind.{requests}"));
    let mut variant = ours.clone();
    let valgrind =
        ["/usr/bin/env".to_owned(), "valgrind".to_owned(), "--tool=callgrind".to_owned(), "--quiet".to_owned()];
    variant.command = valgrind
        .into_iter()
        .chain([format!("--callgrind-out-file={}", file.display())])
        .chain(ours.command.clone())
        .collect();
    let _: Value = harness.measure(TLS, Placement::Apart, &[variant], &json!({ "fixed": { "requests": requests } }))?;
    let text = fs::read_to_string(&file).with_context(|| format!("callgrind wrote no {}", file.display()))?;
    total(&text).context("callgrind wrote no total")
}

/// Reads `totals: 123` or `summary: 123`.
fn total(text: &str) -> Option<f64> {
    let named = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    named("totals:").or_else(|| named("summary:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_callgrinds_total() {
        assert_eq!(total("events: Ir\nsummary: 5\nfn=(1)\ntotals: 7\n"), Some(7.0));
        assert_eq!(total("events: Ir\n"), None);
    }
}
