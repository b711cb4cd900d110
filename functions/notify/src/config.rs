//! Configuration of `notify`.

use revocation_core::domain::policy::PolicyOverrides;
use revocation_core::domain::text;
use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};

/// A longer name would not leave room for the notice itself in two segments of SMS; a test of the words holds it.
pub const MAX_ORGANISATION_CHARS: usize = 40;
/// SNS accepts no longer sender ID.
const MAX_SENDER_ID_CHARS: usize = 11;
/// Said by the template where nobody was named. The words have it in each language.
const UNNAMED: &str = "your organisation";

/// Everything `notify` is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `REVOCATIONS_TABLE`
    pub revocations_table: String,
    /// `USER_POOL_IDS`: comma-separated; events of other pools are refused.
    pub user_pool_ids: Vec<String>,
    /// `QUEUE_URL`: the queue it is fed from.
    pub queue_url: String,
    /// `DEAD_LETTER_QUEUE_URL`
    pub dead_letter_queue_url: String,
    /// `POLICY_OVERRIDES`: JSON by reason; default none.
    pub policy_overrides: PolicyOverrides,
    /// `SENDER_EMAIL`: a verified SES identity, or an address of one; default no e-mail.
    pub sender_email: Option<String>,
    /// `SMS_SENDER_ID`: shown as the sender where a country supports it; default whatever SNS shows.
    pub sms_sender_id: Option<String>,
    /// `PERSONAL_EMAIL_ATTRIBUTE`: the pool's attribute with an address outside the organisation; default none.
    pub personal_email_attribute: Option<String>,
    /// `NOTICE_TOPIC_ARN`: the managers' or HR's topic; default none.
    pub notice_topic_arn: Option<String>,
    /// `ORGANISATION_NAME`: whom to ask, at most 40 characters; default "your organisation" in the person's language.
    pub organisation: Option<String>,
}

impl Config {
    /// Reads the environment; names every mistake.
    pub fn read(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let organisation = env.optional("ORGANISATION_NAME").filter(|name| !name.eq_ignore_ascii_case(UNNAMED));
        if let Some(Err(error)) = organisation.as_deref().map(|name| text::check(name, MAX_ORGANISATION_CHARS)) {
            env.mistake(format!("ORGANISATION_NAME {error}"));
        }
        let sms_sender_id = env.optional("SMS_SENDER_ID");
        if sms_sender_id.as_deref().is_some_and(|id| !is_sender_id(id)) {
            env.mistake("SMS_SENDER_ID is not 1 to 11 letters and digits with a letter among them");
        }
        let config = Self {
            revocations_table: env.required("REVOCATIONS_TABLE"),
            user_pool_ids: env.list("USER_POOL_IDS"),
            queue_url: env.required("QUEUE_URL"),
            dead_letter_queue_url: env.required("DEAD_LETTER_QUEUE_URL"),
            policy_overrides: env.json("POLICY_OVERRIDES", PolicyOverrides::default()),
            sender_email: env.optional("SENDER_EMAIL"),
            sms_sender_id,
            personal_email_attribute: env.optional("PERSONAL_EMAIL_ATTRIBUTE"),
            notice_topic_arn: env.optional("NOTICE_TOPIC_ARN"),
            organisation,
        };
        env.finish(config)
    }
}

/// <https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html>
fn is_sender_id(id: &str) -> bool {
    id.len() <= MAX_SENDER_ID_CHARS
        && id.bytes().all(|b| b.is_ascii_alphanumeric())
        && id.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIRED: [(&str, &str); 4] =
        [("REVOCATIONS_TABLE", "r"), ("USER_POOL_IDS", "p,q"), ("QUEUE_URL", "u"), ("DEAD_LETTER_QUEUE_URL", "d")];

    #[test]
    fn a_bad_start_names_every_variable() {
        let variables = [("POLICY_OVERRIDES", "{\"x\":1}"), ("SMS_SENDER_ID", "12345"), ("ORGANISATION_NAME", LONG)];
        let BadEnvironment(mistakes) = Config::read(&variables).unwrap_err();
        assert_eq!(mistakes.len(), 7, "{mistakes:?}");
    }

    const LONG: &str = "The Honourable Company of Gentlemen Adventurers";

    #[test]
    fn what_is_left_out_has_a_default() {
        let config = Config::read(&REQUIRED).unwrap();
        assert_eq!(config.user_pool_ids, ["p", "q"]);
        assert_eq!((config.organisation, config.sender_email, config.sms_sender_id), (None, None, None));
    }

    #[test]
    fn the_templates_placeholder_is_nobodys_name() {
        let [a, b, c, d] = REQUIRED;
        let read = |name| Config::read(&[a, b, c, d, ("ORGANISATION_NAME", name)]).unwrap().organisation;
        assert_eq!(read("Your organisation"), None);
        assert_eq!(read("Müller & Söhne").as_deref(), Some("Müller & Söhne"));
    }
}
