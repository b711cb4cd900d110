//! Where the store is, who asks, and how long an answer may take.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use hyper::Uri;
use hyper::header::HeaderValue;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};

/// The largest file of certificates read. Mozilla's whole list has 200 KB.
const MAX_CA_BYTES: u64 = 1024 * 1024;

/// How long a strict read may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// One attempt, from taking a connection to the last byte. Default 300 ms: `DynamoDB` answers in 1 to 3.
    pub attempt: Duration,
    /// A first attempt unanswered for so long is joined by one more on another connection. Default 60 ms.
    pub hedge_after: Duration,
    /// All attempts together; then the request is refused (I6). Default 800 ms.
    pub total: Duration,
}

/// Region, endpoint, credentials and trust.
#[derive(Clone)]
pub struct StoreConfig {
    pub(crate) region: String,
    pub(crate) endpoint: Endpoint,
    pub(crate) credentials: SharedCredentialsProvider,
    pub(crate) extra_roots: Vec<CertificateDer<'static>>,
    pub(crate) limits: ReadLimits,
}

/// What of the configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadStoreConfig {
    /// A variable that the Lambda service always sets is missing.
    #[error("{0} is not set: this is not a Lambda environment")]
    NotSet(&'static str),
    /// Not the name of a Region.
    #[error("the Region is not a name such as eu-central-1")]
    Region,
    /// The endpoint cannot be used. It is not quoted: it may hold a password.
    #[error("the endpoint is neither https://<host>[:port] nor http:// to this machine")]
    Endpoint,
    /// The file of additional certificates cannot be used.
    #[error("the file of certificates {0:?} cannot be read, or holds none")]
    CaBundle(String),
}

/// The parts of the endpoint's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The name to verify; `None` for plain HTTP.
    pub(crate) tls: Option<ServerName<'static>>,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// As in the `Host` header.
    pub(crate) authority: HeaderValue,
}

// === impl ReadLimits ===

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            attempt: Duration::from_millis(300),
            hedge_after: Duration::from_millis(60),
            total: Duration::from_millis(800),
        }
    }
}

// === impl StoreConfig ===

impl StoreConfig {
    /// Reads a Lambda function's environment by `variable`, which looks up one environment variable: `AWS_REGION` and the
    /// credentials the service sets, `AWS_ENDPOINT_URL_DYNAMODB` or `AWS_ENDPOINT_URL` for another endpoint, and
    /// `AWS_CA_BUNDLE`, the path of certificates (PEM or DER) to trust in addition to Mozilla's list.
    pub fn from_env(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, BadStoreConfig> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let required = |name: &'static str| set(name).ok_or(BadStoreConfig::NotSet(name));
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            set("AWS_SESSION_TOKEN"),
            None,
            "LambdaEnvironment",
        );
        let credentials = SharedCredentialsProvider::new(credentials);
        Self::with_credentials(&required("AWS_REGION")?, credentials)?.overridden(&set)
    }

    /// The settings for a server (ECS, EKS, EC2) whose credentials come from a provider, for example that of `aws-config`.
    /// They are kept until shortly before they expire.
    pub fn with_credentials(region: &str, credentials: SharedCredentialsProvider) -> Result<Self, BadStoreConfig> {
        // It becomes part of a host name.
        if region.is_empty() || region.len() > 32 || !region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(BadStoreConfig::Region);
        }
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let endpoint = Endpoint::parse(&format!("https://dynamodb.{region}.{suffix}"))?;
        let (region, limits) = (region.to_owned(), ReadLimits::default());
        Ok(Self { region, endpoint, credentials, extra_roots: Vec::new(), limits })
    }

    /// Takes the endpoint and the certificates that the environment names, as [`Self::from_env`] does.
    pub fn overridden(self, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, BadStoreConfig> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut config = self;
        if let Some(url) = set("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| set("AWS_ENDPOINT_URL")) {
            config = config.endpoint(&url)?;
        }
        match set("AWS_CA_BUNDLE") {
            Some(path) => config.trusting(Path::new(&path)),
            None => Ok(config),
        }
    }

    /// Another endpoint: `https://<host>[:port]`; `http://` only to this machine, or the credentials' signatures and the
    /// session token would cross the network readable.
    pub fn endpoint(self, url: &str) -> Result<Self, BadStoreConfig> {
        Ok(Self { endpoint: Endpoint::parse(url)?, ..self })
    }

    /// Trusts the certificates of a PEM or DER file in addition to Mozilla's list.
    pub fn trusting(mut self, path: &Path) -> Result<Self, BadStoreConfig> {
        let bad = || BadStoreConfig::CaBundle(path.display().to_string());
        let size = std::fs::metadata(path).map_err(|_| bad())?.len();
        if size > MAX_CA_BYTES {
            return Err(bad());
        }
        let bytes = std::fs::read(path).map_err(|_| bad())?;
        self.extra_roots.extend(certificates(bytes).ok_or_else(bad)?);
        Ok(self)
    }

    /// Other limits of a strict read.
    #[must_use]
    pub fn limits(self, limits: ReadLimits) -> Self {
        Self { limits, ..self }
    }
}

/// All certificates of a PEM file, or the one of a DER file; `None` if one cannot be trusted or there is none.
fn certificates(bytes: Vec<u8>) -> Option<Vec<CertificateDer<'static>>> {
    let pem: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = match pem.ok()? {
        none if none.is_empty() => vec![CertificateDer::from(bytes)],
        some => some,
    };
    let mut roots = rustls::RootCertStore::empty();
    found.iter().all(|certificate| roots.add(certificate.clone()).is_ok()).then_some(found)
}

// === impl Endpoint ===

impl Endpoint {
    fn parse(url: &str) -> Result<Self, BadStoreConfig> {
        let uri: Uri = url.parse().map_err(|_| BadStoreConfig::Endpoint)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(BadStoreConfig::Endpoint);
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        // Requests go to `/`; a path or a user would be left out silently.
        let plain = ["", "/"].contains(&uri.path()) && uri.query().is_none() && !authority.as_str().contains('@');
        if host.is_empty() || !plain {
            return Err(BadStoreConfig::Endpoint);
        }
        let (tls, usual) = match scheme {
            "https" => (Some(ServerName::try_from(host.to_owned()).map_err(|_| BadStoreConfig::Endpoint)?), 443),
            "http" if is_this_machine(host) => (None, 80),
            _ => return Err(BadStoreConfig::Endpoint),
        };
        let port = authority.port_u16().unwrap_or(usual);
        // The port that goes without saying is left out, as everybody signs it.
        let authority =
            if port == usual { authority.host().to_owned() } else { format!("{}:{port}", authority.host()) };
        let authority = HeaderValue::try_from(authority).map_err(|_| BadStoreConfig::Endpoint)?;
        Ok(Self { tls, host: host.to_owned(), port, authority })
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAMBDA: [(&str, &str); 4] = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "token"),
    ];

    fn config(more: &[(&str, &str)]) -> Result<StoreConfig, BadStoreConfig> {
        let all: Vec<_> = more.iter().chain(&LAMBDA).copied().collect();
        StoreConfig::from_env(&|name| {
            all.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_endpoint_is_the_regions_unless_overridden_most_specific_first() {
        let host = |more: &[(&str, &str)]| config(more).unwrap().endpoint.authority;
        assert_eq!(host(&[]), "dynamodb.eu-central-1.amazonaws.com");
        assert_eq!(host(&[("AWS_REGION", "cn-north-1")]), "dynamodb.cn-north-1.amazonaws.com.cn");
        assert_eq!(host(&[("AWS_ENDPOINT_URL", "http://localhost:4566/")]), "localhost:4566");
        let both = [("AWS_ENDPOINT_URL", "http://localhost:1"), ("AWS_ENDPOINT_URL_DYNAMODB", "https://[::1]:443")];
        assert_eq!(host(&both), "[::1]");
    }

    #[test]
    fn a_missing_variable_and_a_bad_region_are_named() {
        for (name, _) in LAMBDA.iter().take(3) {
            assert_eq!(config(&[(*name, "")]).err(), Some(BadStoreConfig::NotSet(name)));
        }
        assert_eq!(config(&[("AWS_REGION", "eu/../evil.example")]).err(), Some(BadStoreConfig::Region));
    }

    #[test]
    fn credentials_do_not_cross_the_network_readable() {
        for good in ["https://example.com", "http://127.0.0.1:4566", "http://[::1]:1/", "http://localhost"] {
            assert!(Endpoint::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
            "https://user:pass@example.com",
            "https://example.com/path",
            "https://example.com/?q",
            "ftp://localhost",
            "localhost:4566",
            "",
        ] {
            assert_eq!(Endpoint::parse(bad), Err(BadStoreConfig::Endpoint), "{bad}");
        }
    }

    #[test]
    fn certificates_are_read_from_pem_and_der_and_nothing_else() {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let path = std::env::temp_dir().join(format!("revocation-store-{}.pem", std::process::id()));
        for (bytes, count) in [
            (made.cert.pem().into_bytes(), Some(1)),
            ([made.cert.pem(), made.cert.pem()].concat().into_bytes(), Some(2)),
            (made.cert.der().to_vec(), Some(1)),
            (b"no certificate".to_vec(), None),
            (Vec::new(), None),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let read = config(&[("AWS_CA_BUNDLE", path.to_str().unwrap())]).map(|config| config.extra_roots.len());
            assert_eq!(read.ok(), count);
        }
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(config(&[("AWS_CA_BUNDLE", "/none")]), Err(BadStoreConfig::CaBundle(_))));
    }
}
