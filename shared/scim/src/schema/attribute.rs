//! One attribute and its characteristics (RFC 7643 section 2.2, 7).

use serde_json::{Map, Value, json};

/// The definition of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name; clients may write it in any case.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// The type of its values.
    pub kind: Kind,
    /// Whether it is an array of values.
    pub multi_valued: bool,
    /// Whether a resource must have it.
    pub required: bool,
    /// Whether strings are compared with regard to case.
    pub case_exact: bool,
    /// Who may change it, and when.
    pub mutability: Mutability,
    /// When it is part of an answer.
    pub returned: Returned,
    /// Among whom a value is unique.
    pub uniqueness: Uniqueness,
    /// Values suggested; others are accepted.
    pub canonical_values: &'static [&'static str],
    /// What a reference refers to.
    pub reference_types: &'static [&'static str],
    /// The parts of a complex attribute, in the order in which they are written.
    pub sub_attributes: Vec<Attribute>,
}

/// The type of an attribute's values (RFC 7643 section 2.3); decimals and binaries are not used by any schema here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Unicode text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// RFC 3339.
    DateTime,
    /// A URI.
    Reference,
    /// An object of sub-attributes.
    Complex,
}

/// Who may change an attribute, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// Only the provider.
    ReadOnly,
    /// The client.
    ReadWrite,
    /// The client, once.
    Immutable,
    /// The client, and nobody ever reads it.
    WriteOnly,
}

/// When an attribute is part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// Whatever is asked for.
    Always,
    /// Not even if asked for.
    Never,
    /// Unless something else is asked for, or it is excluded.
    Default,
    /// Only if asked for.
    Request,
}

/// Among whom a value is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uniqueness {
    /// Not unique.
    None,
    /// Among all resources of the provider.
    Server,
    /// Worldwide.
    Global,
}

// === impl Attribute ===

impl Attribute {
    /// An optional, single string that ignores case, with the defaults of RFC 7643 section 2.2.
    #[must_use]
    pub fn string(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            description,
            kind: Kind::String,
            multi_valued: false,
            required: false,
            case_exact: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            canonical_values: &[],
            reference_types: &[],
            sub_attributes: Vec::new(),
        }
    }

    /// A single boolean.
    #[must_use]
    pub fn boolean(name: &'static str, description: &'static str) -> Self {
        Self { kind: Kind::Boolean, ..Self::string(name, description) }
    }

    /// A single point in time.
    #[must_use]
    pub fn date_time(name: &'static str, description: &'static str) -> Self {
        Self { kind: Kind::DateTime, ..Self::string(name, description) }
    }

    /// A URI of a resource or of something else.
    #[must_use]
    pub fn reference(name: &'static str, types: &'static [&'static str], description: &'static str) -> Self {
        Self { kind: Kind::Reference, case_exact: true, reference_types: types, ..Self::string(name, description) }
    }

    /// A single object.
    #[must_use]
    pub fn complex(name: &'static str, description: &'static str, sub_attributes: Vec<Self>) -> Self {
        Self { kind: Kind::Complex, sub_attributes, ..Self::string(name, description) }
    }

    pub(crate) fn many(self) -> Self {
        Self { multi_valued: true, ..self }
    }

    pub(crate) fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(crate) fn case_exact(self) -> Self {
        Self { case_exact: true, ..self }
    }

    pub(crate) fn mutability(self, mutability: Mutability) -> Self {
        Self { mutability, ..self }
    }

    pub(crate) fn read_only(self) -> Self {
        self.mutability(Mutability::ReadOnly)
    }

    pub(crate) fn returned(self, returned: Returned) -> Self {
        Self { returned, ..self }
    }

    pub(crate) fn unique(self) -> Self {
        Self { uniqueness: Uniqueness::Server, ..self }
    }

    pub(crate) fn canonical(self, canonical_values: &'static [&'static str]) -> Self {
        Self { canonical_values, ..self }
    }

    /// The sub-attribute of that name, in any case.
    #[must_use]
    pub fn sub(&self, name: &str) -> Option<&Self> {
        self.sub_attributes.iter().find(|sub| sub.name.eq_ignore_ascii_case(name))
    }

    /// What a complex attribute stands for where a simple value is needed: its `value`, if it has one.
    #[must_use]
    pub fn default_sub(&self) -> Option<&Self> {
        self.sub_attributes.iter().find(|sub| sub.name == "value")
    }

    /// As an entry of `attributes` in `/Schemas`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = Map::new();
        json.insert("name".into(), json!(self.name));
        json.insert("type".into(), json!(self.kind.name()));
        json.insert("multiValued".into(), json!(self.multi_valued));
        json.insert("description".into(), json!(self.description));
        json.insert("required".into(), json!(self.required));
        json.insert("caseExact".into(), json!(self.case_exact));
        json.insert("mutability".into(), json!(self.mutability.name()));
        json.insert("returned".into(), json!(self.returned.name()));
        json.insert("uniqueness".into(), json!(self.uniqueness.name()));
        if !self.canonical_values.is_empty() {
            json.insert("canonicalValues".into(), json!(self.canonical_values));
        }
        if !self.reference_types.is_empty() {
            json.insert("referenceTypes".into(), json!(self.reference_types));
        }
        if self.kind == Kind::Complex {
            let subs = self.sub_attributes.iter().map(Self::to_json).collect();
            json.insert("subAttributes".into(), Value::Array(subs));
        }
        Value::Object(json)
    }
}

// === impl Kind ===

impl Kind {
    /// As `/Schemas` spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }
}

// === impl Mutability ===

impl Mutability {
    /// As `/Schemas` spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "readOnly",
            Self::ReadWrite => "readWrite",
            Self::Immutable => "immutable",
            Self::WriteOnly => "writeOnly",
        }
    }
}

// === impl Returned ===

impl Returned {
    /// As `/Schemas` spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
            Self::Default => "default",
            Self::Request => "request",
        }
    }
}

// === impl Uniqueness ===

impl Uniqueness {
    /// As `/Schemas` spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Server => "server",
            Self::Global => "global",
        }
    }
}
