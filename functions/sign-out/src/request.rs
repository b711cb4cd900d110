//! The command to `revoke`.

use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{Effect, EventSource, RevocationRequest, VERSION};
use revocation_core::domain::session::SessionScope;
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::text::LocalizedText;
use revocation_core::domain::time::EpochMillis;

use crate::answer::Refused;
use crate::form::Extent;
use crate::session::Session;

/// Name of the source.
pub(crate) const SOURCE: &str = "sign-out";

/// The request to end what is to end.
pub(crate) fn revocation(session: &Session, extent: Extent, now: EpochMillis) -> Result<RevocationRequest, Refused> {
    let token = &session.token;
    let origin_jti = token.origin_jti.clone();
    // A session, once ended, stays ended: repeating it is the same event, by the same token where the session has no name.
    // What "the others" are changes.
    let event_id = match (extent, &origin_jti) {
        (Extent::Here | Extent::Everywhere, Some(id)) => format!("{}:{id}", extent.as_str()),
        (Extent::Others, Some(id)) => format!("others:{id}:{}", now.0),
        (Extent::Everywhere, None) => {
            let token_id = token.jti.clone().unwrap_or_else(|| now.0.to_string());
            format!("everywhere:{}:{token_id}", token.subject.sub)
        }
        (Extent::Here | Extent::Others, None) => {
            let why = "the app client has token revocation disabled, so its sessions cannot be told apart: \
                       enable it, or ask with everywhere=true";
            return Err(Refused::UnsupportedTokenType(why));
        }
    };
    let session = origin_jti.and_then(|id| match extent {
        Extent::Here => Some(SessionScope::Only(id)),
        Extent::Others => Some(SessionScope::AllBut(id)),
        Extent::Everywhere => None,
    });
    Ok(RevocationRequest {
        version: VERSION.to_owned(),
        source: EventSource { name: SOURCE.to_owned(), event_id },
        sub_id: SubjectIdentifier::IssSub {
            iss: token.subject.user_pool_id.issuer(),
            sub: token.subject.sub.0.clone(),
        },
        reason: ReasonCode::UserRequest,
        initiator: Initiator { kind: InitiatorKind::User, id: token.subject.sub.0.clone() },
        reason_admin: LocalizedText::default(),
        reason_user: LocalizedText::default(),
        occurred_at: None,
        effect: Effect::SignOut,
        lockout: false,
        session,
        approve_by: None,
        txn: None,
        pools: vec![token.subject.user_pool_id.clone()],
    })
}
