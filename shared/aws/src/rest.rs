//! Single reads of services whose SDK is not linked: API Gateway and Lambda have large ones, for one call each. Signed by
//! `aws-sigv4`, as the SDKs do it.

use std::time::{Duration, UNIX_EPOCH};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::PortError;
use serde_json::Value;

use crate::clients::AwsConfig;
use crate::https::{Answer, HttpsClient};

/// A service that is read so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// REST, HTTP and WebSocket APIs.
    ApiGateway,
    /// Functions.
    Lambda,
}

/// Reads JSON.
pub struct RestReader {
    aws: AwsConfig,
    https: HttpsClient,
}

impl Service {
    /// As the variable `AWS_ENDPOINT_URL_…` has it.
    fn variable(self) -> &'static str {
        match self {
            Self::ApiGateway => "API_GATEWAY",
            Self::Lambda => "LAMBDA",
        }
    }

    /// As addresses and signatures have it.
    fn name(self) -> &'static str {
        match self {
            Self::ApiGateway => "apigateway",
            Self::Lambda => "lambda",
        }
    }
}

impl RestReader {
    /// A reader as whoever `aws` is.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { aws: aws.clone(), https: HttpsClient::new() }
    }

    /// What is at `path`, which may have a query. `action` is the IAM action that is needed.
    pub async fn get(
        &self,
        service: Service,
        path: &str,
        action: &'static str,
        now: EpochMillis,
    ) -> Result<Value, PortError> {
        let url = format!("{}{path}", self.aws.address(service.variable(), service.name()));
        let credentials = self.aws.credentials().await.ok_or_else(|| PortError::reject(action, "no_credentials"))?;
        let headers = self.signed(service, &url, credentials, now);
        let headers = headers.ok_or_else(|| PortError::reject(action, "request_not_built"))?;
        let answer = self.https.get_with(&url, &headers).await.map_err(|error| error.port_error(action))?;
        read(&answer, action)
    }

    /// The time by the clock of the Region's token service, as the header `Date` has it: whole seconds.
    pub async fn date(&self) -> Result<String, PortError> {
        const ACTION: &str = "sts";
        let url = format!("{}/", self.aws.address("STS", "sts"));
        let answer = self.https.get_with(&url, &[]).await.map_err(|error| error.port_error(ACTION))?;
        answer.date.ok_or_else(|| PortError::retry(ACTION, "no_date"))
    }

    fn signed(
        &self,
        service: Service,
        url: &str,
        credentials: aws_credential_types::Credentials,
        now: EpochMillis,
    ) -> Option<Vec<(String, String)>> {
        let identity = credentials.into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(self.aws.region())
            .name(service.name())
            .time(UNIX_EPOCH + Duration::from_millis(now.0.unsigned_abs()))
            .settings(SigningSettings::default())
            .build()
            .ok()?
            .into();
        let request = SignableRequest::new("GET", url, std::iter::empty(), SignableBody::Bytes(&[])).ok()?;
        let (instructions, _) = sign(request, &params).ok()?.into_parts();
        Some(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

fn read(answer: &Answer, action: &'static str) -> Result<Value, PortError> {
    match answer.status {
        200 => serde_json::from_slice(&answer.body).map_err(|_| PortError::retry(action, "bad_response")),
        401 | 403 => Err(PortError::reject(action, "access_denied")),
        404 => Err(PortError::reject(action, "resource_not_found")),
        status => Err(PortError::retry(action, format!("status_{status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aws(endpoint: Option<&str>) -> AwsConfig {
        let variable = |name: &str| match name {
            "AWS_REGION" => Some("eu-central-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("AKIDEXAMPLE".to_owned()),
            "AWS_SESSION_TOKEN" => Some("a-token".to_owned()),
            "AWS_ENDPOINT_URL_LAMBDA" => endpoint.map(str::to_owned),
            _ => None,
        };
        AwsConfig::from_env(&variable).unwrap()
    }

    #[tokio::test]
    async fn a_request_is_signed_for_its_service_with_the_sessions_token() {
        let reader = RestReader::new(&aws(None));
        let credentials = reader.aws.credentials().await.unwrap();
        let url = "https://apigateway.eu-central-1.amazonaws.com/restapis?limit=25";
        let headers = reader.signed(Service::ApiGateway, url, credentials, EpochMillis(1_795_694_400_000)).unwrap();
        let of = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let scope = "Credential=AKIDEXAMPLE/20261126/eu-central-1/apigateway/aws4_request";
        assert!(of("authorization").unwrap().contains(scope), "{headers:?}");
        assert_eq!((of("x-amz-date"), of("x-amz-security-token")), (Some("20261126T120000Z"), Some("a-token")));
    }

    #[test]
    fn addresses_are_the_regions_or_those_that_are_given() {
        assert_eq!(aws(None).address("LAMBDA", "lambda"), "https://lambda.eu-central-1.amazonaws.com");
        assert_eq!(aws(Some("http://127.0.0.1:9")).address("LAMBDA", "lambda"), "http://127.0.0.1:9");
    }

    #[test]
    fn refusals_are_told_apart() {
        let of = |status, body: &str| {
            let answer = Answer { status, date: None, body: body.as_bytes().to_vec() };
            read(&answer, "lambda:ListEventSourceMappings").map_err(|error| error.code)
        };
        assert_eq!(of(200, "{\"a\":1}"), Ok(serde_json::json!({"a": 1})));
        assert_eq!(of(403, ""), Err("access_denied".into()));
        assert_eq!((of(404, ""), of(500, "")), (Err("resource_not_found".into()), Err("status_500".into())));
        assert_eq!(of(200, "<html>"), Err("bad_response".into()));
    }
}
