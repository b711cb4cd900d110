//! A user was taken out of a group of one of our pools: the call, as AWS CloudTrail recorded it.
//!
//! Source: Cognito developer guide, "Amazon Cognito logging in AWS CloudTrail": private members are hidden behind a
//! marker (`HIDDEN_FOR_SECURITY_REASONS` there, `HIDDEN_DUE_TO_SECURITY_REASONS` in records of other services).
//! Unconfirmed (`[U]`): that this call's user name is hidden, and that its `additionalEventData` has the user's `sub`.

use revocation_core::domain::event::Envelope;
use revocation_core::domain::initiator::InitiatorKind;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{EventSource, RevocationRequest};
use revocation_core::domain::subject::SubjectIdentifier;
use serde::Deserialize;

use super::parts::{self, said};
use super::{MalformedEvent, Origin, Settings, Verdict};

/// `detail-type` of CloudTrail's records of calls.
pub(super) const DETAIL_TYPE: &str = "AWS API Call via CloudTrail";
/// `eventSource` of Cognito user pools.
pub(super) const EVENT_SOURCE: &str = "cognito-idp.amazonaws.com";

const REMOVED_FROM_GROUP: &str = "AdminRemoveUserFromGroup";

/// Told first, because what follows differs from call to call.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    event_name: Option<String>,
    error_code: Option<String>,
}

/// The members that are read of a removal's record.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Removal {
    #[serde(rename = "eventID")]
    event_id: Option<String>,
    event_time: Option<String>,
    user_identity: Option<Identity>,
    request_parameters: Option<Parameters>,
    additional_event_data: Option<AdditionalData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    arn: Option<String>,
    principal_id: Option<String>,
    session_context: Option<Session>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    session_issuer: Option<Issuer>,
}

/// The role itself, where the caller's own ARN is the session's.
#[derive(Deserialize)]
struct Issuer {
    arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    user_pool_id: Option<String>,
    username: Option<String>,
    group_name: Option<String>,
}

#[derive(Deserialize)]
struct AdditionalData {
    sub: Option<String>,
}

/// Translates a record of CloudTrail's.
pub(super) fn translate(envelope: &Envelope<'_>, settings: &Settings) -> Result<Verdict, MalformedEvent> {
    let call: Call = parts::read(envelope)?;
    if call.event_name.as_deref() != Some(REMOVED_FROM_GROUP) {
        return Ok(Verdict::Irrelevant("event_type"));
    }
    // Cognito's records of successful sign-ins have it empty, so empty does not count as failed.
    if said(call.error_code.as_deref()).is_some() {
        return Ok(Verdict::Irrelevant("call_failed"));
    }
    let removal: Removal = parts::read(envelope)?;
    if removal.user_identity.as_ref().is_some_and(|who| who.is_one_of(&settings.own_roles)) {
        return Ok(Verdict::Irrelevant("our_own_call"));
    }
    let Some(asked) = removal.request_parameters else { return Err(MalformedEvent::NoUser) };
    let Some(pool) = settings.user_pools.iter().find(|pool| Some(&pool.0) == asked.user_pool_id.as_ref()) else {
        return Ok(Verdict::Irrelevant("other_pool"));
    };
    let sub = removal.additional_event_data.and_then(|data| data.sub);
    let sub = said(sub.as_deref()).map(|sub| parts::pool_user(pool, sub));
    let named = said(asked.username.as_deref()).filter(|name| !is_hidden(name));
    let named = named.map(|name| SubjectIdentifier::Username { username: name.to_owned() });
    let sub_id = parts::subject([sub.or(named)])?;
    let name = Origin::CloudTrail.as_str().to_owned();
    let caller = removal.user_identity.and_then(|who| who.arn.or(who.principal_id));
    let initiator = parts::initiator(InitiatorKind::Admin, caller.as_deref(), &name);
    let event_id = removal.event_id.ok_or(MalformedEvent::NoId)?;
    let text = match said(asked.group_name.as_deref()) {
        Some(group) => format!("Removed from group {group}"),
        None => "Removed from a group".to_owned(),
    };
    Ok(Verdict::Requests(vec![RevocationRequest {
        reason_admin: parts::english(&text),
        occurred_at: parts::occurred_at(removal.event_time.as_deref()),
        ..parts::request(EventSource { name, event_id }, sub_id, ReasonCode::RoleChange, initiator)
    }]))
}

// === impl Identity ===

impl Identity {
    /// Whether one of these roles called. Whoever asked our function was fenced and their request published then; the
    /// record comes minutes later, and would end the sessions that honestly began since.
    fn is_one_of(&self, roles: &[String]) -> bool {
        let issuer = self.session_context.as_ref().and_then(|session| session.session_issuer.as_ref());
        let issuer = issuer.and_then(|issuer| issuer.arn.as_deref());
        let session = self.arn.as_deref().and_then(role_of_session);
        roles.iter().any(|role| issuer == Some(role) || (session.is_some() && session == account_and_name(role)))
    }
}

/// Account and role of `arn:aws:sts::<account>:assumed-role/<name>/<session>`, which has no path.
fn role_of_session(arn: &str) -> Option<(&str, &str)> {
    let (account, rest) = arn.split_once(":sts::")?.1.split_once(":assumed-role/")?;
    Some((account, rest.split_once('/')?.0))
}

/// The same of `arn:aws:iam::<account>:role/<path><name>`.
fn account_and_name(role: &str) -> Option<(&str, &str)> {
    let (account, rest) = role.split_once(":iam::")?.1.split_once(":role/")?;
    Some((account, rest.rsplit('/').next()?))
}

/// Whether a value stands in place of one that AWS does not show. Taken for a name, it would be nobody's, and the
/// revocation would end as `no_such_user` instead of being parked.
fn is_hidden(value: &str) -> bool {
    value.starts_with("HIDDEN_") && value.ends_with("_SECURITY_REASONS")
}

#[cfg(test)]
mod tests;
