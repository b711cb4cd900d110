//! Words the notice: what happened, when, why, what to do, whom to ask. In the person's language and local time.
//!
//! The texts stand in `locales/<language>/notice.ftl`. What comes from outside, `reason_user`, is stripped of links
//! before it is used: an attacker who gets a text into an event must not get a link into a message people trust.

mod draft;
mod language;
mod links;
mod local_time;
mod sms;
mod topic;

use revocation_core::domain::event::SessionsRevoked;
use revocation_core::domain::policy::{NoticeChannel, Policy};
use revocation_core::ports::Contacts;
use revocation_core::usecase::notify::{Notice, NoticeWriter};

use self::draft::Draft;
use self::language::{Language, Part};

/// If not even the English texts can be used, which a test rules out, the person is told this much.
const LAST_RESORT: &str = "Your sessions have been ended.";

/// The notice in every language there is.
pub struct Words {
    /// English first.
    languages: Vec<Language>,
    topic: Language,
    organisation: Option<String>,
    policy: Policy,
}

impl Words {
    /// The words of an organisation, which may be unnamed. The policy says who reads: the person, or a topic.
    #[must_use]
    pub fn new(organisation: Option<&str>, policy: Policy) -> Self {
        let organisation = organisation.map(links::broken);
        Self { languages: language::all(), topic: language::topic(), organisation, policy }
    }

    fn to_person(&self, event: &SessionsRevoked, contacts: &Contacts) -> Option<Notice> {
        let chosen = language::negotiate(&[contacts.locale.as_deref()], &self.languages)?;
        let in_language = |language| self.in_language(language, event, contacts);
        // As a whole, so that no notice mixes languages.
        in_language(chosen).or_else(|| self.languages.first().and_then(in_language))
    }

    /// The notice in one language; `None` if a text is missing in it.
    fn in_language(&self, language: &Language, event: &SessionsRevoked, contacts: &Contacts) -> Option<Notice> {
        let marker = language.say("link-removed", Part::Email, &[])?;
        let reason = language::text_for(&[contacts.locale.as_deref(), Some(language.tag())], &event.reason_user);
        Draft {
            language,
            event,
            zone: contacts.zone.as_deref(),
            organisation: self.organisation.as_deref(),
            reason: reason.map(|text| draft::sentence(&links::removed(text, &marker))),
        }
        .notice()
    }
}

impl NoticeWriter for Words {
    fn write(&self, event: &SessionsRevoked, contacts: &Contacts) -> Notice {
        let notice = match self.policy.row(event.record.reason).notice {
            NoticeChannel::Topic => topic::notice(&self.topic, event),
            NoticeChannel::None | NoticeChannel::Sms | NoticeChannel::Email => self.to_person(event, contacts),
        };
        let least = || LAST_RESORT.to_owned();
        notice.unwrap_or_else(|| Notice { title: least(), short: least(), long: least() })
    }
}

#[cfg(test)]
mod tests;
