//! The protocol part of a SCIM 2.0 service provider (RFC 7643, RFC 7644): what a request says, what it does to a resource,
//! what the answer looks like. Pure: no AWS, no I/O, no clock. A resource is a `serde_json::Value` in the schema's spelling,
//! with extensions below their URN, as [`read`] and [`PatchRequest::apply`] leave it.
//!
//! ```text
//!  query string, .search ─▶ ListQuery ─▶ Filter ─▶ equalities for the store, matches() for the rest
//!  POST, PUT body        ─▶ read() ────────────┐
//!  PATCH body            ─▶ PatchRequest ──────┼─▶ resource, Changes ─▶ Rendering (Projection) ─▶ JSON, ListResponse
//!                             └▶ GroupChange   ┘
//!  every mistake         ─▶ ScimError {status, scimType, detail}
//! ```
//!
//! Read leniently, as Okta and Entra need it; written strictly.

mod changes;
pub mod discovery;
mod error;
mod filter;
mod list;
mod patch;
mod path;
mod projection;
mod query;
mod resource;
mod schema;
pub mod urn;

pub use changes::{Change, Changes};
pub use error::{ScimError, ScimType};
pub use filter::{Filter, Literal, Operator, Text};
pub use list::ListResponse;
pub use patch::{GroupChange, Member, MemberChange, Op, Operation, PatchRequest};
pub use path::{AttributePath, Path};
pub use projection::Projection;
pub use query::{Limits, ListQuery};
pub use resource::{Rendering, read};
pub use schema::{
    Attribute, Kind, Mutability, Resolved, Returned, Schema, SchemaPart, Uniqueness, UnknownAttribute, UserSchema,
};
