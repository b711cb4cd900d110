//! What of a filter a store can answer by itself: equalities.

use super::{Filter, Literal, Operator};
use crate::path::AttributePath;

// === impl Filter ===

impl Filter {
    /// The attribute and the value if the whole filter is one `attribute eq value`, also `emails[value eq "…"]`.
    /// [`Schema::resolve`](crate::Schema::resolve) and [`Resolved::key`](crate::Resolved::key) say which attribute it is.
    #[must_use]
    pub fn equality(&self) -> Option<(AttributePath, &Literal)> {
        match self {
            Self::Compare(path, Operator::Eq, literal) if *literal != Literal::Null => Some((path.clone(), literal)),
            Self::Values(path, inner) => inner.equality().map(|(sub, literal)| (path.with_sub(&sub), literal)),
            _ => None,
        }
    }

    /// The equalities that hold for every resource that satisfies the filter: a store that finds by one of them yields
    /// all candidates, and [`Filter::matches`] decides among them.
    #[must_use]
    pub fn conjunct_equalities(&self) -> Vec<(AttributePath, &Literal)> {
        match self {
            Self::And(all) => all.iter().flat_map(Self::conjunct_equalities).collect(),
            Self::Values(path, inner) => {
                let inner = inner.conjunct_equalities();
                inner.into_iter().map(|(sub, literal)| (path.with_sub(&sub), literal)).collect()
            }
            _ => self.equality().into_iter().collect(),
        }
    }
}
