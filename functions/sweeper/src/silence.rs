//! The HTTPS sources that have fallen silent, by the document of sources: of those that send nothing no intake ever knows.

use std::sync::{Arc, Mutex, PoisonError};

use revocation_core::domain::silence::{Expected, Silent};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{PortError, TextReader};
use revocation_core::usecase::silence::SilenceWatch;
use revocation_lambda::metrics;
use revocation_sources::Sources;

/// Looks which sources are silent.
pub struct SilentSources {
    reader: Arc<dyn TextReader>,
    /// Name of the document.
    parameter: String,
    watch: SilenceWatch,
    /// By the last good document.
    expected: Mutex<Option<Vec<Expected>>>,
}

// === impl SilentSources ===

impl SilentSources {
    /// A look by the document called `parameter`.
    #[must_use]
    pub fn new(reader: Arc<dyn TextReader>, parameter: impl Into<String>, watch: SilenceWatch) -> Self {
        Self { reader, parameter: parameter.into(), watch, expected: Mutex::default() }
    }

    /// Those that are silent now; `None` where no good document was ever read. That it cannot be read, or is wrong, is told as the
    /// intakes tell it.
    pub async fn look(&self) -> Result<Option<Vec<Silent>>, PortError> {
        match self.expected().await {
            Some(expected) => self.watch.silent(&expected).await.map(Some),
            None => Ok(None),
        }
    }

    async fn expected(&self) -> Option<Vec<Expected>> {
        let read = match self.reader.read(&self.parameter).await.as_deref().map(Sources::parse) {
            Ok(Ok(sources)) => Some(sources.expected()),
            Ok(Err(mistakes)) => {
                tracing::error!(%mistakes, "the document of sources is wrong; the last good one stays in force");
                metrics::count("SourcesInvalid", "document", "sources");
                None
            }
            Err(error) => {
                tracing::error!(%error, "the document of sources cannot be read; the last one stays in force");
                metrics::count("SourcesUnreadable", "document", "sources");
                None
            }
        };
        let mut held = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        if read.is_some() {
            held.clone_from(&read);
        }
        held.clone()
    }
}

/// Tells them: a number, zeros as well, and a line for each.
pub fn tell(silent: &[Silent]) {
    for Silent { expected, heard_at } in silent {
        let heard_at = heard_at.map_or("never".to_owned(), EpochMillis::rfc3339);
        let silent_after_hours = expected.silent_after.as_secs() / 3_600;
        tracing::warn!(source = expected.source, heard_at, silent_after_hours, "a source has fallen silent");
    }
    metrics::gauge("SilentSources", "Count", silent.len() as u64);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use revocation_core::ports::{Clock as _, LastHeardWriter as _};
    use revocation_testkit::intake::FakeIntake;

    use super::*;

    const DOCUMENT: &str = "version: 1\npools: [eu-central-1_One]\nrole_change:\n  erp:\n    \
        authentication: { method: standard_webhooks, secret: erp }\n    compare: inclusion\n    silent_after_hours: 24\n";

    fn looks_at(fake: &Arc<FakeIntake>) -> SilentSources {
        let watch = SilenceWatch { clock: fake.clock.clone(), heard: fake.clone() };
        SilentSources::new(fake.clone(), "sources", watch)
    }

    async fn names(look: &SilentSources) -> Option<Vec<String>> {
        let silent = look.look().await.unwrap()?;
        Some(silent.into_iter().map(|one| one.expected.source).collect())
    }

    #[tokio::test]
    async fn a_source_is_silent_until_it_is_heard_of_and_again_when_its_hours_are_over() {
        let fake = Arc::new(FakeIntake::default());
        fake.put_text("sources", DOCUMENT);
        let look = looks_at(&fake);
        assert_eq!(names(&look).await.unwrap(), ["role-change/erp"], "never heard of");
        fake.heard("role-change/erp", fake.clock.now()).await.unwrap();
        assert_eq!(names(&look).await.unwrap(), [""; 0]);
        fake.clock.advance(Duration::from_hours(24) - Duration::from_millis(1));
        assert_eq!(names(&look).await.unwrap(), [""; 0]);
        fake.clock.advance(Duration::from_millis(1));
        assert_eq!(names(&look).await.unwrap(), ["role-change/erp"]);
        fake.put_text("sources", &DOCUMENT.replace("    silent_after_hours: 24\n", ""));
        assert_eq!(names(&look).await.unwrap(), [""; 0], "nobody asks any more");
    }

    #[tokio::test]
    async fn a_document_that_is_wrong_or_gone_leaves_the_last_good_one_in_force_and_without_one_nothing_is_said() {
        let fake = Arc::new(FakeIntake::default());
        let look = looks_at(&fake);
        assert_eq!(names(&look).await, None, "unreadable");
        fake.put_text("sources", "version: 2");
        assert_eq!(names(&look).await, None, "wrong");
        fake.put_text("sources", DOCUMENT);
        assert_eq!(names(&look).await.unwrap().len(), 1);
        fake.put_text("sources", "version: 2");
        assert_eq!(names(&look).await.unwrap().len(), 1);
        fake.fail("read", PortError::retry("read", "timeout"));
        assert_eq!(names(&look).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_cannot_be_read_of_the_table_is_an_error_and_no_number() {
        let fake = Arc::new(FakeIntake::default());
        fake.put_text("sources", DOCUMENT);
        fake.fail("last_heard", PortError::retry("last_heard", "timeout"));
        assert!(looks_at(&fake).look().await.is_err());
    }
}
