//! `audit verify`: whether the records are as they were written.

use std::collections::BTreeSet;

use revocation_aws::evidence::{EvidencePlaces, EvidenceReader};
use revocation_core::domain::audit_chain::{ChainHash, DayResult, day_plus, verify_day};
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::screen::{Screen, Tone};
use crate::text::plain;

/// Verify that no record was altered, deleted or inserted since it was written.
///
/// Reads the hash chain of each UTC day, the records, and every version of the digests in the evidence bucket, and names
/// what does not fit. Without days: everything since the chain began.
#[derive(clap::Args)]
#[command(after_help = "\
Exit code 5 when something is found.

Examples:
  revokectl audit verify
  revokectl audit verify --day 2026-11-26
  revokectl audit verify --since 2026-10-01 --until 2026-12-31 --output json")]
pub(crate) struct Args {
    /// This UTC day alone.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day, conflicts_with_all = ["since", "until"])]
    day: Option<String>,
    /// From this UTC day on.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    since: Option<String>,
    /// Up to this UTC day, included [default: today].
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    until: Option<String>,
}

/// What a verification came to.
#[derive(Serialize)]
struct Verified {
    since: String,
    until: String,
    records: u64,
    findings: usize,
    days: Vec<DayResult>,
}

/// A day of the calendar.
pub(crate) fn day(text: &str) -> Result<String, String> {
    day_plus(text, 0).ok_or_else(|| "expected a day such as 2026-11-26".to_owned())
}

/// Verifies.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let mut reader = EvidenceReader::new(context.aws().await?, &places(context).await?);
    let first = reader.first_day().await.map_err(|error| context.explain(error.into()))?.ok_or_else(|| {
        Failure::not_found("there is no audit chain yet").next("the function audit-chain makes it, every minute")
    })?;
    let (since, until) = range(context, args, &first)?;
    let screen = &context.screen;
    let mut before = hashes_before(context, &reader, &since).await?;
    let mut verified =
        Verified { since: since.clone(), until: until.clone(), records: 0, findings: 0, days: Vec::new() };
    let mut next = Some(since);
    while let Some(today) = next.filter(|day| *day <= until) {
        let evidence = reader.day(&today).await.map_err(|error| context.explain(error.into()))?;
        let mut result = verify_day(&evidence, Some(&before), context.now());
        before = std::mem::take(&mut result.hashes);
        verified.records += result.records;
        verified.findings += result.findings.len();
        if !screen.is_json() {
            tell(screen, &result);
        }
        verified.days.push(result);
        if screen.is_gone() {
            break;
        }
        next = day_plus(&today, 1);
    }
    screen.result(&verified, |screen| summary(screen, &verified))?;
    Ok(if verified.findings == 0 { Exit::Done } else { Exit::Partial })
}

async fn places(context: &Context) -> Result<EvidencePlaces, Failure> {
    let operations = context.operations().await?;
    let missing = || Failure::not_found("this stack keeps no audit chain").next("deploy a version that does");
    Ok(EvidencePlaces {
        revocations_table: operations.revocations_table.clone(),
        audit_chain_table: operations.audit_chain_table.clone().ok_or_else(missing)?,
        evidence_bucket: operations.evidence_bucket.clone().ok_or_else(missing)?,
        signing_key: operations.audit_signing_key.clone(),
    })
}

/// The days to look at; there is nothing before the chain began.
fn range(context: &Context, args: &Args, first: &str) -> Result<(String, String), Failure> {
    let today = context.now().utc_day();
    let since = args.day.clone().or_else(|| args.since.clone()).unwrap_or_else(|| first.to_owned());
    let until = args.day.clone().or_else(|| args.until.clone()).unwrap_or(today);
    if since > until {
        return Err(Failure::usage(format!("{since} is after {until}")));
    }
    if until.as_str() < first {
        return Err(Failure::not_found(format!("the audit chain begins on {first}")));
    }
    if since.as_str() < first {
        context.screen.note(format_args!("the audit chain begins on {first}: what is older is not covered by it"));
        return Ok((first.to_owned(), until));
    }
    Ok((since, until))
}

async fn hashes_before(context: &Context, reader: &EvidenceReader, day: &str) -> Result<BTreeSet<ChainHash>, Failure> {
    let Some(before) = day_plus(day, -1) else { return Ok(BTreeSet::new()) };
    reader.hashes(&before).await.map_err(|error| context.explain(error.into()))
}

fn tell(screen: &Screen, result: &DayResult) {
    let verdict = match result.findings.len() {
        0 => screen.paint(Tone::Good, "ok"),
        1 => screen.paint(Tone::Bad, "1 finding"),
        many => screen.paint(Tone::Bad, format!("{many} findings")),
    };
    let DayResult { day, records, pending, digests, .. } = result;
    let pending = if *pending > 0 { format!(", {pending} not chained yet") } else { String::new() };
    screen.line(format_args!("{day}  {records} records, {digests} digests{pending}  {verdict}"));
    for finding in &result.findings {
        screen.line(format_args!("  {}", screen.paint(Tone::Bad, plain(&finding.to_string()))));
    }
}

fn summary(screen: &Screen, verified: &Verified) -> String {
    let Verified { since, until, records, findings, .. } = verified;
    let days = if since == until { since.clone() } else { format!("{since} to {until}") };
    if *findings == 0 {
        screen.paint(Tone::Good, format!("{days}: {records} records are as they were written"))
    } else {
        let text = format!("{days}: {findings} findings in {records} records; docs/AUDIT.md says what each means");
        screen.paint(Tone::Bad, text)
    }
}
