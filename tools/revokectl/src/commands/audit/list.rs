//! `audit`: records by time, subject, reason, source and initiator, the newest first.

use jiff::tz::TimeZone;
use revocation_aws::dynamodb::Listing;
use revocation_core::domain::time::EpochMillis;

use super::csv_row;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::grid::Grid;
use crate::moment::{moment, span, stamp, zone};
use crate::record::{Pages, Record, days};
use crate::screen::{Screen, Tone};
use crate::subject;
use crate::text::short;

pub(super) const EXAMPLES: &str = "\
Times are 2h (ago), today, 2026-01-31, 2026-01-31T18:00 or RFC 3339.

Examples:
  revokectl audit --since 24h
  revokectl audit --subject jane@example.com --time-zone Europe/Berlin
  revokectl audit --since 2026-01-01 --until 2026-02-01 --csv > january.csv
  revokectl audit --reason compromise --initiator alice --output json
  revokectl audit show rv_0123456789abcdef0123456789abcdef";

/// How far back it looks where nobody says.
const DEFAULT_SINCE: &str = "7d";
/// Rows of a table where nobody says: more than anybody reads, and few enough to be drawn together.
const DEFAULT_ROWS: usize = 500;

#[derive(clap::Args)]
#[group(id = "audit_list")]
pub(crate) struct Args {
    /// From when on [default: 7d; of a subject, everything].
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Until when.
    #[arg(long, value_name = "TIME", default_value = "now")]
    until: String,
    /// Only of this person: see `revokectl user --help`. Of several found, all.
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// Only of this reason, or action on an account.
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// Only from this source, or those whose names begin so: okta/acme, siem/.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only by whom has this in their id.
    #[arg(long, value_name = "TEXT")]
    initiator: Option<String>,
    /// Print CSV.
    #[arg(long)]
    csv: bool,
    /// At most so many records [default: 500 in a table, else all].
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// Time zone of what is shown, and of dates that are given.
    #[arg(long, value_name = "ZONE", value_parser = zone, default_value = "UTC")]
    time_zone: TimeZone,
}

/// How records are printed, as they come.
#[expect(clippy::large_enum_variant, reason = "there is one of it")]
enum Sink {
    Table { grid: Grid, zone: TimeZone },
    Csv,
    Json { first: bool },
}

/// Lists them.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let now = context.now();
    let since = args.since.as_deref().or(args.subject.is_none().then_some(DEFAULT_SINCE));
    let since = since.map_or(Ok(EpochMillis(0)), |text| moment(text, now, &args.time_zone))?;
    let until = moment(&args.until, now, &args.time_zone)?;
    if since > until {
        return Err(Failure::usage("--since is later than --until"));
    }
    let listings = match &args.subject {
        Some(text) => of_subject(context, text).await?,
        None => days((since, until)).into_iter().map(Listing::Day).collect(),
    };
    let mut pages = Pages::of(context, listings, (since, until)).await?;
    let mut sink = Sink::new(context, args)?;
    let (limit, mut shown, mut unreadable) = (args.limit.unwrap_or(sink.default_limit()), 0, 0);
    let mut more = false;
    'pages: while let Some(entries) = pages.next(context).await? {
        for entry in &entries {
            match Record::of(entry) {
                None => unreadable += 1,
                Some(record) if !args.means(&record) => {}
                Some(_) if shown == limit => {
                    more = true;
                    break 'pages;
                }
                Some(record) => {
                    sink.put(&context.screen, &record)?;
                    shown += 1;
                }
            }
        }
        if context.screen.is_gone() {
            break;
        }
    }
    sink.end(&context.screen, shown);
    if more {
        context.screen.note(format_args!("there are more than these {limit}: --limit, --csv, or a narrower --since"));
    }
    if unreadable > 0 {
        context.screen.note(format_args!("{unreadable} records are of another version and not shown"));
    }
    Ok(Exit::Done)
}

/// A key is taken as it is: whoever was deleted is in the trail all the same.
async fn of_subject(context: &Context, text: &str) -> Result<Vec<Listing>, Failure> {
    let identifier = subject::parse(text)?;
    if let Some(key) = subject::key_of(context, &identifier).await? {
        return Ok(vec![Listing::Subject(key)]);
    }
    let found = subject::find(context, &identifier).await?;
    if found.is_empty() {
        return Err(subject::nobody(context, &identifier).await);
    }
    Ok(found.into_iter().map(|profile| Listing::Subject(profile.key)).collect())
}

impl Args {
    fn means(&self, record: &Record) -> bool {
        let source = &record.source().name;
        self.reason.as_deref().is_none_or(|reason| record.what() == reason)
            && self
                .source
                .as_deref()
                .is_none_or(|name| source == name || (name.ends_with('/') && source.starts_with(name)))
            && self.initiator.as_deref().is_none_or(|text| record.initiator().id.contains(text))
    }
}

impl Sink {
    fn new(context: &Context, args: &Args) -> Result<Self, Failure> {
        if args.csv {
            context.screen.raw(&csv_row::write(&csv_row::HEADER)?);
            return Ok(Self::Csv);
        }
        if context.screen.is_json() {
            context.screen.raw(b"[");
            return Ok(Self::Json { first: true });
        }
        let grid = Grid::new(["when", "who", "why", "outcome", "locked out", "by", "id"]);
        Ok(Self::Table { grid, zone: args.time_zone.clone() })
    }

    fn default_limit(&self) -> usize {
        if matches!(self, Self::Table { .. }) { DEFAULT_ROWS } else { usize::MAX }
    }

    fn put(&mut self, screen: &Screen, record: &Record) -> Result<(), Failure> {
        match self {
            Self::Csv => screen.raw(&csv_row::line(record)?),
            Self::Json { first } => {
                screen.raw(if *first { b"\n" } else { b",\n" });
                *first = false;
                screen.raw(crate::screen::json(record, false)?.as_bytes());
            }
            Self::Table { grid, zone } => {
                let locked_out = record.revocation().and_then(|one| one.elapsed_to_tombstone_ms);
                let locked_out = locked_out.map(|ms| span(std::time::Duration::from_millis(ms))).unwrap_or_default();
                grid.row([
                    stamp(record.received_at(), zone).into(),
                    record.subject().map_or("nobody".to_owned(), ToString::to_string).into(),
                    record.what().into(),
                    record.outcome().into(),
                    locked_out.into(),
                    short(&by(record), 48).into(),
                    record.id().into(),
                ]);
            }
        }
        Ok(())
    }

    fn end(self, screen: &Screen, shown: usize) {
        match self {
            Self::Csv => {}
            Self::Json { first } => screen.raw(if first { b"]\n" } else { b"\n]\n" }),
            Self::Table { grid, .. } if grid.is_empty() => screen.note("no records"),
            Self::Table { grid, .. } => {
                screen.line(screen.draw(grid));
                screen.line(screen.paint(Tone::Faint, format_args!("records: {shown}")));
            }
        }
    }
}

/// Of an ARN, the part that tells the person: the end of it. The whole is in `audit show`.
fn by(record: &Record) -> String {
    let id = &record.initiator().id;
    let told = if id.starts_with("arn:") { id.rsplit(':').next().unwrap_or(id) } else { id };
    format!("{told} ({})", record.source().name)
}
