//! What a client is told when its request cannot be carried out (RFC 7644 section 3.12). Never quotes a value (I10).

use std::borrow::Cow;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::urn;

/// An error as the protocol has it. Serialises to the body of the answer; `status` is the HTTP status too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {detail}")]
pub struct ScimError {
    /// The HTTP status.
    pub status: u16,
    /// What exactly was wrong, for statuses 400 and 409.
    pub scim_type: Option<ScimType>,
    /// For the client's log. Names attributes and rules, never values.
    pub detail: Cow<'static, str>,
}

/// RFC 7644, table 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ScimType {
    /// The filter cannot be parsed, or compares what cannot be compared.
    InvalidFilter,
    /// The filter yields, or would have to look at, more than the provider is willing to.
    TooMany,
    /// A value is taken that must be unique.
    Uniqueness,
    /// An attribute cannot be changed like that.
    Mutability,
    /// The body is not of the message's form.
    InvalidSyntax,
    /// The path of a patch cannot be parsed or names nothing.
    InvalidPath,
    /// The path of a patch selects no value.
    NoTarget,
    /// A value is missing, or of the wrong type, or not possible.
    InvalidValue,
    /// A version of the protocol that is not spoken here.
    InvalidVers,
    /// Not in a URI: the request carries personal data or secrets there.
    Sensitive,
}

// === impl ScimError ===

impl ScimError {
    /// A 400 with its type; 409 for [`ScimType::Uniqueness`].
    pub fn new(scim_type: ScimType, detail: impl Into<Cow<'static, str>>) -> Self {
        let status = if scim_type == ScimType::Uniqueness { 409 } else { 400 };
        Self { status, scim_type: Some(scim_type), detail: detail.into() }
    }

    /// An error without a type: the status says it.
    pub fn status(status: u16, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, scim_type: None, detail: detail.into() }
    }

    /// 400 `invalidFilter`.
    pub fn invalid_filter(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ScimType::InvalidFilter, detail)
    }

    /// 400 `tooMany`.
    pub fn too_many(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ScimType::TooMany, detail)
    }

    /// 409 `uniqueness`.
    pub fn uniqueness(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ScimType::Uniqueness, detail)
    }

    /// 400 `mutability`.
    pub fn mutability(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ScimType::Mutability, detail)
    }

    /// 400 `invalidSyntax`.
    pub fn invalid_syntax(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ScimType::InvalidSyntax, detail)
    }

    /// 400 `invalidPath`.
    pub fn invalid_path(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ScimType::InvalidPath, detail)
    }

    /// 400 `noTarget`.
    pub fn no_target(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ScimType::NoTarget, detail)
    }

    /// 400 `invalidValue`.
    pub fn invalid_value(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ScimType::InvalidValue, detail)
    }

    /// 401: no token, or not a valid one.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::status(401, "a valid bearer token is needed")
    }

    /// 404: no such resource or endpoint.
    #[must_use]
    pub fn not_found() -> Self {
        Self::status(404, "no such resource")
    }

    /// 412: `If-Match` names another version.
    #[must_use]
    pub fn precondition_failed() -> Self {
        Self::status(412, "the resource has changed since that version")
    }

    /// 413: the body is larger than the provider reads.
    #[must_use]
    pub fn too_large() -> Self {
        Self::status(413, "the body is larger than this provider reads")
    }

    /// 501: the RFC has it, this provider does not (`/Bulk`, `/Me`).
    #[must_use]
    pub fn not_implemented() -> Self {
        Self::status(501, "not supported by this provider: see /ServiceProviderConfig")
    }
}

impl Serialize for ScimError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut error = serializer.serialize_struct("Error", 4)?;
        error.serialize_field("schemas", &[urn::ERROR])?;
        // RFC 7644 section 3.12: a JSON string.
        error.serialize_field("status", &self.status.to_string())?;
        match self.scim_type {
            Some(scim_type) => error.serialize_field("scimType", &scim_type)?,
            None => error.skip_field("scimType")?,
        }
        error.serialize_field("detail", &self.detail)?;
        error.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_body_is_of_the_rfc_s_form() {
        let taken = ScimError::uniqueness("`userName` is taken");
        assert_eq!(
            serde_json::to_value(&taken).unwrap(),
            json!({"schemas": [urn::ERROR], "status": "409", "scimType": "uniqueness", "detail": "`userName` is taken"})
        );
        let missing = serde_json::to_value(ScimError::not_found()).unwrap();
        assert_eq!(missing, json!({"schemas": [urn::ERROR], "status": "404", "detail": "no such resource"}));
    }

    #[test]
    fn types_are_spelled_as_in_table_9() {
        let spelled = [
            (ScimType::InvalidFilter, "invalidFilter"),
            (ScimType::TooMany, "tooMany"),
            (ScimType::Uniqueness, "uniqueness"),
            (ScimType::Mutability, "mutability"),
            (ScimType::InvalidSyntax, "invalidSyntax"),
            (ScimType::InvalidPath, "invalidPath"),
            (ScimType::NoTarget, "noTarget"),
            (ScimType::InvalidValue, "invalidValue"),
            (ScimType::InvalidVers, "invalidVers"),
            (ScimType::Sensitive, "sensitive"),
        ];
        for (scim_type, name) in spelled {
            assert_eq!(serde_json::to_value(scim_type).unwrap(), json!(name));
        }
    }
}
