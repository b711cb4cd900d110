//! Whether a change of roles takes something away.

use std::collections::BTreeSet;

/// How a deployment compares roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleOrder {
    /// Roles from the least to the most powerful. What counts is the most powerful one a person has; a role that is not
    /// in the ranking has no rank, and losing it is compared by inclusion.
    Ranking(Vec<String>),
    /// No order: whoever loses any role or permission is downgraded.
    Inclusion,
}

/// What a change of roles comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleMove {
    /// Something was taken away: tokens that still carry it must be refused.
    Downgrade,
    /// Something was added and nothing taken away.
    Upgrade,
    /// Other roles of the same power.
    Lateral,
    /// The same roles, perhaps in another order.
    Unchanged,
}

// === impl RoleMove ===

impl RoleMove {
    /// The name in answers and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Downgrade => "downgrade",
            Self::Upgrade => "upgrade",
            Self::Lateral => "lateral",
            Self::Unchanged => "unchanged",
        }
    }
}

// === impl RoleOrder ===

impl RoleOrder {
    /// Compares what a person had with what they have now. Doubt decides for `Downgrade`: a needless sign-out costs a
    /// sign-in, a missed one leaves power with somebody who lost it.
    #[must_use]
    pub fn compare(&self, old: &BTreeSet<String>, new: &BTreeSet<String>) -> RoleMove {
        if old == new {
            return RoleMove::Unchanged;
        }
        match self {
            Self::Inclusion if old.is_subset(new) => RoleMove::Upgrade,
            Self::Inclusion => RoleMove::Downgrade,
            Self::Ranking(ranking) => compare_ranked(ranking, old, new),
        }
    }
}

fn compare_ranked(ranking: &[String], old: &BTreeSet<String>, new: &BTreeSet<String>) -> RoleMove {
    let rank = |role: &String| ranking.iter().position(|ranked| ranked == role);
    let lost_unranked = old.difference(new).any(|role| rank(role).is_none());
    let (before, after) = (old.iter().filter_map(rank).max(), new.iter().filter_map(rank).max());
    if lost_unranked || after < before {
        return RoleMove::Downgrade;
    }
    if after > before || old.is_subset(new) { RoleMove::Upgrade } else { RoleMove::Lateral }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(roles: &[&str]) -> BTreeSet<String> {
        roles.iter().map(|role| (*role).to_owned()).collect()
    }

    fn ranking() -> RoleOrder {
        RoleOrder::Ranking(["viewer", "editor", "admin"].map(str::to_owned).to_vec())
    }

    #[test]
    fn by_ranking_the_most_powerful_role_counts() {
        let cases = [
            (&["admin"][..], &["viewer"][..], RoleMove::Downgrade),
            (&["viewer"], &["admin"], RoleMove::Upgrade),
            (&["admin"], &[], RoleMove::Downgrade),
            (&[], &["viewer"], RoleMove::Upgrade),
            (&["viewer", "admin"], &["admin"], RoleMove::Lateral),
            (&["admin"], &["admin"], RoleMove::Unchanged),
            (&["editor", "billing"], &["admin"], RoleMove::Downgrade),
            (&["editor"], &["editor", "billing"], RoleMove::Upgrade),
        ];
        for (old, new, expected) in cases {
            assert_eq!(ranking().compare(&set(old), &set(new)), expected, "{old:?} → {new:?}");
        }
    }

    #[test]
    fn by_inclusion_any_loss_is_a_downgrade() {
        let compare = |old: &[&str], new: &[&str]| RoleOrder::Inclusion.compare(&set(old), &set(new));
        assert_eq!(compare(&["read", "write"], &["read"]), RoleMove::Downgrade);
        assert_eq!(compare(&["read"], &["write"]), RoleMove::Downgrade);
        assert_eq!(compare(&["read"], &["read", "write"]), RoleMove::Upgrade);
        assert_eq!(compare(&[], &[]), RoleMove::Unchanged);
    }
}
