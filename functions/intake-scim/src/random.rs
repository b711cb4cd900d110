//! Names and passwords nobody knows.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use revocation_core::domain::account::Password;
use revocation_scim::ScimError;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::answer::unavailable;

/// Bytes of a password: as text it is longer than any pool's policy asks for (99 characters at most: Cognito API,
/// `PasswordPolicyType`), and shorter than the most Cognito takes (256).
const PASSWORD_BYTES: usize = 96;
/// One of each class of characters a policy can ask for.
const CLASSES: &str = "aA1!";
const NAME_BYTES: usize = 16;

/// A password that meets every policy and is forgotten at once: the user sets one by "forgot password", or signs in
/// through an identity provider.
pub(crate) fn password() -> Result<Password, ScimError> {
    let mut bytes = [0; PASSWORD_BYTES];
    fill(&mut bytes)?;
    Ok(Password::new(format!("{CLASSES}{}", STANDARD_NO_PAD.encode(bytes))))
}

/// A name that means nothing.
pub(crate) fn name() -> Result<String, ScimError> {
    let mut bytes = [0; NAME_BYTES];
    fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn fill(bytes: &mut [u8]) -> Result<(), ScimError> {
    SystemRandom::new().fill(bytes).map_err(|_| unavailable())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_meets_every_policy_and_is_never_the_same() {
        let (one, other) = (password().unwrap(), password().unwrap());
        assert_ne!(one.expose(), other.expose());
        assert!((99..=256).contains(&one.expose().len()), "{}", one.expose().len());
        assert!(one.expose().starts_with(CLASSES));
    }
}
