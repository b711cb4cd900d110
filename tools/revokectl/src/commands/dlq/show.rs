//! `dlq show`: why messages were parked. What they say of people is shown on request only.

use jiff::tz::TimeZone;
use revocation_aws::sqs::{Parked, SqsInspector};
use revocation_core::domain::event::{Envelope, REVOCATION_REQUESTED};
use revocation_core::domain::request::RevocationRequest;
use serde::Serialize;
use serde_json::Value;

use super::letters;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::grid::{Cell, Grid};
use crate::moment::stamp;
use crate::text::short;

/// Show why messages are there, without what they say of people.
#[derive(clap::Args)]
#[command(after_help = "\
QUEUE is a function's name, such as revoke or notify, or `parked`: requests beyond a source's blast radius.

Examples:
  revokectl dlq show revoke
  revokectl dlq show parked --limit 50
  revokectl dlq show revoke --reveal --output json")]
pub(crate) struct Args {
    /// Whose.
    queue: String,
    /// At most so many; there may be more, `revokectl dlq list` counts them.
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    limit: usize,
    /// Show the messages themselves, with addresses, numbers and names in them.
    #[arg(long)]
    reveal: bool,
}

/// What is shown of a message.
#[derive(Serialize)]
struct Shown {
    id: String,
    sent_at: Option<String>,
    received: u32,
    why: String,
    detail_type: Option<String>,
    event_source: Option<String>,
    /// Of a request: who asks, why, and how the subject is named; not the name.
    request: Option<Asked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

#[derive(Serialize)]
struct Asked {
    revocation_id: String,
    source: String,
    reason: &'static str,
    subject_format: &'static str,
}

/// Shows them.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let url = letters(context, &args.queue).await?.url;
    let inspector = SqsInspector::new(context.aws().await?);
    let explain = |error: revocation_core::ports::PortError| context.explain(error.into());
    let parked = inspector.peek(&url, args.limit).await.map_err(explain)?;
    inspector.put_back(&url, &parked).await.map_err(explain)?;
    let mut shown: Vec<Shown> = parked.iter().map(|one| show(one, args.reveal)).collect();
    shown.sort_by(|a, b| a.sent_at.cmp(&b.sent_at));
    shown.truncate(args.limit);
    context.screen.result(&shown, |screen| {
        if shown.is_empty() {
            return "nothing is there (or somebody else is looking at it)".to_owned();
        }
        let mut grid = Grid::new(["message", "since", "what", "why it is here"]);
        for one in &shown {
            let request = one.request.as_ref();
            let mut what = vec![one.detail_type.clone().unwrap_or_else(|| "not an event".to_owned())];
            what.extend(request.map(|asked| format!("{} from {}", asked.reason, asked.source)));
            what.extend(request.map(|asked| asked.revocation_id.clone()));
            let mut why = vec![one.why.clone()];
            why.extend(one.body.clone());
            grid.row([
                (&one.id).into(),
                one.sent_at.clone().unwrap_or_default().into(),
                Cell::lines(what),
                Cell::lines(why),
            ]);
        }
        screen.draw(grid)
    })?;
    Ok(Exit::Done)
}

fn show(parked: &Parked, reveal: bool) -> Shown {
    let envelope: Option<Envelope<'_>> = serde_json::from_str(&parked.body).ok();
    let request = envelope.as_ref().filter(|envelope| envelope.detail_type == REVOCATION_REQUESTED);
    let request = request.and_then(|envelope| RevocationRequest::parse(envelope.detail.get()).ok());
    Shown {
        id: parked.id.clone(),
        sent_at: parked.sent_at.map(|at| stamp(at, &TimeZone::UTC)),
        received: parked.received,
        why: why(parked),
        detail_type: envelope.as_ref().map(|envelope| short(&envelope.detail_type, 64)),
        event_source: envelope.as_ref().map(|envelope| short(&envelope.source, 64)),
        request: request.map(|request| Asked {
            revocation_id: request.id().to_string(),
            source: request.source.name.clone(),
            reason: request.reason.as_str(),
            subject_format: request.sub_id.format(),
        }),
        body: reveal.then(|| pretty(&parked.body)),
    }
}

/// Reasons are ours, and quote nothing (I10).
fn why(parked: &Parked) -> String {
    match (&parked.reason, &parked.bus_error) {
        (Some(reason), _) => reason.clone(),
        (None, Some(code)) => format!("the bus could not deliver it ({code})"),
        (None, None) => "delivered again and again in vain; the function's log says why".to_owned(),
    }
}

fn pretty(body: &str) -> String {
    serde_json::from_str::<Value>(body).map_or_else(|_| short(body, 4_000), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parked(body: &str, reason: Option<&str>) -> Parked {
        Parked::of("m1", body, reason)
    }

    #[test]
    fn i10_what_a_message_says_of_people_is_shown_on_request_only() {
        let body = r#"{"id":"1","source":"s","detail-type":"Revocation Requested","detail":{"version":"1",
            "source":{"name":"hr","event_id":"jane@example.com"},"sub_id":{"format":"email","email":"jane@example.com"},
            "reason":"offboarding","initiator":{"kind":"system","id":"jane@example.com"}}}"#;
        let hidden = serde_json::to_string(&show(&parked(body, Some("blast radius")), false)).unwrap();
        assert!(!hidden.contains("jane") && hidden.contains("offboarding") && hidden.contains("rv_"), "{hidden}");
        assert!(serde_json::to_string(&show(&parked(body, None), true)).unwrap().contains("jane"));
    }

    #[test]
    fn what_is_no_event_is_shown_as_such() {
        let shown = show(&parked("jane@example.com", None), false);
        assert_eq!((shown.detail_type, shown.request.is_none()), (None, true));
        assert!(shown.why.contains("in vain"));
    }
}
