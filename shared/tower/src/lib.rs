//! A Tower layer that serves no revoked token.
#![doc = include_str!("../README.md")]

mod answer;
mod bearer;
mod client_ip;
#[cfg(feature = "axum")]
mod extract;
mod layer;
mod requirement;
mod service;

pub use answer::Denial;
pub use client_ip::{ClientIp, Way};
#[cfg(feature = "axum")]
pub use extract::{NoPermit, Permitted};
pub use layer::{Decision, RevocationLayer};
pub use service::Revocation;

#[cfg(test)]
mod tests;
