//! How far the members are listed, or counted.

use serde::{Deserialize, Serialize};

/// Where listing goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Index of the pool, or of the list's part.
    pub at: u32,
    /// How the directory is asked for the next page of it; of a list, how many entries of the part are looked up.
    pub after: Option<String>,
    /// Whether this pool was begun anew, because the directory no longer took `after`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restarted: bool,
    /// Whether a pool before had the group.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub met: bool,
}

/// How many members are counted, and where counting goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// So many.
    pub members: u64,
    /// Where it goes on.
    pub next: Cursor,
}
