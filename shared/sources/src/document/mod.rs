//! The document that says who the sources are: one YAML text, read whole, every mistake named with its line.
//!
//! Its shape is `shared/sources/schema/sources.v1.json`; what a schema cannot say is checked beside it.

use std::collections::BTreeMap;

use revocation_core::domain::silence::Expected;

use crate::role_event::RoleSource;
use crate::scim::ScimSource;
use crate::siem::SiemSource;

mod grant;
mod mapping;
mod mistake;
mod place;
mod role_change;
mod scim;
mod secrecy;
mod shape;
mod siem;
mod yaml;

pub use mistake::{Mistake, Mistakes};

use mistake::Report;
use place::Place;

/// The JSON Schema of the document, for editors.
pub const SCHEMA: &str = include_str!("../../schema/sources.v1.json");
/// Largest document, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024;
/// Largest value of an SSM parameter of the advanced tier, in bytes (Systems Manager quotas).
pub const MAX_PARAMETER_BYTES: usize = 8_192;
/// Most sources in one document.
pub const MAX_SOURCES: usize = 64;

/// Every configured source, by its name in the document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sources {
    /// Senders of alerts.
    pub siem: BTreeMap<String, SiemSource>,
    /// Role systems.
    pub role_change: BTreeMap<String, RoleSource>,
    /// SCIM clients.
    pub scim: BTreeMap<String, ScimSource>,
}

// === impl Sources ===

impl Sources {
    /// Reads a document, or names everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Mistakes> {
        let report = Report::default();
        let sources = read(text, &report);
        report.into_result(sources)
    }

    /// The sources that are to be heard of regularly.
    #[must_use]
    pub fn expected(&self) -> Vec<Expected> {
        let siem = self.siem.values().map(|source| (&source.name, source.silent_after));
        let role_change = self.role_change.values().map(|source| (&source.name, source.silent_after));
        let scim = self.scim.values().map(|source| (&source.name, source.silent_after));
        let expected = |(source, silent_after): (&String, Option<_>)| {
            Some(Expected { source: source.clone(), silent_after: silent_after? })
        };
        siem.chain(role_change).chain(scim).filter_map(expected).collect()
    }
}

fn read(text: &str, report: &Report) -> Sources {
    if text.len() > MAX_DOCUMENT_BYTES {
        report.mistake(1, "", "is larger than 65536 bytes");
        return Sources::default();
    }
    let Some(tree) = yaml::read(text, report) else { return Sources::default() };
    shape::check(&tree, report);
    let document = Place::root(&tree, report);
    secrecy::check(&document);
    let section = |name: &str| document.member(name);
    let [siem, role_change, scim] = ["siem", "role_change", "scim"].map(section);
    if [&siem, &role_change, &scim].iter().map(|section| section.members().len()).sum::<usize>() > MAX_SOURCES {
        document.mistake("has more than 64 sources");
    }
    let pools = grant::pools(&document.member("pools"));
    let fallback = pools.as_deref();
    Sources {
        siem: each(&siem, |name, source| siem::read(name, source, fallback)),
        role_change: each(&role_change, |name, source| role_change::read(name, source, fallback)),
        scim: each(&scim, scim::read),
    }
}

/// Reads every source of a section. One that cannot be read has left a mistake behind.
fn each<T>(section: &Place<'_>, read: impl Fn(&str, &Place<'_>) -> Option<T>) -> BTreeMap<String, T> {
    section.members().into_iter().filter_map(|(name, source)| Some((name.to_owned(), read(name, &source)?))).collect()
}

#[cfg(test)]
mod tests;
