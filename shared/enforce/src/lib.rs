//! What every enforcing function stands on (authorizer, introspect, sign-out): its configuration, the store, the pools'
//! keys, put together into a [`Checker`](revocation_verify::Checker).

mod store;
mod timed;
mod tokens;
mod wiring;

pub use store::{ClientData, StoreSettings};
pub use tokens::TokenSettings;
pub use wiring::{Enforcer, NotConnected, checker, verifier};
