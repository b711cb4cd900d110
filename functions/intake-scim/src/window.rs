//! Lists: which of all resources are on the page, and how long looking for them may take.

use std::time::Duration;

use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Clock;
use revocation_scim::{ListQuery, ScimError};
use serde_json::Value;

/// Most resources one list looks at.
pub(crate) const MOST_LOOKED_AT: usize = 10_000;
/// How long it looks: within the edge's deadline of 12 s there must be time for the answer.
const LONGEST: Duration = Duration::from_secs(9);

/// The page wanted, and the number of all.
pub(crate) struct Window {
    first: usize,
    count: usize,
    /// Resources on the page.
    pub(crate) page: Vec<Value>,
    /// How many there are on all pages.
    pub(crate) total: usize,
}

/// Bounds a search.
pub(crate) struct Budget<'a> {
    clock: &'a dyn Clock,
    began: EpochMillis,
    looked_at: usize,
    advice: &'static str,
}

// === impl Window ===

impl Window {
    /// The page of this query.
    pub(crate) fn new(query: &ListQuery) -> Self {
        Self { first: query.start_index, count: query.count, page: Vec::new(), total: 0 }
    }

    /// Counts a resource; it is only made if it is on the page.
    pub(crate) fn take(&mut self, resource: impl FnOnce() -> Value) {
        self.total += 1;
        if self.total >= self.first && self.page.len() < self.count {
            self.page.push(resource());
        }
    }
}

// === impl Budget ===

impl<'a> Budget<'a> {
    /// Begins now; `advice` is for the client whose question turns out too large.
    pub(crate) fn new(clock: &'a dyn Clock, advice: &'static str) -> Self {
        Self { clock, began: clock.now(), looked_at: 0, advice }
    }

    /// Takes `more` resources, if that is still within it.
    pub(crate) fn spend(&mut self, more: usize) -> Result<(), ScimError> {
        self.looked_at = self.looked_at.saturating_add(more);
        if self.looked_at > MOST_LOOKED_AT || self.clock.now().since(self.began) > LONGEST {
            return Err(ScimError::too_many(self.advice));
        }
        Ok(())
    }
}
