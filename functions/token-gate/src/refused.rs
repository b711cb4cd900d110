//! Why no token is made. Cognito shows an error's text to the person: `PreTokenGeneration failed with error <text>.`

use std::fmt;

use lambda_runtime::Diagnostic;

/// Longest part of a hold's message that is shown, in characters.
const MAX_MESSAGE_CHARS: usize = 300;
const FOR_NOW: &str = "Sign-in is not possible at the moment. Please try again in a few minutes.";
const ON_HOLD: &str = "Sign-in is not possible at the moment.";

/// A refusal. Its `Display` is for the person; its `Debug`, which the runtime logs, is the code alone (I10).
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A sign-out is under way; it takes seconds.
    #[error("{FOR_NOW}")]
    Unsealed,
    /// The account is on hold, with what the operator wants the person to read.
    #[error("{0}")]
    OnHold(String),
    /// The person's end date has passed.
    #[error("Your access has ended.")]
    Ended,
    /// The person's end date cannot be read.
    #[error("{ON_HOLD}")]
    EndDateUnreadable,
    /// There is a tombstone that cannot be understood.
    #[error("{ON_HOLD}")]
    TombstoneUnreadable,
    /// The tombstone cannot be read, and the deployment wants that refused.
    #[error("{FOR_NOW}")]
    StoreUnavailable,
    /// Not an event of this trigger.
    #[error("{ON_HOLD}")]
    UnknownEvent,
}

// === impl Refused ===

impl Refused {
    /// A hold with its message, bounded and cleaned: it comes to stand in an address and in an app's dialog.
    pub(crate) fn hold(message: &str) -> Self {
        let plain = |c: &char| {
            !c.is_control() && !matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        let clean: String = message.chars().filter(plain).take(MAX_MESSAGE_CHARS).collect();
        Self::OnHold(if clean.trim().is_empty() { ON_HOLD.to_owned() } else { clean.trim().to_owned() })
    }

    /// Stable and machine-readable: a log field, a metric's dimension, the error's type.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unsealed => "unsealed",
            Self::OnHold(_) => "on_hold",
            Self::Ended => "contract_ended",
            Self::EndDateUnreadable => "contract_date_unreadable",
            Self::TombstoneUnreadable => "unreadable_item",
            Self::StoreUnavailable => "store_unavailable",
            Self::UnknownEvent => "unknown_event",
        }
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refused").field(&self.code()).finish()
    }
}

impl From<Refused> for Diagnostic {
    fn from(refused: Refused) -> Self {
        Self { error_type: refused.code().to_owned(), error_message: refused.to_string() }
    }
}
