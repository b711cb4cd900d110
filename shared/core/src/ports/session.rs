//! Sessions, seen and remembered.

use async_trait::async_trait;

use crate::domain::profile::SubjectKey;
use crate::domain::session::{SessionRecord, Sighting};

use super::PortError;

/// Notes sessions that are in use.
pub trait SessionRecorder: Send + Sync {
    /// Notes a sighting for later, off the request's path: it neither waits nor fails, and drops what is too much.
    fn saw(&self, sighting: &Sighting<'_>);
}

/// Reads what was noted.
#[async_trait]
pub trait SessionLedger: Send + Sync {
    /// The subject's sessions that are remembered, the one last seen first. Bounded: the oldest beyond 100 are left out.
    async fn sessions(&self, subject: &SubjectKey) -> Result<Vec<SessionRecord>, PortError>;
}
