//! The secrets of a source as they lie in Secrets Manager: one, or several during a rotation.

use std::fmt;

use serde::Deserialize;

use crate::json::parse_json;

/// Shorter secrets can be guessed.
pub const MIN_SECRET_CHARS: usize = 16;
/// Longer than any token or key of the methods there are.
const MAX_SECRET_CHARS: usize = 1_024;
/// Most secrets valid at a time. A rotation needs two; each costs a pass over the body.
pub const MAX_SECRETS: usize = 8;
const MAX_NAME_CHARS: usize = 64;

/// One secret. `Debug` shows its name only.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// What logs and records call it, such as `2026-11`.
    pub name: String,
    value: String,
}

/// The secrets of one source; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretList(Vec<Secret>);

/// Why the text of a secret was refused. Secrets are told by their position: what should be a name might be the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSecrets {
    /// Neither a bare secret nor the JSON form.
    #[error(r#"the secret is neither one secret as it stands, nor {{"secrets":[{{"name":…,"value":…}}]}}"#)]
    Shape,
    /// None, or more than [`MAX_SECRETS`].
    #[error("the secret holds no secrets, or more than 8")]
    Count,
    /// A value that is too short, too long, or has spaces or control characters.
    #[error("secret number {0} is not of 16 to 1024 printable ASCII characters without spaces")]
    Value(usize),
    /// A name that is no name, or stands twice.
    #[error("the name of secret number {0} is not 1 to 64 of letters, digits and . _ -, or stands twice")]
    Name(usize),
    /// Not a key of Standard Webhooks.
    #[error("secret number {0} is not whsec_ with 24 to 64 bytes of base64, nor whpk_ with 32")]
    NotAWebhookKey(usize),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    secrets: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    value: String,
}

// === impl Secret ===

impl Secret {
    pub(super) fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("name", &self.name).finish_non_exhaustive()
    }
}

// === impl SecretList ===

impl SecretList {
    /// Reads the text of a secret: the secret as it stands, which is named `default`, or
    /// `{"secrets":[{"name":"2026-11","value":"…"}]}` with several that are valid at a time.
    pub fn parse(text: &str) -> Result<Self, BadSecrets> {
        let text = text.trim();
        let secrets = if text.starts_with('{') {
            let value = parse_json(text.as_bytes()).map_err(|_| BadSecrets::Shape)?;
            let wire: Wire = serde_json::from_value(value).map_err(|_| BadSecrets::Shape)?;
            wire.secrets.into_iter().map(|Named { name, value }| Secret { name, value }).collect()
        } else {
            vec![Secret { name: "default".to_owned(), value: text.to_owned() }]
        };
        let list = Self(secrets);
        list.check()?;
        Ok(list)
    }

    /// The secrets, in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Secret> {
        self.0.iter()
    }

    fn check(&self) -> Result<(), BadSecrets> {
        if self.0.is_empty() || self.0.len() > MAX_SECRETS {
            return Err(BadSecrets::Count);
        }
        for (before, secret) in self.0.iter().enumerate() {
            let Secret { name, value } = secret;
            let value_ok = (MIN_SECRET_CHARS..=MAX_SECRET_CHARS).contains(&value.len())
                && value.bytes().all(|b| b.is_ascii_graphic());
            if !value_ok {
                return Err(BadSecrets::Value(before + 1));
            }
            let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            let name_ok = (1..=MAX_NAME_CHARS).contains(&name.len()) && name.bytes().all(is_name);
            if !name_ok || self.0.iter().take(before).any(|other| other.name == *name) {
                return Err(BadSecrets::Name(before + 1));
            }
        }
        Ok(())
    }
}

impl<'a> IntoIterator for &'a SecretList {
    type Item = &'a Secret;
    type IntoIter = std::slice::Iter<'a, Secret>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
