//! Command line, the plan and what follows from it.

mod certificates;
mod figures;
mod http;
mod instance;
mod measure;
mod runtime_api;
mod store;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::thread::{CpuSet, sched_setaffinity};
use serde::Deserialize;

use crate::harness::instance::Variant;
use crate::harness::measure::Stage;
use crate::harness::store::{Contents, Store};

/// What to measure.
#[derive(Debug, Deserialize)]
struct Plan {
    /// The event of every invocation.
    event: String,
    /// The store's one key, and its answer to it.
    subject: String,
    found: String,
    /// How long a read takes.
    delay_us: u64,
    /// Whether the store is reached over TLS.
    tls: bool,
    /// For logs of the instances and certificates.
    dir: PathBuf,
    /// Where this process runs; without one, wherever there is room.
    harness_core: Option<usize>,
    /// Where instances run.
    cores: Vec<usize>,
    variants: Vec<Variant>,
    work: Work,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Work {
    /// Warm invocations: so many of each variant, in blocks.
    Warm { measured: usize, block: usize },
    /// Starts of each variant.
    Cold { runs: usize },
    /// First invocations under a quota.
    Throttled { runs: usize, period_us: u64, quota_us: u64 },
    /// An instance on each core, with so many invocations in each round.
    Throughput { measured: usize, rounds: usize },
    /// Exactly so many invocations.
    Fixed { requests: usize },
}

/// Runs the command.
pub(crate) fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, address] = arguments.as_slice()
        && mode == "answer-nothing"
    {
        return runtime_api::answer_nothing(address);
    }
    let plan = serde_json::from_reader(io::stdin().lock()).context("no plan on standard input")?;
    let figures = run(plan)?;
    writeln!(io::stdout(), "{figures}").context("nobody listens")
}

fn run(plan: Plan) -> Result<serde_json::Value> {
    if let Some(core) = plan.harness_core {
        let mut only = CpuSet::new();
        only.set(core);
        // Before the first thread is made: all of them stay here.
        sched_setaffinity(None, &only).with_context(|| format!("cannot use core {core}"))?;
    }
    let certificates = certificates::make(&plan.dir)?;
    let delay = Duration::from_micros(plan.delay_us);
    let contents = Contents { subject: plan.subject.clone(), found: plan.found, delay };
    let store = Store::start(&certificates.server, contents)?;
    let mut variants = plan.variants;
    for value in variants.iter_mut().flat_map(|variant| variant.env.values_mut()) {
        *value = value
            .replace("{store}", &store.url(plan.tls))
            .replace("{authority}", &certificates.authority.display().to_string())
            .replace("{roots}", &certificates.roots.display().to_string());
    }
    let stage = Stage {
        event: &plan.event,
        subject: &plan.subject,
        store: &store,
        tls: plan.tls.then_some(&certificates.client),
        variants: &variants,
        cores: &plan.cores,
        dir: &plan.dir,
    };
    let micros = Duration::from_micros;
    Ok(match plan.work {
        Work::Warm { measured, block } => serde_json::to_value(stage.warm(measured, block)?)?,
        Work::Cold { runs } => serde_json::to_value(stage.cold(runs)?)?,
        Work::Throttled { runs, period_us, quota_us } => {
            serde_json::to_value(stage.throttled(runs, micros(period_us), micros(quota_us))?)?
        }
        Work::Throughput { measured, rounds } => serde_json::to_value(stage.throughput(measured, rounds)?)?,
        Work::Fixed { requests } => serde_json::to_value(stage.fixed(requests)?)?,
    })
}
