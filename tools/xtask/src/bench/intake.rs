//! The intakes without network: `functions/intake-siem/examples/bench_intake.rs` and `functions/intake-scim/examples/bench_list.rs`.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::handler::Summary;
use crate::repo::Repo;
use crate::{run, say};

/// Everything measured.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    /// By the size of the body, and what was timed.
    pub(super) alerts: BTreeMap<String, BTreeMap<String, Summary>>,
    pub(super) lists: Lists,
}

/// Listing a pool.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Lists {
    /// How many are in the pool.
    pub(super) users: u64,
    /// By what was asked.
    #[serde(rename = "lists")]
    pub(super) by_question: BTreeMap<String, List>,
    /// What the lists needed beyond the pool itself.
    pub(super) more_kib: u64,
}

/// One list; times in milliseconds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct List {
    pub(super) total: u64,
    pub(super) min_ms: f64,
    pub(super) p50_ms: f64,
    pub(super) max_ms: f64,
}

pub(super) fn measure(repo: &Repo) -> Result<Figures> {
    say::step("timing the intakes");
    let alerts = example(repo, "intake-siem", "bench_intake")?;
    let lists = example(repo, "intake-scim", "bench_list")?;
    let unread = "the bench printed something else";
    Ok(Figures {
        alerts: serde_json::from_str(&alerts).context(unread)?,
        lists: serde_json::from_str(&lists).context(unread)?,
    })
}

fn example(repo: &Repo, package: &str, name: &str) -> Result<String> {
    let mut cargo = run::cargo(repo);
    cargo.args(["build", "--release", "--package", package, "--example", name]);
    run::run(&mut cargo).context("the bench does not build; the compiler's errors are above")?;
    run::capture(&mut Command::new(repo.built("release", &format!("examples/{name}"))))
}
