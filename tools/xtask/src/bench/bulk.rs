//! `bench bulk`: a large group, with Cognito's quota enforced in front of the local cloud's.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_probe::{NewUser, Probe, until};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::functions::Profile;
use crate::local_cloud::{LocalCloud, StartOptions};
use crate::repo::Repo;
use crate::say;

/// Cognito's `UserUpdate` quota, requests a second.
const QUOTA: f64 = 25.0;
/// Made at the same time.
const AT_ONCE: usize = 16;
/// Tokens presented at once when all are tombstoned, evenly spread; the rest at the end.
const SAMPLE: usize = 50;
/// Tokens presented at the same time.
const SWEEPERS: usize = 4;

/// Revoke a group under the quota: how soon everybody is refused, and how close to the quota the sign-outs run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Members.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    members: u32,
    /// Share of the quota that bulk work may use, per cent.
    #[arg(long, default_value_t = 96)]
    share: u32,
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
    share_per_cent: u32,
    /// From `PutEvents` to the last tombstone, by the job's own record, seconds.
    tombstoned_s: f64,
    /// From `PutEvents` until the authorizer had refused a sample of the members' tokens after that, seconds.
    refused_s: f64,
    /// Answers 503 on the way: refused, but not by the tombstone.
    unavailable: u32,
    /// Calls to Cognito that count towards the quota.
    calls: f64,
    throttled: f64,
    /// What the whole quota would take for them, seconds.
    ideal_s: f64,
    /// From the first to the last of them, seconds.
    took_s: f64,
    /// Of those two.
    ratio: f64,
    /// The function's memory at its end, KiB.
    rss_kib: Option<u64>,
}

#[derive(Deserialize)]
struct Calls {
    #[serde(rename = "calls")]
    admitted: f64,
    throttled: f64,
    first: f64,
    last: f64,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let repo = Repo::find()?;
    let profile = if args.dev { Profile::Dev } else { Profile::Release };
    let share = Some(("BulkQuotaSharePercent", args.share.to_string()));
    let options = StartOptions { build: Some(profile), parameter: share, ..StartOptions::for_command(&repo, "bench") };
    let cloud = LocalCloud::start(&repo, &options)?;
    let probe = Probe::read(cloud.facts_file())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no async runtime")?;
    let mut figures = runtime.block_on(measure(&probe, cloud.dir(&repo), args))?;
    figures.rss_kib = super::footprint::rss_of(&repo, &cloud, "bulk");
    if args.json {
        say::line(serde_json::to_string_pretty(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

async fn measure(probe: &Probe, dir: PathBuf, args: &Args) -> Result<Figures> {
    probe.add_group("bench").await?;
    let bar = say::progress("members", u64::from(args.members));
    let tokens: Vec<String> = stream::iter(0..args.members)
        .map(|n| member(probe, n))
        .buffer_unordered(AT_ONCE)
        .inspect(|_| bar.inc(1))
        .try_collect()
        .await?;
    bar.finish_and_clear();
    // Notices and the SIEM's feed scale by themselves on AWS; here they would take the emulator's one thread from what is measured.
    let off = probe.switch_off_rules_for("Sessions Revoked").await?;
    ensure!(off == 2, "{off} rules hand `Sessions Revoked` on, not the two that were known");
    fs::write(dir.join("user-update-limit"), QUOTA.to_string()).context("cannot set the quota")?;
    let detail = json!({
        "version": "1", "source": {"name": "bench", "event_id": "bulk"}, "reason": "project_end",
        "sub_id": {"format": "group", "group": "bench"}, "initiator": {"kind": "system", "id": "bench"},
    });
    let id = RevocationId::derive("bench", "bulk");
    let start = Instant::now();
    probe.put_event("bench", "Revocation Requested", &detail).await?;
    let limit = Duration::from_secs_f64(60.0 + f64::from(args.members) * 4.0 / QUOTA);
    let tombstoned = async || Ok(probe.bulk_job(&id).await?.filter(|job| job.locked_out_at.is_some()));
    let (job, _) = until("everybody to be tombstoned", limit, tombstoned).await?;
    let tombstoned = job.locked_out_at.map_or(Duration::ZERO, |at| at.since(job.received_at));
    // The emulator takes some 40 ms for one call of the API: presenting all of them now would time that, and hold up the job.
    let sample = tokens.iter().step_by(tokens.len().div_ceil(SAMPLE)).cloned().collect();
    let unavailable = sweep(probe, sample).await?;
    let refused = start.elapsed();
    let over = async || Ok(probe.bulk_job(&id).await?.filter(revocation_core::domain::bulk::BulkJob::is_over));
    let (job, _) = until("the bulk revocation to be over", limit, over).await?;
    ensure!(job.tally.ended == u64::from(args.members), "not everybody: {:?}", job.tally);
    sweep(probe, tokens).await?;
    let read = fs::read(dir.join("user-update-calls.json")).context("the quota counted nothing")?;
    let Calls { admitted: calls, throttled, first, last } =
        serde_json::from_slice(&read).context("the quota's counts")?;
    let (ideal, took) = (calls / QUOTA, last - first);
    Ok(Figures {
        members: args.members,
        share_per_cent: args.share,
        tombstoned_s: tombstoned.as_secs_f64(),
        refused_s: refused.as_secs_f64(),
        unavailable,
        calls,
        throttled,
        ideal_s: ideal,
        took_s: took,
        ratio: took / ideal,
        rss_kib: None,
    })
}

/// Presents every token until it is refused. 503 refuses too, but as long as the store does not answer (a machine with too
/// much to do), not because of the tombstone. Answers how many of those there were.
pub(super) async fn sweep(probe: &Probe, tokens: Vec<String>) -> Result<u32> {
    let refused = stream::iter(tokens.into_iter().enumerate()).map(|(n, token)| {
        let probe = probe.clone();
        tokio::task::spawn_blocking(move || {
            for unavailable in 0..20 {
                match probe.call(&token)?.status {
                    401 => return Ok(unavailable),
                    503 => {}
                    status => bail!("member {n} gets {status} although the job says that all are tombstoned"),
                }
            }
            bail!("the store does not answer for member {n}")
        })
    });
    refused.buffer_unordered(SWEEPERS).map(|swept| swept?).try_fold(0, async |sum, n| Ok(sum + n)).await
}

async fn member(probe: &Probe, n: u32) -> Result<String> {
    let name = format!("bench-{n:06}");
    let user = probe.add_user(&NewUser { name: &name, group: Some("bench"), ..NewUser::default() }).await?;
    let session = probe.sign_in(&user).await?.map_err(|code| anyhow::anyhow!("cannot sign in: {code}"))?;
    Ok(session.access)
}

fn print(figures: &Figures) {
    let Figures { members, share_per_cent, calls, throttled, .. } = figures;
    let mut table = super::table(["a group", "measured", "must", "stretch"]);
    let seconds = |s: f64| format!("{s:.1} s");
    let members_row = format!("{members} members tombstoned");
    table.add_row([members_row, seconds(figures.tombstoned_s), "10 s".into(), "2 s".into()]);
    table.add_row([
        format!("seen refused by the authorizer, a sample ({} times 503)", figures.unavailable),
        seconds(figures.refused_s),
        "10 s".into(),
        "-".to_owned(),
    ]);
    let took = format!("{} ({:.2} of the ideal {})", seconds(figures.took_s), figures.ratio, seconds(figures.ideal_s));
    table.add_row([format!("{calls} calls at {share_per_cent} % of 25/s"), took, "1.15".into(), "1.05".into()]);
    let rate = format!("{throttled} ({:.2} %)", 100.0 * throttled / (calls + throttled));
    table.add_row(["throttled".into(), rate, "< 1 %".into(), "-".to_owned()]);
    let rss = figures.rss_kib.map_or("-".to_owned(), |kib| format!("{kib} KiB"));
    table.add_row(["memory of bulk".into(), rss, "-".into(), "-".to_owned()]);
    say::line(table);
    say::line(
        "Every token is presented at the end; the emulator's own share is in every figure. The rules of notify and siem-feed are off.",
    );
}
