//! Fakes, keys and builders for tests. Only ever a dev-dependency; `tests/architecture` sees to it.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a broken fake must stop the test")]

pub mod actions;
pub mod bulk;
pub mod clock;
pub mod cloud;
pub mod compromises;
pub mod directory;
pub mod evidence;
pub mod intake;
pub mod keys;
pub mod sweep;
pub mod token;
