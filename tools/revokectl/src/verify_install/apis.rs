//! The APIs in front of which the authorizer stands: its answers must not be kept.

use std::fmt::Write as _;

use revocation_aws::rest::{RestReader, Service};
use revocation_core::ports::PortError;
use serde_json::Value;

use super::Check;
use crate::context::Context;
use crate::failure::Failure;

const GROUP: &str = "apis";
const GET: &str = "apigateway:GET";
/// What a page holds, small enough for an answer of 64 KB.
const PAGE: usize = 25;
/// Pages of APIs that are looked through; an account has 600 of each kind unless it asked for more.
const MOST_PAGES: usize = 40;

/// The forms of API Gateway, which tell the same things by other names.
#[derive(Clone, Copy, Debug)]
struct Kind {
    called: &'static str,
    /// Where its APIs are, and how a page's size and place are asked for.
    at: &'static str,
    size: &'static str,
    place: &'static str,
    /// Members of its answers: the list, the id, the next place, the function's address, the time answers are kept.
    items: [&'static str; 2],
    id: &'static str,
    next: &'static str,
    uri: &'static str,
    keeps: &'static str,
    /// What holds where nothing is said, seconds.
    default: i64,
}

const REST: Kind = Kind {
    called: "REST API",
    at: "/restapis",
    size: "limit",
    place: "position",
    items: ["item", "_embedded"],
    id: "id",
    next: "position",
    uri: "authorizerUri",
    keeps: "authorizerResultTtlInSeconds",
    default: 300,
};
/// WebSocket APIs are among them; their authorizers keep nothing.
const HTTP: Kind = Kind {
    called: "HTTP API",
    at: "/v2/apis",
    size: "maxResults",
    place: "nextToken",
    items: ["items", "Items"],
    id: "apiId",
    next: "nextToken",
    uri: "authorizerUri",
    keeps: "authorizerResultTtlInSeconds",
    default: 0,
};

pub(super) async fn checks(context: &Context) -> Result<Vec<Check>, Failure> {
    let Some(function) = context.operations().await?.authorizer_function_arn.clone() else {
        let next = "deploy the stack again: this version tells it to its operators";
        return Ok(vec![Check::warning(GROUP, "authorizer", "the stack does not say which function it is", next)]);
    };
    let reader = RestReader::new(context.aws().await?);
    let mut checks = Vec::new();
    for kind in [REST, HTTP] {
        match look(context, &reader, kind, &function).await {
            Ok(found) => checks.extend(found),
            Err(error) => checks.push(Check::not_seen(GROUP, format!("{}s", kind.called), error)),
        }
    }
    if checks.is_empty() {
        let next = "put it in front of your APIs (README, \"Enforce it\"), or the Tower layer, introspection or a kit";
        checks.push(Check::warning(GROUP, "authorizer", "no API of this account and Region asks it", next));
    }
    Ok(checks)
}

async fn look(context: &Context, reader: &RestReader, kind: Kind, function: &str) -> Result<Vec<Check>, PortError> {
    let get = async |path: String| reader.get(Service::ApiGateway, &path, GET, context.now()).await;
    let (mut checks, mut place) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let after = place.map(|place: String| format!("&{}={}", kind.place, escaped(&place))).unwrap_or_default();
        let page = get(format!("{}?{}={PAGE}{after}", kind.at, kind.size)).await?;
        for api in items(&page, kind) {
            let text = |member: &str| api.get(member).and_then(Value::as_str);
            let (Some(id), name) = (text(kind.id), text("name").unwrap_or_default()) else { continue };
            let authorizers = get(format!("{}/{}/authorizers", kind.at, escaped(id))).await?;
            let ours = items(&authorizers, kind).filter(|it| is_of(it, kind, function));
            checks.extend(ours.map(|authorizer| judge(&authorizer, kind, name, id)));
        }
        let next = page.get(kind.next).and_then(Value::as_str);
        place = next.filter(|next| !next.is_empty()).map(str::to_owned);
        if place.is_none() {
            break;
        }
    }
    Ok(checks)
}

fn items(page: &Value, kind: Kind) -> impl Iterator<Item = Value> {
    let list = kind.items.iter().find_map(|name| match &page[name] {
        Value::Array(items) => Some(items.clone()),
        // As HAL has it, which API Gateway answers in some Regions: `_embedded.item`.
        Value::Object(embedded) => match embedded.get("item") {
            Some(Value::Array(items)) => Some(items.clone()),
            Some(one @ Value::Object(_)) => Some(vec![one.clone()]),
            _ => None,
        },
        _ => None,
    });
    list.unwrap_or_default().into_iter()
}

/// Whether it calls that function, or a version or alias of it.
fn is_of(authorizer: &Value, kind: Kind, function: &str) -> bool {
    let uri = authorizer[kind.uri].as_str().unwrap_or_default();
    uri.split_once(function).is_some_and(|(_, rest)| rest.starts_with('/') || rest.starts_with(':'))
}

fn judge(authorizer: &Value, kind: Kind, name: &str, id: &str) -> Check {
    let what = format!("{} {name} ({id}), authorizer {}", kind.called, authorizer["name"].as_str().unwrap_or("–"));
    let keeps = authorizer[kind.keeps].as_i64().unwrap_or(kind.default);
    if keeps == 0 {
        return Check::ok(GROUP, what, "asked for every request");
    }
    Check::failed(
        GROUP,
        what,
        format!("its answers are kept for {keeps} s: a revoked token is served for that long"),
        "set AuthorizerResultTtlInSeconds to 0, and deploy the API's stage anew",
    )
}

/// For a path or a query: whatever is no letter or digit.
pub(super) fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Verdict;
    use super::*;

    #[test]
    fn what_is_kept_fails_and_rest_keeps_where_nothing_is_said() {
        let of = |kind, authorizer: Value| judge(&authorizer, kind, "api", "a1").verdict;
        assert_eq!(of(REST, json!({"authorizerResultTtlInSeconds": 0})), Verdict::Ok);
        assert_eq!(of(REST, json!({})), Verdict::Failed, "300 s by default");
        assert_eq!(of(HTTP, json!({})), Verdict::Ok, "HTTP APIs keep nothing by default");
        assert_eq!(of(HTTP, json!({"authorizerResultTtlInSeconds": 60})), Verdict::Failed);
    }

    #[test]
    fn only_authorizers_of_our_function_count() {
        let function = "arn:aws:lambda:eu-central-1:111122223333:function:authorizer";
        let at = |tail: &str| json!({"authorizerUri": format!("arn:aws:apigateway:x:lambda:path/2015-03-31/functions/{function}{tail}")});
        assert!(is_of(&at("/invocations"), REST, function) && is_of(&at(":live/invocations"), HTTP, function));
        assert!(!is_of(&at("-of-another/invocations"), REST, function) && !is_of(&json!({}), REST, function));
    }

    #[test]
    fn a_page_is_read_in_each_of_its_forms() {
        let ids = |page: Value, kind| items(&page, kind).map(|it| it["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(json!({"item": [{"id": 1}, {"id": 2}]}), REST), [json!(1), json!(2)]);
        assert_eq!(ids(json!({"_embedded": {"item": {"id": 3}}}), REST), [json!(3)]);
        assert!(ids(json!({}), REST).is_empty());
        assert_eq!(escaped("arn:aws:sqs/a="), "arn%3Aaws%3Asqs%2Fa%3D");
    }
}
