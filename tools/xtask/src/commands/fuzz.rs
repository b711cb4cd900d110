//! `fuzz`: coverage-guided fuzzing of the parsers that read what comes from outside.
//!
//! libFuzzer on the stable compiler: the coverage instrumentation is a pass of LLVM's, which `-Cpasses` adds. What
//! `cargo fuzz` does beyond that, the address sanitizer, finds little in code without `unsafe`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::repo::Repo;
use crate::{run, say};

/// The flags of cargo-fuzz that a stable compiler takes.
const RUSTFLAGS: &str = "--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";
/// All targets together, in CI.
const SMOKE_SECONDS: u32 = 30;
/// An input that takes longer than this is a finding.
const SLOWEST_INPUT_SECONDS: u32 = 5;
const MOST_MEMORY_MB: u32 = 1_024;

/// Fuzz the parsers: tokens and key sets, requests and actions, partner events, webhook signatures, JMESPath mappings, role changes, SCIM,
/// the document of sources, lists of people, audit records and what the SIEM is told, dates.
///
/// Needs a C++ compiler. Inputs that crash a target are kept in fuzz/artifacts/<target>/.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Targets; all if none is named.
    targets: Vec<String>,
    /// How long each target runs.
    #[arg(long, default_value_t = 60, conflicts_with = "smoke")]
    seconds: u32,
    /// As CI does: 30 seconds for all of them together.
    #[arg(long)]
    smoke: bool,
    /// Name the targets and do nothing.
    #[arg(long)]
    list: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let repo = Repo::find()?;
    let all = targets(&repo)?;
    if args.list {
        all.iter().for_each(say::line);
        return Ok(());
    }
    if let Some(unknown) = args.targets.iter().find(|name| !all.contains(name)) {
        bail!("there is no target `{unknown}`; there are {}", all.join(", "));
    }
    let chosen = if args.targets.is_empty() { &all } else { &args.targets };
    let seconds = if args.smoke {
        SMOKE_SECONDS.div_ceil(u32::try_from(chosen.len()).unwrap_or(u32::MAX).max(1))
    } else {
        args.seconds
    };
    let profile = if args.smoke { "smoke" } else { "release" };
    build(&repo, profile)?;
    for target in chosen {
        fuzz(&repo, target, profile, seconds)?;
    }
    say::step(format_args!("{} targets, {seconds} s each: no finding", chosen.len()));
    Ok(())
}

fn targets(repo: &Repo) -> Result<Vec<String>> {
    let dir = repo.root().join("fuzz/targets");
    let entries = fs::read_dir(&dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let stems = entries.filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned));
    let mut names: Vec<String> = stems.collect();
    names.sort();
    Ok(names)
}

fn build(repo: &Repo, profile: &str) -> Result<()> {
    say::step("building the fuzz targets");
    let mut cargo = run::cargo(repo);
    cargo.current_dir(repo.root().join("fuzz")).env("RUSTFLAGS", RUSTFLAGS).env("CARGO_TARGET_DIR", built(repo));
    // A target triple keeps the flags from build scripts and procedural macros.
    cargo.args(["build", "--profile", profile, "--locked", "--target", &host()?]);
    run::run(&mut cargo).context("the fuzz targets do not build; libFuzzer needs a C++ compiler (apt install g++)")
}

/// The machine's own triple.
fn host() -> Result<String> {
    let said = run::capture(Command::new("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("`rustc -vV` names no host")
}

fn built(repo: &Repo) -> PathBuf {
    repo.target("fuzz")
}

fn fuzz(repo: &Repo, target: &str, profile: &str, seconds: u32) -> Result<()> {
    say::step(format_args!("fuzzing {target} for {seconds} s"));
    let found = repo.root().join("fuzz/artifacts").join(target);
    // What is found on the way stays under target/; what is worth keeping is moved to fuzz/corpus by hand.
    let working = built(repo).join("corpus").join(target);
    for dir in [&found, &working] {
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    }
    let mut command = Command::new(built(repo).join(host()?).join(profile).join(target));
    command
        .arg(&working)
        .arg(repo.root().join("fuzz/corpus").join(target))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={SLOWEST_INPUT_SECONDS}"))
        .arg(format!("-rss_limit_mb={MOST_MEMORY_MB}"))
        .args(["-print_final_stats=1", "-verbosity=0"]);
    run::run(&mut command).with_context(|| format!("{target} has a finding; its input is in {}", found.display()))
}
