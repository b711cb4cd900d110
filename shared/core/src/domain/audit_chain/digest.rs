//! Digests: the chain's last hash at a moment, kept where nobody can take it back. They find what a chain alone cannot:
//! its end cut off, and all of it made anew.

use serde::{Deserialize, Serialize};

use super::{ChainHash, Link};
use crate::domain::time::EpochMillis;

/// What a digest was made for; it names its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// The whole day, once it is over; again, as a new version of the object, if a record arrives late.
    Day,
    /// The day so far, by the end of this hour (UTC, 0 to 23).
    Hour(u8),
}

/// A digest. Its form is version 1; readers ignore members they do not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Version of this form.
    pub version: String,
    /// The UTC day, `YYYY-MM-DD`.
    pub day: String,
    /// What it was made for.
    pub span: Span,
    /// Records chained: the last link's number.
    pub records: u64,
    /// Hash of the last link.
    pub head: ChainHash,
    /// What the opening link carries of the previous day.
    pub previous_day: ChainHash,
    /// When it was made, epoch milliseconds.
    pub written_at: EpochMillis,
    /// The same in words, for people.
    pub written: String,
    /// By the configured key over [`Digest::message`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<DigestSignature>,
}

/// A signature over a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestSignature {
    /// ARN of the key.
    pub key: String,
    /// As KMS names it, such as `ECDSA_SHA_256`.
    pub algorithm: String,
    /// Base64.
    pub value: String,
}

impl Digest {
    /// The digest of a chain with this opening and this last link.
    #[must_use]
    pub fn of(span: Span, opening: &Link, last: &Link, at: EpochMillis) -> Self {
        Self {
            version: "1".into(),
            day: last.day.clone(),
            span,
            records: last.n,
            head: last.hash.clone(),
            previous_day: opening.previous.clone(),
            written_at: at,
            written: at.rfc3339(),
            signature: None,
        }
    }

    /// Where it is kept.
    #[must_use]
    pub fn object_key(day: &str, span: Span) -> String {
        match span {
            Span::Day => format!("digests/{day}.json"),
            Span::Hour(hour) => format!("digests/hours/{day}/{hour:02}.json"),
        }
    }

    /// What is signed: one line a member, so that anybody can write it down and check it with other tools.
    #[must_use]
    pub fn message(&self) -> String {
        let span = match self.span {
            Span::Day => "day".to_owned(),
            Span::Hour(hour) => format!("hour {hour}"),
        };
        let Self { day, records, head, previous_day, written_at, .. } = self;
        format!(
            "session-revocation digest/1\nday {day}\nspan {span}\nrecords {records}\nhead {head}\nprevious_day {previous_day}\nwritten_at {}\n",
            written_at.0
        )
    }
}
