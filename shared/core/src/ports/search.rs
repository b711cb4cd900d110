//! What a search of several pools came to.

use super::PortError;
use crate::domain::disposition::Disposition;
use crate::domain::profile::Profile;

/// Who was found, and whether that is everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Without duplicates.
    pub found: Vec<Profile>,
    /// Why a pool could not be asked; of several reasons one that may pass, if there is one.
    pub failure: Option<PortError>,
}

// === impl Search ===

impl Search {
    /// Notes a failure: one that may pass decides, the others are met again by the redelivery, and parked then.
    pub fn fail(&mut self, error: PortError) {
        self.failure = Some(PortError::worth_retrying(self.failure.take(), error));
    }

    /// Everybody, or nobody: for those who can do nothing with a part.
    pub fn whole(self) -> Result<Vec<Profile>, PortError> {
        self.failure.map_or(Ok(self.found), Err)
    }
}

impl PortError {
    /// Of two failures, one that may pass.
    #[must_use]
    pub fn worth_retrying(before: Option<Self>, error: Self) -> Self {
        before.filter(|before| before.disposition == Disposition::Retry).unwrap_or(error)
    }
}
