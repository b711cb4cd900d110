//! Answers that a service, or something in front of it, gives when it fails.

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::call::Call;

/// An answer of the proxy's own.
pub(crate) type Answer = Response<Full<Bytes>>;

/// The service throttles, in the words of each.
pub(crate) fn throttled(call: &Call) -> Answer {
    let code = match service(call) {
        "dynamodb" => "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        "cognito-idp" | "ses" => "TooManyRequestsException",
        "sns" => "Throttled",
        _ => "ThrottlingException",
    };
    error(call, if service(call) == "ses" { 429 } else { 400 }, code)
}

/// The role does not allow it.
pub(crate) fn denied(call: &Call) -> Answer {
    error(call, 400, if service(call) == "sns" { "AuthorizationError" } else { "AccessDeniedException" })
}

/// What a load balancer answers when nobody is behind it.
pub(crate) fn unavailable() -> Answer {
    answer(503, "text/html", "<html><body><b>Http/1.1 Service Unavailable</b></body></html>".into())
}

/// Not what was asked for.
pub(crate) fn garbage() -> Answer {
    answer(200, "application/x-amz-json-1.0", "{\"Attributes\": {\"\u{fffd}".into())
}

/// `PutEvents` takes none of the entries, and says so with 200.
pub(crate) fn partial(call: &Call) -> Answer {
    let body: Value = serde_json::from_str(&call.text).unwrap_or_default();
    let count = body.get("Entries").and_then(Value::as_array).map_or(1, Vec::len);
    let failed = json!({"ErrorCode": "InternalFailure", "ErrorMessage": "injected"});
    let body = json!({"FailedEntryCount": count, "Entries": vec![failed; count]});
    answer(200, "application/x-amz-json-1.1", body.to_string())
}

/// Nothing found.
pub(crate) fn nothing(call: &Call) -> Answer {
    let body = if call.action.ends_with(":GetItem") { "{}" } else { r#"{"Count":0,"Items":[],"ScannedCount":0}"# };
    answer(200, "application/x-amz-json-1.0", body.into())
}

fn service(call: &Call) -> &str {
    call.action.split(':').next().unwrap_or_default()
}

fn error(call: &Call, status: u16, code: &str) -> Answer {
    if service(call) == "sns" {
        let body = format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>{code}\
             </Code><Message>injected</Message></Error><RequestId>0</RequestId></ErrorResponse>"
        );
        return answer(status, "text/xml", body);
    }
    let mut answer =
        answer(status, "application/x-amz-json-1.1", json!({"__type": code, "message": "injected"}).to_string());
    // SES speaks REST, where the code is in a header.
    if let Ok(code) = code.parse() {
        answer.headers_mut().insert("x-amzn-errortype", code);
    }
    answer
}

fn answer(status: u16, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    if let Ok(status) = hyper::StatusCode::from_u16(status) {
        *answer.status_mut() = status;
    }
    answer.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static(content_type));
    answer
}
