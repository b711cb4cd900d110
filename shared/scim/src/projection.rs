//! `attributes` and `excludedAttributes`: which part of a resource is wanted (RFC 7644 section 3.9).

use crate::error::ScimError;
use crate::path::AttributePath;
use crate::schema::{Attribute, Returned, Schema};

/// Which part of a resource is wanted. `Projection::default()` is all that is returned by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    only: Option<Vec<Name>>,
    without: Vec<Name>,
}

/// A name as the schema spells it; without an attribute the whole schema of that URN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Name {
    urn: &'static str,
    attribute: Option<&'static str>,
    sub: Option<&'static str>,
}

// === impl Projection ===

impl Projection {
    /// Longest list of names read, in bytes.
    pub const MAX_BYTES: usize = 4_096;

    /// Parses the two parameters, comma-separated. Both at once are `invalidValue`; names the schema lacks are ignored.
    pub fn parse(attributes: Option<&str>, excluded: Option<&str>, schema: &Schema) -> Result<Self, ScimError> {
        let given = |list: Option<&str>| list.is_some_and(|list| !list.trim().is_empty());
        match (attributes, excluded) {
            _ if given(attributes) && given(excluded) => {
                Err(ScimError::invalid_value("`attributes` and `excludedAttributes` exclude each other"))
            }
            (Some(list), _) if given(attributes) => Ok(Self { only: Some(names(list, schema)?), ..Self::default() }),
            (_, Some(list)) => Ok(Self { without: names(list, schema)?, ..Self::default() }),
            _ => Ok(Self::default()),
        }
    }

    /// Whether a top-level attribute is part of the answer: an expensive one (`members`, `groups`) need not be read if not.
    #[must_use]
    pub fn includes(&self, attribute: &str, schema: &Schema) -> bool {
        let mut parts = std::iter::once(&schema.core).chain(&schema.extensions);
        let found = parts.find_map(|part| schema.find(Some(part.urn), attribute).map(|(_, found)| (part.urn, found)));
        found.is_some_and(|(urn, attribute)| self.wants(urn, attribute))
    }

    /// Whether an attribute, or some part of it, is wanted. `urn` is that of its schema, of the core for common ones.
    pub(crate) fn wants(&self, urn: &str, attribute: &Attribute) -> bool {
        let named = |names: &[Name]| names.iter().any(|name| name.is_of(urn, attribute));
        match (attribute.returned, &self.only) {
            (Returned::Always, _) => true,
            (Returned::Never, _) | (Returned::Request, None) => false,
            (Returned::Default, None) => {
                !self.without.iter().any(|name| name.is_of(urn, attribute) && name.sub.is_none())
            }
            (Returned::Default, Some(only)) => named(only) || only.iter().any(|name| name.is_schema(urn)),
            (Returned::Request, Some(only)) => named(only),
        }
    }

    /// Whether a sub-attribute of a wanted attribute is wanted.
    pub(crate) fn wants_sub(&self, urn: &str, attribute: &Attribute, sub: &Attribute) -> bool {
        let named = |name: &Name| name.is_of(urn, attribute) && name.sub == Some(sub.name);
        match (sub.returned, &self.only) {
            (Returned::Always, _) => true,
            (Returned::Never, _) | (Returned::Request, None) => false,
            (Returned::Default, None) => !self.without.iter().any(named),
            (Returned::Request, Some(only)) => only.iter().any(named),
            (Returned::Default, Some(only)) => {
                let mut of_it = only.iter().filter(|name| name.is_of(urn, attribute)).peekable();
                // It is there because it always is, or with its whole schema.
                of_it.peek().is_none() || of_it.any(|name| name.sub.is_none_or(|wanted| wanted == sub.name))
            }
        }
    }
}

fn names(list: &str, schema: &Schema) -> Result<Vec<Name>, ScimError> {
    if list.len() > Projection::MAX_BYTES {
        return Err(ScimError::invalid_value("the list of attributes is longer than 4,096 bytes"));
    }
    let mut names = Vec::new();
    for text in list.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let path = AttributePath::parse(text).map_err(|_| {
            ScimError::invalid_value("the list of attributes has something that is no attribute's name")
        })?;
        let name = resolve(&path, schema);
        // Repetitions are dropped, so that the list is never longer than the schema.
        names.extend(name.filter(|name| !names.contains(name)));
    }
    Ok(names)
}

fn resolve(path: &AttributePath, schema: &Schema) -> Option<Name> {
    if let Some(found) = schema.resolve(path) {
        let urn = found.extension.map_or(schema.core.urn, |part| part.urn);
        return Some(Name { urn, attribute: Some(found.attribute.name), sub: found.sub.map(|sub| sub.name) });
    }
    let mut parts = std::iter::once(&schema.core).chain(&schema.extensions);
    let part = parts.find(|part| path.is_urn(part.urn))?;
    Some(Name { urn: part.urn, attribute: None, sub: None })
}

// === impl Name ===

impl Name {
    fn is_of(&self, urn: &str, attribute: &Attribute) -> bool {
        self.attribute == Some(attribute.name) && self.urn == urn
    }

    fn is_schema(&self, urn: &str) -> bool {
        self.attribute.is_none() && self.urn == urn
    }
}

#[cfg(test)]
mod tests;
