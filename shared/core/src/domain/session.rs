//! Single sessions: how one is named, ended without the others, and remembered.
//!
//! Cognito names a session by `origin_jti`: the claim stays the same across refreshes, and is there when the app client
//! has token revocation enabled (Cognito developer guide, "Revoking tokens").

use serde::{Deserialize, Serialize};

use super::profile::SubjectKey;
use super::revocation_id::RevocationId;
use super::time::{EpochMillis, EpochSeconds};
use super::tombstone::LONGEST_REFRESH_LIFE;

/// The longest `origin_jti` taken. Cognito's are UUIDs of 36 characters.
pub const MAX_ORIGIN_JTI_BYTES: usize = 128;

/// Which of a subject's sessions a request means, where it is not all of them. Wire form: `{"only": "<origin_jti>"}` or
/// `{"all_but": "<origin_jti>"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionScope {
    /// One: "sign out that device".
    Only(String),
    /// Every one but this: "sign out everywhere but here".
    AllBut(String),
}

/// The end of single sessions, to be written beside a subject's cutoffs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCutoff {
    /// The revocation it belongs to.
    pub revocation_id: RevocationId,
    /// The second in which it was decided: sessions begun later are not meant by `AllBut`.
    pub at: EpochSeconds,
    /// What is ended.
    pub ended: EndedSessions,
}

/// What a [`SessionCutoff`] ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndedSessions {
    /// The session with this `origin_jti`.
    One(String),
    /// Every session but this one that began at the cutoff or before.
    Others {
        /// `origin_jti` of the session that goes on.
        spared: String,
    },
}

/// A session seen in use by an API, before anything of it is copied.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// Whose it is.
    pub subject: &'a SubjectKey,
    /// The session.
    pub origin_jti: &'a str,
    /// The app client.
    pub client_id: &'a str,
    /// When it began.
    pub auth_time: Option<EpochSeconds>,
    /// When it was seen.
    pub seen_at: EpochMillis,
    /// The client's address, as the front reports it. Personal data: never logged.
    pub ip: Option<&'a str>,
    /// `User-Agent`. Personal data: never logged.
    pub user_agent: Option<&'a str>,
}

/// What the ledger knows of a session. IP address and user agent are personal data (I10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// The session.
    pub origin_jti: String,
    /// The app client.
    pub client_id: String,
    /// When it began, whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<EpochSeconds>,
    /// When an API first saw it, epoch milliseconds.
    pub first_seen: EpochMillis,
    /// When an API last saw it, epoch milliseconds; as fine as the recorder's interval.
    pub last_seen: EpochMillis,
    /// Its address then, or a keyed hash of it, as configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Its user agent then, or a keyed hash of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

// === impl SessionScope ===

impl SessionScope {
    /// The session it names.
    #[must_use]
    pub fn origin_jti(&self) -> &str {
        let (Self::Only(id) | Self::AllBut(id)) = self;
        id
    }

    /// What it ends, as of `at`.
    #[must_use]
    pub fn cutoff(&self, revocation_id: RevocationId, at: EpochSeconds) -> SessionCutoff {
        let ended = match self {
            Self::Only(id) => EndedSessions::One(id.clone()),
            Self::AllBut(id) => EndedSessions::Others { spared: id.clone() },
        };
        SessionCutoff { revocation_id, at, ended }
    }

    /// Whether it means this session.
    #[must_use]
    pub fn means(&self, origin_jti: &str) -> bool {
        match self {
            Self::Only(id) => id == origin_jti,
            Self::AllBut(id) => id != origin_jti,
        }
    }
}

/// Whether a text can name a session: 1 to 128 visible ASCII characters.
#[must_use]
pub fn is_origin_jti(text: &str) -> bool {
    (1..=MAX_ORIGIN_JTI_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

// === impl SessionCutoff ===

impl SessionCutoff {
    /// When the entry may go. The session's refresh token may still be good, for as long as one can live: only its owner
    /// could have it revoked in Cognito (I5).
    #[must_use]
    pub fn expires_at(&self) -> EpochSeconds {
        self.at.plus(LONGEST_REFRESH_LIFE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_means_one_session_or_every_other() {
        for (scope, one, other) in [
            (SessionScope::Only("origin-1".into()), true, false),
            (SessionScope::AllBut("origin-1".into()), false, true),
        ] {
            assert_eq!(scope.origin_jti(), "origin-1");
            assert_eq!((scope.means("origin-1"), scope.means("origin-2")), (one, other));
        }
    }

    #[test]
    fn a_session_is_named_by_visible_characters() {
        for good in ["a", "4f6b1c1e-0000-4000-8000-000000000001", &"x".repeat(128)] {
            assert!(is_origin_jti(good), "{good}");
        }
        for bad in ["", "a b", "a\n", "ä", "*\u{202e}", &"x".repeat(129)] {
            assert!(!is_origin_jti(bad), "{bad}");
        }
    }
}
