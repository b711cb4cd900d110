//! Whom an event concerns: subject identifiers of RFC 9493, and `username` and `group` of our own.

use serde::{Deserialize, Serialize};

use super::text::{self, BadText};

/// RFC 5321 section 4.5.3.1: the longest address that can be delivered to.
pub const MAX_EMAIL_CHARS: usize = 254;
/// The longest Cognito user name, `sub` and group name.
pub const MAX_NAME_CHARS: usize = 128;
/// Longer than any issuer URL met in practice, short enough for a log line.
pub const MAX_ISSUER_CHARS: usize = 512;
/// Cognito API, `UserPoolIdType`.
pub const MAX_POOL_ID_CHARS: usize = 55;
/// RFC 9493 sets no bound for `aliases`; nobody has more names than this.
pub const MAX_ALIASES: usize = 16;

/// A subject identifier as it stands on the wire, told apart by `format` (RFC 9493 section 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case", deny_unknown_fields)]
pub enum SubjectIdentifier {
    /// `acct:` URI of RFC 7565; read as the e-mail address it contains.
    Account {
        /// `acct:user@host`
        uri: String,
    },
    /// An e-mail address, compared without regard to case.
    Email {
        /// addr-spec of RFC 5322
        email: String,
    },
    /// A subject of an issuer: a user pool's own, or an upstream identity provider's.
    IssSub {
        /// Issuer URL.
        iss: String,
        /// The issuer's `sub`.
        sub: String,
    },
    /// An identifier without structure: here the `sub` of a Cognito user.
    Opaque {
        /// The `sub`.
        id: String,
    },
    /// A telephone number.
    PhoneNumber {
        /// E.164, with the plus sign.
        phone_number: String,
    },
    /// Several names of one person (RFC 9493 section 3.2.8): everyone found by any of them is meant.
    Aliases {
        /// Identifiers, not nested.
        identifiers: Vec<SubjectIdentifier>,
    },
    /// A Cognito user name: of a local user, or `<Provider>_<id>` of a federated one.
    Username {
        /// The user name.
        username: String,
    },
    /// Every member of a Cognito group.
    Group {
        /// The group's name.
        group: String,
    },
    /// Everybody in a user pool, whoever they are: its identity provider was broken into, its key leaked.
    Pool {
        /// The pool.
        user_pool_id: String,
    },
    /// Everyone on a list that an operator brought, of subjects given as above.
    List {
        /// What it is kept under: the SHA-256 of its content, 64 hexadecimal digits.
        list: String,
    },
    /// Everyone whose end date has passed (README, `EndDateAttribute`) and who is still enabled.
    Ended {},
}

/// Why a subject identifier was refused. Values are not quoted: they are personal data (I10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSubject {
    /// A member failed the checks for text.
    #[error("`{0}` {1}")]
    Text(&'static str, #[source] BadText),
    /// No `@` with something on both sides.
    #[error("`email` is not an address")]
    NotAnAddress,
    /// Not `+` and 2 to 15 ASCII digits.
    #[error("`phone_number` is not in E.164 form, such as +493012345678")]
    NotE164,
    /// Not an `acct:` URI.
    #[error("`uri` is not an acct: URI")]
    NotAnAccount,
    /// No identifiers, or more than [`MAX_ALIASES`].
    #[error("`identifiers` has none or more than 16 entries")]
    AliasCount,
    /// Aliases within aliases (forbidden by RFC 9493 section 3.2.8), or many people among them.
    #[error("`identifiers` may contain neither aliases nor groups")]
    NestedAlias,
    /// Not a SHA-256.
    #[error("`list` is not 64 hexadecimal digits")]
    NotAList,
}

// === impl SubjectIdentifier ===

impl SubjectIdentifier {
    /// The name of the format, safe to log.
    #[must_use]
    pub fn format(&self) -> &'static str {
        match self {
            Self::Account { .. } => "account",
            Self::Email { .. } => "email",
            Self::IssSub { .. } => "iss_sub",
            Self::Opaque { .. } => "opaque",
            Self::PhoneNumber { .. } => "phone_number",
            Self::Aliases { .. } => "aliases",
            Self::Username { .. } => "username",
            Self::Group { .. } => "group",
            Self::Pool { .. } => "pool",
            Self::List { .. } => "list",
            Self::Ended {} => "ended",
        }
    }

    /// Whether it means many people rather than one: those are revoked by the bulk engine.
    #[must_use]
    pub fn is_many(&self) -> bool {
        matches!(self, Self::Group { .. } | Self::List { .. } | Self::Ended {})
    }

    /// Checks length, characters and form of every member.
    pub fn check(&self) -> Result<(), BadSubject> {
        match self {
            Self::Account { uri } => {
                named("uri", uri, MAX_EMAIL_CHARS)?;
                uri.strip_prefix("acct:").filter(|a| is_address(a)).map(drop).ok_or(BadSubject::NotAnAccount)
            }
            Self::Email { email } => {
                named("email", email, MAX_EMAIL_CHARS)?;
                is_address(email).then_some(()).ok_or(BadSubject::NotAnAddress)
            }
            Self::IssSub { iss, sub } => {
                named("iss", iss, MAX_ISSUER_CHARS)?;
                named("sub", sub, MAX_NAME_CHARS)
            }
            Self::Opaque { id } => named("id", id, MAX_NAME_CHARS),
            Self::PhoneNumber { phone_number } => is_e164(phone_number).then_some(()).ok_or(BadSubject::NotE164),
            Self::Aliases { identifiers } => {
                if identifiers.is_empty() || identifiers.len() > MAX_ALIASES {
                    return Err(BadSubject::AliasCount);
                }
                for one in identifiers {
                    if one.is_many() || matches!(one, Self::Aliases { .. } | Self::Pool { .. }) {
                        return Err(BadSubject::NestedAlias);
                    }
                    one.check()?;
                }
                Ok(())
            }
            Self::Username { username } => named("username", username, MAX_NAME_CHARS),
            Self::Group { group } => named("group", group, MAX_NAME_CHARS),
            Self::Pool { user_pool_id } => named("user_pool_id", user_pool_id, MAX_POOL_ID_CHARS),
            Self::List { list } => is_sha256(list).then_some(()).ok_or(BadSubject::NotAList),
            Self::Ended {} => Ok(()),
        }
    }
}

fn named(member: &'static str, value: &str, max: usize) -> Result<(), BadSubject> {
    text::check(value, max).map_err(|bad| BadSubject::Text(member, bad))
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_address(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.is_empty())
}

/// ITU-T E.164: a plus sign, a country code that does not begin with 0, 15 digits at most. ASCII digits only:
/// Arabic-Indic ones are digits to Unicode, but not to a telephone exchange.
fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> SubjectIdentifier {
        SubjectIdentifier::Email { email: text.to_owned() }
    }

    #[test]
    fn reads_the_formats_of_rfc_9493() {
        for json in [
            r#"{"format":"account","uri":"acct:a@example.com"}"#,
            r#"{"format":"email","email":"a@example.com"}"#,
            r#"{"format":"iss_sub","iss":"https://idp.example.com/","sub":"1"}"#,
            r#"{"format":"opaque","id":"11112222"}"#,
            r#"{"format":"phone_number","phone_number":"+12065550100"}"#,
            r#"{"format":"aliases","identifiers":[{"format":"email","email":"a@example.com"}]}"#,
            r#"{"format":"username","username":"Okta_00u1"}"#,
            r#"{"format":"group","group":"contractors"}"#,
            r#"{"format":"pool","user_pool_id":"eu-central-1_AbCdEf123"}"#,
            r#"{"format":"list","list":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#,
            r#"{"format":"ended"}"#,
        ] {
            let read: SubjectIdentifier = serde_json::from_str(json).unwrap();
            assert_eq!(read.check(), Ok(()), "{json}");
            assert_eq!(serde_json::to_string(&read).unwrap(), json);
        }
    }

    #[test]
    fn quotes_and_unicode_names_are_names() {
        assert_eq!(email(r#"o"brien\\@example.com"#).check(), Ok(()));
        assert_eq!(email("jürgen.müller@exämple.de").check(), Ok(()));
        assert_eq!(SubjectIdentifier::Username { username: "李 小龍".into() }.check(), Ok(()));
    }

    #[test]
    fn refuses_empty_huge_and_deceptive_identifiers() {
        assert_eq!(email("").check(), Err(BadSubject::Text("email", BadText::Empty)));
        assert_eq!(email("nobody").check(), Err(BadSubject::NotAnAddress));
        assert_eq!(email("a@").check(), Err(BadSubject::NotAnAddress));
        let huge = format!("{}@example.com", "a".repeat(1_000_000));
        assert_eq!(email(&huge).check(), Err(BadSubject::Text("email", BadText::TooLong(254))));
        assert_eq!(email("a\r\nb@c").check(), Err(BadSubject::Text("email", BadText::Control)));
        assert_eq!(email("a\u{202e}b@c").check(), Err(BadSubject::Text("email", BadText::Control)));
        for bad in ["", "+", "+0123456", "12065550100", "+1206555010012345", "+٤٩٣٠١٢٣"] {
            let phone = SubjectIdentifier::PhoneNumber { phone_number: bad.into() };
            assert_eq!(phone.check(), Err(BadSubject::NotE164), "{bad}");
        }
    }

    #[test]
    fn aliases_do_not_nest() {
        let nested =
            SubjectIdentifier::Aliases { identifiers: vec![SubjectIdentifier::Aliases { identifiers: vec![] }] };
        assert_eq!(nested.check(), Err(BadSubject::NestedAlias));
        let none = SubjectIdentifier::Aliases { identifiers: vec![] };
        assert_eq!(none.check(), Err(BadSubject::AliasCount));
        let aliases = |count| SubjectIdentifier::Aliases { identifiers: vec![email("a@example.com"); count] };
        assert_eq!(aliases(MAX_ALIASES).check(), Ok(()));
        assert_eq!(aliases(MAX_ALIASES + 1).check(), Err(BadSubject::AliasCount));
    }

    #[test]
    fn a_list_is_named_by_its_hash() {
        for bad in ["", &"a".repeat(63), &"a".repeat(65), &"A".repeat(64), &"g".repeat(64)] {
            let list = SubjectIdentifier::List { list: (*bad).to_owned() };
            assert_eq!(list.check(), Err(BadSubject::NotAList), "{bad}");
        }
    }
}
