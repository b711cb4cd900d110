//! The queues: somebody reads each, and nothing is parked.

use revocation_aws::rest::{RestReader, Service};
use revocation_aws::sqs::SqsInspector;
use revocation_core::ports::PortError;
use serde_json::Value;

use super::Check;
use super::apis::escaped;
use crate::context::Context;
use crate::failure::Failure;

const GROUP: &str = "queues";
const LIST_MAPPINGS: &str = "lambda:ListEventSourceMappings";

pub(super) async fn checks(context: &Context) -> Result<Vec<Check>, Failure> {
    let (operations, aws) = (context.operations().await?, context.aws().await?);
    let (inspector, reader) = (SqsInspector::new(aws), RestReader::new(aws));
    let mut checks = Vec::new();
    for (name, queue) in &operations.queues {
        let arn = match inspector.depth(&queue.url).await {
            Ok(depth) => depth.arn,
            Err(error) => {
                checks.push(Check::not_seen(GROUP, name.as_str(), error));
                continue;
            }
        };
        checks.push(match mappings(context, &reader, &arn).await {
            Ok(states) => read_by(name, &states),
            Err(error) => Check::not_seen(GROUP, name.as_str(), error),
        });
        match inspector.depth(&queue.dead_letters_url).await {
            Ok(dead) => checks.extend(parked(name, dead.waiting + dead.in_flight + dead.delayed)),
            Err(error) => checks.push(Check::not_seen(GROUP, format!("{name}, dead letters"), error)),
        }
    }
    Ok(checks)
}

/// The states of what reads the queue.
async fn mappings(context: &Context, reader: &RestReader, arn: &str) -> Result<Vec<String>, PortError> {
    let path = format!("/2015-03-31/event-source-mappings/?EventSourceArn={}", escaped(arn));
    let answer = reader.get(Service::Lambda, &path, LIST_MAPPINGS, context.now()).await?;
    let mappings = answer.get("EventSourceMappings").and_then(Value::as_array).cloned().unwrap_or_default();
    // Asked once more here: an endpoint that ignores the query would answer for every queue.
    let text = |mapping: &Value, member: &str| mapping.get(member).and_then(Value::as_str).map(str::to_owned);
    let of_queue = mappings.iter().filter(|mapping| text(mapping, "EventSourceArn").is_some_and(|it| it == arn));
    Ok(of_queue.map(|mapping| text(mapping, "State").unwrap_or_default()).collect())
}

fn read_by(name: &str, states: &[String]) -> Check {
    let on = |state: &String| matches!(state.as_str(), "Enabled" | "Enabling" | "Updating" | "Creating");
    match states {
        [] => Check::failed(GROUP, name, "no function reads it", "deploy the stack again"),
        states if states.iter().all(on) => Check::ok(GROUP, name, "is read"),
        _ => Check::failed(
            GROUP,
            name,
            format!("its event source mapping is {}", states.join(", ").to_lowercase()),
            "aws lambda update-event-source-mapping --uuid … --enabled",
        ),
    }
}

fn parked(name: &str, dead: u64) -> Option<Check> {
    let next = format!("revokectl dlq show {name}; mend the cause; revokectl dlq redrive {name}");
    (dead > 0)
        .then(|| Check::failed(GROUP, format!("{name}, dead letters"), format!("{dead} messages are parked"), next))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_queue_that_nobody_reads_fails_and_so_do_parked_messages() {
        let of = |states: &[&str]| {
            read_by("revoke", &states.iter().map(|&state| state.to_owned()).collect::<Vec<_>>()).verdict
        };
        assert_eq!((of(&["Enabled"]), of(&[]), of(&["Disabled"])), (Verdict::Ok, Verdict::Failed, Verdict::Failed));
        assert_eq!(of(&["Enabled", "Disabling"]), Verdict::Failed);
        assert_eq!((parked("revoke", 0), parked("revoke", 2).unwrap().verdict), (None, Verdict::Failed));
    }
}
