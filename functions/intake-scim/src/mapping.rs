//! Between an account of the pool and a SCIM user: which attribute is kept where.

use std::collections::{BTreeMap, BTreeSet};

use revocation_core::domain::account::Account;
use revocation_core::domain::revocation_id::PayloadDigest;
use revocation_core::ports::Searchable;
use revocation_scim::{Schema, UserSchema};
use revocation_sources::scim::{ScimSource, UserName};
use serde_json::{Map, Value, json};

mod field;

use crate::published::published;
use field::{Field, Form, all_of};

/// Kept in the standard attributes of every pool, unless the configuration says something else about either.
const BY_DEFAULT: [(&str, &str); 9] = [
    ("emails.value", EMAIL),
    ("name.givenName", "given_name"),
    ("name.familyName", "family_name"),
    ("name.middleName", "middle_name"),
    ("displayName", "name"),
    ("nickName", "nickname"),
    ("profileUrl", "profile"),
    ("locale", "locale"),
    ("timezone", "zoneinfo"),
];
/// Names of the schema that the account itself holds, or that are computed.
const NOT_MAPPED: [&str; 8] = ["id", "meta", "userName", "active", "password", "groups", "schemas", "externalId"];
/// 128 bits, in hexadecimal digits.
const DERIVED_CHARS: usize = 32;
const EMAIL: &str = "email";
const EMAIL_VERIFIED: &str = "email_verified";
const PREFERRED_USERNAME: &str = "preferred_username";

/// What is kept where.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// What a user may have, in this deployment.
    pub(crate) schema: Schema,
    /// What it is told to have.
    pub(crate) published: Schema,
    user_name: UserName,
    emails_verified: bool,
    fields: Vec<Field>,
}

/// The configuration maps something that cannot be mapped. Named by its position: it was read without a mistake there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`attributes.more` of a SCIM source names an attribute that is none of a SCIM user's, or not one that can be mapped"
)]
pub struct BadMapping;

// === impl Mapping ===

impl Mapping {
    /// The mapping a source configures.
    pub(crate) fn new(source: &ScimSource) -> Result<Self, BadMapping> {
        let configured = &source.attributes;
        let mut pairs: Vec<(String, &str)> = Vec::new();
        let columns = [("externalId", &configured.external_id), ("roles", &configured.roles)];
        for (path, store) in columns.into_iter().chain([("entitlements", &configured.entitlements)]) {
            pairs.extend(store.as_deref().map(|store| (path.to_owned(), store)));
        }
        let own = pairs.len();
        pairs.extend(configured.more.iter().map(|(path, store)| (path.clone(), store.as_str())));
        for (path, store) in BY_DEFAULT {
            let said = pairs.iter().any(|(known, kept)| known.eq_ignore_ascii_case(path) || *kept == store);
            if !said {
                pairs.push((path.to_owned(), store));
            }
        }
        let all = UserSchema::all();
        let mut fields = Vec::new();
        for (index, (path, store)) in pairs.iter().enumerate() {
            let field = Field::new(path, store, &all).ok_or(BadMapping)?;
            if index >= own && NOT_MAPPED.contains(&field.attribute) {
                return Err(BadMapping);
            }
            fields.push(field);
        }
        let names: BTreeSet<String> =
            fields.iter().filter(|f| f.attribute != "externalId").flat_map(Field::declared).collect();
        let with = names.iter().map(String::as_str).chain(["password"]);
        let schema = UserSchema::with(with).map_err(|_| BadMapping)?;
        let published = published(&schema);
        let (user_name, emails_verified) = (configured.user_name, source.emails_verified);
        Ok(Self { schema, published, user_name, emails_verified, fields })
    }

    /// The account as a user, without `groups` and `meta`.
    pub(crate) fn user(&self, account: &Account) -> Value {
        let mut user = Map::new();
        user.insert("id".into(), json!(account.sub.0));
        user.insert("userName".into(), json!(self.user_name(account)));
        user.insert("active".into(), json!(account.enabled));
        for field in &self.fields {
            if let Some(text) = account.attribute(&field.store) {
                field.put(&mut user, text);
            }
        }
        Value::Object(user)
    }

    /// SCIM's `userName` of an account. A federated user may lack the attribute it is kept in.
    pub(crate) fn user_name<'a>(&self, account: &'a Account) -> &'a str {
        let kept = self.user_name_store().and_then(|store| account.attribute(store));
        kept.unwrap_or(&account.username)
    }

    /// What the pool is to keep of a user.
    pub(crate) fn attributes(&self, user: &Value) -> BTreeMap<String, String> {
        let mut kept = BTreeMap::new();
        for field in &self.fields {
            if let Some(text) = field.take(user) {
                kept.insert(field.store.clone(), text);
            }
        }
        let user_name = user.get("userName").and_then(Value::as_str);
        if let (Some(store), Some(name)) = (self.user_name_store(), user_name) {
            // In pools that sign in by address, the address *is* the user name; `emails` follows it.
            kept.insert(store.to_owned(), name.to_owned());
        }
        kept
    }

    /// The attributes to set and to take away, so that the pool keeps `after` instead of what the account has.
    pub(crate) fn changes(
        &self,
        account: &Account,
        after: &BTreeMap<String, String>,
    ) -> BTreeMap<String, Option<String>> {
        let mut stores: BTreeSet<&str> = self.fields.iter().map(|field| field.store.as_str()).collect();
        stores.extend(self.user_name_store());
        let differs = |store: &&str| account.attribute(store) != after.get(*store).map(String::as_str);
        let differing = stores.into_iter().filter(differs);
        let mut changes: BTreeMap<_, _> =
            differing.map(|store| (store.to_owned(), after.get(store).cloned())).collect();
        self.verify(&mut changes);
        changes
    }

    /// The attributes a new account is created with.
    pub(crate) fn initial(&self, user: &Value) -> BTreeMap<String, String> {
        let mut attributes = self.attributes(user);
        if self.emails_verified && attributes.contains_key(EMAIL) {
            attributes.insert(EMAIL_VERIFIED.to_owned(), "true".to_owned());
        }
        attributes
    }

    fn verify(&self, changes: &mut BTreeMap<String, Option<String>>) {
        // Cognito itself makes a changed address unverified.
        if self.emails_verified && matches!(changes.get(EMAIL), Some(Some(_))) {
            changes.insert(EMAIL_VERIFIED.to_owned(), Some("true".to_owned()));
        }
    }

    /// Whether the user name can be changed.
    pub(crate) fn can_rename(&self) -> bool {
        self.user_name != UserName::Username
    }

    /// What the pool is to call a new user. Where people sign in by an attribute, the pool does not see to it that it is
    /// unique, unless it is an alias: a name derived from it does, at once, which search would not.
    pub(crate) fn new_username(&self, user_name: &str) -> String {
        match self.user_name {
            UserName::Username | UserName::Email => user_name.to_owned(),
            UserName::PreferredUsername => {
                let digest = PayloadDigest::of(user_name.to_lowercase().as_bytes());
                digest.0.chars().take(DERIVED_CHARS).collect()
            }
        }
    }

    /// Whether the pool itself refuses a user name that is taken.
    pub(crate) fn is_unique_by_itself(&self) -> bool {
        self.user_name != UserName::PreferredUsername
    }

    /// The roles, or entitlements, an account has; `None` if they are not kept.
    pub(crate) fn values(&self, attribute: &str, attributes: &BTreeMap<String, String>) -> Option<BTreeSet<String>> {
        let field = self.fields.iter().find(|field| field.form == Form::All && field.attribute == attribute)?;
        Some(attributes.get(&field.store).map(|text| all_of(text).into_iter().collect()).unwrap_or_default())
    }

    /// What the pool itself finds for a path of the schema, by its [`key`](revocation_scim::Resolved::key).
    pub(crate) fn searchable(&self, key: &str) -> Option<Searchable> {
        let store = if key == "userName" {
            self.user_name_store().unwrap_or("username")
        } else {
            let field = self.fields.iter().find(|field| field.form != Form::All && field.name() == key)?;
            field.store.as_str()
        };
        match store {
            "username" => Some(Searchable::Username),
            EMAIL => Some(Searchable::Email),
            "phone_number" => Some(Searchable::PhoneNumber),
            PREFERRED_USERNAME => Some(Searchable::PreferredUsername),
            _ => None,
        }
    }

    fn user_name_store(&self) -> Option<&'static str> {
        match self.user_name {
            UserName::Username => None,
            UserName::Email => Some(EMAIL),
            UserName::PreferredUsername => Some(PREFERRED_USERNAME),
        }
    }
}

#[cfg(test)]
mod tests;
