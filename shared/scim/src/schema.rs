//! What a resource is made of: attributes and their characteristics (RFC 7643 sections 2.2, 4, 7). A value, not a
//! constant: the user's schema declares only what the deployment's store keeps ([`UserSchema::with`]).

mod attribute;
mod common;
mod group;
mod user;

pub use attribute::{Attribute, Kind, Mutability, Returned, Uniqueness};
pub use user::{UnknownAttribute, UserSchema};

use crate::path::AttributePath;

/// The schema of a resource: core, extensions and the attributes every resource has.
#[derive(Clone, Debug)]
pub struct Schema {
    /// `User` or `Group`.
    pub resource_type: &'static str,
    /// `/Users` or `/Groups`.
    pub endpoint: &'static str,
    /// What this kind of resource is, for `/ResourceTypes`.
    pub description: &'static str,
    /// `schemas`, `id`, `externalId`, `meta`: part of every resource, declared by no schema (RFC 7643 section 3.1).
    pub common: Vec<Attribute>,
    /// The schema of its own.
    pub core: SchemaPart,
    /// What extends it; none of them is required.
    pub extensions: Vec<SchemaPart>,
}

/// One schema: an entry of `/Schemas`.
#[derive(Clone, Debug)]
pub struct SchemaPart {
    /// Its id.
    pub urn: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// What it describes.
    pub description: &'static str,
    /// Its attributes, in the order in which they are written.
    pub attributes: Vec<Attribute>,
}

/// What a path means in a schema.
#[derive(Clone, Copy, Debug)]
pub struct Resolved<'s> {
    /// The extension whose attribute it is: the key of the object that holds it. `None` for core and common ones.
    pub extension: Option<&'s SchemaPart>,
    /// The attribute.
    pub attribute: &'s Attribute,
    /// The sub-attribute, if one is named.
    pub sub: Option<&'s Attribute>,
}

// === impl Schema ===

impl Schema {
    /// The schema of groups.
    #[must_use]
    pub fn group() -> Self {
        group::schema()
    }

    /// Finds what a path names; `None` if the schema has nothing of that name.
    #[must_use]
    pub fn resolve(&self, path: &AttributePath) -> Option<Resolved<'_>> {
        let (extension, attribute) = self.find(path.urn.as_deref(), &path.name)?;
        let sub = match &path.sub {
            Some(name) => Some(attribute.sub(name)?),
            None => None,
        };
        Some(Resolved { extension, attribute, sub })
    }

    /// The attribute of that name in the schema with that URN; without a URN in the core, then among the common ones.
    #[must_use]
    pub fn find(&self, urn: Option<&str>, name: &str) -> Option<(Option<&SchemaPart>, &Attribute)> {
        let named = |attributes: &'_ [Attribute]| attributes.iter().position(|a| a.name.eq_ignore_ascii_case(name));
        match urn {
            Some(urn) if !self.core.urn.eq_ignore_ascii_case(urn) => {
                let part = self.extension(urn)?;
                named(&part.attributes).and_then(|at| part.attributes.get(at)).map(|found| (Some(part), found))
            }
            _ => {
                let core = named(&self.core.attributes).and_then(|at| self.core.attributes.get(at));
                let found = core.or_else(|| named(&self.common).and_then(|at| self.common.get(at)));
                found.map(|found| (None, found))
            }
        }
    }

    /// The extension with that URN, in any case.
    #[must_use]
    pub fn extension(&self, urn: &str) -> Option<&SchemaPart> {
        self.extensions.iter().find(|part| part.urn.eq_ignore_ascii_case(urn))
    }
}

// === impl Resolved ===

impl Resolved<'_> {
    /// The plain dotted name in the schema's spelling, such as `userName`, `name.familyName`, `department`. A complex
    /// attribute without a named sub-attribute stands for its `value` (`emails` is `emails.value`).
    #[must_use]
    pub fn key(&self) -> String {
        let sub = self.sub.or_else(|| self.attribute.default_sub());
        match sub {
            Some(sub) => format!("{}.{}", self.attribute.name, sub.name),
            None => self.attribute.name.to_owned(),
        }
    }

    /// The definition that values compared with have: the sub-attribute, or `value` of a complex attribute.
    #[must_use]
    pub fn leaf(&self) -> &Attribute {
        self.sub.or_else(|| self.attribute.default_sub()).unwrap_or(self.attribute)
    }
}
