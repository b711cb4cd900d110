//! The section `role_change`.

use revocation_core::domain::grant::{Grant, GrantedAction};
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::Effect;

use super::grant;
use super::place::Place;
use crate::role_event::RoleSource;

const SUBJECTS_PER_HOUR: u32 = 200;

/// Reads one source.
pub(super) fn read(name: &str, place: &Place<'_>, pools: Option<&[UserPoolId]>) -> Option<RoleSource> {
    let effect_place = place.member("effect");
    let effect = effect_place.word_or(Effect::SignOut, |word| match word {
        "sign_out" => Some(Effect::SignOut),
        "refresh" => Some(Effect::Refresh),
        _ => None,
    });
    let needed = match effect {
        Some(Effect::Refresh) => GrantedAction::Refresh,
        _ => GrantedAction::SignOut,
    };
    let grant_place = place.member("grant");
    let actions = grant::actions(&grant_place.member("actions"), needed);
    if effect.is_some() && !actions.is_empty() && !actions.contains(&needed) {
        let what = format!("needs the action `{}` in `grant.actions`", needed.as_str());
        if effect_place.is_there() { &effect_place } else { place }.mistake(what);
    }
    let authentication = grant::authentication(&place.member("authentication"));
    let compare = grant::compare(&place.member("compare"));
    let pools = grant::granted_pools(&grant_place, pools);
    let per_hour = grant::subjects_per_hour(&grant_place.member("subjects_per_hour"), SUBJECTS_PER_HOUR);
    Some(RoleSource {
        name: format!("role-change/{name}"),
        authentication: authentication?,
        grant: Grant { reasons: vec![ReasonCode::RoleChange], pools: pools?, actions, subjects_per_hour: per_hour? },
        compare: compare?,
        effect: effect?,
        silent_after: grant::silent_after(place),
    })
}
