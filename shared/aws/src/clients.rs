//! The one place where SDK clients are built, with the timeouts and retries chosen here on purpose.
//!
//! Functions do without `aws-config`: in a Lambda, region and credentials are in the environment, and its chain of profile
//! files, SSO and IMDS costs start-up time and 40 crates. The operator's CLI is what the feature `profile` is for.

#![expect(clippy::disallowed_methods, reason = "this is the one place that builds SDK clients")]

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_http_client::Builder as HttpClientBuilder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

/// A TCP and TLS handshake in the Region takes milliseconds; one that takes a second will not succeed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// p99.9 of the calls made here is far below; what takes longer is better tried on another connection.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// All attempts together. Two such calls fit into the functions' time limit of 20 s; the rest is the queue's business.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);
/// First attempt and three retries, with the SDK's exponential backoff and full jitter (up to 1, 2 and 4 s).
const ATTEMPTS: u32 = 4;

/// Region, credentials and endpoints of a function, from the variables the Lambda service sets
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>).
#[derive(Clone)]
pub struct AwsConfig {
    base: SdkConfig,
    endpoints: Endpoints,
}

/// Overrides of service endpoints, by the SDKs' standard variables `AWS_ENDPOINT_URL[_<SERVICE>]`.
#[derive(Clone, Debug, Default)]
struct Endpoints {
    by_service: Vec<(&'static str, String)>,
    all: Option<String>,
}

/// A variable that the Lambda service always sets is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not set: this is not a Lambda environment")]
pub struct NotALambda(&'static str);

const SERVICES: [&str; 15] = [
    "API_GATEWAY",
    "CLOUDTRAIL",
    "COGNITO_IDENTITY_PROVIDER",
    "DYNAMODB",
    "EVENTBRIDGE",
    "FIREHOSE",
    "KMS",
    "LAMBDA",
    "S3",
    "SECRETS_MANAGER",
    "SESV2",
    "SNS",
    "SQS",
    "SSM",
    "STS",
];

/// Why a person's profile does not do.
#[cfg(feature = "profile")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProfile {
    /// Neither option, variable nor profile says which Region.
    #[error("no Region is chosen: give --region, set AWS_REGION, or `aws configure set region ...`")]
    NoRegion,
}

impl AwsConfig {
    /// Reads the configuration by `variable`, which looks up one environment variable.
    pub fn from_env(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, NotALambda> {
        let required = |name: &'static str| variable(name).filter(|v| !v.is_empty()).ok_or(NotALambda(name));
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            variable("AWS_SESSION_TOKEN").filter(|token| !token.is_empty()),
            None,
            "LambdaEnvironment",
        );
        let base = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(required("AWS_REGION")?))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .time_source(SystemTimeSource::new())
            .build();
        Ok(Self { base, endpoints: Endpoints::read(variable) })
    }

    /// A person's configuration, found as the AWS CLI finds it: options, then variables, then profile files.
    #[cfg(feature = "profile")]
    pub async fn from_profile(
        profile: Option<&str>,
        region: Option<&str>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, BadProfile> {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http_client());
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        let base = loader.load().await;
        if base.region().is_none() {
            return Err(BadProfile::NoRegion);
        }
        let mut endpoints = Endpoints::read(variable);
        // A profile may name an endpoint, too.
        endpoints.all = endpoints.all.or_else(|| base.endpoint_url().map(str::to_owned));
        Ok(Self { base, endpoints })
    }

    /// The Region.
    #[must_use]
    pub fn region(&self) -> &str {
        self.base.region().map(AsRef::as_ref).unwrap_or_default()
    }

    /// CloudTrail.
    #[cfg(feature = "cloudtrail")]
    #[must_use]
    pub fn cloudtrail(&self) -> aws_sdk_cloudtrail::Client {
        let config = self.service("CLOUDTRAIL", RetryConfig::standard().with_max_attempts(ATTEMPTS), patient());
        aws_sdk_cloudtrail::Client::new(&config)
    }

    /// Cognito. Its quotas are shared with the users' own sign-ins and password changes (I13), so once it throttles,
    /// the adaptive mode also slows down what is sent first.
    #[cfg(feature = "cognito")]
    #[must_use]
    pub fn cognito(&self) -> aws_sdk_cognitoidentityprovider::Client {
        let config =
            self.service("COGNITO_IDENTITY_PROVIDER", RetryConfig::adaptive().with_max_attempts(ATTEMPTS), patient());
        aws_sdk_cognitoidentityprovider::Client::new(&config)
    }

    /// DynamoDB for the pipeline.
    #[cfg(feature = "dynamodb")]
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = self.service("DYNAMODB", RetryConfig::standard().with_max_attempts(ATTEMPTS), patient());
        aws_sdk_dynamodb::Client::new(&config)
    }

    /// EventBridge.
    #[cfg(feature = "eventbridge")]
    #[must_use]
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        let config = self.service("EVENTBRIDGE", RetryConfig::standard().with_max_attempts(ATTEMPTS), patient());
        aws_sdk_eventbridge::Client::new(&config)
    }

    /// Data Firehose.
    #[cfg(feature = "firehose")]
    #[must_use]
    pub fn firehose(&self) -> aws_sdk_firehose::Client {
        let config = self.service("FIREHOSE", RetryConfig::standard().with_max_attempts(ATTEMPTS), patient());
        aws_sdk_firehose::Client::new(&config)
    }

    /// The key management service.
    #[cfg(feature = "kms")]
    #[must_use]
    pub fn kms(&self) -> aws_sdk_kms::Client {
        let config = self.service("KMS", RetryConfig::standard().with_max_attempts(ATTEMPTS), patient());
        aws_sdk_kms::Client::new(&config)
    }

    /// S3. Where an endpoint is given it is no name under which buckets could be subdomains: the path names them.
    #[cfg(feature = "s3")]
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let config = self.service("S3", RetryConfig::standard().with_max_attempts(ATTEMPTS), patient());
        let by_path = config.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(&config).force_path_style(by_path).build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// Secrets Manager.
    #[cfg(feature = "secrets")]
    #[must_use]
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        let config = self.service("SECRETS_MANAGER", RetryConfig::standard().with_max_attempts(ATTEMPTS), patient());
        aws_sdk_secretsmanager::Client::new(&config)
    }

    /// SES. A message has no idempotency key, so an attempt that timed out is not repeated blindly by the SDK: the
    /// queue does it, once, after the claim on the notice has run out.
    #[cfg(feature = "ses")]
    #[must_use]
    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        let config = self.service("SESV2", RetryConfig::disabled(), patient());
        aws_sdk_sesv2::Client::new(&config)
    }

    /// SNS; without retries for the reason given at [`Self::ses`].
    #[cfg(feature = "sns")]
    #[must_use]
    pub fn sns(&self) -> aws_sdk_sns::Client {
        let config = self.service("SNS", RetryConfig::disabled(), patient());
        aws_sdk_sns::Client::new(&config)
    }

    /// SQS.
    #[cfg(feature = "sqs")]
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let config = self.service("SQS", RetryConfig::standard().with_max_attempts(ATTEMPTS), patient());
        aws_sdk_sqs::Client::new(&config)
    }

    /// Systems Manager, for its Parameter Store.
    #[cfg(feature = "ssm")]
    #[must_use]
    pub fn ssm(&self) -> aws_sdk_ssm::Client {
        let config = self.service("SSM", RetryConfig::standard().with_max_attempts(ATTEMPTS), patient());
        aws_sdk_ssm::Client::new(&config)
    }

    /// The security token service: who is asking.
    #[cfg(feature = "profile")]
    #[must_use]
    pub fn sts(&self) -> aws_sdk_sts::Client {
        let config = self.service("STS", RetryConfig::standard().with_max_attempts(ATTEMPTS), patient());
        aws_sdk_sts::Client::new(&config)
    }

    /// The address of a service there is no client for here, `host` being its name in addresses.
    #[cfg(feature = "rest")]
    pub(crate) fn address(&self, name: &str, host: &str) -> String {
        let own = self.endpoints.by_service.iter().find(|(service, _)| *service == name).map(|(_, url)| url.clone());
        own.or_else(|| self.endpoints.all.clone()).unwrap_or_else(|| {
            let region = self.region();
            let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
            format!("https://{host}.{region}.{suffix}")
        })
    }

    /// The credentials, for whoever signs by itself.
    #[cfg(feature = "rest")]
    pub(crate) async fn credentials(&self) -> Option<Credentials> {
        use aws_credential_types::provider::ProvideCredentials as _;
        self.base.credentials_provider()?.provide_credentials().await.ok()
    }

    fn service(&self, name: &str, retries: RetryConfig, timeouts: TimeoutConfig) -> SdkConfig {
        let own = self.endpoints.by_service.iter().find(|(service, _)| *service == name).map(|(_, url)| url.clone());
        let mut builder = self.base.to_builder().retry_config(retries).timeout_config(timeouts);
        builder.set_endpoint_url(own.or_else(|| self.endpoints.all.clone()));
        builder.build()
    }
}

// === impl Endpoints ===

impl Endpoints {
    fn read(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let by_service = SERVICES
            .into_iter()
            .filter_map(|service| Some((service, variable(&format!("AWS_ENDPOINT_URL_{service}"))?)))
            .collect();
        Self { by_service, all: variable("AWS_ENDPOINT_URL") }
    }
}

fn http_client() -> aws_smithy_runtime_api::client::http::SharedHttpClient {
    HttpClientBuilder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

fn patient() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}
