//! App clients of a user pool, and what they can do about a refresh token in their own name.

use async_trait::async_trait;

use super::PortError;
use crate::domain::profile::UserPoolId;

/// Secret of an app client. Not `Debug` (I10).
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(pub String);

/// An app client as it presents itself.
#[derive(Clone, Copy)]
pub struct AppClient<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its secret, where it has one.
    pub secret: Option<&'a ClientSecret>,
}

/// What a refresh token was redeemed for. Not `Debug` (I10).
#[derive(Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// An access token of the same session.
    pub access_token: String,
    /// The refresh token in place of the one redeemed, under refresh-token rotation.
    pub refresh_token: Option<String>,
}

/// Why a refresh token is not redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unredeemed {
    /// It is no good: revoked, expired, of another client, or none at all.
    NoGood,
    /// It is genuine, and its session may go on: the owner is disabled, `token-gate` lets nothing be minted for now, or it
    /// was rotated.
    MayLive,
}

/// Knows app clients.
#[async_trait]
pub trait AppClients: Send + Sync {
    /// The client's secret; `None` if it has none.
    async fn secret(&self, pool: &UserPoolId, client_id: &str) -> Result<Option<ClientSecret>, PortError>;
}

/// Redeems and revokes refresh tokens.
#[async_trait]
pub trait RefreshTokens: Send + Sync {
    /// Redeems a refresh token, or says why Cognito does not.
    async fn redeem(
        &self,
        client: AppClient<'_>,
        refresh_token: &str,
    ) -> Result<Result<Redeemed, Unredeemed>, PortError>;

    /// Revokes a refresh token, and with it what Cognito itself accepts of its session. A token that is refused already
    /// is no error (RFC 7009, section 2.2).
    async fn revoke(&self, client: AppClient<'_>, refresh_token: &str) -> Result<(), PortError>;
}
