//! `audit show`: everything written down of one revocation, or of one action on an account.

use jiff::tz::TimeZone;
use revocation_aws::dynamodb::{DynamoAuditReader, Entry};
use revocation_core::domain::revocation_id::RevocationId;
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::grid::{Cell, Grid};
use crate::moment::{span, stamp, zone};
use crate::record::Record;
use crate::screen::Screen;
use crate::text::short;

/// Show everything written down of one revocation, or of one action on an account.
#[derive(clap::Args)]
#[command(after_help = "\
What was requested is shown as it was, with the person's address or number if that was what named them.

Examples:
  revokectl audit show rv_0123456789abcdef0123456789abcdef
  revokectl audit show rv_0123456789abcdef0123456789abcdef --output json")]
pub(crate) struct Args {
    /// The id, rv_ (or ac_, of an action) and 32 digits.
    #[arg(value_parser = id)]
    id: RevocationId,
    /// Time zone of what is shown.
    #[arg(long, value_name = "ZONE", value_parser = zone, default_value = "UTC")]
    time_zone: TimeZone,
}

/// Shows it.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let operations = context.operations().await?;
    let reader = DynamoAuditReader::new(context.aws().await?, &operations.revocations_table);
    let entries = reader.entries(&args.id).await.map_err(|error| context.explain(error.into()))?;
    if entries.is_empty() {
        let what = format!("nothing is written down of {}", args.id);
        let next =
            "was it requested just now? the queue may be behind: revokectl status; else check --stack and --region";
        return Err(Failure::not_found(what).next(next));
    }
    context.screen.result(&as_json(&args.id, &entries), |screen| draw(screen, &entries, &args.time_zone))?;
    Ok(Exit::Done)
}

fn id(text: &str) -> Result<RevocationId, String> {
    let digits = text.strip_prefix("rv_").or_else(|| text.strip_prefix("ac_")).unwrap_or_default();
    let is_id = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_id { Ok(RevocationId(text.to_owned())) } else { Err("expected rv_ or ac_ and 32 hexadecimal digits".into()) }
}

fn as_json(id: &RevocationId, entries: &[Entry]) -> Value {
    let entry = |entry: &Entry| json!({"step": entry.step, "recorded_at": entry.recorded_at, "body": body(entry)});
    json!({"id": id, "entries": entries.iter().map(entry).collect::<Vec<_>>()})
}

fn body(entry: &Entry) -> Value {
    serde_json::from_str(&entry.body).unwrap_or(Value::Null)
}

fn draw(screen: &Screen, entries: &[Entry], zone: &TimeZone) -> String {
    let mut parts = Vec::new();
    let started = entries.iter().find(|entry| entry.step == "started").map(body);
    if let Some(started) = &started {
        parts.push(screen.draw(request(started, zone)));
    }
    let received = started.as_ref().and_then(|started| started["received_at"].as_i64());
    let mut steps = Grid::new(["after", "what", "outcome"]);
    for entry in entries.iter().filter(|entry| entry.step != "started") {
        let since = received.map(|at| entry.recorded_at.since(revocation_core::domain::time::EpochMillis(at)));
        let (what, outcome) = told(entry);
        steps.row([since.map(span).unwrap_or_default().into(), what.into(), Cell::lines(outcome)]);
    }
    if !steps.is_empty() {
        parts.push(screen.draw(steps));
    }
    parts.join("\n")
}

fn request(started: &Value, zone: &TimeZone) -> Grid {
    let request = &started["request"];
    let mut facts = Grid::of_facts();
    let mut fact = |name: &str, value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !value.is_null() {
            facts.row([name.into(), short(&text, 300).into()]);
        }
    };
    fact("id", if started["id"].is_null() { &started["revocation_id"] } else { &started["id"] });
    let received = started["received_at"].as_i64().map(revocation_core::domain::time::EpochMillis);
    fact("received", &received.map_or(Value::Null, |at| Value::String(stamp(at, zone))));
    fact("reason", &request["reason"]);
    fact("action", &request["action"]);
    fact("subject", &request["sub_id"]);
    fact("session", &request["session"]);
    fact("initiator", request.pointer("/initiator/id").unwrap_or(&Value::Null));
    fact("source", &request["source"]);
    fact("comment", request.pointer("/reason_admin/en").unwrap_or(&Value::Null));
    fact("part of", &request["txn"]);
    facts
}

/// An entry in words.
fn told(entry: &Entry) -> (String, Vec<String>) {
    let body = body(entry);
    let field = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(record) = Record::of(entry) {
        let mut lines = vec![record.outcome().to_owned()];
        if let Some(one) = record.revocation() {
            lines.extend(one.sessions_ended.map(|count| format!("known sessions ended: {count}")));
        }
        let code = field("code");
        lines.extend((!code.is_empty()).then_some(code));
        return (format!("record of {}", record.subject().map_or("nobody".into(), ToString::to_string)), lines);
    }
    match entry.step.split('/').collect::<Vec<_>>().as_slice() {
        ["resolved"] => {
            let found = body.as_array().map(Vec::len).unwrap_or_default();
            ("accounts found".to_owned(), vec![found.to_string()])
        }
        ["step", subject, step] => {
            let code = field("code");
            let outcome = [field("outcome"), code].into_iter().filter(|text| !text.is_empty()).collect();
            (format!("{step} of {subject}"), outcome)
        }
        [what, subject] => (format!("{what} of {subject}"), Vec::new()),
        _ => (entry.step.clone(), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_is_an_id() {
        assert!(id("rv_0123456789abcdef0123456789abcdef").is_ok());
        assert!(id("ac_0123456789abcdef0123456789abcdef").is_ok());
        for bad in ["", "rv_", "rv_0123456789abcdef0123456789abcdeg", "xx_0123456789abcdef0123456789abcdef"] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }
}
