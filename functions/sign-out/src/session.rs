//! Whose session it is that is to end.

use std::sync::Arc;

use revocation_core::domain::time::EpochSeconds;
use revocation_core::ports::{AppClient, Unredeemed};
use revocation_verify::{DenyClass, DenyReason, MAX_TOKEN_BYTES, TokenUse, VerifiedToken};

use crate::SignOut;
use crate::answer::Refused;
use crate::form::{Form, Kind};

/// A session, and the refresh token to be revoked with it.
pub(crate) struct Session {
    pub(crate) token: Arc<VerifiedToken>,
    pub(crate) refresh_token: Option<String>,
    /// When it was asked for.
    pub(crate) asked_at: EpochSeconds,
}

impl SignOut {
    /// The session of the form's token; `None` if the token is no good.
    pub(crate) async fn session(&self, client: AppClient<'_>, form: &Form) -> Result<Option<Session>, Refused> {
        let asked_at = self.clock.now().seconds();
        if form.kind != Kind::Refresh {
            match self.verified(client, &form.token).await {
                Ok(token) => return Ok(Some(Session { token, refresh_token: None, asked_at })),
                // Cognito's refresh tokens have five parts: no signed token, but perhaps an encrypted one.
                Err(DenyReason::NotACompactJws) if form.kind == Kind::Unsaid => {}
                Err(DenyReason::TokenUseRefused) => {
                    return Err(Refused::UnsupportedTokenType("a user's access or refresh token is wanted"));
                }
                Err(reason) => return no_good(reason),
            }
        }
        if form.token.len() > MAX_TOKEN_BYTES {
            return Ok(None);
        }
        // A refresh token does not say whose it is; what it is redeemed for does, and dies with the session.
        let redeemed = match self.refresh_tokens.redeem(client, &form.token).await? {
            Ok(redeemed) => redeemed,
            // A disabled account may be enabled, a contract prolonged.
            Err(Unredeemed::MayLive) => {
                self.refresh_tokens.revoke(client, &form.token).await?;
                return Err(Refused::RefreshTokenRefused);
            }
            // Not worth a second call: anybody can send junk, and the quota is that of everybody's refreshes.
            Err(Unredeemed::NoGood) => return Err(Refused::RefreshTokenRefused),
        };
        match self.verified(client, &redeemed.access_token).await {
            Ok(token) => {
                let refresh_token = Some(redeemed.refresh_token.unwrap_or_else(|| form.token.clone()));
                Ok(Some(Session { token, refresh_token, asked_at }))
            }
            Err(reason) => no_good(reason),
        }
    }

    /// An access token of this client. It may be on a tombstone already: signing out twice is no mistake.
    async fn verified(&self, client: AppClient<'_>, token: &str) -> Result<Arc<VerifiedToken>, DenyReason> {
        let token = self.verifier.verify(token).await?;
        // A token without a user is an application's own: it has no session, and its tombstone would lock it out for good.
        if token.token_use != TokenUse::Access || token.username.is_none() {
            return Err(DenyReason::TokenUseRefused);
        }
        // RFC 7009, section 2.1: "whether the token was issued to the client making the revocation request".
        if token.client_id == client.id { Ok(token) } else { Err(DenyReason::ClientRefused) }
    }
}

fn no_good(reason: DenyReason) -> Result<Option<Session>, Refused> {
    match reason.class() {
        DenyClass::InvalidToken => Ok(None),
        DenyClass::Unavailable => Err(Refused::KeysUnavailable),
    }
}
