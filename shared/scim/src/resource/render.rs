//! Resources in answers.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::filter::is_present;
use crate::projection::Projection;
use crate::schema::{Attribute, Kind, Schema, SchemaPart};

/// A resource as it is written: attributes in the schema's order, `schemas` first with the extensions that have data, and
/// only what the projection and `returned` allow. What has no value is left out. Nothing is copied.
#[derive(Clone, Copy)]
pub struct Rendering<'a> {
    resource: &'a Value,
    schema: &'a Schema,
    projection: &'a Projection,
}

/// The attributes of an extension.
struct Extension<'a> {
    holder: &'a Map<String, Value>,
    part: &'a SchemaPart,
    projection: &'a Projection,
}

/// The value of a complex attribute.
struct Complex<'a> {
    value: &'a Value,
    urn: &'static str,
    attribute: &'a Attribute,
    projection: &'a Projection,
}

// === impl Rendering ===

impl<'a> Rendering<'a> {
    /// Of a resource in the schema's spelling, with `id` and `meta`.
    #[must_use]
    pub fn new(resource: &'a Value, schema: &'a Schema, projection: &'a Projection) -> Self {
        Self { resource, schema, projection }
    }

    fn extensions(&self) -> impl Iterator<Item = Extension<'a>> {
        let Self { resource, schema, projection } = *self;
        schema.extensions.iter().filter_map(move |part| {
            let holder = resource.get(part.urn).and_then(Value::as_object)?;
            let extension = Extension { holder, part, projection };
            let has_data = extension.attributes().next().is_some();
            has_data.then_some(extension)
        })
    }
}

impl Serialize for Rendering<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { resource, schema, projection } = *self;
        let mut map = serializer.serialize_map(None)?;
        let urns: Vec<&str> = std::iter::once(schema.core.urn).chain(self.extensions().map(|e| e.part.urn)).collect();
        map.serialize_entry("schemas", &urns)?;
        if let Some(holder) = resource.as_object() {
            let (meta, common): (Vec<_>, Vec<_>) = schema.common.iter().partition(|attribute| attribute.name == "meta");
            for attribute in common.into_iter().chain(&schema.core.attributes) {
                write(&mut map, holder, schema.core.urn, attribute, projection)?;
            }
            for extension in self.extensions() {
                map.serialize_entry(extension.part.urn, &extension)?;
            }
            for attribute in meta {
                write(&mut map, holder, schema.core.urn, attribute, projection)?;
            }
        }
        map.end()
    }
}

fn write<M: SerializeMap>(
    map: &mut M,
    holder: &Map<String, Value>,
    urn: &'static str,
    attribute: &Attribute,
    projection: &Projection,
) -> Result<(), M::Error> {
    let value = holder.get(attribute.name).filter(|value| is_present(value) && projection.wants(urn, attribute));
    let Some(value) = value else { return Ok(()) };
    if attribute.kind != Kind::Complex {
        return map.serialize_entry(attribute.name, value);
    }
    let complex = |value| Complex { value, urn, attribute, projection };
    match value {
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(complex).filter(Complex::is_present).collect();
            if values.is_empty() { Ok(()) } else { map.serialize_entry(attribute.name, &values) }
        }
        one if complex(one).is_present() => map.serialize_entry(attribute.name, &complex(one)),
        _ => Ok(()),
    }
}

// === impl Extension ===

impl<'a> Extension<'a> {
    fn attributes(&self) -> impl Iterator<Item = &'a Attribute> {
        let Self { holder, part, projection } = *self;
        let has_value = move |attribute: &&Attribute| holder.get(attribute.name).is_some_and(is_present);
        part.attributes.iter().filter(has_value).filter(move |attribute| projection.wants(part.urn, attribute))
    }
}

impl Serialize for Extension<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for attribute in self.attributes() {
            write(&mut map, self.holder, self.part.urn, attribute, self.projection)?;
        }
        map.end()
    }
}

// === impl Complex ===

impl<'a> Complex<'a> {
    fn subs(&self) -> impl Iterator<Item = (&'static str, &'a Value)> {
        let Self { value, urn, attribute, projection } = *self;
        let wanted = attribute.sub_attributes.iter().filter(move |sub| projection.wants_sub(urn, attribute, sub));
        wanted.filter_map(move |sub| value.get(sub.name).filter(|value| is_present(value)).map(|v| (sub.name, v)))
    }

    fn is_present(&self) -> bool {
        self.subs().next().is_some()
    }
}

impl Serialize for Complex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.subs() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
