//! The section `scim`.

use std::collections::BTreeSet;

use revocation_core::domain::grant::{Grant, GrantedAction};
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::role_change::RoleOrder;
use serde_json::Value;

use super::grant;
use super::place::Place;
use crate::scim::{Attributes, Invitation, OnRoleLoss, ScimSource, UserName};

const SUBJECTS_PER_HOUR: u32 = 500;
/// Attributes that Cognito or the function itself writes.
const NOT_OURS: [&str; 5] = ["sub", "email_verified", "phone_number_verified", "identities", "updated_at"];

/// Reads one source.
pub(super) fn read(name: &str, place: &Place<'_>) -> Option<ScimSource> {
    let tokens = place.member("tokens").text().map(str::to_owned);
    let pool = place.member("pool").text().map(|id| UserPoolId(id.to_owned()));
    let on_role_loss = place.member("on_role_loss").word_or(OnRoleLoss::SignOut, |word| match word {
        "sign_out" => Some(OnRoleLoss::SignOut),
        "refresh" => Some(OnRoleLoss::Refresh),
        "none" => Some(OnRoleLoss::None),
        _ => None,
    });
    let invitation = place.member("invitation").word_or(Invitation::None, |word| match word {
        "none" => Some(Invitation::None),
        "email" => Some(Invitation::Email),
        _ => None,
    });
    let leaving_reason = place.member("leaving_reason").word_or(ReasonCode::Offboarding, |word| match word {
        "offboarding" => Some(ReasonCode::Offboarding),
        "canary" => Some(ReasonCode::Canary),
        _ => None,
    });
    let only_users = only_users(&place.member("only_users"));
    if leaving_reason == Some(ReasonCode::Canary) && only_users.is_none() {
        // Nobody is told of what it does, so it must be able to do it to its own user alone.
        place.mistake("needs `only_users` with the canary's user, since its `leaving_reason` is canary");
    }
    let per_hour = grant::subjects_per_hour(&place.member("subjects_per_hour"), SUBJECTS_PER_HOUR);
    let attributes = attributes(&place.member("attributes"));
    let compare = place.member("role_compare");
    let role_compare = if compare.is_there() { grant::compare(&compare) } else { Some(RoleOrder::Inclusion) };
    let (pool, on_role_loss, leaving_reason) = (pool?, on_role_loss?, leaving_reason?);
    Some(ScimSource {
        name: format!("scim/{name}"),
        tokens: tokens?,
        grant: granted(&pool, leaving_reason, on_role_loss, per_hour?),
        leaving_reason,
        only_users,
        pool,
        attributes: attributes?,
        emails_verified: place.member("emails_verified").value.and_then(Value::as_bool).unwrap_or(false),
        invitation: invitation?,
        on_role_loss,
        role_compare: role_compare?,
        silent_after: grant::silent_after(place),
    })
}

fn only_users(place: &Place<'_>) -> Option<Vec<String>> {
    place.is_there().then(|| place.items().iter().filter_map(|name| Some(name.text()?.to_owned())).collect())
}

/// A SCIM client may end the sessions of those it deactivates, and do what `on_role_loss` says.
fn granted(pool: &UserPoolId, leaving_reason: ReasonCode, on_role_loss: OnRoleLoss, subjects_per_hour: u32) -> Grant {
    let mut grant = Grant {
        reasons: vec![leaving_reason],
        pools: vec![pool.clone()],
        actions: vec![GrantedAction::SignOut],
        subjects_per_hour,
    };
    if on_role_loss != OnRoleLoss::None {
        grant.reasons.push(ReasonCode::RoleChange);
    }
    if on_role_loss == OnRoleLoss::Refresh {
        grant.actions.push(GrantedAction::Refresh);
    }
    grant
}

fn attributes(place: &Place<'_>) -> Option<Attributes> {
    let names = ["external_id", "roles", "entitlements"].map(|name| place.member(name));
    let more = place.member("more").members();
    let mut seen = BTreeSet::new();
    for one in names.iter().chain(more.iter().map(|(_, one)| one)) {
        let Some(attribute) = one.text() else { continue };
        if NOT_OURS.contains(&attribute) {
            one.mistake("is an attribute that cannot be provisioned");
        }
        if !seen.insert(attribute) {
            one.mistake("is kept in an attribute that something else is kept in");
        }
    }
    let [external_id, roles, entitlements] = names.map(|one| one.text().map(str::to_owned));
    let all = [UserName::Username, UserName::Email, UserName::PreferredUsername];
    let user_name = |word: &str| all.into_iter().find(|one| one.as_str() == word);
    Some(Attributes {
        user_name: place.member("user_name").word_or(UserName::Username, user_name)?,
        external_id,
        roles,
        entitlements,
        more: more.iter().filter_map(|(path, one)| Some(((*path).to_owned(), one.text()?.to_owned()))).collect(),
    })
}
