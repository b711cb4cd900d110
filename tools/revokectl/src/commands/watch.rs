//! `watch`: requests, outcomes and pages as they come.
//!
//! It polls: the indexes of the audit trail are eventually consistent, and what a delayed function writes carries the time
//! of the request. So each look goes back a while, and what was told is not told again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use revocation_aws::dynamodb::{DynamoCompromises, Entry, Listing};
use revocation_core::domain::incident::Incident;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::IncidentStore as _;
use serde::Serialize;
use serde_json::Value;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::moment::{before, clock_time, moment, span, zone};
use crate::record::{Pages, Record, days};
use crate::screen::{Screen, Tone};
use crate::text::short;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// How far a look goes back: what an index shows late.
const NEAR: Duration = Duration::from_secs(30);
/// How far back the look goes that is made once a while: requests that waited on the queue before they were begun.
const FAR: Duration = Duration::from_mins(15);
/// How often that is.
const FAR_EVERY: Duration = Duration::from_secs(30);

/// Show requests, outcomes and pages as they come, until Ctrl-C.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl watch
  revokectl watch --since 1h --time-zone Europe/Berlin
  revokectl watch --output json | jq -c 'select(.event == \"outcome\" and .record.outcome == \"partial\")'")]
pub(crate) struct Args {
    /// Begin with what came since then, such as 1h (ago).
    #[arg(long, value_name = "TIME", default_value = "now")]
    since: String,
    /// Time zone of what is shown.
    #[arg(long, value_name = "ZONE", value_parser = zone, default_value = "UTC")]
    time_zone: TimeZone,
}

/// What is told.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum News {
    /// A revocation or an action was received.
    Request { at: EpochMillis, id: String, started: Value },
    /// It ended, for one subject.
    Outcome { at: EpochMillis, record: Record },
    /// Too many accounts with signs of compromise.
    Page { at: EpochMillis, incident: Incident },
    /// The window has emptied.
    PageResolved { at: EpochMillis, incident: Incident },
}

/// What was told already, by the time it carries.
#[derive(Default)]
struct Told(BTreeMap<EpochMillis, BTreeSet<String>>);

/// Watches.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let begun = context.now();
    let since = moment(&args.since, begun, &args.time_zone)?;
    let (mut told, mut first, mut last_far) = (Told::default(), true, Instant::now());
    let incidents = DynamoCompromises::new(context.aws().await?, &context.operations().await?.compromises_table);
    if !context.screen.is_json() {
        context.screen.note("watching; Ctrl-C ends it");
    }
    loop {
        let now = context.now();
        let far = last_far.elapsed() >= FAR_EVERY;
        if far {
            last_far = Instant::now();
        }
        let back = if first { since } else { before(now, if far { FAR } else { NEAR }).max(since) };
        // What was just written may carry a time of a clock ahead of ours.
        let look = (back, now.plus(NEAR));
        let mut news = trail(context, look).await?;
        if first || far {
            news.extend(pages(context, &incidents, since).await?);
        }
        news.sort_by_key(|one| (one.at(), one.rank()));
        for one in news.iter().filter(|one| one.at() >= since) {
            if told.is_new(one) {
                context.screen.item(one, |screen| one.draw(screen, &args.time_zone))?;
            }
        }
        if context.screen.is_gone() {
            return Ok(Exit::Done);
        }
        told.forget(before(now, FAR + FAR));
        first = false;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn trail(context: &Context, look: (EpochMillis, EpochMillis)) -> Result<Vec<News>, Failure> {
    let days = days(look);
    let listings: Vec<Listing> =
        days.iter().cloned().map(Listing::Begun).chain(days.iter().cloned().map(Listing::Day)).collect();
    let mut pages = Pages::of(context, listings, look).await?;
    let mut news = Vec::new();
    while let Some(entries) = pages.next(context).await? {
        news.extend(entries.iter().filter_map(News::of));
    }
    Ok(news)
}

async fn pages(context: &Context, incidents: &DynamoCompromises, since: EpochMillis) -> Result<Vec<News>, Failure> {
    let log = incidents.load().await.map_err(|error| context.explain(error.into()))?;
    let mut news = Vec::new();
    for incident in log.incidents {
        if let Some(at) = incident.resolved_at.filter(|at| *at >= since) {
            news.push(News::PageResolved { at, incident: incident.clone() });
        }
        news.push(News::Page { at: incident.opened_at, incident });
    }
    Ok(news)
}

// === impl News ===

impl News {
    fn of(entry: &Entry) -> Option<Self> {
        if entry.step == "started" {
            let started = serde_json::from_str(&entry.body).ok()?;
            return Some(Self::Request { at: entry.recorded_at, id: entry.id.to_string(), started });
        }
        Some(Self::Outcome { at: entry.recorded_at, record: Record::of(entry)? })
    }

    fn at(&self) -> EpochMillis {
        let (Self::Request { at, .. }
        | Self::Outcome { at, .. }
        | Self::Page { at, .. }
        | Self::PageResolved { at, .. }) = self;
        *at
    }

    /// What goes first of what carries the same time.
    fn rank(&self) -> u8 {
        match self {
            Self::Request { .. } => 0,
            Self::Outcome { .. } => 1,
            Self::Page { .. } => 2,
            Self::PageResolved { .. } => 3,
        }
    }

    fn key(&self) -> String {
        match self {
            Self::Request { id, .. } => format!("request {id}"),
            Self::Outcome { record, .. } => format!("outcome {} {:?}", record.id(), record.subject()),
            Self::Page { incident, .. } => format!("page {}", incident.id),
            Self::PageResolved { incident, .. } => format!("resolved {}", incident.id),
        }
    }

    fn draw(&self, screen: &Screen, zone: &TimeZone) -> String {
        let at = screen.paint(Tone::Faint, clock_time(self.at(), zone));
        match self {
            Self::Request { id, started, .. } => {
                let request = &started["request"];
                let text = |value: &Value| short(value.as_str().unwrap_or_default(), 80);
                let what = if request["action"].is_string() { &request["action"] } else { &request["reason"] };
                let by = short(request.pointer("/initiator/id").and_then(Value::as_str).unwrap_or_default(), 60);
                format!(
                    "{at}  request  {:<17} by {by} ({})  {id}",
                    text(what),
                    text(request.pointer("/source/name").unwrap_or(&Value::Null))
                )
            }
            Self::Outcome { record, .. } => {
                let tone = if record.is_good() { Tone::Good } else { Tone::Bad };
                let outcome = screen.paint(tone, format_args!("{:<8}", record.outcome()));
                let subject = record.subject().map_or("nobody".to_owned(), |key| short(&key.to_string(), 96));
                let locked = record.revocation().and_then(|one| one.elapsed_to_tombstone_ms);
                let locked = locked.map(|ms| format!("  locked out after {}", span(Duration::from_millis(ms))));
                let locked = locked.unwrap_or_default();
                format!("{at}  {outcome} {:<17} of {subject}{locked}  {}", record.what(), record.id())
            }
            Self::Page { incident, .. } => {
                let page = screen.paint(Tone::Bad, "PAGE    ");
                format!("{at}  {page} too many accounts with signs of compromise  {}", short(&incident.id, 64))
            }
            Self::PageResolved { incident, .. } => {
                format!(
                    "{at}  {} the incident is over  {}",
                    screen.paint(Tone::Good, "resolved"),
                    short(&incident.id, 64)
                )
            }
        }
    }
}

// === impl Told ===

impl Told {
    fn is_new(&mut self, news: &News) -> bool {
        self.0.entry(news.at()).or_default().insert(news.key())
    }

    /// What no look will meet again. Pages are few, and looked at from the beginning: they stay.
    fn forget(&mut self, older: EpochMillis) {
        self.0.retain(|at, keys| {
            keys.retain(|key| *at >= older || key.starts_with("page ") || key.starts_with("resolved "));
            !keys.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use revocation_core::domain::revocation_id::RevocationId;

    use super::*;

    fn entry(at: i64) -> News {
        let body =
            r#"{"request":{"reason":"anomaly","initiator":{"id":"\u001b[2J"},"source":{"name":"s"}}}"#.to_owned();
        let id = RevocationId(format!("rv_{at}"));
        News::of(&Entry { id, step: "started".into(), recorded_at: EpochMillis(at), body }).unwrap()
    }

    #[test]
    fn news_are_told_once_and_forgotten_when_no_look_meets_them_again() {
        let mut told = Told::default();
        assert!(told.is_new(&entry(1)) && told.is_new(&entry(2)));
        assert!(!told.is_new(&entry(1)));
        told.forget(EpochMillis(2));
        assert_eq!(told.0.len(), 1);
    }

    #[test]
    fn an_initiator_cannot_write_to_the_terminal() {
        let globals = <crate::cli::Cli as clap::Parser>::parse_from(["revokectl", "watch"]).globals;
        let screen = Screen::new(&globals, &[("TERM", "dumb")]);
        let line = entry(0).draw(&screen, &TimeZone::UTC);
        assert!(line.contains("\\u{1b}[2J") && !line.contains('\u{1b}'), "{line}");
    }
}
