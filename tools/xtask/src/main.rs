//! `cargo xtask`: everything a developer or CI does with this repository. Each command is one file in `commands/`.

mod bench;
mod browser;
mod cargo_tools;
mod commands;
mod demo;
mod faults;
mod functions;
mod load;
mod local_cloud;
mod node;
mod repo;
mod run;
mod say;
mod venv;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Developer commands of the session-revocation pipeline.
///
/// Needs Rust and Python 3.11 or later; everything else is set up under `target/`.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Up(commands::up::Args),
    Down(commands::down::Args),
    Demo(demo::Args),
    Test(commands::test::Args),
    Bench(bench::Args),
    Faults(faults::Args),
    Load(load::Args),
    Model(commands::model::Args),
    Fuzz(commands::fuzz::Args),
    Lint(commands::lint::Args),
    Mutants(commands::mutants::Args),
    Sbom(commands::sbom::Args),
    CheckSources(commands::check_sources::Args),
    Completions(commands::completions::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Up(args) => commands::up::run(&args),
        Command::Down(args) => commands::down::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => commands::test::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Faults(args) => faults::run(&args),
        Command::Load(args) => load::run(&args),
        Command::Model(args) => commands::model::run(&args),
        Command::Fuzz(args) => commands::fuzz::run(&args),
        Command::Lint(args) => commands::lint::run(&args),
        Command::Mutants(args) => commands::mutants::run(&args),
        Command::Sbom(args) => commands::sbom::run(&args),
        Command::CheckSources(args) => return commands::check_sources::run(&args),
        Command::Completions(args) => {
            commands::completions::run::<Cli>(&args);
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::error(&error);
            ExitCode::FAILURE
        }
    }
}
