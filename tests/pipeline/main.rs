//! The pipeline without AWS: real handlers behind the real batch loop, over the fakes of `shared/testkit`.

#![cfg(test)]

mod actions;
mod audit_chain;
mod bulk;
mod bulk_ending;
mod bulk_listing;
mod counter;
mod crashes;
mod histories;
mod intake;
mod pools;
mod revoke;
mod sessions;
mod stepping;
mod sweep;
mod world;
