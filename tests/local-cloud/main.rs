//! The deployed template, from outside: real events, real functions, real tokens. `cargo xtask test` starts the local
//! cloud and says where it is; nothing here is skipped when it does not.

#![cfg(test)]

mod account_actions;
mod account_commands;
mod audit_chain;
mod bad_input;
mod bulk;
mod bulk_commands;
mod canary;
mod compromise;
mod enforcement;
mod gate;
mod intakes;
mod introspect;
mod notices;
mod report;
mod revokectl;
mod scim;
mod siem_feed;
mod sign_out;
mod store;
mod traces;
mod verify_install;
mod world;
