//! Tells others whether a token is good and not revoked: resource servers by RFC 7662, one token or many at a time, and
//! gateways (Envoy's `ext_authz`, NGINX' `auth_request`) by a status.
//!
//! `POST /introspect`, `POST /introspect/batch ─▶ client ─▶ tokens ─▶ check ─▶ active | inactive | 503`,
//! `ANY /ext_authz… ─▶ Authorization ─▶ check ─▶ 200 | 401 | 503`.

mod answer;
pub mod clients;
pub mod config;
mod form;
mod gateway;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use revocation_aws::secrets::SecretsManagerReader;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::ports::TombstoneReader;
use revocation_edge::{Handler, Problem, Request, Response};
use revocation_enforce::TokenSettings;
use revocation_lambda::metrics;
use revocation_store::StrictReader;
use revocation_verify::{BadVerifier, Checker, DenyClass, DenyReason, Permit, StoreOutage};

use answer::Introspected;
use clients::Clients;

/// What the function may do: the actions of the ports it holds (I14).
pub const IAM_ACTIONS: &[&[&str]] = &[StrictReader::IAM_ACTIONS, SecretsManagerReader::IAM_ACTIONS];

/// How many tokens of a batch are checked at a time.
const AT_A_TIME: usize = 16;
/// How long the init phase may spend on getting ready.
const WARM_UP: Duration = Duration::from_secs(1);

/// Answers questions about tokens.
pub struct Introspection {
    /// Decides.
    pub checker: Checker,
    /// Who may ask at `/introspect`.
    pub clients: Clients,
}

#[async_trait]
impl Handler for Introspection {
    async fn handle(&self, request: Request) -> Response {
        let answer = match (request.method.as_str(), request.segments().as_slice()) {
            ("POST", ["introspect"]) => self.introspect(&request).await,
            ("POST", ["introspect", "batch"]) => self.introspect_batch(&request).await,
            (_, ["introspect"] | ["introspect", "batch"]) => {
                let problem = Problem::new(405, "method_not_allowed", "tokens are sent with POST, not in an address");
                Ok(problem.response().with("allow", "POST"))
            }
            (_, [gateway::PREFIX]) => Ok(self.authorize(&request).await),
            _ => Err(Problem::new(404, "nothing_here", "there are /introspect, /introspect/batch and /ext_authz")),
        };
        answer.unwrap_or_else(|problem| clients::response(&problem))
    }

    /// Envoy puts the original request's path behind it.
    fn opaque_below(&self) -> Option<&'static str> {
        Some(gateway::PREFIX)
    }
}

// === impl Introspection ===

impl Introspection {
    async fn introspect(&self, request: &Request) -> Result<Response, Problem> {
        let client = self.clients.authenticate(request).await?;
        let token = form::token(request)?;
        Ok(answer::json(&self.look(client, &token).await?))
    }

    async fn introspect_batch(&self, request: &Request) -> Result<Response, Problem> {
        let client = self.clients.authenticate(request).await?;
        let tokens = form::tokens(request)?;
        // In order, and given up at the first that cannot be checked: half an answer would be taken for a whole one.
        let looks = stream::iter(tokens).map(|token| async move { self.look(client, &token).await });
        let results: Vec<Introspected> = looks.buffered(AT_A_TIME).try_collect().await?;
        Ok(answer::json(&serde_json::json!({ "results": results })))
    }

    /// What is known of one token; a problem if it cannot be checked, since neither answer would be true.
    async fn look(&self, client: &str, token: &str) -> Result<Introspected, Problem> {
        match self.check(token).await {
            Ok(permit) => {
                metrics::count("Introspected", "client", client);
                Ok(Introspected::active(&permit, token))
            }
            Err(reason) if reason.class() == DenyClass::InvalidToken => {
                metrics::count("Introspected", "client", client);
                Ok(Introspected::inactive())
            }
            Err(_) => Err(Problem::new(503, "unavailable", "the token cannot be checked; ask again")),
        }
    }

    async fn authorize(&self, request: &Request) -> Response {
        let token = match gateway::bearer(request) {
            Ok(token) => token,
            Err(refused) => return gateway::unauthorized(refused),
        };
        match self.check(token).await {
            Ok(permit) => gateway::permitted(&permit),
            Err(reason) if reason.class() == DenyClass::InvalidToken => gateway::unauthorized(Some(reason.code())),
            Err(_) => Problem::new(503, "unavailable", "the token cannot be checked; try again").response(),
        }
    }

    async fn check(&self, token: &str) -> Result<Permit, DenyReason> {
        let checked = self.checker.check(token).await;
        checked.inspect_err(|reason| metrics::count("Denied", "reason", reason.code()))
    }
}

/// The checker as configured, but that nothing is ever called active without a look at its tombstone: unlike an
/// authorizer's deployment, whoever asks here cannot know what an outage was configured to mean.
pub fn checker(tokens: TokenSettings, reader: Arc<dyn TombstoneReader>) -> Result<Checker, BadVerifier> {
    revocation_enforce::checker(TokenSettings { store_outage: StoreOutage::Deny, ..tokens }, reader)
}

/// Fetches keys and opens the connection to the store in the init phase, where nobody waits.
pub async fn warm(checker: &Checker) {
    // A failure is ignored: the first request will meet it.
    let _ = tokio::time::timeout(WARM_UP, checker.warm(&SubjectKey::new("warm-up", "warm-up"))).await;
}

#[cfg(test)]
mod tests;
