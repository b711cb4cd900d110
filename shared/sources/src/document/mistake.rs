//! What is wrong with a document, and where.

use std::cell::RefCell;
use std::fmt;

/// Most mistakes told; more are of one cause.
const MAX_MISTAKES: usize = 200;
/// Longest key shown.
const MAX_KEY_CHARS: usize = 64;

/// One mistake. It never quotes a value: that might be a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The line it is on, from 1.
    pub line: usize,
    /// Where in the document, such as `siem.datadog-prod.severity_floor`; empty for the document as a whole.
    pub path: String,
    /// What is wrong.
    pub what: String,
}

/// Every mistake of a document, in the order of its lines; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

/// Where mistakes are collected.
#[derive(Debug, Default)]
pub(super) struct Report(RefCell<Vec<Mistake>>);

// === impl Mistake ===

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, path, what } = self;
        let path = if path.is_empty() { "the document" } else { path };
        write!(f, "line {line}: {path}: {what}")
    }
}

// === impl Mistakes ===

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, mistake) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { "\n" };
            write!(f, "{separator}{mistake}")?;
        }
        Ok(())
    }
}

// === impl Report ===

impl Report {
    /// Adds a mistake at a JSON pointer.
    pub(super) fn mistake(&self, line: usize, pointer: &str, what: impl Into<String>) {
        self.0.borrow_mut().push(Mistake { line, path: shown(pointer), what: what.into() });
    }

    pub(super) fn into_result<T>(self, value: T) -> Result<T, Mistakes> {
        let mut all = self.0.into_inner();
        if all.is_empty() {
            return Ok(value);
        }
        all.sort();
        all.dedup();
        all.truncate(MAX_MISTAKES);
        Err(Mistakes(all))
    }
}

/// A JSON pointer as a path with dots. A key is shown if it is a word; anything else might be a value.
fn shown(pointer: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
    let part = |part: &str| {
        let part = part.replace("~1", "/").replace("~0", "~");
        let fits = part.chars().count() <= MAX_KEY_CHARS && part.chars().all(is_word);
        if fits && !super::secrecy::looks_secret(&part) { part } else { "?".to_owned() }
    };
    pointer.split('/').skip(1).map(part).collect::<Vec<_>>().join(".")
}
