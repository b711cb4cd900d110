//! The schema of users (RFC 7643 section 4.1, 4.3), cut down to what a deployment's store can keep.

use super::attribute::{Attribute, Mutability, Returned};
use super::{Schema, SchemaPart, common};
use crate::urn;

/// Builds the schema of users.
#[derive(Clone, Copy, Debug)]
pub struct UserSchema;

/// A configuration names an attribute that RFC 7643 does not have, or that is not offered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("name {index} of the attributes is not an attribute of a SCIM user")]
pub struct UnknownAttribute {
    /// Which of the names, counted from 0.
    pub index: usize,
}

/// In every schema of users: without them nobody is provisioned or offboarded.
const ALWAYS: [&str; 3] = ["userName", "active", "groups"];

// === impl UserSchema ===

impl UserSchema {
    /// Every name [`UserSchema::with`] knows, without sub-attributes.
    #[must_use]
    pub fn known() -> Vec<&'static str> {
        core().iter().chain(&enterprise()).map(|attribute| attribute.name).collect()
    }

    /// Every attribute there is.
    #[must_use]
    pub fn all() -> Schema {
        schema(core(), enterprise())
    }

    /// The attributes named, and `userName`, `active`, `groups` (and `id`, `externalId`, `meta`), which are always there.
    /// Names are plain (`title`, `department`), in any case; `name.givenName` declares that sub-attribute and those
    /// named likewise, `name` all of them.
    pub fn with<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Schema, UnknownAttribute> {
        let names: Vec<&str> = names.into_iter().collect();
        let (core, enterprise) = (core(), enterprise());
        for (index, name) in names.iter().enumerate() {
            let (top, sub) = split(name);
            let found = core.iter().chain(&enterprise).find(|attribute| attribute.name.eq_ignore_ascii_case(top));
            let known = found.is_some_and(|attribute| sub.is_none_or(|sub| attribute.sub(sub).is_some()));
            if !known {
                return Err(UnknownAttribute { index });
            }
        }
        let keep = |attributes: Vec<Attribute>| attributes.into_iter().filter_map(|a| cut(a, &names)).collect();
        Ok(schema(keep(core), keep(enterprise)))
    }
}

/// The attribute with the sub-attributes that are named; `None` if it is not named at all.
fn cut(mut attribute: Attribute, names: &[&str]) -> Option<Attribute> {
    let mut subs = Vec::new();
    let mut whole = ALWAYS.contains(&attribute.name);
    for (top, sub) in names.iter().map(|name| split(name)) {
        if top.eq_ignore_ascii_case(attribute.name) {
            match sub {
                Some(sub) => subs.push(sub),
                None => whole = true,
            }
        }
    }
    if !whole {
        attribute.sub_attributes.retain(|sub| subs.iter().any(|name| name.eq_ignore_ascii_case(sub.name)));
    }
    (whole || !subs.is_empty()).then_some(attribute)
}

fn split(name: &str) -> (&str, Option<&str>) {
    match name.split_once('.') {
        Some((top, sub)) => (top, Some(sub)),
        None => (name, None),
    }
}

fn schema(core: Vec<Attribute>, enterprise: Vec<Attribute>) -> Schema {
    let enterprise = SchemaPart {
        urn: urn::ENTERPRISE_USER,
        name: "EnterpriseUser",
        description: "What an employer knows of a user",
        attributes: enterprise,
    };
    Schema {
        resource_type: "User",
        endpoint: "/Users",
        description: "User account",
        common: common::attributes(),
        core: SchemaPart { urn: urn::USER, name: "User", description: "User account", attributes: core },
        extensions: if enterprise.attributes.is_empty() { Vec::new() } else { vec![enterprise] },
    }
}

fn core() -> Vec<Attribute> {
    vec![
        Attribute::string("userName", "The name the user signs in with; unique.").required().unique(),
        Attribute::complex("name", "The parts of the user's name.", name()),
        Attribute::string("displayName", "The name of the user for people."),
        Attribute::string("nickName", "What the user is called."),
        Attribute::reference("profileUrl", &["external"], "The user's page."),
        Attribute::string("title", "Such as \"Vice President\"."),
        Attribute::string("userType", "How the user relates to the organisation."),
        Attribute::string("preferredLanguage", "As in `Accept-Language`."),
        Attribute::string("locale", "For dates, numbers and currency; a language tag."),
        Attribute::string("timezone", "As in the IANA time zone database."),
        Attribute::boolean("active", "Whether the user may sign in."),
        Attribute::string("password", "The password to set; never returned.")
            .case_exact()
            .mutability(Mutability::WriteOnly)
            .returned(Returned::Never),
        plural("emails", "E-mail addresses.", &["work", "home", "other"]),
        plural("phoneNumbers", "Telephone numbers.", &["work", "home", "mobile", "fax", "pager", "other"]),
        Attribute::complex("addresses", "Postal addresses.", address()).many(),
        Attribute::complex("groups", "The groups the user belongs to; changed through /Groups.", group())
            .many()
            .read_only(),
        plural("entitlements", "What the user is entitled to.", &[]),
        plural("roles", "The user's roles.", &[]),
    ]
}

fn name() -> Vec<Attribute> {
    vec![
        Attribute::string("formatted", "The name as a whole."),
        Attribute::string("familyName", "The family name."),
        Attribute::string("givenName", "The given name."),
        Attribute::string("middleName", "Names in between."),
        Attribute::string("honorificPrefix", "Such as \"Ms.\"."),
        Attribute::string("honorificSuffix", "Such as \"III\"."),
    ]
}

/// RFC 7643 section 2.4: the sub-attributes of most multi-valued attributes.
fn plural(name: &'static str, description: &'static str, types: &'static [&'static str]) -> Attribute {
    let subs = vec![
        Attribute::string("value", "The value."),
        Attribute::string("display", "The value for people."),
        Attribute::string("type", "What it is used for.").canonical(types),
        Attribute::boolean("primary", "The preferred one; true at most once."),
    ];
    Attribute::complex(name, description, subs).many()
}

fn address() -> Vec<Attribute> {
    vec![
        Attribute::string("formatted", "The address as a whole."),
        Attribute::string("streetAddress", "Street and number."),
        Attribute::string("locality", "City."),
        Attribute::string("region", "State or region."),
        Attribute::string("postalCode", "Postal code."),
        Attribute::string("country", "Country, ISO 3166-1 alpha-2."),
        Attribute::string("type", "What it is used for.").canonical(&["work", "home", "other"]),
        Attribute::boolean("primary", "The preferred one; true at most once."),
    ]
}

fn group() -> Vec<Attribute> {
    vec![
        Attribute::string("value", "The id of the group.").case_exact().read_only(),
        Attribute::reference("$ref", &["Group"], "The URI of the group.").read_only(),
        Attribute::string("display", "The name of the group.").read_only(),
        Attribute::string("type", "Always direct.").canonical(&["direct"]).read_only(),
    ]
}

fn enterprise() -> Vec<Attribute> {
    let manager = vec![
        Attribute::string("value", "The id of the manager.").case_exact(),
        Attribute::reference("$ref", &["User"], "The URI of the manager."),
        Attribute::string("displayName", "The name of the manager.").read_only(),
    ];
    vec![
        Attribute::string("employeeNumber", "The employer's number of the user."),
        Attribute::string("costCenter", "Cost center."),
        Attribute::string("organization", "Organization."),
        Attribute::string("division", "Division."),
        Attribute::string("department", "Department."),
        Attribute::complex("manager", "The user's manager.", manager),
    ]
}

#[cfg(test)]
mod tests;
