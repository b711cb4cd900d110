//! `faults`: the real functions on the local cloud, with a proxy in between that makes their calls fail.

mod authorizer;
mod bulk;
mod case;
mod delivery;
mod page;
mod plan;
mod report;
mod revocation;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use fault_proxy::{FaultProxy, Seen};
use futures_util::{StreamExt as _, stream};
use indicatif::ProgressBar;
use revocation_probe::Probe;

use self::case::{Case, Story, Told};
use self::delivery::Delivery;
use self::report::Run;
use self::world::World;
use crate::functions::Profile;
use crate::local_cloud::{LocalCloud, StartOptions};
use crate::repo::Repo;
use crate::run::Tally;
use crate::say;

/// Make every call of every function fail, in every way, on the local cloud, and see from outside what becomes of it: whether the token
/// is refused, whether everything is recorded and told once. docs/FAULTS.md has the method and a table.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line are independent of each other")]
pub(crate) struct Args {
    /// Only cases whose name contains this.
    #[arg(long)]
    filter: Option<String>,
    /// List the cases instead of playing them. It takes the time of a revocation of each kind: what there is to fail is seen
    /// from what is called.
    #[arg(long)]
    list: bool,
    /// Also print the calls of each story that goes well, in order.
    #[arg(long)]
    calls: bool,
    /// A few cases of each kind.
    #[arg(long)]
    short: bool,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Deploy what was built last instead of building.
    #[arg(long)]
    no_build: bool,
}

/// How often a case is played whose fault is not met.
const PLAYS: usize = 3;
/// For a page that is on its way when the last case ends.
const LATE_PAGES: Duration = Duration::from_secs(2);

/// The functions whose calls go through the proxy, and their logical ids in the template.
const FUNCTIONS: [(&str, &str); 8] = [
    ("revoke", "RevokeFunction"),
    ("notify", "NotifyFunction"),
    ("compromise-counter", "CompromiseCounterFunction"),
    ("authorizer", "AuthorizerFunction"),
    ("intake-siem", "IntakeSiemFunction"),
    ("intake-scim", "IntakeScimFunction"),
    ("intake-partner", "IntakePartnerFunction"),
    ("bulk", "BulkFunction"),
];

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let Some(run) = play_on_a_cloud(&Repo::find()?, args)? else { return Ok(()) };
    if args.json {
        say::line(serde_json::to_string_pretty(&run)?);
    } else {
        run.print();
    }
    ensure!(run.is_well(), "not all cases are well; `--filter NAME` plays fewer");
    Ok(())
}

/// The short form as a part of `cargo xtask test`, with the functions that were built for the tests before.
pub(crate) fn test(repo: &Repo) -> Result<(bool, Tally)> {
    let args = Args { filter: None, list: false, calls: false, short: true, json: false, no_build: true };
    let run = play_on_a_cloud(repo, &args)?.context("nothing was played")?;
    run.print();
    Ok((run.is_well(), run.tests()))
}

/// `None` if the cases were only to be listed.
fn play_on_a_cloud(repo: &Repo, args: &Args) -> Result<Option<Run>> {
    // The process that makes a call is found by its socket.
    ensure!(cfg!(target_os = "linux"), "`cargo xtask faults` needs Linux: it finds the processes it kills in /proc");
    let build = (!args.no_build).then_some(Profile::Dev);
    let cloud = LocalCloud::start(repo, &StartOptions { build, ..StartOptions::for_command(repo, "faults") })?;
    let functions = FUNCTIONS.map(|(function, _)| function);
    let proxy = FaultProxy::start(&functions, &cloud.facts.endpoint, Some(cloud.facts.pid))?;
    let route = |(function, logical): &(&str, &str)| Some(((*logical).to_owned(), proxy.endpoint(function)?));
    cloud.reroute(repo, &FUNCTIONS.iter().filter_map(route).collect())?;
    let probe = Probe::read(cloud.facts_file())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no async runtime")?;
    runtime.block_on(play_all(args, probe, proxy))
}

async fn play_all(args: &Args, probe: Probe, proxy: FaultProxy) -> Result<Option<Run>> {
    let world = Arc::new(World::new(probe, proxy).await?);
    let keeping = world.clone();
    let keeper = tokio::spawn(async move { keeping.keep().await });
    say::step("seeing what is called when all goes well");
    let mut cases = Box::pin(plan::plan(&world, args.calls)).await?;
    if args.short {
        cases = plan::shorten(cases);
    }
    if let Some(filter) = &args.filter {
        cases.retain(|case| case.name.contains(filter.as_str()));
    }
    if args.list {
        for case in &cases {
            say::line(&case.name);
        }
        return Ok(None);
    }
    ensure!(!cases.is_empty(), "no case's name contains that; `--list` lists them");
    let start = Instant::now();
    let bar = say::progress("cases", u64::try_from(cases.len()).unwrap_or(u64::MAX));
    // Everybody has the same Cognito: its clock is off when nobody else is at work.
    let (off, on): (Vec<_>, Vec<_>) = cases.into_iter().partition(|case| case.story.has_the_clock());
    let mut told = play_stories(&world, on, &bar).await;
    told.extend(play_stories(&world, off, &bar).await);
    bar.finish_and_clear();
    // A page that comes late is a page.
    tokio::time::sleep(LATE_PAGES).await;
    world.look().await?;
    keeper.abort();
    for told in &mut told {
        page::look_for_doubles(&world, told);
    }
    told.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Some(Run::new(told, world.pages_of_the_run(), start.elapsed().as_secs())))
}

/// How many cases of a story are played at once.
fn at_once(story: Story) -> usize {
    match story {
        Story::Revoke => 8,
        Story::Page => 4,
        Story::Authorizer => 2,
        // Their bodies name nobody the proxy would know, or everybody has the same clock.
        Story::Siem | Story::Scim | Story::Bulk | Story::Delivery(Delivery::Clock(_)) => 1,
        Story::Notify | Story::Delivery(_) => 6,
    }
}

/// The stories side by side.
async fn play_stories(world: &Arc<World>, cases: Vec<Case>, bar: &ProgressBar) -> Vec<Told> {
    let mut stories: BTreeMap<usize, (usize, Vec<Case>)> = BTreeMap::new();
    for case in cases {
        let lane = match case.story {
            Story::Revoke => 0,
            Story::Notify => 1,
            Story::Siem | Story::Scim => 2,
            Story::Page => 3,
            Story::Authorizer => 4,
            Story::Bulk => 5,
            Story::Delivery(_) => 6,
        };
        stories.entry(lane).or_insert_with(|| (at_once(case.story), Vec::new())).1.push(case);
    }
    let lanes = stories.into_values().map(|(at_once, cases)| {
        stream::iter(cases)
            .map(|case| async move { told(world, &case).await })
            .buffer_unordered(at_once)
            .inspect(|told| {
                bar.inc(1);
                if !told.problems.is_empty() {
                    bar.suspend(|| say::step(format_args!("{}: {:?}", told.name, told.problems)));
                }
            })
            .collect::<Vec<Told>>()
    });
    futures_util::future::join_all(lanes).await.into_iter().flatten().collect()
}

/// Plays a case; where its fault was never met, again: of what the pipeline has once (the incident log), another invocation may
/// have taken the step. A case that cannot be played is not well.
async fn told(world: &Arc<World>, case: &Case) -> Told {
    let mut told = Told::default();
    for _ in 0..PLAYS {
        told = match play(world, case).await {
            Ok((told, _)) => told,
            Err(error) => {
                let mut told = Told { name: case.name.clone(), ..Told::default() };
                told.other(format!("{error:#}"));
                told
            }
        };
        if !told.was_not_met() {
            break;
        }
    }
    told
}

async fn play(world: &Arc<World>, case: &Case) -> Result<(Told, Vec<Seen>)> {
    match case.story {
        Story::Revoke | Story::Notify | Story::Siem | Story::Scim => revocation::play(world, case).await,
        Story::Page => page::play(world, case).await,
        Story::Authorizer => authorizer::play(world, case).await,
        Story::Bulk => bulk::play(world, case).await,
        Story::Delivery(delivery) => delivery::play(world, case, delivery).await,
    }
}
