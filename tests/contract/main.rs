//! The contract on the bus: schemas, samples, and the Rust types that read and write what they describe.
//!
//! `samples` pins what every sample means; `agreement` compares the request's schema with its parser; `published`
//! validates what the pipeline itself puts on the bus.
#![cfg(test)]

mod agreement;
mod files;
mod published;
mod rules;
mod samples;
