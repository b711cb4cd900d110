//! Finds the sources that have fallen silent.

use std::sync::Arc;

use crate::domain::silence::{Expected, Silent};
use crate::ports::{Clock, LastHeardReader, PortError};

/// The ports of who watches for silence.
pub struct SilenceWatch {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who was heard of when.
    pub heard: Arc<dyn LastHeardReader>,
}

// === impl SilenceWatch ===

impl SilenceWatch {
    /// Those of the expected ones that are silent now. All or none: a number that leaves some out would look as if all were
    /// well.
    pub async fn silent(&self, expected: &[Expected]) -> Result<Vec<Silent>, PortError> {
        let now = self.clock.now();
        let mut silent = Vec::new();
        for one in expected {
            let heard_at = self.heard.last_heard(&one.source).await?;
            silent.extend(one.silent(heard_at, now));
        }
        Ok(silent)
    }
}
