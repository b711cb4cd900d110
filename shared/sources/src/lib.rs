//! The sources that speak HTTPS, without the HTTP: one document says who they are ([`document`]), their messages are
//! authenticated ([`authenticate`]), read strictly ([`json`]) and translated into revocation requests ([`siem`],
//! [`role_event`]).
//!
//! Pure: no AWS, no I/O, no clock, no environment. What a source may ask for is its [`Grant`]; every request made here has
//! passed that fence (I11).
//!
//! [`Grant`]: revocation_core::domain::grant::Grant

pub mod authenticate;
pub mod document;
pub mod expression;
pub mod json;
pub mod role_event;
pub mod scim;
pub mod siem;
mod text;

pub use document::{Mistake, Mistakes, Sources};
