//! `report`: what was done, for auditors: CSV, a page and a manifest.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use revocation_aws::cognito::CognitoPeople;
use revocation_aws::dynamodb::{DynamoJobReader, DynamoRecords, DynamoSessionRefusals};
use revocation_aws::s3::S3Files;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::ports::RefusalReader;
use revocation_report::{Counts, GatherError, Made, Sources, keys};
use serde::Serialize;

use super::audit::verify::day;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::screen::Tone;

/// People looked up by their names, at 10 a second.
const MOST_PEOPLE: usize = 10_000;
/// What the files are called.
const FILES: [&str; 3] = ["report.csv", "report.html", "manifest.json"];
const CONTENT_TYPES: [&str; 3] = ["text/csv; charset=utf-8", "text/html; charset=utf-8", "application/json"];

/// Write the report of a bulk revocation, or of some days.
///
/// CSV, a page that prints to PDF, and a manifest with their SHA-256 and the id of every record. It holds personal data: names and
/// addresses as the user pool has them now, IP addresses as the audit trail has them.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl report --job rv_0123456789abcdef0123456789abcdef --open
  revokectl report --since 2026-10-01 --until 2026-12-31 --out q4
  revokectl report --since 2026-11-26 --store")]
#[command(group = clap::ArgGroup::new("what").required(true).args(["job", "since"]))]
pub(crate) struct Args {
    /// The bulk revocation's id.
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// From this UTC day on.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    since: Option<String>,
    /// Up to this UTC day, included [default: today].
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day, requires = "since")]
    until: Option<String>,
    /// Folder to write into [default: report-<ID or days>].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Open the page in the browser.
    #[arg(long)]
    open: bool,
    /// Keep the files in the evidence bucket, too.
    #[arg(long)]
    store: bool,
}

/// What was written.
#[derive(Serialize)]
struct Written {
    dir: String,
    stored: Option<String>,
    counts: Counts,
}

/// Writes it.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let today = context.now().utc_day();
    let until = args.until.clone().unwrap_or_else(|| today.clone());
    let since = args.since.clone().unwrap_or_else(|| today.clone());
    let name = args.job.clone().unwrap_or_else(|| format!("{since}_{until}"));
    if name.contains(['/', '\\', '.']) || name.is_empty() {
        return Err(Failure::usage("that is no id of a bulk revocation: rv_ and 32 hexadecimal digits"));
    }
    let dir = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("report-{name}")));
    let sources = sources(context).await?;
    let made = Made { at: context.now(), by: context.caller().await?.arn.clone() };
    fs::create_dir_all(&dir).map_err(|error| disk(&dir, &error))?;
    let [csv, html, manifest] = FILES.map(|file| dir.join(file));
    let create = |path: &Path| File::create(path).map_err(|error| disk(path, &error));
    let (csv_file, manifest_file) = (create(&csv)?, create(&manifest)?);
    let finished = match &args.job {
        Some(job) => sources.job(&RevocationId(job.clone()), made, csv_file, manifest_file).await,
        None => sources.period(&since, &until, made, csv_file, manifest_file).await,
    };
    let finished = finished.map_err(|error| {
        // Nothing half-written stays behind.
        for file in [&csv, &manifest] {
            let _ = fs::remove_file(file);
        }
        let _ = fs::remove_dir(&dir);
        failure(context, error)
    })?;
    fs::write(&html, &finished.html).map_err(|error| disk(&html, &error))?;
    let stored = if args.store { Some(store(context, &dir, &since, &name).await?) } else { None };
    let counts = finished.counts;
    let written = Written { dir: dir.display().to_string(), stored, counts };
    context.screen.result(&written, |screen| {
        let mut told = format!("{} revocations, {} complete", counts.entries, counts.complete);
        let failed = counts.partial + counts.without_record;
        if failed > 0 {
            told = format!("{told}, {}", screen.paint(Tone::Bad, format!("{failed} need a look")));
        }
        let lines = [Some(told), Some(html.display().to_string()), written.stored.clone()];
        lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
    })?;
    if args.open {
        open(context, &html);
    }
    Ok(Exit::Done)
}

async fn sources(context: &Context) -> Result<Sources, Failure> {
    let (aws, operations) = (context.aws().await?, context.operations().await?);
    let records = Arc::new(DynamoRecords::new(aws, &operations.revocations_table));
    let refusals = operations
        .sessions_table
        .as_ref()
        .map(|table| -> Arc<dyn RefusalReader> { Arc::new(DynamoSessionRefusals::new(aws, table)) });
    Ok(Sources {
        jobs: Arc::new(DynamoJobReader::new(aws, operations.bulk_table.clone().unwrap_or_default())),
        index: records.clone(),
        records,
        people: Arc::new(CognitoPeople::new(aws)),
        refusals,
        most_people: MOST_PEOPLE,
    })
}

fn failure(context: &Context, error: GatherError) -> Failure {
    match error {
        GatherError::Port(error) => context.explain(error.into()),
        GatherError::NoSuchJob => Failure::not_found("there is no bulk revocation of that id")
            .next("its members are kept for 90 days; the audit trail, by days, for good: --since"),
        GatherError::NotAPeriod => Failure::usage("--since is after --until"),
        GatherError::Report(error) => Failure::other(error.to_string()),
    }
}

fn disk(path: &Path, error: &std::io::Error) -> Failure {
    Failure::other(format!("cannot write {}: {error}", path.display()))
}

/// Sends the files to the evidence bucket, the manifest last; answers where it is.
async fn store(context: &Context, dir: &Path, day: &str, name: &str) -> Result<String, Failure> {
    let operations = context.operations().await?;
    let bucket = operations.evidence_bucket.clone();
    let bucket = bucket.ok_or_else(|| Failure::not_found("this stack has no evidence bucket"))?;
    let files = S3Files::new(context.aws().await?, &bucket);
    let keys = keys(day, name);
    for ((file, key), content_type) in FILES.iter().zip(&keys).zip(CONTENT_TYPES) {
        let path = dir.join(file);
        let opened = File::open(&path).map_err(|error| disk(&path, &error))?;
        files.put(key, content_type, opened).await.map_err(|error| context.explain(error.into()))?;
    }
    let [.., manifest] = keys;
    Ok(format!("s3://{bucket}/{manifest}"))
}

/// The page in whatever shows pages here; where nothing does, the path was printed.
fn open(context: &Context, html: &Path) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let opened = Command::new(program).arg(html).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !opened.is_ok_and(|status| status.success()) {
        context.screen.note(format_args!("nothing here opens {}", html.display()));
    }
}
