//! How a request names attributes: `userName`, `name.familyName`, `urn:…:User:department`, and in a patch also
//! `emails[type eq "work"].value` (RFC 7644 sections 3.5.2, 3.10).

use std::fmt;

use crate::error::ScimError;
use crate::filter::Filter;
use crate::filter::parse::Parser;

/// An attribute or a sub-attribute of it, as the client spelled it. [`Schema::resolve`](crate::Schema::resolve) finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributePath {
    /// The URN of the schema, if it was given. A path that is the URN of a schema itself is read with the last part of the
    /// URN as its name: [`AttributePath::is_urn`] recognises it.
    pub urn: Option<String>,
    /// The attribute.
    pub name: String,
    /// The sub-attribute, if one is named.
    pub sub: Option<String>,
}

/// The target of a patch operation. Displayed, it is what [`Path::parse`] reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The attribute (its `sub` comes after the filter, if there is one).
    pub attribute: AttributePath,
    /// Which values of a multi-valued attribute.
    pub filter: Option<Filter>,
}

// === impl AttributePath ===

impl AttributePath {
    /// Parses an attribute's name with its URN and sub-attribute, without a filter. Errors are `invalidPath`.
    pub fn parse(text: &str) -> Result<Self, ScimError> {
        let (urn, rest) = match text.rsplit_once(':') {
            Some((urn, rest)) => (Some(urn), rest),
            None => (None, text),
        };
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        let urn_ok = urn.is_none_or(|urn| {
            let prefixed = urn.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("urn:"));
            prefixed && urn.bytes().all(|byte| byte.is_ascii_graphic() && !b"[]\"(),".contains(&byte))
        });
        if text.len() > Path::MAX_BYTES || !urn_ok || !is_name(name) || !sub.is_none_or(is_name) {
            return Err(ScimError::invalid_path("not the name of an attribute"));
        }
        Ok(Self { urn: urn.map(str::to_owned), name: name.to_owned(), sub: sub.map(str::to_owned) })
    }

    /// A name alone, without URN and sub-attribute.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.urn.is_none() && self.sub.is_none()
    }

    /// Whether it is the URN of a schema, and not an attribute.
    #[must_use]
    pub fn is_urn(&self, schema_urn: &str) -> bool {
        let split = schema_urn.rsplit_once(':').zip(self.urn.as_deref());
        let same = |((urn, name), own): ((&str, &str), &str)| {
            own.eq_ignore_ascii_case(urn) && self.name.eq_ignore_ascii_case(name)
        };
        self.sub.is_none() && split.is_some_and(same)
    }

    /// The sub-attribute that a filter in brackets names.
    pub(crate) fn with_sub(&self, sub: &Self) -> Self {
        Self { urn: self.urn.clone(), name: self.name.clone(), sub: Some(sub.name.clone()) }
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = &self.urn {
            write!(f, "{urn}:")?;
        }
        f.write_str(&self.name)?;
        self.sub.as_ref().map_or(Ok(()), |sub| write!(f, ".{sub}"))
    }
}

/// RFC 7643 section 2.1, and `$ref`.
fn is_name(text: &str) -> bool {
    let start = text.strip_prefix('$').unwrap_or(text);
    start.starts_with(|c: char| c.is_ascii_alphabetic())
        && start.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

// === impl Path ===

impl Path {
    /// Longest path read, in bytes.
    pub const MAX_BYTES: usize = Filter::MAX_BYTES;

    /// Parses the `path` of a patch operation. Errors are `invalidPath`, or `invalidFilter` for what is in brackets.
    pub fn parse(text: &str) -> Result<Self, ScimError> {
        let bad = || ScimError::invalid_path("the path is not of the form attribute[filter].subAttribute");
        let mut parser = Parser::new(text.trim()).map_err(|_| bad())?;
        let mut attribute = AttributePath::parse(parser.word())?;
        let filter = parser.brackets()?;
        if filter.is_some() && !parser.rest().is_empty() {
            let sub = parser.rest().strip_prefix('.').filter(|sub| is_name(sub) && attribute.sub.is_none());
            attribute.sub = Some(sub.ok_or_else(bad)?.to_owned());
        } else if !parser.rest().is_empty() || (filter.is_some() && attribute.sub.is_some()) {
            return Err(bad());
        }
        Ok(Self { attribute, filter })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(filter) = &self.filter else { return self.attribute.fmt(f) };
        let AttributePath { urn, name, sub } = &self.attribute;
        if let Some(urn) = urn {
            write!(f, "{urn}:")?;
        }
        write!(f, "{name}[{filter}]")?;
        sub.as_ref().map_or(Ok(()), |sub| write!(f, ".{sub}"))
    }
}

#[cfg(test)]
mod tests;
