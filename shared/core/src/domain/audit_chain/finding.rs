//! What a verification names: a mistake, and where.

use std::fmt;

use serde::Serialize;

use super::RecordKey;
use crate::domain::time::EpochMillis;

/// Something that is not as it should be. One at a time; more are one [`Finding`] each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Mistake {
    /// The record is in the chain and no longer in the table.
    RecordMissing,
    /// The record is not what it was when it was chained.
    RecordAltered,
    /// The record is in the table and not in the chain, although it says it is old enough.
    RecordInserted,
    /// The record was chained after others, or a digest, that are later by more than [`CHAINED_WITHIN`](super::CHAINED_WITHIN): it was not there when it says.
    RecordBackdated,
    /// The record's time is not of the day it is listed under, or yet to come: the pipeline writes both from one instant.
    RecordMisdated,
    /// The record has a second link.
    RecordChainedTwice,
    /// No link has this number.
    LinkMissing,
    /// The link's hash is not that of its content.
    LinkAltered,
    /// The link does not follow the one before it.
    LinkForked,
    /// The opening link follows no link of the previous day.
    DayForked,
    /// A digest knows more links than there are.
    Truncated {
        /// How many it knows.
        records: u64,
        /// When it was made.
        written_at: EpochMillis,
    },
    /// A digest knows another link at this place.
    Rewritten {
        /// When it was made.
        written_at: EpochMillis,
    },
    /// The day is over and has no digest.
    DigestMissing,
    /// The last link came after the last digest of a day long over.
    DigestOutdated,
    /// The object was deleted; its versions are still there.
    DigestDeleted {
        /// Its key.
        object: String,
    },
    /// The signature is not the digest's.
    DigestSignature {
        /// The object's key.
        object: String,
    },
    /// The signing key is known and the digest is not signed by it.
    DigestUnsigned {
        /// The object's key.
        object: String,
    },
    /// An item or object that is none of ours.
    Unreadable {
        /// Its key.
        item: String,
    },
}

/// A mistake, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The UTC day.
    pub day: String,
    /// The link's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// The record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordKey>,
    /// What is wrong.
    #[serde(flatten)]
    pub mistake: Mistake,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RecordMissing => f.write_str("the record was deleted: it is in the chain and no longer in the table"),
            Self::RecordAltered => f.write_str("the record was altered since it was chained"),
            Self::RecordInserted => f.write_str("the record was inserted: it is in the table and not in the chain"),
            Self::RecordBackdated => f.write_str("the record was inserted with an earlier time than it was written at"),
            Self::RecordMisdated => {
                f.write_str("the record's time is not of this day, or yet to come: it was inserted")
            }
            Self::RecordChainedTwice => f.write_str("the record has a second link"),
            Self::LinkMissing => f.write_str("the link is missing"),
            Self::LinkAltered => f.write_str("the link was altered: its hash is not that of its content"),
            Self::LinkForked => f.write_str("the link does not follow the one before it"),
            Self::DayForked => f.write_str("the day does not follow the previous day's chain"),
            Self::Truncated { records, written_at } => {
                write!(f, "the chain was cut off: the digest of {} knows {records} records", written_at.rfc3339())
            }
            Self::Rewritten { written_at } => {
                write!(f, "the chain was made anew: the digest of {} knows another link here", written_at.rfc3339())
            }
            Self::DigestMissing => f.write_str("the day has no digest"),
            Self::DigestOutdated => f.write_str("links were added after the day's digest"),
            Self::DigestDeleted { object } => write!(f, "{object} was deleted"),
            Self::DigestSignature { object } => write!(f, "the signature of {object} is not over its content"),
            Self::DigestUnsigned { object } => write!(f, "{object} is not signed by the configured key"),
            Self::Unreadable { item } => write!(f, "{item} cannot be read: it is none of ours, or was altered"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.day)?;
        if let Some(n) = self.n {
            write!(f, " #{n}")?;
        }
        if let Some(record) = &self.record {
            write!(f, " {record}")?;
        }
        write!(f, ": {}", self.mistake)
    }
}
