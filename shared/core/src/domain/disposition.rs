//! What the queue should do with a message whose handling failed (I12).

/// Carried by every error of a use case and of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The cause may pass: deliver the message again, later.
    Retry,
    /// Trying again cannot help: park the message in the dead-letter queue with the reason.
    Reject,
}

/// An error that knows its [`Disposition`]. Its text, and its sources', go to logs: no personal data (I10).
pub trait Disposed: std::error::Error {
    /// What the queue should do.
    fn disposition(&self) -> Disposition;
}
