//! How the story is told: numbered acts, and a line with the time for each thing seen.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::say;

/// Tells the story and stops it at the first thing that is not as told.
pub(super) struct Teller {
    start: Instant,
}

impl Teller {
    pub(super) fn new() -> Self {
        Self { start: Instant::now() }
    }

    /// Begins an act.
    pub(super) fn act(number: u8, title: &str) {
        say::line(format_args!("\n{number}. {title}"));
    }

    /// Something seen, now.
    pub(super) fn saw(&self, what: impl std::fmt::Display) {
        say::line(format_args!("   {:>6.2} s  ✓ {what}", self.start.elapsed().as_secs_f64()));
    }

    /// Something seen, and how long after its cause.
    pub(super) fn saw_after(&self, after: Duration, what: impl std::fmt::Display) {
        self.saw(format_args!("{what}  [{} ms]", after.as_millis()));
    }

    /// Something that must be so.
    pub(super) fn check(&self, holds: bool, what: impl std::fmt::Display) -> Result<()> {
        if !holds {
            bail!("it is not so: {what}");
        }
        self.saw(what);
        Ok(())
    }

    /// How long the story has taken.
    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
