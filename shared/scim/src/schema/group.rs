//! The schema of groups (RFC 7643 section 4.2).

use super::attribute::{Attribute, Mutability};
use super::{Schema, SchemaPart, common};
use crate::urn;

pub(super) fn schema() -> Schema {
    let member = vec![
        Attribute::string("value", "The id of the member.").case_exact().mutability(Mutability::Immutable),
        Attribute::reference("$ref", &["User"], "The URI of the member.").mutability(Mutability::Immutable),
        Attribute::string("type", "The kind of member.").canonical(&["User"]).mutability(Mutability::Immutable),
        Attribute::string("display", "The name of the member for people.").mutability(Mutability::Immutable),
    ];
    Schema {
        resource_type: "Group",
        endpoint: "/Groups",
        description: "Group of users",
        common: common::attributes(),
        core: SchemaPart {
            urn: urn::GROUP,
            name: "Group",
            description: "Group of users",
            attributes: vec![
                Attribute::string("displayName", "The name of the group.").required().unique(),
                Attribute::complex("members", "Who belongs to the group.", member).many(),
            ],
        },
        extensions: Vec::new(),
    }
}
