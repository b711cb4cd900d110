//! The HTTP edge the intakes share: what a request may be at most, how it is answered, which secrets and sources are in
//! force. What an intake does with a request is its own.
//!
//! `API Gateway ─▶ read and bound ─▶ [`Handler`] ─▶ answer`, within [`DEADLINE`].

mod event;
mod keyring;
mod last_heard;
mod problem;
mod request;
mod response;
mod serve;
mod source_book;
pub mod webhook;
mod wiring;

pub use keyring::Keyring;
pub use last_heard::LastHeard;
pub use problem::Problem;
pub use request::{Refusal, Request};
pub use response::Response;
pub use serve::{DEADLINE, Handler, HttpFunction};
pub use source_book::{BadSources, SourceBook};
pub use wiring::{EdgeConfig, IAM_ACTIONS, Wiring};

#[cfg(test)]
mod tests;
