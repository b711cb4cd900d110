//! Calls to Cognito in turn, by a wrapper around the ports that make them: what is skipped because it is done takes no turn.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::profile::Profile;
use crate::ports::{AccountLocker, Acted, DeviceForgetter, Pacer, PortError, SessionTerminator};

/// A port whose calls wait for their turn (I13).
///
/// All of them share one quota here. On AWS sign-out and disabling do (`UserUpdate`, 25 a second); resetting a password and
/// forgetting devices have quotas of their own of 30 and 25 a second, which are then never used up.
pub struct Paced<P: ?Sized> {
    port: Arc<P>,
    pacer: Arc<dyn Pacer>,
}

impl<P: ?Sized> Paced<P> {
    /// `port`, a call at each of the pacer's turns.
    #[must_use]
    pub fn new(port: Arc<P>, pacer: Arc<dyn Pacer>) -> Self {
        Self { port, pacer }
    }
}

#[async_trait]
impl<P: SessionTerminator + ?Sized> SessionTerminator for Paced<P> {
    async fn sign_out_everywhere(&self, profile: &Profile) -> Result<Acted, PortError> {
        self.pacer.turn().await?;
        self.port.sign_out_everywhere(profile).await
    }
}

#[async_trait]
impl<P: AccountLocker + ?Sized> AccountLocker for Paced<P> {
    async fn disable(&self, profile: &Profile) -> Result<Acted, PortError> {
        self.pacer.turn().await?;
        self.port.disable(profile).await
    }

    async fn reset_password(&self, profile: &Profile) -> Result<Acted, PortError> {
        self.pacer.turn().await?;
        self.port.reset_password(profile).await
    }
}

#[async_trait]
impl<P: DeviceForgetter + ?Sized> DeviceForgetter for Paced<P> {
    async fn forget_devices(&self, profile: &Profile) -> Result<Acted, PortError> {
        self.pacer.turn().await?;
        self.port.forget_devices(profile).await
    }
}
