//! What concerns everybody in the deployed pipeline at once: nothing else may run beside it. `cargo xtask test` runs this after
//! all others.

#![cfg(test)]

#[path = "../local-cloud/world.rs"]
mod world;

mod canary;
mod hygiene;
mod pool;
mod silence;
mod sweep;
