//! The rules of the house (ARCHITECTURE.md), held by reading manifests, sources and the template.

#![cfg(test)]

mod exposure;
mod floors;
mod iam;
mod observability;
mod runbook;
mod sources;
mod supply;
mod template;
mod threats;
