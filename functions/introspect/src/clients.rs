//! Who may ask: resource servers, each with secrets of its own in Secrets Manager.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use revocation_core::domain::disposition::Disposition;
use revocation_core::ports::PortError;
use revocation_edge::{Keyring, Problem, Request, Response};
use revocation_lambda::metrics;
use revocation_sources::authenticate::{MAX_HEADER_BYTES, SecretList, match_bearer};

/// Both ways to authenticate (RFC 7662, section 2.1; RFC 6749, section 2.3.1; RFC 9110, section 11.6.1).
const CHALLENGE: &str = r#"Basic realm="introspection", Bearer realm="introspection""#;

/// The clients.
pub struct Clients {
    /// Their secrets.
    pub keyring: Keyring,
    /// Their names. Only these are looked for: a made-up name costs no call.
    pub names: BTreeSet<String>,
    /// What the names of their secrets begin with.
    pub prefix: String,
}

/// What a client presents.
enum Credential {
    /// `Basic`: its name, and the secret in the forms it may mean.
    Named(String, Vec<String>),
    /// `Bearer`: the secret alone.
    Bare(String),
}

/// Nobody who may ask.
enum Refused {
    /// Not one of the clients.
    Unknown(&'static str),
    /// Their secrets cannot be read.
    Unavailable,
}

// === impl Clients ===

impl Clients {
    /// The client that sent the request.
    pub(crate) async fn authenticate(&self, request: &Request) -> Result<&str, Problem> {
        self.find(request.header("authorization")).await.map_err(|refused| match refused {
            Refused::Unknown(reason) => {
                metrics::count("Unauthenticated", "source", "introspect");
                tracing::warn!(reason, "turned away");
                Problem::new(401, reason, "authenticate as a configured client, by Basic or Bearer")
            }
            Refused::Unavailable => Problem::new(503, "unavailable", "the clients' secrets cannot be read; ask again"),
        })
    }

    async fn find(&self, header: Option<&str>) -> Result<&str, Refused> {
        let header = header.ok_or(Refused::Unknown("credentials_missing"))?;
        match Credential::read(header).ok_or(Refused::Unknown("credentials_malformed"))? {
            Credential::Named(name, secrets) => {
                let known = self.names.get(&name).ok_or(Refused::Unknown("credentials_unknown"))?;
                let fits = self.knows(known, &secrets).await.map_err(|_| Refused::Unavailable)?;
                fits.then_some(known.as_str())
            }
            Credential::Bare(secret) => {
                let secrets = [secret];
                let (mut found, mut unreadable) = (None, false);
                // All are asked, whichever fits: how long it takes does not tell which did.
                for name in &self.names {
                    match self.knows(name, &secrets).await {
                        Ok(true) if found.is_none() => found = Some(name.as_str()),
                        Ok(_) => {}
                        // A secret that is not there is nobody's: a stranger stays one.
                        Err(error) => unreadable |= error.disposition == Disposition::Retry,
                    }
                }
                if found.is_none() && unreadable {
                    return Err(Refused::Unavailable);
                }
                found
            }
        }
        .ok_or(Refused::Unknown("credentials_unknown"))
    }

    /// Whether one of `presented` is a secret of the client's.
    async fn knows(&self, name: &str, presented: &[String]) -> Result<bool, PortError> {
        let fits = |secrets: &SecretList| {
            let fitting =
                presented.iter().filter(|secret| match_bearer(secrets, &format!("Bearer {secret}")).is_some());
            if fitting.count() > 0 { Ok(()) } else { Err(()) }
        };
        let tried = self.keyring.try_with(&format!("{}{name}", self.prefix), SecretList::parse, fits).await?;
        Ok(tried.is_ok())
    }
}

// === impl Credential ===

impl Credential {
    fn read(header: &str) -> Option<Self> {
        let (scheme, rest) = Some(header).filter(|it| it.len() <= MAX_HEADER_BYTES)?.split_once(' ')?;
        let rest = rest.trim_matches(' ');
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self::Bare(rest.to_owned()));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
        let (name, secret) = text.split_once(':')?;
        // OAuth has both form-encoded first, curl does not. No client's name has anything to encode.
        let decoded = percent_decode_str(&secret.replace('+', " ")).decode_utf8().ok()?.into_owned();
        Some(Self::Named(name.to_owned(), vec![secret.to_owned(), decoded]))
    }
}

/// A problem's answer; one with the status 401 says how to authenticate.
pub(crate) fn response(problem: &Problem) -> Response {
    let response = problem.response();
    if problem.status() == 401 { response.with("www-authenticate", CHALLENGE) } else { response }
}
