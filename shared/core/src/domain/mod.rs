//! The words of session revocation as types: plain values and pure decisions.

pub mod account;
pub mod action;
pub mod audit;
pub mod audit_chain;
pub mod bulk;
pub mod canary;
pub mod disposition;
pub mod end_date;
pub mod event;
pub mod feed;
pub mod grant;
pub mod hold;
pub mod incident;
pub mod initiator;
pub mod policy;
pub mod profile;
pub mod reason;
pub mod request;
pub mod revocation_id;
pub mod role_change;
pub mod session;
mod shape;
pub mod subject;
pub mod sweep;
pub mod text;
pub mod time;
pub mod tombstone;
