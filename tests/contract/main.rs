//! The contract on the bus: schemas, samples, and the Rust types that read and write what they describe.
//!
//! `samples` pins what every sample means; `agreement` compares the request's schema with its parser; `published`
//! validates what the pipeline itself puts on the bus; `kits` holds the kits for other languages to the library's decisions.
#![cfg(test)]

mod actions;
mod agreement;
mod bulk;
mod files;
mod kits;
mod ocsf;
mod published;
mod rules;
mod samples;
