//! What a source may ask for: its fence (I11). Revocation is itself a means of denying service.

use serde::{Deserialize, Serialize};

use super::profile::UserPoolId;
use super::reason::ReasonCode;
use super::request::{Effect, RevocationRequest};
use super::subject::SubjectIdentifier;

/// Most subjects an hour a source can be granted: more than any honest sender names, and few enough to count exactly.
pub const MAX_SUBJECTS_PER_HOUR: u32 = 100_000;

/// The fence of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The reasons it may name.
    pub reasons: Vec<ReasonCode>,
    /// The pools in which its subjects are looked up; never empty.
    pub pools: Vec<UserPoolId>,
    /// The actions it may ask for.
    pub actions: Vec<GrantedAction>,
    /// Blast radius: distinct subjects it may name within one clock hour. Requests beyond it are parked.
    pub subjects_per_hour: u32,
}

/// What a request may ask for by its own members; what else follows from the reason is the policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantedAction {
    /// `effect: sign_out`: every session ends.
    SignOut,
    /// `effect: refresh`: tokens issued before are refused, clients refresh.
    Refresh,
    /// `lockout: true`: the account is disabled instead of reset.
    Lockout,
}

/// A request is outside its source's grant. No variant quotes a subject (I10).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGranted {
    /// The reason.
    #[error("the source is not granted the reason `{0}`")]
    Reason(ReasonCode),
    /// The effect, or the lockout.
    #[error("the source is not granted the action `{0}`")]
    Action(&'static str),
    /// The subject is of an issuer that is none of the granted pools.
    #[error("the source is not granted the pool the subject is of")]
    Pool,
    /// Groups are revoked by operators, never by a source: one name would pass for one subject.
    #[error("a source may not name a group")]
    Group,
    /// Nor may it name everybody at once.
    #[error("a source may not name a whole pool")]
    WholePool,
}

// === impl GrantedAction ===

impl GrantedAction {
    /// The name in configuration and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignOut => "sign_out",
            Self::Refresh => "refresh",
            Self::Lockout => "lockout",
        }
    }
}

// === impl Grant ===

impl Grant {
    /// Checks a request against the fence, and binds it to the granted pools.
    pub fn fence(&self, mut request: RevocationRequest) -> Result<RevocationRequest, NotGranted> {
        if !self.reasons.contains(&request.reason) {
            return Err(NotGranted::Reason(request.reason));
        }
        let effect = match request.effect {
            Effect::SignOut => GrantedAction::SignOut,
            Effect::Refresh => GrantedAction::Refresh,
        };
        self.require(effect)?;
        if request.lockout {
            self.require(GrantedAction::Lockout)?;
        }
        self.admit(&request.sub_id)?;
        request.pools.clone_from(&self.pools);
        Ok(request)
    }

    fn require(&self, action: GrantedAction) -> Result<(), NotGranted> {
        self.actions.contains(&action).then_some(()).ok_or(NotGranted::Action(action.as_str()))
    }

    /// A user pool's issuer names the pool; whatever else is named is looked up in the granted pools only.
    fn admit(&self, subject: &SubjectIdentifier) -> Result<(), NotGranted> {
        match subject {
            many if many.is_many() => Err(NotGranted::Group),
            SubjectIdentifier::Pool { .. } => Err(NotGranted::WholePool),
            SubjectIdentifier::IssSub { iss, .. } if is_pool_issuer(iss) => {
                let granted = self.pools.iter().any(|pool| pool.issuers().contains(iss));
                granted.then_some(()).ok_or(NotGranted::Pool)
            }
            SubjectIdentifier::Aliases { identifiers } => identifiers.iter().try_for_each(|one| self.admit(one)),
            _ => Ok(()),
        }
    }
}

fn is_pool_issuer(iss: &str) -> bool {
    let host = iss.strip_prefix("https://").unwrap_or_default();
    host.starts_with("cognito-idp.") || host.starts_with("issuer-cognito-idp.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "eu-central-1_Granted01";

    fn grant() -> Grant {
        Grant {
            reasons: vec![ReasonCode::Anomaly, ReasonCode::RoleChange],
            pools: vec![UserPoolId(POOL.into())],
            actions: vec![GrantedAction::SignOut],
            subjects_per_hour: 10,
        }
    }

    /// A request by a source that does not say which pools it may be about, as JSON.
    fn request(sub_id: &str, more: &str) -> RevocationRequest {
        let text = format!(
            r#"{{"version":"1","source":{{"name":"siem/x","event_id":"1"}},"sub_id":{sub_id},{more},
            "initiator":{{"kind":"system","id":"x"}}}}"#
        );
        RevocationRequest::parse(&text).unwrap()
    }

    fn fenced(sub_id: &str) -> Result<RevocationRequest, NotGranted> {
        grant().fence(request(sub_id, r#""reason":"anomaly""#))
    }

    const JANE: &str = r#"{"format":"email","email":"jane@example.com"}"#;

    #[test]
    fn i11_what_is_granted_passes_bound_to_the_granted_pools() {
        let passed = fenced(JANE).unwrap();
        assert_eq!(passed.pools, grant().pools);
        assert_eq!(RevocationRequest { pools: Vec::new(), ..passed }, request(JANE, r#""reason":"anomaly""#));
    }

    #[test]
    fn i11_reasons_and_actions_beyond_the_grant_are_refused_by_name() {
        let refused = |more: &str| grant().fence(request(JANE, more)).unwrap_err();
        assert_eq!(refused(r#""reason":"offboarding""#), NotGranted::Reason(ReasonCode::Offboarding));
        assert_eq!(refused(r#""reason":"role_change","effect":"refresh""#), NotGranted::Action("refresh"));
        assert_eq!(refused(r#""reason":"anomaly","lockout":true"#), NotGranted::Action("lockout"));
        let nothing = Grant { actions: Vec::new(), ..grant() };
        let refused = nothing.fence(request(JANE, r#""reason":"anomaly""#)).unwrap_err();
        assert_eq!(refused, NotGranted::Action("sign_out"));
        let all = [GrantedAction::SignOut, GrantedAction::Refresh, GrantedAction::Lockout];
        let all = Grant { actions: all.into(), ..grant() };
        assert!(all.fence(request(JANE, r#""reason":"role_change","effect":"refresh""#)).is_ok());
        assert!(all.fence(request(JANE, r#""reason":"anomaly","lockout":true"#)).is_ok());
    }

    #[test]
    fn i11_nobody_names_many_people_or_another_pool() {
        let group = r#"{"format":"group","group":"staff"}"#;
        assert_eq!(fenced(group), Err(NotGranted::Group));
        let list = format!(r#"{{"format":"list","list":"{}"}}"#, "a".repeat(64));
        for many in [list.as_str(), r#"{"format":"ended"}"#] {
            assert_eq!(fenced(many), Err(NotGranted::Group), "{many}");
        }
        let mut pool = request(JANE, r#""reason":"anomaly""#);
        pool.sub_id = SubjectIdentifier::Pool { user_pool_id: POOL.into() };
        assert_eq!(grant().fence(pool), Err(NotGranted::WholePool));
        let of = |iss: &str| format!(r#"{{"format":"iss_sub","iss":"{iss}","sub":"s"}}"#);
        let issuer = |pool: &str| format!("https://cognito-idp.eu-central-1.amazonaws.com/{pool}");
        let updated = |pool: &str| issuer(pool).replace("https://", "https://issuer-");
        for granted in [issuer(POOL), updated(POOL), "https://idp.example.com".to_owned()] {
            assert!(fenced(&of(&granted)).is_ok(), "{granted}: a granted pool, or looked up in those alone");
        }
        for other in
            ["eu-central-1_Other0001", "eu-central-1_Granted012"].iter().flat_map(|it| [issuer(it), updated(it)])
        {
            assert_eq!(fenced(&of(&other)), Err(NotGranted::Pool), "{other}");
            let hidden = format!(r#"{{"format":"aliases","identifiers":[{JANE},{}]}}"#, of(&other));
            assert_eq!(fenced(&hidden), Err(NotGranted::Pool), "one of several");
        }
    }
}
