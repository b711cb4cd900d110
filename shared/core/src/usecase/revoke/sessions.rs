//! Which sessions a revocation ended, as the ledger knows them. For the record only: enforcement never waits for it, and
//! never fails because of it.

use super::Revoker;
use crate::domain::audit::Started;
use crate::domain::profile::SubjectKey;
use crate::domain::request::Effect;
use crate::domain::session::{SessionRecord, SessionScope};
use crate::ports::{PortError, SessionLedger};

impl Revoker {
    /// The sessions that ended, the one last seen first; `None` if that is not known.
    pub(super) async fn ended_sessions(&self, started: &Started, subject: &SubjectKey) -> Option<Vec<SessionRecord>> {
        // A change of claims ends no session; the end of everybody's is more than the ledger is asked for.
        let known = started.request.effect == Effect::SignOut && !subject.is_everyone();
        let ledger = self.ledger.as_ref().filter(|_| known)?;
        let ended = ended(ledger.as_ref(), started, subject).await;
        ended.inspect_err(|error| tracing::warn!(%error, subject = %subject, "the sessions ended are not known")).ok()
    }
}

async fn ended(
    ledger: &dyn SessionLedger,
    started: &Started,
    subject: &SubjectKey,
) -> Result<Vec<SessionRecord>, PortError> {
    let mut ended = Vec::new();
    for session in ledger.sessions(subject).await? {
        if is_meant(started, &session) && ledger.ended(subject, &session.origin_jti, &started.revocation_id).await? {
            ended.push(session);
        }
    }
    Ok(ended)
}

fn is_meant(started: &Started, session: &SessionRecord) -> bool {
    // Begun after the cutoff: it goes on. Without `auth_time`, what was seen before it had begun.
    let began = session.auth_time.unwrap_or(session.first_seen.seconds());
    match &started.request.session {
        None => began <= started.not_before,
        Some(scope @ SessionScope::AllBut(_)) => scope.means(&session.origin_jti) && began <= started.not_before,
        Some(scope @ SessionScope::Only(_)) => scope.means(&session.origin_jti),
    }
}
