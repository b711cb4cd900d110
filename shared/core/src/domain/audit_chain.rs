//! The hash chain over the audit trail: what makes an altered, removed or inserted record stand out afterwards.
//!
//! Every UTC day has a chain of its own. Its opening link carries a hash of the previous day's chain, each further link one
//! record's SHA-256 and the hash of the link before it; digests of it are kept where the trail's writers cannot change them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::revocation_id::hex;
use super::time::EpochMillis;

mod digest;
mod finding;
mod verify;

pub use digest::{Digest, DigestSignature, Span};
pub use finding::{Finding, Mistake};
pub use verify::{DayEvidence, DayResult, verify_day};

/// What the steps begin with whose records auditors read. Nothing else of the trail is chained.
pub const RECORD_STEPS: [&str; 2] = ["completed/", "action/"];
/// A record is chained within so long: the function runs every minute, and an index may lag (DynamoDB developer guide,
/// "Using Global Secondary Indexes": eventually consistent, normally within a fraction of a second).
pub const CHAINED_WITHIN: Duration = Duration::from_mins(10);

/// The key of a record in the revocations table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// The revocation's id.
    pub revocation_id: String,
    /// `completed/<subject>`, `action/<subject>`.
    pub step: String,
}

/// The value of an attribute, as far as a hash needs to tell them apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A string.
    Text(String),
    /// A number, as DynamoDB writes it.
    Number(String),
    /// Anything else, in any form that is the same for the same value. Our records have none.
    Other(String),
}

/// A record as it is stored: every attribute it has, so that an added one is noticed, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its key.
    pub key: RecordKey,
    /// All its attributes by name, those of the key included.
    pub attributes: BTreeMap<String, Attribute>,
}

/// A record as an index lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// `recorded_at`, epoch milliseconds.
    pub recorded_at: EpochMillis,
    /// Its key.
    pub key: RecordKey,
}

/// SHA-256 over a link, hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChainHash(pub String);

/// What a link stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Chained {
    /// Number 0: the day's beginning.
    Opening,
    /// A record.
    Record {
        /// Its key.
        key: RecordKey,
        /// When it was written, epoch milliseconds.
        recorded_at: EpochMillis,
        /// [`StoredRecord::sha256`].
        sha256: String,
    },
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The UTC day, `YYYY-MM-DD`.
    pub day: String,
    /// Its place: the opening has 0, so that the last one's is the number of records.
    pub n: u64,
    /// What it stands for.
    pub chained: Chained,
    /// When it was appended, epoch milliseconds.
    pub chained_at: EpochMillis,
    /// Hash of the link before it; the opening has that of the previous day's last one as it stood then.
    pub previous: ChainHash,
    /// Its own.
    pub hash: ChainHash,
}

// === impl RecordKey ===

impl RecordKey {
    /// Whether auditors read it, so that it is chained.
    #[must_use]
    pub fn is_chained(&self) -> bool {
        RECORD_STEPS.iter().any(|prefix| self.step.starts_with(prefix))
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.revocation_id, self.step)
    }
}

// === impl StoredRecord ===

impl StoredRecord {
    /// SHA-256 over every attribute, by name, hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut hash = Fields::new("session-revocation record/1");
        for (name, value) in &self.attributes {
            let (kind, value) = match value {
                Attribute::Text(text) => ("S", text),
                Attribute::Number(number) => ("N", number),
                Attribute::Other(other) => ("?", other),
            };
            hash = hash.field(name).field(kind).field(value);
        }
        hash.finish().0
    }

    /// When it says it was written, epoch milliseconds.
    #[must_use]
    pub fn recorded_at(&self) -> Option<EpochMillis> {
        match self.attributes.get("recorded_at") {
            Some(Attribute::Number(number)) => number.parse().ok().map(EpochMillis),
            _ => None,
        }
    }
}

// === impl ChainHash ===

impl ChainHash {
    /// What the very first day's opening carries.
    #[must_use]
    pub fn none() -> Self {
        Self("0".repeat(64))
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Link ===

impl Link {
    /// The first link of a day, after the previous day's last one.
    #[must_use]
    pub fn opening(day: &str, previous: Option<&Self>, at: EpochMillis) -> Self {
        let previous = previous.map_or_else(ChainHash::none, |link| link.hash.clone());
        Self::hashed(day, 0, Chained::Opening, at, previous)
    }

    /// The link after this one, for `record`.
    #[must_use]
    pub fn then(&self, record: &StoredRecord, at: EpochMillis) -> Self {
        let chained = Chained::Record {
            key: record.key.clone(),
            recorded_at: record.recorded_at().unwrap_or(EpochMillis(0)),
            sha256: record.sha256(),
        };
        Self::hashed(&self.day, self.n.saturating_add(1), chained, at, self.hash.clone())
    }

    /// The record it stands for.
    #[must_use]
    pub fn record(&self) -> Option<&RecordKey> {
        match &self.chained {
            Chained::Opening => None,
            Chained::Record { key, .. } => Some(key),
        }
    }

    /// The hash its content should have.
    #[must_use]
    pub fn expected_hash(&self) -> ChainHash {
        let number = self.n.to_string();
        let at = self.chained_at.0.to_string();
        let fields = Fields::new("session-revocation link/1").field(&self.day).field(&number).field(&at);
        let fields = match &self.chained {
            Chained::Opening => fields.field("opening"),
            Chained::Record { key, recorded_at, sha256 } => fields
                .field("record")
                .field(&key.revocation_id)
                .field(&key.step)
                .field(&recorded_at.0.to_string())
                .field(sha256),
        };
        fields.field(&self.previous.0).finish()
    }

    fn hashed(day: &str, n: u64, chained: Chained, chained_at: EpochMillis, previous: ChainHash) -> Self {
        let mut link = Self { day: day.to_owned(), n, chained, chained_at, previous, hash: ChainHash::none() };
        link.hash = link.expected_hash();
        link
    }
}

/// A hash over texts, each preceded by its length: no two lists of texts are the same bytes.
struct Fields(Sha256);

impl Fields {
    fn new(form: &str) -> Self {
        Self(Sha256::new()).field(form)
    }

    fn field(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
        self
    }

    fn finish(self) -> ChainHash {
        ChainHash(hex(self.0.finalize().iter()))
    }
}

/// The UTC day before or after; `None` if the text is no day.
#[must_use]
pub fn day_plus(day: &str, days: i64) -> Option<String> {
    let date: jiff::civil::Date = day.parse().ok()?;
    let other = date.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
    // Only the form that is a key, no other that can be read as a date.
    (date.to_string() == day).then(|| other.to_string())
}

#[cfg(test)]
mod tests;
