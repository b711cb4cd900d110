//! Sessions, seen and remembered.

use async_trait::async_trait;

use crate::domain::profile::SubjectKey;
use crate::domain::revocation_id::RevocationId;
use crate::domain::session::{SessionRecord, Sighting};

use super::PortError;

/// Notes sessions that are in use.
pub trait SessionRecorder: Send + Sync {
    /// Notes a sighting for later, off the request's path: it neither waits nor fails, and drops what is too much.
    fn saw(&self, sighting: &Sighting<'_>);

    /// Notes that a request of the session was refused because the session was ended: the proof that it was. The same way.
    fn refused(&self, _: &Sighting<'_>) {}
}

/// Reads what was noted, and notes what was ended.
#[async_trait]
pub trait SessionLedger: Send + Sync {
    /// The subject's sessions that are remembered, the one last seen first. At most some thousands are read.
    async fn sessions(&self, subject: &SubjectKey) -> Result<Vec<SessionRecord>, PortError>;

    /// Notes that a revocation ended a session. Whether it is this one that did: an earlier one may have, and a session
    /// is not counted twice. The same revocation may ask again, and gets the same answer.
    async fn ended(&self, subject: &SubjectKey, origin_jti: &str, by: &RevocationId) -> Result<bool, PortError>;
}
