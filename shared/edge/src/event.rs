//! The event API Gateway's HTTP APIs send, payload format 2.0, and the answer they take.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The members that are read. A repeated header arrives as one, its values joined by commas.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpEvent {
    #[serde(default)]
    pub(crate) raw_path: String,
    #[serde(default)]
    pub(crate) raw_query_string: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) request_context: RequestContext,
    pub(crate) body: Option<String>,
    #[serde(default)]
    pub(crate) is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestContext {
    pub(crate) http: Http,
    #[serde(default)]
    pub(crate) request_id: String,
    #[serde(default)]
    pub(crate) stage: String,
}

#[derive(Deserialize)]
pub(crate) struct Http {
    pub(crate) method: String,
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpAnswer {
    pub(crate) status_code: u16,
    pub(crate) headers: BTreeMap<&'static str, String>,
    pub(crate) body: String,
    pub(crate) is_base64_encoded: bool,
}
