//! The protected API, as one of its clients sees it.

use std::sync::Arc;

use async_trait::async_trait;
use revocation_aws::https::{HttpsClient, HttpsError, Method};

/// What a call with a token came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 2xx.
    Served,
    /// 401 or 403.
    Refused,
    /// Anything else, with a stable code. That an API is down does not show that it enforces anything.
    Unclear(String),
}

/// Calls the protected API.
#[async_trait]
pub trait ProtectedApi: Send + Sync {
    /// Calls it with this token.
    async fn call(&self, token: &str) -> Answer;
}

/// The API at a URL that answers GET.
pub struct HttpApi {
    /// Makes the requests, each over a connection of its own.
    pub https: Arc<HttpsClient>,
    /// The URL.
    pub url: String,
}

// === impl Answer ===

impl Answer {
    /// The answer as a code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Served => "served",
            Self::Refused => "refused",
            Self::Unclear(code) => code,
        }
    }

    fn of(status: Result<u16, HttpsError>) -> Self {
        match status {
            Ok(200..=299) => Self::Served,
            Ok(401 | 403) => Self::Refused,
            Ok(status) => Self::Unclear(format!("status_{status}")),
            Err(error) => Self::Unclear(error.port_error("call").code),
        }
    }
}

#[async_trait]
impl ProtectedApi for HttpApi {
    async fn call(&self, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        Answer::of(self.https.status_of(Method::GET, &self.url, &[("authorization", &bearer)], Vec::new()).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_no_refusal() {
        for status in [401, 403] {
            assert_eq!(Answer::of(Ok(status)), Answer::Refused);
        }
        for status in [200, 204] {
            assert_eq!(Answer::of(Ok(status)), Answer::Served);
        }
        for status in [302, 404, 429, 500, 503] {
            assert_eq!(Answer::of(Ok(status)), Answer::Unclear(format!("status_{status}")));
        }
        assert_eq!(Answer::of(Err(HttpsError::Timeout)), Answer::Unclear("timeout".to_owned()));
    }
}
