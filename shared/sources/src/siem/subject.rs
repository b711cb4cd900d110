//! Whom an alert is about.

use std::collections::BTreeMap;

use jmespath::Variable;
use revocation_core::domain::revocation_id::PayloadDigest;
use revocation_core::domain::subject::{BadSubject, SubjectIdentifier};

use super::Untranslatable;

/// Most subjects of one alert.
pub const MAX_SUBJECTS: usize = 100;
/// How deep lists in lists are looked through; projections nest them.
const MAX_LISTS: usize = 4;

/// What a plain text names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubjectFormat {
    /// An e-mail address if it has an `@`, else a user name.
    #[default]
    Auto,
    /// An e-mail address.
    Email,
    /// A Cognito user name.
    Username,
    /// The `sub` of a Cognito user.
    Opaque,
    /// A telephone number in E.164.
    PhoneNumber,
}

/// The subjects found, each once, in the order of their keys.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    /// By a key that is the same for the same subject: addresses are compared without regard to case.
    pub(super) good: BTreeMap<String, SubjectIdentifier>,
    /// Names that cannot be anybody's, such as `N/A` for an address.
    pub(super) unusable: usize,
    first_unusable: Option<BadSubject>,
}

// === impl SubjectFormat ===

impl SubjectFormat {
    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "email" => Some(Self::Email),
            "username" => Some(Self::Username),
            "opaque" => Some(Self::Opaque),
            "phone_number" => Some(Self::PhoneNumber),
            _ => None,
        }
    }

    fn subject(self, text: &str) -> SubjectIdentifier {
        let text = text.to_owned();
        match self {
            Self::Auto if text.contains('@') => SubjectIdentifier::Email { email: text },
            Self::Auto | Self::Username => SubjectIdentifier::Username { username: text },
            Self::Email => SubjectIdentifier::Email { email: text },
            Self::Opaque => SubjectIdentifier::Opaque { id: text },
            Self::PhoneNumber => SubjectIdentifier::PhoneNumber { phone_number: text },
        }
    }
}

// === impl Subjects ===

impl Subjects {
    /// Reads what the expression found: a text, an object as RFC 9493 has it, or a list of those. Empty ones are skipped.
    /// One that is unusable does not keep the others from being revoked; it is counted.
    pub(super) fn read(found: &Variable, format: SubjectFormat) -> Result<Self, Untranslatable> {
        let mut all = Self::default();
        all.add(found, format, MAX_LISTS)?;
        match (all.good.is_empty(), all.first_unusable) {
            (false, _) => Ok(all),
            (true, Some(bad)) => Err(Untranslatable::Subject(bad)),
            (true, None) if all.unusable > 0 => Err(Untranslatable::SubjectShape),
            (true, None) => Err(Untranslatable::NoSubject),
        }
    }

    fn add(&mut self, found: &Variable, format: SubjectFormat, lists: usize) -> Result<(), Untranslatable> {
        match found {
            // `false` is what `condition && name` comes to.
            Variable::Null | Variable::Bool(false) => {}
            Variable::String(text) if text.trim().is_empty() => {}
            Variable::String(text) => self.add_one(format.subject(text.trim()))?,
            Variable::Array(items) if lists > 0 => {
                for item in items {
                    self.add(item, format, lists - 1)?;
                }
            }
            Variable::Object(_) => {
                let read = serde_json::to_value(found).and_then(serde_json::from_value::<SubjectIdentifier>);
                if let Ok(subject) = read {
                    self.add_one(subject)?;
                } else {
                    self.unusable += 1;
                }
            }
            _ => self.unusable += 1,
        }
        Ok(())
    }

    fn add_one(&mut self, subject: SubjectIdentifier) -> Result<(), Untranslatable> {
        if let Err(bad) = subject.check() {
            self.unusable += 1;
            self.first_unusable.get_or_insert(bad);
            return Ok(());
        }
        self.good.entry(key(&subject)).or_insert(subject);
        if self.good.len() > MAX_SUBJECTS { Err(Untranslatable::TooManySubjects) } else { Ok(()) }
    }
}

/// What is the same for the same subject: 16 hexadecimal digits.
fn key(subject: &SubjectIdentifier) -> String {
    let same_case = match subject {
        SubjectIdentifier::Email { email } => SubjectIdentifier::Email { email: email.to_lowercase() },
        other => other.clone(),
    };
    let digest = PayloadDigest::of(&serde_json::to_vec(&same_case).unwrap_or_default());
    digest.0.chars().take(16).collect()
}
