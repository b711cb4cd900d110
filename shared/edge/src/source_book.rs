//! The sources in force: the document an operator keeps, read at the start and looked at again every minute.

use std::sync::Arc;

use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Clock, PortError, TextReader};
use revocation_lambda::metrics;
use revocation_sources::{Mistakes, Sources};
use tokio::sync::Mutex;

/// How long the document is believed without another look, in milliseconds.
const FRESH_MS: i64 = 60_000;

/// The document, as last read without a mistake.
pub struct SourceBook {
    reader: Arc<dyn TextReader>,
    clock: Arc<dyn Clock>,
    name: String,
    held: Mutex<Held>,
}

struct Held {
    sources: Arc<Sources>,
    text: String,
    read_at: EpochMillis,
}

/// The document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadSources {
    /// It cannot be read.
    #[error("the document of sources cannot be read: {0}")]
    Unreadable(#[from] PortError),
    /// It has mistakes, each with its line.
    #[error("the document of sources is wrong: {0}")]
    Wrong(Mistakes),
}

// === impl SourceBook ===

impl SourceBook {
    /// Reads the document called `name`, or says everything that is wrong with it.
    pub async fn open(
        reader: Arc<dyn TextReader>,
        clock: Arc<dyn Clock>,
        name: impl Into<String>,
    ) -> Result<Self, BadSources> {
        let name = name.into();
        let text = reader.read(&name).await?;
        let sources = Arc::new(Sources::parse(&text).map_err(BadSources::Wrong)?);
        let held = Mutex::new(Held { sources, text, read_at: clock.now() });
        Ok(Self { reader, clock, name, held })
    }

    /// The sources in force. A document that has become wrong or unreadable is reported, and the last good one stays in
    /// force: a typing mistake must not open or close an intake.
    pub async fn current(&self) -> Arc<Sources> {
        let mut held = self.held.lock().await;
        let now = self.clock.now();
        if now.0.saturating_sub(held.read_at.0) < FRESH_MS {
            return Arc::clone(&held.sources);
        }
        held.read_at = now;
        match self.reader.read(&self.name).await {
            Ok(text) if text == held.text => {}
            Ok(text) => match Sources::parse(&text) {
                Ok(sources) => {
                    held.sources = Arc::new(sources);
                    held.text = text;
                    tracing::info!("the document of sources was read anew");
                }
                Err(mistakes) => {
                    tracing::error!(%mistakes, "the document of sources is wrong; the last good one stays in force");
                    metrics::count("SourcesInvalid", "document", "sources");
                }
            },
            Err(error) => {
                tracing::error!(%error, "the document of sources cannot be read; the last one stays in force");
                metrics::count("SourcesUnreadable", "document", "sources");
            }
        }
        Arc::clone(&held.sources)
    }
}
