//! The act about a contractor's people: a group revoked by an operator, the report, and the proof that nobody rewrote it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use revocation_core::domain::bulk::BulkJob;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_probe::{NewUser, Probe, User, until};
use serde_json::Value;

use super::cast::sign_in;
use super::teller::Teller;
use crate::repo::Repo;
use crate::run;
use crate::say;

/// People of the contractor.
const PEOPLE: u32 = 60;
const GROUP: &str = "contractors-acme";
/// A tick of the audit chain's schedule, which comes by itself every minute.
const TICK: &str = r#"{"id":"1","source":"demo","detail-type":"Tick","detail":{}}"#;
const LIMIT: Duration = Duration::from_mins(1);

/// The built command line.
pub(super) fn built(repo: &Repo) -> Result<PathBuf> {
    say::step("building revokectl");
    run::run(run::build(repo).args(["--quiet", "--bin", "revokectl"]))?;
    Ok(repo.built("debug", "revokectl"))
}

/// A contract ends for sixty people at once.
pub(super) async fn leave(teller: &Teller, probe: &Probe, revokectl: &Path, dir: &Path) -> Result<()> {
    probe.add_group(GROUP).await?;
    let people: Vec<(User, String)> =
        stream::iter(0..PEOPLE).map(|n| person(probe, n)).buffer_unordered(8).try_collect().await?;
    teller.saw(format_args!("{PEOPLE} people of {GROUP} are signed in"));
    let start = Instant::now();
    let group = ["group", GROUP, "--reason", "project_end", "--comment", "contract 4711 ended", "--yes"];
    let operator = spawn(probe, revokectl, &group)?;
    let refused = until_refused(probe, &people, start).await?;
    teller.saw_after(refused, format_args!("every one of their {PEOPLE} tokens is refused"));
    let operator = operator.wait_with_output().context("lost revokectl")?;
    let said = String::from_utf8_lossy(&operator.stdout).into_owned();
    ensure!(operator.status.success(), "revokectl group: {said}{}", String::from_utf8_lossy(&operator.stderr));
    said.lines().for_each(|line| say::line(format_args!("             │ {line}")));
    let id = said.split_whitespace().rev().find(|word| word.starts_with("rv_")).context("revokectl names no job")?;
    let job = probe.bulk_job(&RevocationId(id.to_owned())).await?.context("there is no such job")?;
    teller.check(job.tally.ended == u64::from(PEOPLE), format_args!("{} members done, none twice", job.tally.ended))?;
    report(teller, probe, revokectl, &job, dir)?;
    proof(teller, probe, revokectl, &people).await
}

async fn person(probe: &Probe, n: u32) -> Result<(User, String)> {
    let name = format!("acme-{n:02}");
    let user = probe.add_user(&NewUser { name: &name, group: Some(GROUP), ..NewUser::default() }).await?;
    let session = sign_in(probe, &user).await?;
    ensure!(probe.call(&session.access)?.status == 200, "{name} is not served");
    Ok((user, session.access))
}

async fn until_refused(probe: &Probe, people: &[(User, String)], start: Instant) -> Result<Duration> {
    for (user, token) in people {
        let refused = async || Ok((probe.call(token)?.status == 401).then_some(()));
        until(&format!("{} to be refused", user.name), LIMIT, refused).await?;
    }
    Ok(start.elapsed())
}

fn report(teller: &Teller, probe: &Probe, revokectl: &Path, job: &BulkJob, dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let out = dir.to_string_lossy().into_owned();
    let written = call(probe, revokectl, &["report", "--job", &job.id.0, "--out", &out])?;
    ensure!(written.status.success(), "revokectl report: {}", String::from_utf8_lossy(&written.stderr));
    let html = found(dir, "html").context("the report has no page")?;
    let text = fs::read_to_string(&html).with_context(|| format!("cannot read {}", html.display()))?;
    teller.check(text.contains("acme-00") && text.contains("<svg"), "the report names them, with its chart")?;
    teller.saw(format_args!("to be opened in a browser: {}", html.display()));
    Ok(())
}

/// The first file of this kind in the folder, or below it.
fn found(dir: &Path, kind: &str) -> Option<PathBuf> {
    let entries: Vec<PathBuf> = fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path()).collect();
    let file = entries.iter().find(|path| path.extension().is_some_and(|extension| extension == kind)).cloned();
    file.or_else(|| entries.iter().filter(|path| path.is_dir()).find_map(|path| found(path, kind)))
}

/// The chain holds; then somebody with the account's root credentials rewrites a record, and is found out.
async fn proof(teller: &Teller, probe: &Probe, revokectl: &Path, people: &[(User, String)]) -> Result<()> {
    probe.send(&probe.facts.audit_chain_queue_url, TICK).await?;
    let holds = async || {
        let output = call(probe, revokectl, &["audit", "verify", "--output", "json"])?;
        Ok(output.status.success().then_some(output))
    };
    until("the audit trail to be chained, and to hold", LIMIT, holds).await?;
    teller.saw("the audit trail's chain holds");
    let (user, _) = people.first().context("nobody was there")?;
    let record = probe.records_of(&user.key).await?.into_iter().next().context("no record")?;
    probe.rewrite_record(&record).await?;
    let output = call(probe, revokectl, &["audit", "verify", "--output", "json"])?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_json = serde_json::from_str::<Value>(&told).is_ok();
    let named = told.contains(&record.revocation_id.0);
    teller.check(output.status.code() == Some(5) && is_json && named, "a rewritten record is found, and named")
}

fn call(probe: &Probe, revokectl: &Path, arguments: &[&str]) -> Result<Output> {
    command(probe, revokectl, arguments).output().context("cannot start revokectl")
}

fn spawn(probe: &Probe, revokectl: &Path, arguments: &[&str]) -> Result<std::process::Child> {
    let mut command = command(probe, revokectl, arguments);
    // Its bar, or its lines, go to our terminal.
    command.stdout(std::process::Stdio::piped()).spawn().context("cannot start revokectl")
}

fn command(probe: &Probe, revokectl: &Path, arguments: &[&str]) -> Command {
    let facts = &probe.facts;
    let mut command = Command::new(revokectl);
    command
        .args(arguments)
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("REVOKECTL_STACK", "local")
        .env("AWS_REGION", &facts.region)
        .env("AWS_ACCESS_KEY_ID", &facts.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &facts.secret_access_key)
        .env("AWS_ENDPOINT_URL", &facts.endpoint)
        .stdin(std::process::Stdio::null());
    command
}
