//! What a token must carry besides being good.

use revocation_verify::Permit;

/// Scopes and groups that are required.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requirement {
    /// All of these.
    pub(crate) scopes: Vec<String>,
    /// One of these. An empty list is one that nobody meets: it may come of a configuration that was left empty.
    pub(crate) groups: Option<Vec<String>>,
}

// === impl Requirement ===

impl Requirement {
    pub(crate) fn is_met_by(&self, permit: &Permit) -> bool {
        // Only access tokens have scopes, parted by spaces (RFC 6749, section 3.3), and compared exactly.
        let scopes = permit.scope.as_deref().unwrap_or_default();
        let has = |wanted: &String| !wanted.is_empty() && scopes.split(' ').any(|scope| scope == wanted);
        let is_in = |groups: &Vec<String>| groups.iter().any(|group| permit.groups.contains(group));
        self.scopes.iter().all(has) && self.groups.as_ref().is_none_or(is_in)
    }
}
