//! The section `siem`.

use revocation_core::domain::grant::{Grant, GrantedAction};
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::reason::ReasonCode;

use super::place::Place;
use super::{grant, mapping};
use crate::authenticate::Authentication;
use crate::siem::{Preset, Severity, SiemSource};

const SUBJECTS_PER_HOUR: u32 = 50;
/// Where the secret is in the path it gets into logs, and so into more hands.
const SUBJECTS_PER_HOUR_BY_PATH: u32 = 10;

/// Reads one source.
pub(super) fn read(name: &str, place: &Place<'_>, pools: Option<&[UserPoolId]>) -> Option<SiemSource> {
    let authentication = grant::authentication(&place.member("authentication"));
    // Read on without it, so that the other mistakes are told as well.
    let by_path = matches!(authentication, Some(Authentication::Path { .. }));
    let granted = read_grant(place, by_path, pools);
    let reasons = granted.as_ref().map_or(&[][..], |grant| &grant.reasons);
    let preset = place.member("preset").word(Preset::named);
    let mapping = preset.and_then(|preset| mapping::read(&place.member("mapping"), preset, reasons));
    let floor = place.member("severity_floor");
    let severity_floor = floor.word(Severity::named);
    let lockout = place.member("lockout");
    let wants_lockout = lockout.value.and_then(serde_json::Value::as_bool).unwrap_or(false);
    if wants_lockout && granted.as_ref().is_some_and(|grant| !grant.actions.contains(&GrantedAction::Lockout)) {
        lockout.mistake("needs the action `lockout` in `grant.actions`");
    }
    Some(SiemSource {
        name: format!("siem/{name}"),
        preset: preset?,
        authentication: authentication?,
        grant: granted?,
        severity_floor,
        lockout: wants_lockout,
        mapping: mapping?,
        silent_after: grant::silent_after(place),
    })
}

fn read_grant(place: &Place<'_>, by_path: bool, pools: Option<&[UserPoolId]>) -> Option<Grant> {
    let place = &place.member("grant");
    let (reasons, subjects): (&[ReasonCode], u32) = if by_path {
        (&[ReasonCode::Anomaly], SUBJECTS_PER_HOUR_BY_PATH)
    } else {
        (&[ReasonCode::Compromise, ReasonCode::Anomaly], SUBJECTS_PER_HOUR)
    };
    let pools = grant::granted_pools(place, pools);
    let reasons = grant::reasons(&place.member("reasons"), reasons);
    // It is counted by nobody and told to nobody: no real sender may have the choice of it.
    if reasons.len() > 1 && reasons.contains(&ReasonCode::Canary) {
        place
            .member("reasons")
            .mistake("has `canary` among others: it is for the canary's own source, which is granted nothing else");
    }
    Some(Grant {
        reasons,
        actions: grant::actions(&place.member("actions"), GrantedAction::SignOut),
        subjects_per_hour: grant::subjects_per_hour(&place.member("subjects_per_hour"), subjects)?,
        pools: pools?,
    })
}
