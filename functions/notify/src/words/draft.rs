//! One notice to a person in one language: which texts, in which order.

use revocation_core::domain::audit::{AuditRecord, Step, StepOutcome};
use revocation_core::domain::event::SessionsRevoked;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::Effect;
use revocation_core::domain::session::SessionScope;
use revocation_core::usecase::notify::Notice;

use super::language::{Language, Part};
use super::sms::MAX_SEPTETS;
use super::{local_time, sms};

/// What a notice is made of. Each method is `None` if a text is missing in the language.
pub(super) struct Draft<'a> {
    pub(super) language: &'a Language,
    pub(super) event: &'a SessionsRevoked,
    /// The person's `zoneinfo`.
    pub(super) zone: Option<&'a str>,
    /// Whom to ask; `None` where it has no name.
    pub(super) organisation: Option<&'a str>,
    /// `reason_user` in the person's language, without links.
    pub(super) reason: Option<String>,
}

impl Draft<'_> {
    /// The notice.
    pub(super) fn notice(&self) -> Option<Notice> {
        let title = format!("title{}", self.extent());
        Some(Notice { title: self.say(&title, Part::Email)?, short: self.sms()?, long: self.email()? })
    }

    fn email(&self) -> Option<String> {
        let say = |id: &str| self.say(id, Part::Email);
        let why = match &self.reason {
            Some(reason) => self.language.say("why-given", Part::Email, &[("reason", reason)])?,
            None => say(&self.why())?,
        };
        let what = format!("{} {why}", say(&self.what())?);
        Some([say("greeting")?, what, say(&self.action())?, say("ask")?, say("no-links")?].join("\n\n") + "\n")
    }

    fn sms(&self) -> Option<String> {
        let standard = self.sms_with(&self.say(&self.why(), Part::Sms)?)?;
        let given = |reason: &str| self.sms_with(&self.language.say("why-given", Part::Sms, &[("reason", reason)])?);
        let special = self.reason.as_deref().and_then(|reason| sms::fit(reason, given));
        Some(special.unwrap_or(standard))
    }

    fn sms_with(&self, why: &str) -> Option<String> {
        let say = |id: &str| self.say(id, Part::Sms);
        let texts = [say(&self.what())?, why.to_owned(), say(&self.action())?, say("ask")?, say("no-links")?];
        let text = texts.join(" ");
        // The name stands in "ask"; at the beginning, where it says at once who writes, it stands if there is room.
        let named = self.sms_name().map(|name| format!("{name}: {text}"));
        Some(named.filter(|text| sms::septets(text).is_some_and(|septets| septets <= MAX_SEPTETS)).unwrap_or(text))
    }

    /// A text with the time and the organisation filled in.
    fn say(&self, id: &str, part: Part) -> Option<String> {
        let at = self.event.record.tombstoned_at.unwrap_or(self.event.record.received_at);
        let time = local_time::local(at, self.zone, &self.language.say("date", part, &[])?, part)?;
        let name = match part {
            Part::Email => self.organisation.map(str::to_owned),
            Part::Sms => self.sms_name(),
        };
        let organisation = name.map_or_else(|| self.language.say("organisation", part, &[]), Some)?;
        self.language.say(id, part, &[("time", &time), ("organisation", &organisation)])
    }

    /// The organisation's name where an SMS can show it.
    fn sms_name(&self) -> Option<String> {
        self.organisation.map(sms::simplified).filter(|name| sms::septets(name).is_some())
    }

    fn what(&self) -> String {
        format!("what{}", self.extent())
    }

    /// How much was ended, as the ends of the texts' names have it.
    fn extent(&self) -> &'static str {
        match (&self.event.record.session, self.is_refresh()) {
            (Some(SessionScope::Only(_)), _) => "-session",
            (Some(SessionScope::AllBut(_)), _) => "-others",
            (None, true) => "-refresh",
            (None, false) => "",
        }
    }

    fn why(&self) -> String {
        if self.is_refresh() { "why-refresh".to_owned() } else { format!("why-{}", self.event.record.reason) }
    }

    /// What to do. It follows what was done: nobody is told to sign in to an account that was disabled.
    fn action(&self) -> String {
        let record = &self.event.record;
        // These expect it, and their own text says whom to ask.
        let expects_it = matches!(record.reason, ReasonCode::Offboarding | ReasonCode::ProjectEnd);
        if self.is_refresh() {
            "do-refresh".to_owned()
        } else if was_disabled(record) && !expects_it {
            "do-disabled".to_owned()
        } else {
            format!("do-{}", record.reason)
        }
    }

    /// Nothing was ended: applications only get new claims.
    fn is_refresh(&self) -> bool {
        self.event.record.effect == Effect::Refresh
    }
}

/// Whether the revocation disabled the account.
pub(super) fn was_disabled(record: &AuditRecord) -> bool {
    record.steps.iter().any(|step| step.step == Step::Disable && step.outcome == StepOutcome::Done)
}

/// `text` with an end, so that the sentence after it begins as one.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?', '。', '！', '？', '…']) { text.to_owned() } else { format!("{text}.") }
}
