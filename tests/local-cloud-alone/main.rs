//! What concerns everybody in the deployed pipeline at once: nothing else may run beside it. `cargo xtask test` runs this after
//! all others.

#![cfg(test)]

#[path = "../local-cloud/world.rs"]
#[expect(dead_code, reason = "what the tests beside each other share, of which these need less")]
mod world;

mod canary;
mod hygiene;
mod pool;
mod sweep;
