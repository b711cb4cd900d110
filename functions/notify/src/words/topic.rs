//! The notice where the policy sends it to a topic: managers or HR read it, so it is about the person, not to them.

use revocation_core::domain::event::SessionsRevoked;
use revocation_core::domain::request::Effect;
use revocation_core::usecase::notify::Notice;

use super::draft::was_disabled;
use super::language::{Language, Part};
use super::local_time;

/// The notice, in UTC. It names the subject by pool and `sub` alone: who may look these up knows who it is.
pub(super) fn notice(language: &Language, event: &SessionsRevoked) -> Option<Notice> {
    let record = &event.record;
    let at = record.tombstoned_at.unwrap_or(record.received_at);
    let time = local_time::local(at, None, &language.say("date", Part::Email, &[])?, Part::Email)?;
    let subject = record.subject.as_ref().map(ToString::to_string)?;
    let values = [("time", time.as_str()), ("subject", &subject), ("code", record.reason.as_str())];
    let say = |id| language.say(id, Part::Email, &values);
    let what = if record.effect == Effect::Refresh { "topic-refresh" } else { "topic-ended" };
    let account = if was_disabled(record) { "topic-disabled" } else { "topic-enabled" };
    let long = [say(what)?, say(account)?, say("topic-person")?].join("\n") + "\n";
    Some(Notice { title: say("topic-title")?, short: say(what)?, long })
}
