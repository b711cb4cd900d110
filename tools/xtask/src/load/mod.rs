//! `load`: many revocations at once on the local cloud: what is lost, done twice or late, and what the limit was.

mod bus;
mod callers;
mod tally;
mod view;
mod watch;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use revocation_core::domain::incident::Stage;
use revocation_core::domain::profile::SubjectKey;
use revocation_probe::{NewUser, Probe, Tokens};
use serde::Serialize;

use crate::functions::Profile;
use crate::local_cloud::{LocalCloud, StartOptions};
use crate::repo::Repo;
use crate::say;
use bus::Sent;
use tally::Tally;
use watch::{Usage, Watch};

/// Made at the same time.
const AT_ONCE: usize = 16;
/// A burst is given this long to be worked off: a machine that does other things besides manages some five a second.
const DRAINED_WITHIN: Duration = Duration::from_mins(45);
/// How long the emulator is left alone after it did not answer in time.
const AFTER_NO_ANSWER: Duration = Duration::from_secs(5);
/// Threads that call the API without a pause while it is saturated.
const CALLERS: usize = 4;
/// Counted, and never reached: the quota's file makes the emulator count calls to Cognito.
const NO_QUOTA: u32 = 1_000_000;

/// Put the local cloud under load: an offboarding day, credential stuffing, a steady stream, and a saturated API, and count what
/// was lost, done twice, paged and late. Loopback only, bounded in count and time. docs/SCALE.md.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line are independent of each other")]
pub(crate) struct Args {
    /// Revocations at once.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    events: u32,
    /// Accounts with signs of compromise at once; 0 leaves the phase out.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(0..=20_000))]
    stuffing: u32,
    /// Revocations a second, steadily.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    rate: u32,
    /// For so many seconds; 0 leaves the phase out.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(0..=600))]
    seconds: u32,
    /// Enforce Cognito's `UserUpdate` quota (25 on AWS) in the first phase, requests a second.
    #[arg(long)]
    quota: Option<u32>,
    /// A minute instead of many: 200 revocations, 50 accounts, 10/s for 10 seconds.
    #[arg(long)]
    quick: bool,
    /// Functions as they go to AWS, which takes minutes to build.
    #[arg(long)]
    release: bool,
    /// Functions as the last build left them.
    #[arg(long, conflicts_with = "release")]
    as_built: bool,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

/// What one phase came to.
#[derive(Debug, Serialize)]
struct Phase {
    name: String,
    #[serde(flatten)]
    tally: Tally,
    /// From the first `PutEvents` to quiet queues, seconds.
    took_s: f64,
    /// From the last `PutEvents` to quiet queues, seconds.
    drained_s: f64,
    /// Calls of Cognito's category `UserUpdate`, and how many there should be.
    calls: Option<(u64, u64)>,
    /// Pages sent for incidents that began.
    pages: Option<usize>,
    /// Requests to the API meanwhile.
    api: Option<callers::Calls>,
    usage: Usage,
}

/// Everything measured.
#[derive(Debug, Serialize)]
struct Figures {
    accounts_made_per_s: f64,
    phases: Vec<Phase>,
}

struct Load<'a> {
    probe: &'a Probe,
    args: Args,
    dir: PathBuf,
    server: u32,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let args = if args.quick { quick(args) } else { copy(args) };
    let repo = Repo::find()?;
    let profile = if args.release { Profile::Release } else { Profile::Dev };
    let build = (!args.as_built).then_some(profile);
    let options = StartOptions { build, ..StartOptions::for_command(&repo, "load") };
    let cloud = LocalCloud::start(&repo, &options)?;
    let probe = Probe::read(cloud.facts_file())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no async runtime")?;
    let json = args.json;
    let load = Load { probe: &probe, args, dir: cloud.dir(&repo), server: cloud.facts.pid };
    let figures = runtime.block_on(load.measure())?;
    if json {
        say::line(serde_json::to_string_pretty(&figures)?);
    } else {
        view::print(&figures);
    }
    let wrong = figures.phases.iter().map(|phase| phase.tally.lost + phase.tally.twice).sum::<usize>();
    ensure!(wrong == 0, "{wrong} revocations were lost or done twice");
    ensure!(figures.phases.iter().all(|phase| phase.pages.is_none_or(|pages| pages == 1)), "not exactly one page");
    let served_wrongly: u64 = figures.phases.iter().filter_map(|phase| phase.api.as_ref()).map(|api| api.wrong).sum();
    ensure!(served_wrongly == 0, "{served_wrongly} answers of the API were wrong");
    Ok(())
}

fn copy(args: &Args) -> Args {
    Args { quota: args.quota, ..*args }
}

fn quick(args: &Args) -> Args {
    Args { events: 200, stuffing: 50, rate: 10, seconds: 10, ..copy(args) }
}

// === impl Load ===

impl Load<'_> {
    async fn measure(&self) -> Result<Figures> {
        let start = Instant::now();
        let leavers = self.accounts("leaver", self.args.events).await?;
        let victims = self.accounts("victim", self.args.stuffing).await?;
        let made = f64::from(self.args.events + self.args.stuffing);
        let accounts_made_per_s = made / start.elapsed().as_secs_f64();
        let mut phases = vec![self.offboarding_day(&leavers).await?];
        if !victims.is_empty() {
            phases.push(self.credential_stuffing(&victims).await?);
        }
        if self.args.seconds > 0 {
            phases.push(self.steady("a steady stream", &leavers, None).await?);
            let sessions = self.sessions().await?;
            phases.push(self.steady("… while the API is saturated", &leavers, Some(sessions)).await?);
        }
        Ok(Figures { accounts_made_per_s, phases })
    }

    async fn accounts(&self, kind: &str, count: u32) -> Result<Vec<SubjectKey>> {
        let bar = say::progress("accounts", u64::from(count));
        let make = |n: u32| async move { self.probe.add_account(&format!("{kind}-{n:05}")).await };
        let accounts = stream::iter(0..count).map(make).buffered(AT_ONCE).inspect(|_| bar.inc(1)).try_collect().await;
        bar.finish_and_clear();
        accounts
    }

    async fn sessions(&self) -> Result<Vec<Tokens>> {
        let mut sessions = Vec::new();
        for n in 0..CALLERS {
            let name = format!("caller-{n}");
            let user = self.probe.add_user(&NewUser { name: &name, ..NewUser::default() }).await?;
            let session = self.probe.sign_in(&user).await?;
            sessions.push(session.map_err(|code| anyhow::anyhow!("cannot sign in: {code}"))?);
        }
        Ok(sessions)
    }

    /// All at once: each is disabled and signed out.
    async fn offboarding_day(&self, leavers: &[SubjectKey]) -> Result<Phase> {
        say::step(format_args!("{} revocations at once", leavers.len()));
        self.count_calls(self.args.quota.unwrap_or(NO_QUOTA))?;
        let watch = Watch::start(self.server, &self.dir);
        let start = Instant::now();
        let sent = bus::burst(self.probe, "offboarding", "offboarding-day", leavers).await?;
        let mut phase = self.end(format!("{} at once", leavers.len()), &sent, start, watch).await?;
        phase.calls = Some((self.calls()?, 2 * leavers.len() as u64));
        Ok(phase)
    }

    /// All at once: each counts as a sign of compromise. One incident, one page.
    async fn credential_stuffing(&self, victims: &[SubjectKey]) -> Result<Phase> {
        say::step(format_args!("{} accounts with a sign of compromise at once", victims.len()));
        let inbox = self.probe.page_inbox("load-pages").await?;
        let watch = Watch::start(self.server, &self.dir);
        let start = Instant::now();
        let sent = bus::burst(self.probe, "compromise", "stuffing", victims).await?;
        let mut phase = self.end(format!("{} compromised at once", victims.len()), &sent, start, watch).await?;
        let mut pages = 0;
        loop {
            let taken = self.probe.take_pages(&inbox).await?;
            if taken.is_empty() {
                break;
            }
            pages += taken.iter().filter(|page| page.stage == Stage::Triggered).count();
        }
        phase.pages = Some(pages);
        Ok(phase)
    }

    /// So many a second; with `sessions`, while those call the API without a pause.
    async fn steady(&self, name: &str, subjects: &[SubjectKey], sessions: Option<Vec<Tokens>>) -> Result<Phase> {
        let Args { rate, seconds, .. } = self.args;
        say::step(format_args!("{rate} revocations a second for {seconds} s: {name}"));
        self.count_calls(NO_QUOTA)?;
        let batch = if sessions.is_some() { "saturated" } else { "steady" };
        let callers = sessions.map(|sessions| callers::start(self.probe, sessions));
        let watch = Watch::start(self.server, &self.dir);
        let start = Instant::now();
        let sent = bus::steadily(self.probe, batch, subjects, rate, seconds).await?;
        let mut phase = self.end(format!("{rate}/s for {seconds} s: {name}"), &sent, start, watch).await?;
        phase.calls = Some((self.calls()?, sent.len() as u64));
        phase.api = callers.map(callers::Callers::stop);
        Ok(phase)
    }

    async fn end(&self, name: String, sent: &Sent, start: Instant, watch: Watch) -> Result<Phase> {
        let last = Instant::now();
        self.drained().await?;
        let (took, drained) = (start.elapsed(), last.elapsed());
        let usage = watch.stop(took);
        let tally = tally::of(self.probe, sent).await?;
        let (took_s, drained_s) = (took.as_secs_f64(), drained.as_secs_f64());
        let [enforced, ..] = tally.enforced_ms;
        // Told at once: what follows may fail, and this took its time.
        say::step(format_args!(
            "{} sent, {} lost, {} twice; enforced {enforced} ms at the median; drained after {drained_s:.0} s",
            tally.sent, tally.lost, tally.twice
        ));
        Ok(Phase { name, tally, took_s, drained_s, calls: None, pages: None, api: None, usage })
    }

    /// Waits for quiet queues. That the emulator is too busy to answer is what is measured here, and ends nothing.
    async fn drained(&self) -> Result<()> {
        let end = Instant::now() + DRAINED_WITHIN;
        loop {
            match self.probe.settled(end.saturating_duration_since(Instant::now())).await {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() >= end => return Err(error),
                Err(error) => say::step(format_args!("{error:#}; looking again")),
            }
            tokio::time::sleep(AFTER_NO_ANSWER).await;
        }
    }

    fn count_calls(&self, quota: u32) -> Result<()> {
        // The emulator begins anew when the file is newer than its last call.
        fs::write(self.dir.join("user-update-limit"), quota.to_string()).context("cannot set the quota")
    }

    fn calls(&self) -> Result<u64> {
        let read = fs::read(self.dir.join("user-update-calls.json")).context("the quota counted nothing")?;
        let counts: serde_json::Value = serde_json::from_slice(&read).context("the quota's counts")?;
        counts.get("calls").and_then(serde_json::Value::as_u64).context("no calls were counted")
    }
}
