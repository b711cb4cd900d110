//! `bench lock-out`: how a very large group is locked out, in how much memory, and across a crash.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use revocation_core::domain::bulk::BulkJob;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_probe::{NewUser, Probe};
use serde::Serialize;
use serde_json::json;

use super::footprint;
use crate::functions::Profile;
use crate::local_cloud::{LocalCloud, StartOptions};
use crate::repo::Repo;
use crate::say;

/// Users made at the same time.
const AT_ONCE: usize = 16;
/// Members who are signed in, evenly spread.
const SIGNED_IN: u32 = 100;
const GROUP: &str = "everybody";

/// Tombstone a group too large to sign out in an hour, kill the function half way, and call the rest off: how soon everybody is
/// refused, in how much memory.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Members.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..=100_000))]
    members: u32,
    /// The debug build, which is built sooner.
    #[arg(long)]
    dev: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Figures {
    members: u32,
    /// From the request to the last tombstone, by the job's own record, seconds; with the crash.
    tombstoned_s: f64,
    /// Of that, from the crash to the first progress after it, seconds.
    stalled_s: f64,
    /// Most members a second, over 5 s without the crash.
    most_per_second: u64,
    /// The largest instance of the function, sampled twice a second, KiB.
    rss_kib: u64,
    /// The same when a hundredth was done: what does not grow with the group, KiB.
    rss_early_kib: u64,
    /// Members signed out, failed and called off at the end.
    signed_out: u64,
    failed: u64,
    called_off: u64,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let repo = Repo::find()?;
    let profile = if args.dev { Profile::Dev } else { Profile::Release };
    let options = StartOptions { build: Some(profile), ..StartOptions::for_command(&repo, "lock-out") };
    let cloud = LocalCloud::start(&repo, &options)?;
    let probe = Probe::read(cloud.facts_file())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no async runtime")?;
    let figures = runtime.block_on(Run { repo: &repo, cloud: &cloud, probe: &probe }.measure(args.members))?;
    if args.json {
        say::line(serde_json::to_string_pretty(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

struct Run<'a> {
    repo: &'a Repo,
    cloud: &'a LocalCloud,
    probe: &'a Probe,
}

impl Run<'_> {
    async fn measure(&self, members: u32) -> Result<Figures> {
        let tokens = self.people(members).await?;
        let detail = json!({
            "version": "1", "source": {"name": "bench", "event_id": "lock-out"}, "reason": "project_end",
            "sub_id": {"format": "group", "group": GROUP}, "initiator": {"kind": "system", "id": "bench"},
        });
        let id = RevocationId::derive("bench", "lock-out");
        self.probe.put_event("bench", "Revocation Requested", &detail).await?;
        let mut figures = self.follow(&id, members).await?;
        super::bulk::sweep(self.probe, tokens).await?;
        let job = self.call_off(&id).await?;
        ensure!(job.tally.locked_out == u64::from(members), "not everybody: {:?}", job.tally);
        (figures.signed_out, figures.failed) = (job.tally.ended, job.tally.failed);
        figures.called_off = job.tally.called_off;
        Ok(figures)
    }

    /// The members; the tokens of those who are signed in.
    async fn people(&self, members: u32) -> Result<Vec<String>> {
        self.probe.add_group(GROUP).await?;
        let bar = say::progress("members", u64::from(members));
        let every = members / SIGNED_IN;
        let tokens: Vec<Option<String>> = stream::iter(0..members)
            .map(|n| self.member(n, n % every == 0))
            .buffer_unordered(AT_ONCE)
            .inspect(|_| bar.inc(1))
            .try_collect()
            .await?;
        bar.finish_and_clear();
        Ok(tokens.into_iter().flatten().collect())
    }

    async fn member(&self, n: u32, signs_in: bool) -> Result<Option<String>> {
        let name = format!("many-{n:06}");
        let user = self.probe.add_user(&NewUser { name: &name, group: Some(GROUP), ..NewUser::default() }).await?;
        if !signs_in {
            return Ok(None);
        }
        let session = self.probe.sign_in(&user).await?;
        Ok(Some(session.map_err(|code| anyhow::anyhow!("cannot sign in: {code}"))?.access))
    }

    /// Looks on until everybody is locked out, and kills the function half way.
    async fn follow(&self, id: &RevocationId, members: u32) -> Result<Figures> {
        let members_u64 = u64::from(members);
        let bar = say::progress("refused", members_u64);
        let limit = Duration::from_mins(5) + Duration::from_millis(20) * members;
        let start = Instant::now();
        let (mut rss, mut rss_early, mut most) = (0, 0, 0);
        let (mut killed, mut stalled) = (None::<(Instant, u64)>, None);
        let mut before = (Instant::now(), 0);
        let job = loop {
            ensure!(start.elapsed() < limit, "not everybody was tombstoned after {limit:?}");
            tokio::time::sleep(Duration::from_millis(500)).await;
            let kib = footprint::rss_of(self.repo, self.cloud, "bulk").unwrap_or(0);
            rss = rss.max(kib);
            let Some(job) = self.probe.bulk_job(id).await? else { continue };
            let done = job.tally.locked_out;
            bar.set_position(done);
            if done * 100 < members_u64 {
                rss_early = rss;
            }
            if before.0.elapsed() >= Duration::from_secs(5) {
                most = most.max((done - before.1) * 1_000 / before.0.elapsed().as_millis().max(1) as u64);
                before = (Instant::now(), done);
            }
            match killed {
                None if done * 2 >= members_u64 => {
                    ensure!(footprint::kill(self.repo, self.cloud, "bulk")? > 0, "no function to kill");
                    killed = Some((Instant::now(), done));
                }
                Some((at, then)) if stalled.is_none() && done > then => stalled = Some(at.elapsed()),
                _ => {}
            }
            if job.locked_out_at.is_some() {
                break job;
            }
        };
        bar.finish_and_clear();
        let tombstoned = job.locked_out_at.map_or(Duration::ZERO, |at| at.since(job.received_at));
        Ok(Figures {
            members,
            tombstoned_s: tombstoned.as_secs_f64(),
            stalled_s: stalled.unwrap_or_default().as_secs_f64(),
            most_per_second: most,
            rss_kib: rss,
            rss_early_kib: rss_early,
            signed_out: 0,
            failed: 0,
            called_off: 0,
        })
    }

    async fn call_off(&self, id: &RevocationId) -> Result<BulkJob> {
        let detail = json!({
            "version": "1", "source": {"name": "bench", "event_id": "lock-out/cancel"}, "job_id": id,
            "action": "cancel", "initiator": {"kind": "admin", "id": "bench"},
        });
        self.probe.put_event("bench", "Bulk Control Requested", &detail).await?;
        let start = Instant::now();
        loop {
            let job = self.probe.bulk_job(id).await?.context("the job is gone")?;
            if job.is_over() {
                return Ok(job);
            }
            ensure!(start.elapsed() < Duration::from_mins(30), "not called off: {:?}", job.tally);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

fn print(figures: &Figures) {
    let mut table = super::table(["a very large group", "measured", "", ""]);
    let mut row = |name: String, value: String| {
        table.add_row([name, value, String::new(), String::new()]);
    };
    let seconds = |s: f64| format!("{s:.1} s");
    row(format!("{} members tombstoned, one crash on the way", figures.members), seconds(figures.tombstoned_s));
    row("  of that, from the crash to going on".into(), seconds(figures.stalled_s));
    row("  at most".into(), format!("{} a second", figures.most_per_second));
    row("memory of bulk, most".into(), format!("{} KiB", figures.rss_kib));
    row("  when a hundredth was done".into(), format!("{} KiB", figures.rss_early_kib));
    let Figures { signed_out, failed, called_off, .. } = figures;
    row("cancelled: signed out, failed, called off".into(), format!("{signed_out}, {failed}, {called_off}"));
    say::line(table);
}
