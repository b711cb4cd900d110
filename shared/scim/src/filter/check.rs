//! Which filters are refused although they can be parsed.

use super::{Filter, Operator};
use crate::error::ScimError;
use crate::path::AttributePath;
use crate::schema::{Attribute, Kind, Returned, Schema};

/// Finds what a path names.
type Find<'f, 's> = &'f dyn Fn(&AttributePath) -> Option<(&'s Attribute, Option<&'s Attribute>)>;

// === impl Filter ===

impl Filter {
    /// Refuses what can never be answered: an order or a part of booleans, a complex attribute compared as a whole, and
    /// what is never returned (a `password` must not be guessed by filters). An attribute the schema does not have is no
    /// mistake: it has no value (RFC 7644 section 3.4.2.1), so that only `not`, `ne` and `eq null` hold for it.
    pub fn check(&self, schema: &Schema) -> Result<(), ScimError> {
        self.walk(&|path| {
            let found = schema.resolve(path)?;
            Some((found.attribute, found.sub))
        })
    }

    fn walk(&self, find: Find<'_, '_>) -> Result<(), ScimError> {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().try_for_each(|part| part.walk(find)),
            Self::Not(inner) => inner.walk(find),
            Self::Present(path) => find(path).map_or(Ok(()), |(attribute, sub)| check_readable(attribute, sub)),
            Self::Compare(path, operator, _) => find(path).map_or(Ok(()), |(attribute, sub)| {
                check_readable(attribute, sub)?;
                check_comparable(sub.or_else(|| attribute.default_sub()).unwrap_or(attribute), *operator)
            }),
            Self::Values(path, inner) => match find(path) {
                Some((attribute, None)) if attribute.kind == Kind::Complex => {
                    inner.walk(&|path| attribute.sub(&path.name).filter(|_| path.is_plain()).map(|sub| (sub, None)))
                }
                Some(_) => Err(ScimError::invalid_filter("brackets follow an attribute without sub-attributes")),
                None => Ok(()),
            },
        }
    }
}

fn check_readable(attribute: &Attribute, sub: Option<&Attribute>) -> Result<(), ScimError> {
    let hidden = std::iter::once(attribute).chain(sub).any(|part| part.returned == Returned::Never);
    if hidden {
        Err(ScimError::invalid_filter("an attribute that is never returned cannot be compared"))
    } else {
        Ok(())
    }
}

fn check_comparable(leaf: &Attribute, operator: Operator) -> Result<(), ScimError> {
    match leaf.kind {
        Kind::Complex => Err(ScimError::invalid_filter("a complex attribute is compared by a sub-attribute")),
        Kind::Boolean if !matches!(operator, Operator::Eq | Operator::Ne) => {
            Err(ScimError::invalid_filter("booleans are only equal or not equal"))
        }
        _ => Ok(()),
    }
}
