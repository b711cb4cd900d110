//! The function's environment.

use std::fmt;
use std::str::FromStr;

use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};

/// The claim an end date is copied into, unless configured otherwise.
const END_DATE_CLAIM: &str = "project_end_date";

/// Claims Cognito does not let a trigger write, or that others decide by (developer guide, "Pre token generation Lambda
/// trigger", claims that cannot be modified).
const NOT_OURS: [&str; 18] = [
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "client_id",
    "exp",
    "iat",
    "identities",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "origin_jti",
    "scope",
    "sub",
    "token_use",
];

/// The gate's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `TOMBSTONES_TABLE`.
    pub tombstones_table: String,
    /// `ON_STORE_OUTAGE`: `mint` (default) or `refuse`.
    pub on_store_outage: OnStoreOutage,
    /// `END_DATE_ATTRIBUTE` and `END_DATE_CLAIM`; `None` if people have no end date.
    pub end_date: Option<EndDateCopy>,
}

/// What happens to sign-ins and refreshes while tombstones cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnStoreOutage {
    /// They go on: nobody is locked out by an outage of ours, and the authorizer still refuses what is revoked.
    Mint,
    /// They are refused.
    Refuse,
}

/// An attribute of the user that becomes a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndDateCopy {
    /// Name of the attribute, such as `custom:project_end_date`.
    pub attribute: String,
    /// Name of the claim.
    pub claim: String,
}

/// Neither `mint` nor `refuse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnOutageRule;

// === impl Config ===

impl Config {
    /// Reads the environment; an error names every mistake in it.
    pub fn from_env(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let config = Self {
            tombstones_table: env.required("TOMBSTONES_TABLE"),
            on_store_outage: env.parsed("ON_STORE_OUTAGE", OnStoreOutage::Mint),
            end_date: end_date(&mut env),
        };
        env.finish(config)
    }
}

fn end_date(env: &mut EnvReader<'_>) -> Option<EndDateCopy> {
    let claim = env.optional("END_DATE_CLAIM").unwrap_or_else(|| END_DATE_CLAIM.to_owned());
    let taken = NOT_OURS.contains(&claim.as_str()) || claim.starts_with("cognito:") || claim.starts_with("dev:");
    if taken || claim.len() > 128 || claim.chars().any(|c| !c.is_ascii_graphic()) {
        env.mistake("END_DATE_CLAIM is a claim of Cognito's own, or no name of a claim");
    }
    let attribute = env.optional("END_DATE_ATTRIBUTE")?;
    // `CustomAttributeNameType` and `AttributeNameType` of the Cognito API: at most 32 characters after `custom:`.
    if attribute.len() > 39 || attribute.chars().any(|c| !c.is_ascii_graphic()) {
        env.mistake("END_DATE_ATTRIBUTE is no name of an attribute");
    }
    Some(EndDateCopy { attribute, claim })
}

// === impl OnStoreOutage ===

impl FromStr for OnStoreOutage {
    type Err = NotAnOutageRule;

    fn from_str(text: &str) -> Result<Self, NotAnOutageRule> {
        match text {
            "mint" => Ok(Self::Mint),
            "refuse" => Ok(Self::Refuse),
            _ => Err(NotAnOutageRule),
        }
    }
}

impl fmt::Display for NotAnOutageRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is neither mint nor refuse")
    }
}

impl std::error::Error for NotAnOutageRule {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_default_an_outage_of_ours_locks_nobody_out_and_there_is_no_end_date() {
        let config = Config::from_env(&[("TOMBSTONES_TABLE", "t")]).unwrap();
        let expected = Config { tombstones_table: "t".into(), on_store_outage: OnStoreOutage::Mint, end_date: None };
        assert_eq!(config, expected);
    }

    #[test]
    fn an_end_date_has_an_attribute_and_a_claim() {
        let with = |claim| {
            let variables = [
                ("TOMBSTONES_TABLE", "t"),
                ("ON_STORE_OUTAGE", "refuse"),
                ("END_DATE_ATTRIBUTE", "custom:project_end_date"),
                ("END_DATE_CLAIM", claim),
            ];
            Config::from_env(&variables)
        };
        let copy = with("").unwrap().end_date.unwrap();
        assert_eq!((copy.attribute.as_str(), copy.claim.as_str()), ("custom:project_end_date", "project_end_date"));
        assert_eq!(with("until").unwrap().end_date.unwrap().claim, "until");
        for taken in ["sub", "exp", "cognito:groups", "a b"] {
            with(taken).unwrap_err();
        }
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let variables = [("ON_STORE_OUTAGE", "pray"), ("END_DATE_ATTRIBUTE", "a b"), ("END_DATE_CLAIM", "iss")];
        let BadEnvironment(mistakes) = Config::from_env(&variables).unwrap_err();
        assert_eq!(mistakes.len(), 4, "{mistakes:?}");
        for name in ["TOMBSTONES_TABLE", "ON_STORE_OUTAGE", "END_DATE_ATTRIBUTE", "END_DATE_CLAIM"] {
            assert!(mistakes.iter().any(|mistake| mistake.starts_with(name)), "{name}");
        }
    }
}
