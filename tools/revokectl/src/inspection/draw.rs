//! An inspection on one screen.

use std::time::Duration;

use jiff::tz::TimeZone;
use revocation_core::domain::session::SessionRecord;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::domain::tombstone::Tombstone;

use super::{Inspection, Past, Session};
use crate::account::told_bars;
use crate::grid::{Cell, Grid};
use crate::look::Look;
use crate::moment::{span, stamp};
use crate::screen::{Screen, Tone};
use crate::text::short;

/// The longest user agent shown.
const MOST_AGENT_CHARS: usize = 40;
/// The most sessions shown.
const MOST_SESSIONS: usize = 20;

/// Draws it.
pub(crate) fn draw(screen: &Screen, inspection: &Inspection) -> String {
    let sections = [
        section(screen, "Account", &screen.draw(account(inspection))),
        section(screen, "Sign-ins (threat protection)", &look(screen, &inspection.sign_ins, sign_ins)),
        section(screen, "Devices remembered", &look(screen, &inspection.devices, devices)),
        section(
            screen,
            "Sessions seen in use (ledger)",
            &look(screen, &inspection.sessions, |all| sessions(all, inspection.now)),
        ),
        section(screen, "Sessions known to Cognito", &look(screen, &inspection.cognito_sessions, |_| Grid::of_facts())),
        section(screen, "What was done to it", &look(screen, &inspection.past, past)),
        section(
            screen,
            "AWS calls under this name, 90 days (CloudTrail)",
            &look(screen, &inspection.cloudtrail, calls),
        ),
    ];
    sections.join("\n")
}

fn section(screen: &Screen, title: &str, body: &str) -> String {
    format!("{}\n{body}\n", screen.paint(Tone::Strong, title))
}

/// A table, "none", or why it is not known.
fn look<T>(screen: &Screen, look: &Look<Vec<T>>, draw: impl FnOnce(&[T]) -> Grid) -> String {
    match look {
        Look::Known(all) if all.is_empty() => "  none".to_owned(),
        Look::Known(all) => screen.draw(draw(all)),
        Look::NotKnown(missing) => {
            let tone = if missing.is_a_fault { Tone::Warning } else { Tone::Faint };
            format!("  {}", screen.paint(tone, format_args!("not known: {}", crate::text::plain(&missing.why))))
        }
    }
}

fn account(it: &Inspection) -> Grid {
    let mut facts = Grid::of_facts();
    let username = it.profile.as_ref().map(|profile| profile.username.clone());
    facts.row(["who".into(), username.unwrap_or("Cognito does not know them (any more)".into()).into()]);
    facts.row(["pool, sub".into(), it.subject.to_string().into()]);
    facts.row([
        "status".into(),
        it.account
            .told(|account| match account {
                None => "search does not find it".to_owned(),
                Some(account) if account.enabled => format!("enabled, {}", account.status),
                Some(account) => format!("DISABLED, {}", account.status),
            })
            .into(),
    ]);
    if let Some(Some(account)) = it.account.known() {
        let verified = |is: bool| if is { "" } else { " (not verified)" };
        let address = |text: &Option<String>, is| text.as_ref().map(|text| format!("{text}{}", verified(is)));
        let reached = [
            address(&account.email, account.email_verified),
            address(&account.phone_number, account.phone_number_verified),
        ];
        facts.row(["reached by".into(), Cell::lines(reached.into_iter().flatten())]);
        facts.row(["created, changed".into(), format!("{}, {}", at(account.created), at(account.modified)).into()]);
    }
    facts.row(["second factors".into(), it.second_factors.told(|all| list(all)).into()]);
    let protected = |group: &String| {
        if it.protected_groups.contains(group) { format!("{group} (protected)") } else { group.clone() }
    };
    facts.row(["groups".into(), it.groups.told(|all| list(&all.iter().map(protected).collect::<Vec<_>>())).into()]);
    facts.row(["kept out by".into(), it.barred_by.told(|bars| told_bars(bars)).into()]);
    facts.row(["tombstone".into(), Cell::lines(tombstone(&it.tombstone, it.now))]);
    facts
}

fn tombstone(look: &Look<Option<Tombstone>>, now: EpochMillis) -> Vec<String> {
    let Some(read) = look.known() else { return vec![look.told(|_| String::new())] };
    let Some(tombstone) = read else { return vec!["none: nothing was revoked, nothing is held".to_owned()] };
    let mut told = Vec::new();
    if let Some(hold) = &tombstone.hold {
        let until = hold.until.map_or("until it is released".to_owned(), |until| format!("until {}", second(until)));
        let state = if tombstone.is_held(now.seconds()) { "ON HOLD" } else { "the hold is over" };
        let by = tombstone.hold_changed.as_ref().map(|stamp| format!(", by {}", stamp.by)).unwrap_or_default();
        told.push(format!("{state} {until}{by}"));
        if !hold.message.is_empty() {
            told.push(format!("  they are told: {}", hold.message));
        }
    }
    if let Some(cutoff) = tombstone.not_before {
        let sealed = if tombstone.sealed { "sealed" } else { "NOT SEALED: the sign-out is not confirmed" };
        told.push(format!("tokens of {} and before are refused ({sealed})", second(cutoff)));
    }
    if let Some(cutoff) = tombstone.claims_not_before {
        told.push(format!("tokens issued at {} and before must be refreshed", second(cutoff)));
    }
    if !tombstone.sessions.is_empty() {
        told.push(format!("{} single sessions are refused", tombstone.sessions.len()));
    }
    if let Some(others) = &tombstone.others {
        told.push(format!("every session but one that began at {} or before is refused", second(others.not_before)));
    }
    told.extend(tombstone.revocation_id.as_ref().map(|id| format!("last revocation: {id}")));
    if told.is_empty() {
        told.push("refuses nothing (any more)".to_owned());
    }
    told
}

fn sign_ins(all: &[revocation_aws::cognito::SignIn]) -> Grid {
    let mut grid = Grid::new(["when", "what", "outcome", "risk", "address", "place", "device"]);
    for one in all {
        let breached = one.compromised_credentials.unwrap_or_default().then_some("BREACHED PASSWORD");
        let risk = [one.risk_level.as_deref(), one.risk_decision.as_deref(), breached];
        grid.row([
            at(one.at).into(),
            text(one.event.as_deref()),
            text(one.response.as_deref()),
            list(&risk.into_iter().flatten().map(str::to_owned).collect::<Vec<_>>()).into(),
            text(one.ip.as_deref()),
            text(one.place.as_deref()),
            short(one.device.as_deref().unwrap_or("–"), MOST_AGENT_CHARS).into(),
        ]);
    }
    grid
}

fn devices(all: &[revocation_aws::cognito::RememberedDevice]) -> Grid {
    let mut grid = Grid::new(["device", "skips MFA", "last address", "last used", "since"]);
    for one in all {
        grid.row([
            short(one.name.as_deref().unwrap_or(&one.key), MOST_AGENT_CHARS).into(),
            text(one.remembered.as_deref()),
            text(one.ip.as_deref()),
            at(one.last_authenticated).into(),
            at(one.created).into(),
        ]);
    }
    grid
}

fn sessions(all: &[Session], now: EpochMillis) -> Grid {
    let mut grid = Grid::new(["session (origin_jti)", "began", "last seen", "address", "client", "user agent", ""]);
    for Session { record, goes_on, refused_at } in all.iter().take(MOST_SESSIONS) {
        grid.row([
            (&record.origin_jti).into(),
            began(record).into(),
            format!("{} ago", span(whole(now.since(record.last_seen)))).into(),
            text(record.ip.as_deref()),
            (&record.client_id).into(),
            short(record.user_agent.as_deref().unwrap_or("–"), MOST_AGENT_CHARS).into(),
            if *goes_on { "goes on".into() } else { format!("ended; {}", refused(refused_at, now)).into() },
        ]);
    }
    let more = all.len().saturating_sub(MOST_SESSIONS);
    if more > 0 {
        let mut cells = [""; 7].map(Cell::from);
        if let Some(first) = cells.first_mut() {
            *first = format!("… and {more} more").into();
        }
        grid.row(cells);
    }
    grid
}

/// The proof that an ended session is one: somebody tried it.
fn refused(look: &Look<Option<EpochMillis>>, now: EpochMillis) -> String {
    match look {
        Look::Known(Some(at)) => format!("first refused {} ago", span(whole(now.since(*at)))),
        Look::Known(None) => "no request since".to_owned(),
        Look::NotKnown(missing) => format!("refused? {}", crate::text::plain(&missing.why)),
    }
}

fn past(all: &[Past]) -> Grid {
    let mut grid = Grid::new(["when", "what", "outcome", "by", "id"]);
    for one in all {
        match one {
            Past::Revocation(record) => grid.row([
                at(Some(record.received_at)).into(),
                format!("revoked: {}", record.reason).into(),
                word(&record.outcome).into(),
                (&record.initiator.id).into(),
                (&record.revocation_id).into(),
            ]),
            Past::Action(record) => grid.row([
                at(Some(record.received_at)).into(),
                record.action.as_str().into(),
                record.outcome.as_str().into(),
                (&record.initiator.id).into(),
                (&record.id).into(),
            ]),
        }
    }
    grid
}

fn calls(all: &[revocation_aws::cloudtrail::Call]) -> Grid {
    let mut grid = Grid::new(["when", "service", "call", "address", "refused"]);
    for one in all {
        grid.row([
            at(one.at).into(),
            one.service.trim_end_matches(".amazonaws.com").into(),
            (&one.name).into(),
            text(one.ip.as_deref()),
            text(one.error.as_deref()),
        ]);
    }
    grid
}

fn began(record: &SessionRecord) -> String {
    at(Some(record.auth_time.map_or(record.first_seen, EpochMillis::from)))
}

/// The word of a value that is written as one.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn text(value: Option<&str>) -> Cell {
    value.unwrap_or("–").into()
}

fn list(all: &[String]) -> String {
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

fn at(time: Option<EpochMillis>) -> String {
    time.map_or("–".to_owned(), |time| stamp(time, &TimeZone::UTC))
}

fn second(time: EpochSeconds) -> String {
    at(Some(time.into()))
}

/// Sightings are as fine as the recorder's interval: parts of a second say nothing.
fn whole(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs().max(1))
}
