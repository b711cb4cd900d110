//! The authorizer's handler without network: `functions/authorizer/examples/bench_handler.rs`, several rounds.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::repo::Repo;
use crate::{run, say};

const ROUNDS: usize = 3;

/// One round of one measurement; times in microseconds.
#[derive(Debug, Serialize)]
pub(super) struct Round {
    pub(super) name: String,
    pub(super) min_us: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

/// What the example prints.
#[derive(Deserialize)]
pub(super) struct Printed {
    pub(super) verify: Summary,
    handler: Summary,
}

/// What an example prints of one measurement.
#[derive(Debug, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names the bench prints, units included")]
pub(super) struct Summary {
    pub(super) min_us: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

pub(super) fn measure(repo: &Repo) -> Result<Vec<Round>> {
    say::step("timing the authorizer");
    let mut cargo = run::cargo(repo);
    cargo.args(["build", "--release", "--package", "authorizer", "--example", "bench_handler"]);
    run::run(&mut cargo).context("the bench does not build; the compiler's errors are above")?;
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        let text = run::capture(&mut Command::new(repo.built("release", "examples/bench_handler")))?;
        let printed: Printed = serde_json::from_str(&text).context("the bench printed something else")?;
        for (name, summary) in [("verify alone", printed.verify), ("whole handler", printed.handler)] {
            let Summary { min_us, p50_us, p99_us } = summary;
            rounds.push(Round { name: format!("{name}, round {round}"), min_us, p50_us, p99_us });
        }
    }
    rounds.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rounds)
}
