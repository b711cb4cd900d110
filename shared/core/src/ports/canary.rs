//! What the canary needs beside what applications need: to sign a user in, and to write down how its runs ended.

use async_trait::async_trait;

use super::PortError;
use crate::domain::account::Password;
use crate::domain::canary::CanaryRun;

/// The tokens of a session. Not `Debug` (I10).
#[derive(Clone, PartialEq, Eq)]
pub struct SessionTokens {
    /// Access token.
    pub access: String,
    /// ID token.
    pub id: String,
    /// Refresh token.
    pub refresh: String,
}

/// Signs users in by their password.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// A new session. A wrong password, a disabled account and a demand for more than a password are errors.
    async fn sign_in(&self, username: &str, password: &Password) -> Result<SessionTokens, PortError>;
}

/// The record of the canary's runs.
#[async_trait]
pub trait CanaryRuns: Send + Sync {
    /// Writes that a run begins; `false` if one began for the same tick.
    async fn begin(&self, run: &CanaryRun) -> Result<bool, PortError>;

    /// Writes how it ended.
    async fn end(&self, run: &CanaryRun) -> Result<(), PortError>;
}
