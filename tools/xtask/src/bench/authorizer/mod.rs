//! `bench authorizer`: our authorizer and the same one in Node, as whole processes, side by side in one run.
//!
//! `tools/bench-harness` plays the Lambda Runtime API and DynamoDB to both. What differs between two runs is what else the
//! machine did: ratios count, and instructions.

mod cost;
mod instructions;
mod node;
mod plan;
mod report;
mod targets;

use std::fs;
use std::process::Command;
use std::thread;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde_json::json;

use self::cost::Cost;
use self::instructions::Instructions;
use self::plan::{Cold, Harness, NODE, OURS, Placement, StoreKind, Throttled, Throughput, Warm};
use self::targets::Target;
use crate::repo::Repo;
use crate::{run, say};

/// The quota of a function of 128 MB, in the scheduler's usual periods.
const PERIOD_US: u64 = 100_000;
const SHARE: u64 = 14;

const TLS: StoreKind = StoreKind { tls: true, delay_us: 0 };

/// Measure our authorizer and the same one in Node side by side: warm, cold, throttled, many at once. Needs Linux and
/// Node.js 20.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A fifth of the invocations and starts: for a look, not for a figure to quote.
    #[arg(long)]
    quick: bool,
    /// Warm invocations with the harness on a core of its own: closer to a server at work, and much noisier.
    #[arg(long)]
    two_cores: bool,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

/// Everything measured.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    machine: Machine,
    /// Of Node, and of the runtime client it runs in.
    peer: String,
    quick: bool,
    /// Of the harness, during warm invocations.
    placement: Placement,
    /// Over TLS, answered at once.
    warm: Vec<Warm>,
    /// Over TLS, a millisecond later, and without TLS.
    warm_1ms: Vec<Warm>,
    warm_plain: Vec<Warm>,
    cold: Vec<Cold>,
    /// First invocations with 1/14 of a core.
    throttled: Vec<Throttled>,
    throughput: Vec<Throughput>,
    /// Verification of a token alone: the best median of three rounds.
    verify_us: Option<f64>,
    /// Without valgrind there are none.
    instructions: Option<Instructions>,
    binary_bytes: u64,
    node_bundle_bytes: u64,
    targets: Vec<Target>,
    costs: Vec<Cost>,
}

#[derive(Debug, Serialize)]
struct Machine {
    cpu: String,
    cores: usize,
    /// Runnable processes while the bench began, averaged over a minute: others' work.
    load: String,
}

/// How much of everything.
struct Amounts {
    measured: usize,
    block: usize,
    node_warm_ups: usize,
    our_warm_ups: usize,
    starts: usize,
    throttled_starts: usize,
    rounds: usize,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("only Linux tells what is measured here: run it in a Linux machine or container");
    }
    let figures = measure(&Repo::find()?, args)?;
    if args.json {
        say::line(serde_json::to_string_pretty(&figures)?);
    } else {
        report::print(&figures);
    }
    Ok(())
}

fn measure(repo: &Repo, args: &Args) -> Result<Figures> {
    let amounts = Amounts::new(args.quick);
    let placement = if args.two_cores { Placement::Apart } else { Placement::Together };
    let machine = Machine::look();
    let peer = node::prepare(repo)?;
    let harness = prepare(repo, machine.cores)?;
    let binary = repo.built("release", "authorizer");
    let binary_bytes = fs::metadata(&binary).context("the authorizer is missing")?.len();

    let ours = harness.case.ours(&binary, amounts.our_warm_ups);
    let node = harness.case.node(&peer, amounts.node_warm_ups);
    let pair = [ours.clone(), node.clone()];
    let warm_work = json!({ "warm": { "measured": amounts.measured, "block": amounts.block } });
    let warm = |name: &str, store: StoreKind, variants: &[plan::Variant]| {
        say::step(format_args!("warm invocations, {name}"));
        harness.measure::<Vec<Warm>>(store, placement, variants, &warm_work)
    };
    let remembering = harness.case.ours_remembering(&binary, amounts.our_warm_ups);
    let with_floor = [ours.clone(), remembering, node.clone(), harness.nothing()];
    let over_tls = warm("store over TLS, 0 ms", TLS, &with_floor)?;
    same_answers(&over_tls)?;
    let warm_1ms = warm("store over TLS, 1 ms", StoreKind { delay_us: 1_000, ..TLS }, &pair)?;
    let warm_plain = warm("store without TLS, 0 ms", StoreKind { tls: false, ..TLS }, &pair)?;

    let starts = [ours.clone(), node.clone(), harness.case.node_connected(&peer)];
    say::step(format_args!("{} cold starts of each", amounts.starts));
    let cold = harness.measure(TLS, Placement::Apart, &starts, &json!({ "cold": { "runs": amounts.starts } }))?;
    say::step(format_args!("{} first invocations of each with 1/{SHARE} of a core", amounts.throttled_starts));
    let quota = json!({ "runs": amounts.throttled_starts, "period_us": PERIOD_US, "quota_us": PERIOD_US / SHARE });
    let throttled = harness.measure(TLS, Placement::Apart, &starts, &json!({ "throttled": quota }))?;
    say::step("throughput, an instance on each of two cores");
    let work = json!({ "throughput": { "measured": amounts.measured / 5, "rounds": amounts.rounds } });
    let throughput = harness.throughput(TLS, &pair, &work)?;
    let verify_us = verify_alone(repo, &harness)?;
    let instructions = instructions::count(&harness, &ours);

    let costs = over_tls.iter().filter(|warm| [OURS, NODE].contains(&&*warm.name));
    let costs = costs.filter_map(|warm| Some(cost::of(&warm.name, warm.cpu_us?))).flatten().collect();
    let mut figures = Figures {
        machine,
        peer: peer.description,
        quick: args.quick,
        placement,
        warm: over_tls,
        warm_1ms,
        warm_plain,
        cold,
        throttled,
        throughput,
        verify_us,
        instructions,
        binary_bytes,
        node_bundle_bytes: peer.bytes,
        targets: Vec::new(),
        costs,
    };
    figures.targets = targets::of(&figures);
    Ok(figures)
}

/// Builds what is measured as it goes to AWS, and what measures.
fn prepare(repo: &Repo, cores: usize) -> Result<Harness> {
    // The authorizer by itself: together with the example it would get the features that the example asks for.
    let builds = [
        ("the authorizer", ["--release", "--package=authorizer", "--bin=authorizer"]),
        ("the bench of its parts", ["--release", "--package=authorizer", "--example=bench_handler"]),
        ("the harness", ["--profile=bench-tools", "--package=bench-harness", "--bin=bench-harness"]),
    ];
    for (what, arguments) in builds {
        say::step(format_args!("building {what}"));
        run::run(run::cargo(repo).arg("build").args(arguments))
            .with_context(|| format!("{what} does not build; the compiler's errors are above"))?;
    }
    let dir = repo.target("bench/files");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let case = run::capture(Command::new(repo.built("release", "examples/bench_handler")).arg("case"))?;
    let case = serde_json::from_str(&case).context("the example printed no case")?;
    Ok(Harness { binary: repo.built("bench-tools", "bench-harness"), dir, case, cores })
}

/// A comparison of two programs that do different things would be none.
fn same_answers(warm: &[Warm]) -> Result<()> {
    let answer = |name: &str| warm.iter().find(|warm| warm.name == name).and_then(|warm| warm.answer.as_ref());
    if answer(OURS).is_none() || answer(OURS) != answer(NODE) {
        bail!("ours and the peer answer differently:\n{:?}\n{:?}", answer(OURS), answer(NODE));
    }
    Ok(())
}

/// The best of some rounds: the floor is what it takes when nothing disturbs.
fn verify_alone(repo: &Repo, harness: &Harness) -> Result<Option<f64>> {
    say::step("verification alone");
    let mut best = None;
    for _ in 0..3 {
        let example = repo.built("release", "examples/bench_handler");
        let mut pinned = Command::new("taskset");
        pinned.arg("-c").arg(harness.instance_core().to_string()).arg(&example);
        let text = if run::works(Command::new("taskset").arg("--version")) {
            run::capture(&mut pinned)?
        } else {
            run::capture(&mut Command::new(&example))?
        };
        let printed: super::handler::Printed =
            serde_json::from_str(&text).context("the bench printed something else")?;
        best = Some(best.map_or(printed.verify.p50_us, |best: f64| best.min(printed.verify.p50_us)));
    }
    Ok(best)
}

// === impl Amounts ===

impl Amounts {
    fn new(quick: bool) -> Self {
        if quick {
            return Self {
                measured: 1_000,
                block: 125,
                node_warm_ups: 500,
                our_warm_ups: 200,
                starts: 5,
                throttled_starts: 3,
                rounds: 3,
            };
        }
        // performance.md: Node gets 1,000 warm-ups before 5,000 are measured; cold starts are the median of 20.
        Self {
            measured: 5_000,
            block: 250,
            node_warm_ups: 1_000,
            our_warm_ups: 250,
            starts: 20,
            throttled_starts: 9,
            rounds: 5,
        }
    }
}

// === impl Machine ===

impl Machine {
    fn look() -> Self {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            cpu: cpu.map_or("unknown", |(_, name)| name).to_owned(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
        }
    }
}

// === impl Figures ===

impl Figures {
    fn warm(&self, name: &str) -> Option<&Warm> {
        self.warm.iter().find(|warm| warm.name == name)
    }

    fn cold(&self, name: &str) -> Option<&Cold> {
        self.cold.iter().find(|cold| cold.name == name)
    }

    fn throttled(&self, name: &str) -> Option<&Throttled> {
        self.throttled.iter().find(|throttled| throttled.name == name)
    }

    fn throughput(&self, name: &str) -> Option<&Throughput> {
        self.throughput.iter().find(|throughput| throughput.name == name)
    }
}
