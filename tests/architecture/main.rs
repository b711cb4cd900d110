//! The rules of the house (ARCHITECTURE.md), held by reading manifests, sources and the template.

mod floors;
mod iam;
mod sources;
mod template;
