//! `revocation-model`: explores the model and prints what was found. `cargo xtask model` runs it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks to the terminal")]

use std::process::ExitCode;

use clap::Parser;
use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use revocation_model::{Checked, Refuted};
use serde_json::json;

/// Check the protocol: every interleaving of the product's own code with everything that may happen beside it, within bounds;
/// then take away one part of it at a time, and show what breaks.
#[derive(Parser)]
#[command(name = "cargo xtask model", bin_name = "cargo xtask model")]
struct Args {
    /// Only these scenarios.
    names: Vec<String>,
    /// Larger bounds: minutes instead of seconds.
    #[arg(long)]
    full: bool,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let checked: Vec<Checked> = revocation_model::check(args.full, &args.names).inspect(progress).collect();
    let refuted: Vec<Refuted> = if args.names.is_empty() { revocation_model::refute().collect() } else { Vec::new() };
    if args.json {
        println!("{}", json!({"checked": checked, "refuted": refuted}));
    } else {
        print(&checked, &refuted);
    }
    let holds = checked.iter().all(|it| it.broken.is_empty() && it.not_met.is_empty());
    if holds && refuted.iter().all(|it| !it.trace.is_empty()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn progress(checked: &Checked) {
    eprintln!("» {}: {} states in {:.1} s", checked.name, checked.unique, checked.seconds);
}

fn print(checked: &[Checked], refuted: &[Refuted]) {
    let mut table = Table::new();
    let header = ["scenario", "states", "unique", "depth", "places in the code", "s", "properties held", "broken"];
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(header);
    for it in checked {
        let counts = [it.states, it.unique, it.depth, it.places].map(|count| count.to_string());
        let [states, unique, depth, places] = counts;
        let (held, broken) = (it.held.to_string(), (it.broken.len() + it.not_met.len()).to_string());
        table.add_row([it.name.to_owned(), states, unique, depth, places, format!("{:.1}", it.seconds), held, broken]);
    }
    println!("{table}");
    for it in checked {
        for (property, trace) in &it.broken {
            println!("\n{}: NOT TRUE: {property}\n  {}", it.name, trace.join("\n  "));
        }
        for property in &it.not_met {
            println!("\n{}: never met: {property}", it.name);
        }
    }
    for it in refuted {
        let found = if it.trace.is_empty() { "NO COUNTEREXAMPLE FOUND" } else { "counterexample" };
        println!("\n{} ({}): {found} to “{}”, {} states", it.about, it.scenario, it.property, it.unique);
        println!("  {}", it.trace.join("\n  "));
    }
}
