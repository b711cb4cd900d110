//! What a group is called: by clients (`displayName`), in the pool and in tokens (its name there), and in URLs (its id).
//!
//! The pool's names have no white space and never change, so the group is created under a name that is as near as can be, and
//! what the client calls it is kept, with `externalId`, as JSON in the group's description.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use revocation_core::domain::account::Group;
use revocation_scim::ScimError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Cognito API, `GroupNameType`: 1 to 128 of `[\p{L}\p{M}\p{S}\p{N}\p{P}]`.
const LONGEST_NAME: usize = 128;
/// Cognito API, `DescriptionType`.
const LONGEST_DESCRIPTION: usize = 2_048;

/// What is kept in a group's description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Note {
    pub(super) display_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) external_id: Option<String>,
    /// The description somebody else had written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

/// The id of the group of that name: opaque, and of characters no URL has to encode.
pub(super) fn group_id(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(name)
}

/// The name of the group with that id, if there can be one.
pub(super) fn name_of(id: &str) -> Option<String> {
    // Four bytes to a character, four digits to three bytes.
    if id.len() > LONGEST_NAME * 4 * 4 / 3 + 4 {
        return None;
    }
    let name = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    is_name(&name).then_some(name)
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.chars().count()) && name.chars().all(may_stand)
}

/// Whether a character may stand in a name of the pool. It is stricter about code points nobody has assigned.
fn may_stand(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !is_format(c)
}

/// Invisible ones (category Cf): joiners, marks of direction, the byte-order mark.
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

// === impl Note ===

impl Note {
    /// Of a group in the body of a request.
    pub(super) fn of(body: &Value) -> Self {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            display_name: text("displayName").unwrap_or_default(),
            external_id: text("externalId"),
            description: None,
        }
    }

    /// Of a group in the pool, which may have been made by somebody else.
    pub(super) fn read(group: &Group) -> Self {
        let written = group.description.as_deref().and_then(|text| serde_json::from_str(text).ok());
        written.unwrap_or_else(|| Self {
            display_name: group.name.clone(),
            external_id: None,
            description: group.description.clone(),
        })
    }

    /// With what no client sees of the one that stands.
    pub(super) fn keeping(self, standing: &Self) -> Self {
        Self { description: standing.description.clone(), ..self }
    }

    /// The name in the pool of a group that is called so.
    pub(super) fn group_name(&self) -> Result<String, ScimError> {
        let name: String = self.display_name.trim().chars().map(|c| if may_stand(c) { c } else { '_' }).collect();
        let too_long = || ScimError::invalid_value("`displayName` is empty, or has more than 128 characters");
        is_name(&name).then_some(name).ok_or_else(too_long)
    }

    /// As it is written.
    pub(super) fn description(&self) -> Result<String, ScimError> {
        let text = serde_json::to_string(self).unwrap_or_default();
        if text.chars().count() > LONGEST_DESCRIPTION {
            return Err(ScimError::invalid_value("`displayName` and `externalId` together are too long to be kept"));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use revocation_core::domain::time::EpochMillis;

    use super::*;

    fn group(name: &str, description: Option<&str>) -> Group {
        let (created, description) = (EpochMillis(0), description.map(str::to_owned));
        Group { name: name.to_owned(), description, created, modified: created }
    }

    #[test]
    fn a_name_is_as_near_to_the_display_name_as_can_be() {
        let called = |name: &str| Note { display_name: name.to_owned(), external_id: None, description: None };
        let cases = [
            ("Sales", "Sales"),
            ("Sales Team (EU)", "Sales_Team_(EU)"),
            (" München\t1 ", "München_1"),
            ("a\u{202e}b", "a_b"),
        ];
        for (display_name, name) in cases {
            assert_eq!(called(display_name).group_name().as_deref(), Ok(name));
        }
        assert!(called(&"x".repeat(128)).group_name().is_ok());
        for bad in ["", "   ", &"x".repeat(129)] {
            assert!(called(bad).group_name().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ids_are_opaque_and_lead_back() {
        for name in ["Sales", "eu-central-1_AbC_Google", "部署/1?#%"] {
            let id = group_id(name);
            assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{id}");
            assert_eq!(name_of(&id).as_deref(), Some(name));
        }
        for bad in ["", "!", "Sales", "\u{202e}", &"A".repeat(10_000), &group_id("a b"), &group_id(&"x".repeat(129))] {
            assert!(name_of(bad).is_none_or(|name| is_name(&name)), "{bad:?}");
        }
        assert_eq!(name_of(&group_id("a b")), None);
    }

    #[test]
    fn a_description_of_somebody_else_stays() {
        let standing = Note::read(&group("ops", Some("Operations, see wiki")));
        assert_eq!(standing.display_name, "ops");
        let renamed = Note { display_name: "Operations".to_owned(), ..standing };
        let read = Note::read(&group("ops", Some(&renamed.description().unwrap())));
        assert_eq!(read, renamed);
        assert_eq!(read.description.as_deref(), Some("Operations, see wiki"));
    }
}
