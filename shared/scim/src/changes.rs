//! What a patch or a replacement changes in a resource.

use std::fmt;

use serde_json::Value;

use crate::schema::{Attribute, Schema};

/// The attributes that differ, in the schema's order. Its `Debug` form names them and quotes no value (I10).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes(Vec<Change>);

/// A top-level attribute, or one of an extension, that differs.
#[derive(Clone, PartialEq)]
pub struct Change {
    /// The URN of the extension whose attribute it is.
    pub extension: Option<&'static str>,
    /// The attribute, in the schema's spelling.
    pub attribute: &'static str,
    /// Its value before; `None` if it had none.
    pub before: Option<Value>,
    /// Its value now; `None` if it has none any more.
    pub after: Option<Value>,
}

// === impl Changes ===

impl Changes {
    /// Compares two resources in the schema's spelling; `id` and `meta` apart, which are the provider's.
    #[must_use]
    pub fn between(before: &Value, after: &Value, schema: &Schema) -> Self {
        let mut changes = Vec::new();
        let common = schema.common.iter().filter(|attribute| attribute.name != "id" && attribute.name != "meta");
        let own = common.chain(&schema.core.attributes);
        changes.extend(own.filter_map(|attribute| differs(Some(before), Some(after), None, attribute)));
        for part in &schema.extensions {
            let (before, after) = (before.get(part.urn), after.get(part.urn));
            let attributes = part.attributes.iter();
            changes.extend(attributes.filter_map(|attribute| differs(before, after, Some(part.urn), attribute)));
        }
        Self(changes)
    }

    /// Nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.0.iter()
    }

    /// The change of an attribute by its name, such as `active` or `department`.
    #[must_use]
    pub fn get(&self, attribute: &str) -> Option<&Change> {
        self.0.iter().find(|change| change.attribute.eq_ignore_ascii_case(attribute))
    }
}

fn differs(
    before: Option<&Value>,
    after: Option<&Value>,
    extension: Option<&'static str>,
    attribute: &Attribute,
) -> Option<Change> {
    let value = |holder: Option<&Value>| holder.and_then(|holder| holder.get(attribute.name)).cloned();
    let (before, after) = (value(before), value(after));
    (before != after).then_some(Change { extension, attribute: attribute.name, before, after })
}

// === impl Change ===

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.attribute)
    }
}
