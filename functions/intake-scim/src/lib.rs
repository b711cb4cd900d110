//! A SCIM 2.0 service provider (RFC 7643, RFC 7644) whose store is a Cognito user pool: an identity provider keeps accounts
//! and groups in it, and whoever it deactivates, deletes or takes a role from is revoked.
//!
//! `/scim/v2/… ─▶ whose token? ─▶ route ─▶ users | groups ─▶ directory`, with `revocations` before or around the change.

use std::sync::Arc;

use async_trait::async_trait;
use revocation_aws::cognito::{CognitoGroupDirectory, CognitoUserDirectory};
use revocation_aws::sqs::SqsRequestQueue;
use revocation_core::ports::{Clock, GroupDirectory, RequestQueue, UserDirectory};
use revocation_core::usecase::intake::Gate;
use revocation_edge::{Handler, Keyring, LastHeard, Problem, Request, Response, SourceBook};
use revocation_scim::ScimError;

mod answer;
mod at_once;
mod call;
mod client;
pub mod config;
mod discovery;
mod groups;
mod mapping;
mod published;
mod random;
mod revocations;
mod route;
mod search;
mod users;
mod window;

use call::Call;
use client::Client;
use route::{Route, Verb};

/// What the function's role must allow besides what every intake needs ([`revocation_edge::IAM_ACTIONS`]), by adapter (I14).
/// A test compares it with the template.
pub const IAM_ACTIONS: &[&[&str]] =
    &[CognitoUserDirectory::IAM_ACTIONS, CognitoGroupDirectory::IAM_ACTIONS, SqsRequestQueue::IAM_ACTIONS];

/// Answers SCIM requests.
pub struct ScimProvider {
    /// The sources in force.
    pub sources: SourceBook,
    /// The clients' tokens.
    pub keyring: Keyring,
    /// Who was heard of.
    pub last_heard: LastHeard,
    /// Accounts.
    pub users: Arc<dyn UserDirectory>,
    /// Groups.
    pub groups: Arc<dyn GroupDirectory>,
    /// The way to the bus.
    pub gate: Gate,
    /// Requests sent ahead.
    pub ahead: Arc<dyn RequestQueue>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What the deployment chose.
    pub settings: Settings,
}

/// What the provider must know of the deployment.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The URL clients call, without a slash at its end; `None`: the request's host.
    pub base_url: Option<String>,
}

#[async_trait]
impl Handler for ScimProvider {
    async fn handle(&self, request: Request) -> Response {
        self.answer(&request).await.unwrap_or_else(|error| answer::error(&error))
    }

    fn refuse(&self, problem: &Problem) -> Response {
        answer::refusal(problem)
    }
}

// === impl ScimProvider ===

impl ScimProvider {
    async fn answer(&self, request: &Request) -> Result<Response, ScimError> {
        let sources = self.sources.current().await;
        let client = client::authenticate(&self.keyring, &sources, request).await?;
        let work = self.serve(&client, request);
        self.last_heard.beside(&client.source.name, client.source.silent_after, work).await
    }

    /// What the request of an authentic client comes to.
    async fn serve(&self, client: &Client<'_>, request: &Request) -> Result<Response, ScimError> {
        let verb = match Route::of(request) {
            Route::Known(verb) => verb,
            Route::NotAllowed(allow) => {
                let error = ScimError::status(405, "this resource does not have that method");
                return Ok(answer::error(&error).with("allow", allow));
            }
            Route::NotSupported => return Err(ScimError::not_implemented()),
            Route::Unknown => return Err(ScimError::status(404, "no such endpoint")),
        };
        let call = Call::new(self, client, request)?;
        let answer = call.run(&verb).await;
        let status = match &answer {
            Ok(response) => response.status,
            Err(error) => error.status,
        };
        // Neither ids nor filters: the one says who, the other may say what of them (I10).
        let (operation, source, token) = (verb.name(), &client.source.name, &client.token);
        tracing::info!(operation, source, token, status, "provisioning");
        answer
    }
}

impl Call<'_> {
    async fn run(&self, verb: &Verb<'_>) -> Result<Response, ScimError> {
        self.client.allows(verb)?;
        match *verb {
            Verb::Discover(what) => discovery::answer(self, what),
            Verb::ListUsers => users::list(self, &self.query(&self.mapping.schema)?).await,
            Verb::SearchUsers => users::list(self, &self.search(&self.mapping.schema)?).await,
            Verb::Search => search::everything(self).await,
            Verb::GetUser(id) => users::get(self, id).await,
            Verb::CreateUser => users::create(self).await,
            Verb::ReplaceUser(id) => users::replace(self, id).await,
            Verb::PatchUser(id) => users::patch(self, id).await,
            Verb::DeleteUser(id) => users::delete(self, id).await,
            Verb::ListGroups => groups::list(self, &self.query(&self.group_schema)?).await,
            Verb::SearchGroups => groups::list(self, &self.search(&self.group_schema)?).await,
            Verb::GetGroup(id) => groups::get(self, id).await,
            Verb::CreateGroup => groups::create(self).await,
            Verb::ReplaceGroup(id) => groups::replace(self, id).await,
            Verb::PatchGroup(id) => groups::patch(self, id).await,
            Verb::DeleteGroup(id) => groups::delete(self, id).await,
        }
    }
}

#[cfg(test)]
mod tests;
