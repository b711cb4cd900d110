//! A schema as it is told and written, beside the one by which requests are read.

use revocation_scim::{Mutability, Schema};

/// What a client will find kept. Of several values the pool keeps one, and neither its `type` nor whether it was `primary`: both
/// are read, to choose, and an address is written as the primary one for work (Okta imports addresses by
/// `primary`). Roles and members are what their `value` says.
pub(crate) fn published(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    let parts = std::iter::once(&mut schema.core).chain(&mut schema.extensions);
    let kept = parts.flat_map(|part| &mut part.attributes);
    for attribute in kept.filter(|a| a.multi_valued && a.mutability != Mutability::ReadOnly) {
        let has_type = attribute.sub("type").is_some_and(|sub| sub.canonical_values.contains(&"work"));
        attribute.sub_attributes.retain(|sub| sub.name != "display" && (has_type || sub.name != "primary"));
        for sub in &mut attribute.sub_attributes {
            match sub.name {
                "primary" => sub.mutability = Mutability::ReadOnly,
                "type" if has_type => sub.canonical_values = &["work"],
                _ => {}
            }
        }
    }
    schema
}
