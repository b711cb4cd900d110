//! Signs a user's own session out, when the user says so in an application: at once, on every API.
//!
//! `POST /sign-out` in the shape of RFC 7009 (token revocation): a form with `token`, `token_type_hint`, the client's
//! credentials, and of our own `everywhere`.
//!
//! ```text
//! client ─▶ whose token? ─▶ Revocation Requested on the bus ─▶ wait for the tombstone ─▶ RevokeToken ─▶ 200
//!             └ a refresh token is redeemed once: it is opaque     └ written by `revoke` alone (I14), before Cognito acts (I1)
//! ```

pub mod answer;
pub mod client;
pub mod config;
pub mod form;
mod request;
mod session;
mod wiring;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use revocation_core::domain::event::Event;
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::tombstone::{Refusal, Tombstone};
use revocation_core::ports::{AppClient, Clock, EventPublisher, PortError, RefreshTokens, TombstoneReader};
use revocation_edge::{Handler, Request, Response};
use revocation_lambda::metrics;
use revocation_verify::Verifier;

use answer::Refused;
use client::Clients;
use form::{Extent, Form};
use session::Session;
pub use wiring::IAM_ACTIONS;

/// How long the answer waits for the tombstone. On AWS the bus and the queue take a fraction of a second.
pub const PATIENCE: Duration = Duration::from_secs(8);
/// Between two looks for it.
const LOOK_AGAIN: Duration = Duration::from_millis(40);

/// The endpoint.
pub struct SignOut {
    /// Tells whose an access token is.
    pub verifier: Arc<Verifier>,
    /// Knows the app clients.
    pub clients: Clients,
    /// Redeems and revokes refresh tokens.
    pub refresh_tokens: Arc<dyn RefreshTokens>,
    /// Sees whether the tombstone stands.
    pub tombstones: Arc<dyn TombstoneReader>,
    /// The way to `revoke`.
    pub publisher: Arc<dyn EventPublisher>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for SignOut {
    async fn handle(&self, request: Request) -> Response {
        match (request.method.as_str(), request.segments().as_slice()) {
            ("POST", ["sign-out"]) => self.sign_out(&request).await.unwrap_or_else(|refused| {
                metrics::count("SignOutRefused", "why", refused.code());
                refused.response()
            }),
            (_, ["sign-out"]) => Refused::MethodNotAllowed.response(),
            _ => Refused::NotFound.response(),
        }
    }
}

impl SignOut {
    async fn sign_out(&self, request: &Request) -> Result<Response, Refused> {
        let form = Form::read(request)?;
        let client = self.clients.authenticate(&form.client).await?;
        let who = AppClient { id: &client.id, secret: client.secret.as_ref() };
        let Some(session) = self.session(who, &form).await? else {
            // RFC 7009, section 2.2: a token that is no good has been revoked, as far as the client is concerned.
            metrics::count("SignOutRefused", "why", "token_no_good");
            return Ok(Response::empty(200));
        };
        let command = request::revocation(&session, form.extent, self.clock.now())?;
        if form.extent == Extent::Here || !self.is_done(&session, &command).await? {
            self.publisher.publish(&[Event::RevocationRequested(command)]).await?;
            self.wait_until_enforced(&session, form.extent).await?;
        }
        // Only now: I1. For an access token there is nothing to be revoked at Cognito, its tombstone outlives the rest.
        if let Some(token) = &session.refresh_token {
            self.refresh_tokens.revoke(who, token).await?;
        }
        tracing::info!(sub = %session.token.subject.sub, extent = form.extent.as_str(), "signed out");
        metrics::count("SignedOut", "extent", form.extent.as_str());
        Ok(Response::empty(200))
    }

    /// Whether this very request has had its effect: it is the repetition of one that was not confirmed. Otherwise a session
    /// that has ended ends no others: whoever holds its token may be why it ended.
    async fn is_done(&self, session: &Session, command: &RevocationRequest) -> Result<bool, Refused> {
        let (subject, stamp, now) = (&session.token.subject, session.token.stamp(), self.clock.now().seconds());
        let (own, pool) = tokio::join!(self.tombstones.read(subject), self.tombstones.read_pool(&subject.user_pool_id));
        let (own, pool) = (own?.unwrap_or_default(), pool?.unwrap_or_default());
        if [&own, &pool].into_iter().all(|tombstone| tombstone.refusal(&stamp, now).is_none()) {
            return Ok(false);
        }
        if own.revocation_id == Some(command.id()) { Ok(true) } else { Err(Refused::SessionEnded) }
    }

    /// Until the tombstone refuses what it is to refuse: the answer promises it.
    async fn wait_until_enforced(&self, session: &Session, extent: Extent) -> Result<(), Refused> {
        let looking = async {
            loop {
                let tombstone = self.tombstones.read(&session.token.subject).await?.unwrap_or_default();
                if self.is_enforced(&tombstone, session, extent) {
                    return Ok::<_, PortError>(());
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.map_err(|_| Refused::NotYet)?.map_err(Refused::from)
    }

    fn is_enforced(&self, tombstone: &Tombstone, session: &Session, extent: Extent) -> bool {
        match extent {
            // That it is refused for now is not enough: a hold is released, and changed claims are refreshed.
            Extent::Here => {
                let ended = Tombstone { hold: None, ..tombstone.clone() };
                let refusal = ended.refusal(&session.token.stamp(), self.clock.now().seconds());
                matches!(refusal, Some(Refusal::Cutoff | Refusal::Session))
            }
            Extent::Everywhere => tombstone.not_before.is_some_and(|cutoff| cutoff >= session.asked_at),
            Extent::Others => tombstone.others.as_ref().is_some_and(|others| others.not_before >= session.asked_at),
        }
    }
}

#[cfg(test)]
mod tests;
