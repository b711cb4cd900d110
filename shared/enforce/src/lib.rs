//! What every enforcing function stands on (authorizer, introspect, sign-out): its configuration, the store, the pools'
//! keys, put together into a [`Checker`](revocation_verify::Checker).

mod jwks_source;
mod store;
mod tokens;
mod wiring;

pub use jwks_source::HttpsJwks;
pub use store::{ClientData, StoreSettings};
pub use tokens::TokenSettings;
pub use wiring::{Enforcer, checker};
