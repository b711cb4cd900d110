//! `bench`: figures of this build, as it goes to AWS.

mod authorizer;
mod bulk;
mod end_to_end;
mod footprint;
mod handler;
mod intake;
mod lock_out;

use anyhow::{Context as _, Result};
use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use revocation_probe::Probe;
use serde::Serialize;

use crate::functions::Profile;
use crate::local_cloud::{LocalCloud, StartOptions};
use crate::repo::Repo;
use crate::say;

/// Measure the release build: the authorizer and the intakes without network, from event to refusal on the local cloud, and the
/// size and memory of each function. `bench authorizer` measures it side by side with the same one in Node, `bench bulk` the
/// revocation of a large group, `bench lock-out` that of a very large one across a crash.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Revocations timed from event to refusal.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    revocations: u16,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// Only the intakes without network, which needs no local cloud.
    #[arg(long)]
    intakes: bool,
}

#[derive(clap::Subcommand)]
enum What {
    Authorizer(authorizer::Args),
    Bulk(bulk::Args),
    LockOut(lock_out::Args),
}

/// Everything measured.
#[derive(Debug, Serialize)]
struct Figures {
    authorizer: Vec<handler::Round>,
    intakes: intake::Figures,
    end_to_end: end_to_end::Times,
    functions: Vec<footprint::Footprint>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.what {
        Some(What::Authorizer(args)) => return authorizer::run(args),
        Some(What::Bulk(args)) => return bulk::run(args),
        Some(What::LockOut(args)) => return lock_out::run(args),
        None => {}
    }
    let repo = Repo::find()?;
    if args.intakes {
        let figures = intake::measure(&repo)?;
        if args.json {
            say::line(serde_json::to_string_pretty(&figures)?);
        } else {
            print_intakes(&figures);
        }
        return Ok(());
    }
    let options = StartOptions { build: Some(Profile::Release), ..StartOptions::for_command(&repo, "bench") };
    let cloud = LocalCloud::start(&repo, &options)?;
    let probe = Probe::read(cloud.facts_file())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no async runtime")?;
    let end_to_end = runtime.block_on(end_to_end::measure(&probe, args.revocations))?;
    // Now, while the functions are warm.
    let functions = footprint::measure(&repo, &cloud)?;
    drop(cloud);
    let figures =
        Figures { authorizer: handler::measure(&repo)?, intakes: intake::measure(&repo)?, end_to_end, functions };
    if args.json {
        say::line(serde_json::to_string_pretty(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

fn print(figures: &Figures) {
    let mut table = table(["authorizer, no network (µs)", "min", "p50", "p99"]);
    for round in &figures.authorizer {
        table.add_row([round.name.clone(), us(round.min_us), us(round.p50_us), us(round.p99_us)]);
    }
    say::line(table);
    say::line("Rounds of the same build differ by what else the machine does: read their spread as the noise.\n");

    print_intakes(&figures.intakes);

    let times = &figures.end_to_end;
    let mut table = self::table(["local cloud, from PutEvents to … (ms)", "min", "median", "p99", "runs"]);
    for (name, spread) in [("first refused request", &times.refused), ("sealed and recorded", &times.sealed)] {
        let [min, median, p99] = [spread.min, spread.median, spread.p99].map(|ms| format!("{ms:.0}"));
        table.add_row([name.to_owned(), min, median, p99, spread.runs.to_string()]);
    }
    say::line(table);
    say::line("The emulator's own share is in it; it polls its queues. Never a figure of AWS.\n");

    let mut table = self::table(["function", "binary KiB", "RSS warm KiB", "of it own"]);
    for function in &figures.functions {
        let kib = |figure: Option<u64>| figure.map_or("-".to_owned(), |kib| kib.to_string());
        let (rss, own) = (kib(function.rss_kib), kib(function.own_kib));
        table.add_row([function.name.clone(), function.binary_kib.to_string(), rss, own]);
    }
    say::line(table);
}

fn print_intakes(figures: &intake::Figures) {
    let mut table = table(["an alert, no network (µs)", "min", "p50", "p99", "p50 / floor"]);
    for (size, measured) in &figures.alerts {
        let floor = measured.get("floor").map_or(f64::NAN, |floor| floor.p50_us);
        for (name, times) in measured {
            let ratio = format!("{:.2}", times.p50_us / floor);
            table.add_row([format!("{size}, {name}"), us(times.min_us), us(times.p50_us), us(times.p99_us), ratio]);
        }
    }
    say::line(table);
    say::line("The floor is one HMAC-SHA256 over the body and serde_json's own parser, in the same turns.\n");

    let lists = &figures.lists;
    let mut table = self::table(["SCIM list, no network (ms)", "found", "min", "median", "max"]);
    for (name, list) in &lists.by_question {
        let [min, median, max] = [list.min_ms, list.p50_ms, list.max_ms].map(|ms| format!("{ms:.1}"));
        table.add_row([name.clone(), list.total.to_string(), min, median, max]);
    }
    say::line(table);
    say::line(format_args!("{} users in memory; listing them took {} KiB more.\n", lists.users, lists.more_kib));
}

fn us(value: f64) -> String {
    format!("{value:.1}")
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(header);
    table
}
