//! One of several looks at something: each fails by itself, and says why, without keeping the others from being shown.

use revocation_core::ports::PortError;
use serde::Serialize;

/// What was seen, or why it was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Look<T> {
    /// This is how it is.
    Known(T),
    /// It could not be seen.
    NotKnown(NotKnown),
}

/// Why something could not be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NotKnown {
    /// In words.
    pub(crate) why: String,
    /// The IAM action that is missing, if that is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) iam_action: Option<&'static str>,
    /// It should have been seen: a permission is missing, or a service did not answer.
    #[serde(skip)]
    pub(crate) is_a_fault: bool,
}

/// Codes by which the services say that IAM does not allow the call.
const NOT_ALLOWED: [&str; 3] = ["access_denied", "authorization_error", "not_authorized"];
/// Codes of a pool whose feature plan does not have it (Cognito API, `AdminListUserAuthEvents`).
const NOT_IN_PLAN: [&str; 2] = ["user_pool_add_on_not_enabled", "feature_unavailable_in_tier"];
/// Codes of an endpoint that does not have the operation, such as a local cloud.
const UNKNOWN_OPERATION: [&str; 4] =
    ["invalid_action", "unknown_operation", "not_implemented", "unsupported_operation"];

// === impl Look ===

impl<T> Look<T> {
    /// It was not looked at.
    pub(crate) fn skipped(why: impl Into<String>) -> Self {
        Self::NotKnown(NotKnown { why: why.into(), iam_action: None, is_a_fault: false })
    }

    /// What was seen.
    pub(crate) fn known(&self) -> Option<&T> {
        match self {
            Self::Known(seen) => Some(seen),
            Self::NotKnown(_) => None,
        }
    }

    /// What follows from what was seen.
    pub(crate) fn map<U>(&self, map: impl FnOnce(&T) -> U) -> Look<U> {
        match self {
            Self::Known(seen) => Look::Known(map(seen)),
            Self::NotKnown(missing) => Look::NotKnown(missing.clone()),
        }
    }

    /// Whether it should have been seen and was not.
    pub(crate) fn is_at_fault(&self) -> bool {
        matches!(self, Self::NotKnown(missing) if missing.is_a_fault)
    }

    /// What was seen, in words, or why it was not.
    pub(crate) fn told(&self, tell: impl FnOnce(&T) -> String) -> String {
        match self {
            Self::Known(seen) => tell(seen),
            Self::NotKnown(missing) => format!("not known: {}", missing.why),
        }
    }
}

impl<T> From<Result<T, PortError>> for Look<T> {
    fn from(looked: Result<T, PortError>) -> Self {
        match looked {
            Ok(seen) => Self::Known(seen),
            Err(error) => Self::NotKnown(error.into()),
        }
    }
}

impl From<PortError> for NotKnown {
    fn from(error: PortError) -> Self {
        let PortError { operation, code, .. } = error;
        let is = |codes: &[&str]| codes.contains(&code.as_str());
        if is(&NOT_ALLOWED) {
            return Self {
                why: format!("you lack the IAM action {operation}"),
                iam_action: Some(operation),
                is_a_fault: true,
            };
        }
        let mut is_a_fault = false;
        let why = match code.as_str() {
            _ if is(&NOT_IN_PLAN) => {
                "the pool's feature plan does not have it (threat protection needs Plus)".to_owned()
            }
            _ if is(&UNKNOWN_OPERATION) => format!("this endpoint does not know {operation}"),
            "invalid_user_pool_configuration" => "the pool does not remember devices".to_owned(),
            "user_not_found" => "Cognito knows no such user (any more)".to_owned(),
            "unreadable_item" => "there is a tombstone that cannot be understood; it refuses every token".to_owned(),
            _ => {
                is_a_fault = true;
                format!("{operation}: {code}")
            }
        };
        Self { why, iam_action: None, is_a_fault }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let of = |code: &str| NotKnown::from(PortError::reject("cognito-idp:AdminListUserAuthEvents", code));
        let denied = of("access_denied");
        assert_eq!(denied.iam_action, Some("cognito-idp:AdminListUserAuthEvents"));
        assert_eq!(denied.why, "you lack the IAM action cognito-idp:AdminListUserAuthEvents");
        assert!(denied.is_a_fault && of("throttled").is_a_fault && !of("invalid_action").is_a_fault);
        assert!(of("user_pool_add_on_not_enabled").why.contains("Plus"));
        assert!(of("invalid_action").why.contains("does not know"));
        assert_eq!(of("throttled").why, "cognito-idp:AdminListUserAuthEvents: throttled");
    }

    #[test]
    fn a_look_is_written_as_what_it_is() {
        let seen: Look<u8> = Look::Known(7);
        assert_eq!(serde_json::to_string(&seen).unwrap(), r#"{"known":7}"#);
        let not: Look<u8> = Look::skipped("not asked for");
        assert_eq!(serde_json::to_string(&not).unwrap(), r#"{"not_known":{"why":"not asked for"}}"#);
        assert_eq!(not.told(u8::to_string), "not known: not asked for");
    }
}
