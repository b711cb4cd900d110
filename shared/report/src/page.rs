//! The HTML page: everything it needs is in it, and whatever came from outside is escaped by the template.

use askama::Template;

use crate::GENERATOR;
use crate::chart::histogram;
use crate::counts::{Counts, Distribution, duration};
use crate::entry::{Facts, Scope};
use crate::row::Row;

/// People the page shows; the CSV has all of them.
pub const MOST_ROWS: usize = 2_000;
/// Failures the page shows.
pub const MOST_FAILURES: usize = 1_000;

/// What is kept for the page while entries go by.
pub(crate) struct Page {
    facts: Facts,
    rows: Vec<Row>,
    failures: Vec<Row>,
    actions: Vec<Row>,
    actions_left_out: usize,
    rows_left_out: usize,
    failures_left_out: usize,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Document<'a> {
    title: String,
    /// Names and values at the top.
    facts: Vec<(&'static str, String)>,
    tiles: Vec<Tile>,
    /// SVG: made here, of numbers and fixed words.
    to_tombstone: String,
    to_seal: String,
    rows: &'a [Row],
    rows_left_out: usize,
    failures: &'a [Row],
    actions: &'a [Row],
    actions_left_out: usize,
    failures_left_out: usize,
    csv_sha256: &'a str,
    generator: &'static str,
    is_job: bool,
}

/// A number with its name.
struct Tile {
    value: String,
    name: &'static str,
    note: String,
}

impl Page {
    pub(crate) fn new(facts: Facts) -> Self {
        Self {
            facts,
            rows: Vec::new(),
            failures: Vec::new(),
            actions: Vec::new(),
            rows_left_out: 0,
            failures_left_out: 0,
            actions_left_out: 0,
        }
    }

    pub(crate) fn add(&mut self, row: Row) {
        if row.needs_a_look() {
            if self.failures.len() < MOST_FAILURES {
                self.failures.push(row.clone());
            } else {
                self.failures_left_out += 1;
            }
        }
        if self.rows.len() < MOST_ROWS {
            self.rows.push(row);
        } else {
            self.rows_left_out += 1;
        }
    }

    /// Adds what an operator did to an account.
    pub(crate) fn add_action(&mut self, row: Row) {
        if self.actions.len() < MOST_FAILURES {
            self.actions.push(row);
        } else {
            self.actions_left_out += 1;
        }
    }

    pub(crate) fn render(
        &self,
        counts: &Counts,
        to_tombstone: &mut Distribution,
        to_seal: &mut Distribution,
        csv_sha256: &str,
    ) -> Result<String, askama::Error> {
        let p99 = [to_tombstone.percentile(99), to_seal.percentile(99)];
        let document = Document {
            title: title(&self.facts.scope),
            facts: facts(&self.facts),
            tiles: tiles(counts, p99),
            to_tombstone: histogram(to_tombstone, "From request to refusal"),
            to_seal: histogram(to_seal, "From request to confirmed sign-out"),
            rows: &self.rows,
            rows_left_out: self.rows_left_out,
            failures: &self.failures,
            failures_left_out: self.failures_left_out,
            actions: &self.actions,
            actions_left_out: self.actions_left_out,
            csv_sha256,
            generator: GENERATOR,
            is_job: matches!(self.facts.scope, Scope::Job { .. }),
        };
        document.render()
    }
}

fn title(scope: &Scope) -> String {
    match scope {
        Scope::Job { meant, .. } => format!("Access revoked: {meant}"),
        Scope::Period { since, until } if since == until => format!("Access revoked on {since}"),
        Scope::Period { since, until } => format!("Access revoked, {since} to {until}"),
    }
}

fn facts(facts: &Facts) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let Scope::Job {
        job_id,
        reason,
        initiator,
        approved_by,
        stage,
        received_at,
        locked_out_at,
        ended_at,
        unknown,
        ..
    } = &facts.scope
    {
        let or = |text: &Option<String>, otherwise: &str| text.clone().unwrap_or_else(|| otherwise.to_owned());
        lines.extend([
            ("Reason", reason.clone()),
            ("Requested by", initiator.clone()),
            ("Approved by", or(approved_by, "no approval was needed")),
            ("Requested at", received_at.clone()),
            ("Everybody refused at", or(locked_out_at, "not reached")),
            ("Ended", format!("{} ({stage})", or(ended_at, "not yet"))),
            ("Bulk revocation", job_id.clone()),
        ]);
        if *unknown > 0 {
            lines.push(("Entries that mean nobody", unknown.to_string()));
        }
    }
    lines.push(("Report made at", facts.generated_at.rfc3339()));
    lines.push(("Report made by", facts.generated_by.clone()));
    lines
}

fn tiles(counts: &Counts, p99: [Option<u32>; 2]) -> Vec<Tile> {
    let tile = |value: u64, name, note: String| Tile { value: value.to_string(), name, note };
    let failed = counts.partial + counts.without_record;
    let of = format!("of {}", counts.entries);
    let [tombstone, seal] = p99.map(|p99| p99.map_or("–".to_owned(), duration));
    let unknown = match counts.sessions_unknown {
        0 => "as the session ledger has them".to_owned(),
        unknown => format!("not known of {unknown}"),
    };
    let others = match (counts.no_such_user, counts.cancelled) {
        (0, 0) => "signed out, and refused everywhere".to_owned(),
        (gone, called_off) => format!("nobody there: {gone}, called off: {called_off}"),
    };
    let mut tiles = vec![
        tile(counts.entries, "revocations", others),
        tile(counts.complete, "complete", of.clone()),
        tile(failed, "need a look", format!("{} without a record", counts.without_record)),
        tile(counts.sessions_ended, "sessions ended", unknown),
        Tile { value: tombstone, name: "to refusal", note: "99 of 100 within".to_owned() },
        Tile { value: seal, name: "to sign-out", note: "99 of 100 within".to_owned() },
        tile(counts.confirmed, "confirmed by a refused request", of),
    ];
    if counts.duplicates > 0 {
        tiles.push(tile(counts.duplicates, "named more than once", "marked in the table".to_owned()));
    }
    tiles
}

impl Row {
    /// Name, else user name, else whatever there is.
    fn title(&self) -> &str {
        let candidates = [&self.name, &self.email, &self.username, &self.sub];
        candidates.into_iter().find(|text| !text.is_empty()).map_or("nobody found", String::as_str)
    }

    /// What else is known of the person, besides the title and the `sub`.
    fn details(&self) -> impl Iterator<Item = &str> {
        let title = self.title().to_owned();
        [&self.email, &self.username]
            .into_iter()
            .map(String::as_str)
            .filter(move |text| !text.is_empty() && *text != title)
    }

    /// Outcome for people.
    fn verdict(&self) -> &str {
        match self.outcome.as_str() {
            "complete" => "complete",
            "partial" => "partly done",
            "no_such_user" => "nobody there",
            "cancelled" => "called off",
            "no_record" => "no record",
            other => other,
        }
    }

    /// What is known of the outcome's look: `good`, `bad`, `neutral`.
    fn class(&self) -> &'static str {
        match self.outcome.as_str() {
            "complete" | "done" => "good",
            "partial" | "no_record" | "failed" | "refused" => "bad",
            _ => "neutral",
        }
    }
}

/// `2026-11-26T18:00:00.123Z` in two words, the second of them finer than the eye needs.
fn words(time: &str) -> String {
    time.replace('T', " ").replace('Z', "")
}
