use super::*;
use crate::path::AttributePath;
use crate::schema::{Kind, Uniqueness};

fn names(schema: &Schema) -> Vec<String> {
    let parts = std::iter::once(&schema.core).chain(&schema.extensions);
    let attributes = parts.flat_map(|part| &part.attributes);
    let name = |attribute: &Attribute| {
        let subs: Vec<&str> = attribute.sub_attributes.iter().map(|sub| sub.name).collect();
        if attribute.kind == Kind::Complex {
            format!("{}({})", attribute.name, subs.join(","))
        } else {
            attribute.name.to_owned()
        }
    };
    attributes.map(name).collect()
}

#[test]
fn only_what_is_named_is_declared_and_what_everybody_needs() {
    let schema = UserSchema::with([]).unwrap();
    assert_eq!(names(&schema), ["userName", "active", "groups(value,$ref,display,type)"]);
    assert!(schema.extensions.is_empty());
    let schema =
        UserSchema::with(["name.givenName", "Name.FamilyName", "emails.value", "department", "TITLE", "userName"])
            .unwrap();
    assert_eq!(
        names(&schema),
        [
            "userName",
            "name(familyName,givenName)",
            "title",
            "active",
            "emails(value)",
            "groups(value,$ref,display,type)",
            "department"
        ]
    );
    assert!(schema.resolve(&AttributePath::parse("name.formatted").unwrap()).is_none());
    assert_eq!(names(&UserSchema::with(UserSchema::known()).unwrap()), names(&UserSchema::all()));
}

#[test]
fn a_name_that_is_none_is_pointed_at() {
    for (names, index) in
        [(vec!["title", "colour"], 1), (vec!["name.colour"], 0), (vec!["title.a"], 0), (vec![""], 0), (vec!["id"], 0)]
    {
        assert_eq!(UserSchema::with(names.clone()).unwrap_err().index, index, "{names:?}");
    }
}

#[test]
fn characteristics_are_those_of_the_rfc() {
    let schema = UserSchema::all();
    let leaf = |path: &str| schema.resolve(&AttributePath::parse(path).unwrap()).unwrap().leaf().clone();
    assert!(
        leaf("userName").required && leaf("userName").uniqueness == Uniqueness::Server && !leaf("userName").case_exact
    );
    assert!(leaf("id").case_exact && leaf("externalId").case_exact && leaf("meta.version").case_exact);
    assert_eq!((leaf("password").mutability, leaf("password").returned), (Mutability::WriteOnly, Returned::Never));
    assert_eq!(leaf("groups").mutability, Mutability::ReadOnly);
    assert_eq!(leaf("meta.created").kind, Kind::DateTime);
    assert_eq!(leaf("emails.primary").kind, Kind::Boolean);
}
