//! Commands' JSON, and what is told of JSON that is not of its schema: where and how, and nothing of what it says.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::request::{MAX_DETAIL_BYTES, VERSION};

/// A mismatch. serde's own messages quote values ("invalid type: string \"jane@…\""), so only path and kind are passed on.
pub(super) struct Mismatch {
    /// JSON path of the offending member, in words of the schemas.
    pub(super) path: String,
    /// Kind of the mismatch, without the value.
    pub(super) what: &'static str,
}

/// Why a `detail` is no command.
pub(super) enum Unread {
    /// More than [`MAX_DETAIL_BYTES`].
    TooLarge,
    /// Of another version.
    Version,
    /// Not of the schema.
    Shape(Mismatch),
}

/// Reads a command. What stands in it is not checked yet.
pub(super) fn read<T: DeserializeOwned>(detail: &str) -> Result<T, Unread> {
    if detail.len() > MAX_DETAIL_BYTES {
        return Err(Unread::TooLarge);
    }
    // The version decides how the rest is read, so an unknown one is told before any mismatch it explains.
    if serde_json::from_str::<Versioned>(detail).is_ok_and(|v| v.version != VERSION) {
        return Err(Unread::Version);
    }
    let mut json = serde_json::Deserializer::from_str(detail);
    let command = serde_path_to_error::deserialize(&mut json).map_err(|error| Unread::Shape(Mismatch::of(&error)))?;
    let more = Mismatch { path: ".".to_owned(), what: "more than one JSON value" };
    json.end().map_err(|_| Unread::Shape(more))?;
    Ok(command)
}

#[derive(Deserialize)]
struct Versioned {
    version: String,
}

/// The words of the commands' schemas.
const MEMBERS: [&str; 33] = [
    "version",
    "source",
    "name",
    "event_id",
    "sub_id",
    "format",
    "uri",
    "email",
    "iss",
    "sub",
    "id",
    "phone_number",
    "identifiers",
    "username",
    "group",
    "list",
    "user_pool_id",
    "reason",
    "initiator",
    "kind",
    "occurred_at",
    "reason_admin",
    "reason_user",
    "effect",
    "lockout",
    "session",
    "approve_by",
    "txn",
    "action",
    "hold",
    "until",
    "message",
    "override_protection",
];

// === impl Mismatch ===

impl Mismatch {
    /// What may be told of an error.
    pub(super) fn of(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let text = error.inner().to_string();
        let what = match error.inner().classify() {
            serde_json::error::Category::Data if text.starts_with("missing field") => "a member is missing",
            serde_json::error::Category::Data if text.starts_with("unknown field") => "an unknown member",
            serde_json::error::Category::Data if text.starts_with("duplicate field") => "a member stands twice",
            serde_json::error::Category::Data if text.starts_with("unknown variant") => {
                "a value outside the closed list"
            }
            serde_json::error::Category::Data => "a value of the wrong type",
            serde_json::error::Category::Eof => "the JSON ends too early",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "not JSON",
        };
        let path = error.path().iter().map(known_member).collect::<Vec<_>>().join(".");
        Self { path: if path.is_empty() { ".".to_owned() } else { path }, what }
    }
}

/// A part of a JSON path, if it is a word of the schemas: a member's name is chosen by the sender and may be anything,
/// an address too (I10).
fn known_member(segment: &serde_path_to_error::Segment) -> String {
    match segment {
        serde_path_to_error::Segment::Map { key } if MEMBERS.contains(&key.as_str()) => key.clone(),
        serde_path_to_error::Segment::Seq { index } => index.to_string(),
        _ => "?".into(),
    }
}
