//! Who caused a revocation: CAEP's `initiating_entity`, and which one.

use serde::{Deserialize, Serialize};

/// Kind and identity of whoever caused the revocation. It has no default: a source that does not know says `system`
/// and names itself, so that the record never claims a person who was not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Initiator {
    /// Which sort of entity acted.
    pub kind: InitiatorKind,
    /// The entity's identifier where the event came from: a user id, an ARN, a detection rule.
    pub id: String,
}

/// CAEP 1.0, `initiating_entity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InitiatorKind {
    /// An administrator.
    Admin,
    /// The person concerned.
    User,
    /// A policy or detection that fired.
    Policy,
    /// A system acting by itself.
    System,
}
