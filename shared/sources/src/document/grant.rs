//! What the sections have in common: authentication, pools, grants, silence, and how roles are compared.

use std::collections::BTreeSet;
use std::time::Duration;

use revocation_core::domain::grant::GrantedAction;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::role_change::RoleOrder;
use revocation_core::domain::silence::LONGEST_SILENCE;

use super::place::Place;
use crate::authenticate::Authentication;

/// Headers that everybody sends, or that are set on the way: whoever wrote one here meant another.
const NOT_SECRET: [&str; 8] =
    ["host", "content-type", "content-length", "user-agent", "accept", "connection", "via", "transfer-encoding"];
const NOT_SECRET_PREFIXES: [&str; 3] = ["x-forwarded-", "x-amzn-", "x-amz-"];

/// How a source authenticates.
pub(super) fn authentication(place: &Place<'_>) -> Option<Authentication> {
    let secret = place.member("secret").text()?.to_owned();
    match place.member("method").text()? {
        "standard_webhooks" => Some(Authentication::StandardWebhooks { secret }),
        "github_signature" => Some(Authentication::GithubSignature { secret }),
        "pagerduty_signature" => Some(Authentication::PagerdutySignature { secret }),
        "bearer" => Some(Authentication::Bearer { secret }),
        "path" => Some(Authentication::Path { secret }),
        "okta_event_hook" => Some(Authentication::OktaEventHook { secret }),
        "header" => Some(Authentication::Header { header: header(&place.member("header"))?, secret }),
        _ => None,
    }
}

fn header(place: &Place<'_>) -> Option<String> {
    let header = place.text()?.to_ascii_lowercase();
    let is_public =
        NOT_SECRET.contains(&header.as_str()) || NOT_SECRET_PREFIXES.iter().any(|prefix| header.starts_with(prefix));
    if is_public {
        place.mistake("is a header that is never secret");
        return None;
    }
    Some(header)
}

/// The pools that are listed; `None` if none are.
pub(super) fn pools(place: &Place<'_>) -> Option<Vec<UserPoolId>> {
    let pools: Vec<_> = place.items().iter().filter_map(|item| Some(UserPoolId(item.text()?.to_owned()))).collect();
    Some(pools).filter(|pools| !pools.is_empty())
}

/// The pools of a grant, or the document's.
pub(super) fn granted_pools(grant: &Place<'_>, fallback: Option<&[UserPoolId]>) -> Option<Vec<UserPoolId>> {
    let own = grant.member("pools");
    let found = pools(&own).or_else(|| fallback.map(<[_]>::to_vec));
    if found.is_none() && !own.is_there() {
        grant.mistake("lacks `pools`, and the document has no `pools` for all");
    }
    found
}

/// The reasons of a grant.
pub(super) fn reasons(place: &Place<'_>, default: &[ReasonCode]) -> Vec<ReasonCode> {
    if !place.is_there() {
        return default.to_vec();
    }
    place.items().iter().filter_map(|item| item.word(reason)).collect()
}

/// The reason of this name.
pub(super) fn reason(name: &str) -> Option<ReasonCode> {
    ReasonCode::ALL.into_iter().find(|reason| reason.as_str() == name)
}

/// The actions of a grant.
pub(super) fn actions(place: &Place<'_>, default: GrantedAction) -> Vec<GrantedAction> {
    let all = [GrantedAction::SignOut, GrantedAction::Refresh, GrantedAction::Lockout];
    if !place.is_there() {
        return vec![default];
    }
    let named = |item: &Place<'_>| item.word(|name| all.into_iter().find(|action| action.as_str() == name));
    place.items().iter().filter_map(named).collect()
}

/// The blast radius.
pub(super) fn subjects_per_hour(place: &Place<'_>, default: u32) -> Option<u32> {
    place.value.map_or(Some(default), |value| u32::try_from(value.as_u64()?).ok())
}

/// How long a source may be quiet.
pub(super) fn silent_after(source: &Place<'_>) -> Option<Duration> {
    let place = source.member("silent_after_hours");
    let hours = place.value?;
    // JSON Schema takes 24.0 for a whole number: it must not be read as nothing.
    if hours.is_f64() {
        place.mistake("is not a whole number");
    }
    let seconds = hours.as_u64()?.saturating_mul(3_600);
    Some(Duration::from_secs(seconds)).filter(|silence| *silence <= LONGEST_SILENCE)
}

/// How roles are compared.
pub(super) fn compare(place: &Place<'_>) -> Option<RoleOrder> {
    if place.text().is_some() {
        return place.word(|word| (word == "inclusion").then_some(RoleOrder::Inclusion));
    }
    let ranking = place.member("ranking");
    let mut seen = BTreeSet::new();
    for role in ranking.items() {
        let Some(name) = role.text() else { continue };
        if !seen.insert(name) {
            role.mistake("stands in the ranking already");
        }
    }
    let roles: Vec<String> = ranking.items().iter().filter_map(|role| role.text().map(str::to_owned)).collect();
    (!roles.is_empty()).then_some(RoleOrder::Ranking(roles))
}
