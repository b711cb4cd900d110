//! An identifier by its form, as an operator types it or a list has it.
//!
//! | form | read as |
//! |---|---|
//! | `jane@example.com` | e-mail address |
//! | `+493012345678` | phone number |
//! | `11112222-3333-4444-5555-666677778888` | `sub` |
//! | `eu-central-1_AbCdEf123#<sub>` | `sub` in a pool, as the audit trail writes it |
//! | `https://issuer.example.com#<sub>` | issuer and its `sub`: a pool's, or an upstream identity provider's |
//! | anything else | user name |
//!
//! `email:`, `phone:`, `sub:` and `username:` before it say it outright.

use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::subject::SubjectIdentifier;

use crate::failure::Failure;

/// The identifier, by its form.
pub(crate) fn parse(text: &str) -> Result<SubjectIdentifier, Failure> {
    let identifier = by_prefix(text).unwrap_or_else(|| by_form(text));
    // Quotes nothing: it may be long, or forged.
    identifier.check().map_err(|bad| Failure::usage(format!("SUBJECT, read as {}: {bad}", identifier.format())))?;
    Ok(identifier)
}

/// A pool's issuer and `sub`: the one identifier the pipeline locks out by without asking Cognito first (I1).
pub(crate) fn of_pool(pool: &UserPoolId, sub: &str) -> SubjectIdentifier {
    SubjectIdentifier::IssSub { iss: pool.issuer(), sub: sub.to_owned() }
}

fn by_prefix(text: &str) -> Option<SubjectIdentifier> {
    let (prefix, rest) = text.split_once(':')?;
    let rest = rest.to_owned();
    match prefix {
        "email" => Some(SubjectIdentifier::Email { email: rest }),
        "phone" => Some(SubjectIdentifier::PhoneNumber { phone_number: rest }),
        "sub" => Some(SubjectIdentifier::Opaque { id: rest }),
        "username" => Some(SubjectIdentifier::Username { username: rest }),
        _ => None,
    }
}

fn by_form(text: &str) -> SubjectIdentifier {
    let owned = text.to_owned();
    if let Some((left, sub)) = text.rsplit_once('#') {
        if left.starts_with("https://") {
            return SubjectIdentifier::IssSub { iss: left.to_owned(), sub: sub.to_owned() };
        }
        if is_pool_id(left) {
            return of_pool(&UserPoolId(left.to_owned()), sub);
        }
    }
    if text.contains('@') {
        SubjectIdentifier::Email { email: owned }
    } else if text.strip_prefix('+').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())) {
        SubjectIdentifier::PhoneNumber { phone_number: owned }
    } else if is_uuid(text) {
        SubjectIdentifier::Opaque { id: text.to_ascii_lowercase() }
    } else {
        SubjectIdentifier::Username { username: owned }
    }
}

/// `<region>_<id>` (Cognito API, `UserPoolIdType`).
fn is_pool_id(text: &str) -> bool {
    text.split_once('_').is_some_and(|(region, id)| {
        region.contains('-')
            && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !id.is_empty()
            && id.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    const SUB: &str = "11112222-3333-4444-5555-666677778888";

    #[test]
    fn a_subject_is_found_out_by_its_form() {
        let in_pool = format!("eu-central-1_AbCdEf123#{SUB}");
        for (text, format) in [
            ("jane@example.com", "email"),
            ("+jane@example.com", "email"),
            ("+493012345678", "phone_number"),
            (SUB, "opaque"),
            (&SUB.to_uppercase(), "opaque"),
            (&in_pool, "iss_sub"),
            ("https://idp.example.com/#00u1", "iss_sub"),
            ("jane", "username"),
            ("Okta_00u1#2", "username"),
            ("李 小龍", "username"),
            ("username:jane@example.com", "username"),
            ("sub:jane", "opaque"),
        ] {
            assert_eq!(parse(text).unwrap().format(), format, "{text}");
        }
        let iss = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123".to_owned();
        assert_eq!(parse(&in_pool).unwrap(), SubjectIdentifier::IssSub { iss, sub: SUB.into() });
    }

    #[test]
    fn hostile_subjects_are_usage_errors_that_quote_nothing() {
        let huge = "a".repeat(1_000_000);
        for bad in ["", " ", "+", "+0123", "a\u{202e}b", "a\u{1b}[2Jb", "a\nb@c", "@", "phone:12", &huge] {
            let failure = parse(bad).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert!(failure.what.len() < 200 && !failure.what.contains(['\u{1b}', '\u{202e}', '\n']));
        }
    }
}
