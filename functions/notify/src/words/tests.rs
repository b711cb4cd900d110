use std::collections::{BTreeMap, BTreeSet};

use revocation_core::domain::audit::{Step, StepOutcome, StepRecord};
use revocation_core::domain::policy::PolicyOverrides;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::Effect;
use revocation_core::domain::session::SessionScope;
use revocation_core::domain::text::LocalizedText;
use revocation_core::domain::time::EpochMillis;

use super::*;
use crate::config::MAX_ORGANISATION_CHARS;
use crate::fixtures::event;

fn with_reason(reason: ReasonCode, texts: &[(&str, &str)]) -> SessionsRevoked {
    let texts = texts.iter().map(|(tag, text)| ((*tag).to_owned(), (*text).to_owned())).collect();
    SessionsRevoked { reason_user: LocalizedText(texts), ..event(reason) }
}

fn disabled(mut event: SessionsRevoked) -> SessionsRevoked {
    let at = EpochMillis(0);
    event.record.steps.push(StepRecord { step: Step::Disable, outcome: StepOutcome::Done, at });
    event
}

fn refreshed() -> SessionsRevoked {
    let mut event = event(ReasonCode::RoleChange);
    event.record.effect = Effect::Refresh;
    event
}

fn contacts(locale: &str, zone: &str) -> Contacts {
    Contacts { locale: Some(locale.into()), zone: Some(zone.into()), ..Contacts::default() }
}

fn words(organisation: &str) -> Words {
    Words::new(Some(organisation).filter(|name| !name.is_empty()), Policy::default())
}

/// Every language × everything an event can say that changes the words.
fn every_notice(organisation: &str, reason_user: &str) -> Vec<(String, Notice)> {
    let words = words(organisation);
    let mut notices = Vec::new();
    for (tag, _) in language::NOTICES {
        let given: &[(&str, &str)] = if reason_user.is_empty() { &[] } else { &[(tag, reason_user)] };
        let mut events: Vec<SessionsRevoked> = ReasonCode::ALL.map(|reason| with_reason(reason, given)).into();
        events.extend(events.clone().into_iter().map(disabled));
        events.push(SessionsRevoked { reason_user: events[0].reason_user.clone(), ..refreshed() });
        for session in [SessionScope::Only("o".into()), SessionScope::AllBut("o".into())] {
            let mut event = with_reason(ReasonCode::UserRequest, given);
            event.record.session = Some(session);
            events.push(event);
        }
        for event in events {
            let name = format!("{tag} {} {:?} {}", event.record.reason, event.record.effect, event.record.steps.len());
            notices.push((name, words.write(&event, &contacts(tag, "Europe/Berlin"))));
        }
    }
    notices
}

/// Written apart from `links.rs`, so that it does not share its mistakes.
fn assert_no_link(name: &str, text: &str) {
    let lower = text.to_lowercase();
    for mark in ["http", "://", "www.", "@", "evil"] {
        assert!(!lower.contains(mark), "{name}: {mark} in {text}");
    }
    let letters: Vec<char> = lower.chars().collect();
    for at in letters.windows(3) {
        assert!(!(at[0].is_alphanumeric() && at[1] == '.' && at[2].is_alphabetic()), "{name}: {at:?} in {text}");
    }
}

#[test]
fn no_notice_has_a_link() {
    let phishing = "Log in at https://evil.example or www.evil.test, evil.com/a?b, evil．org, mail a@evil.example!";
    for organisation in ["", "Example.com"] {
        for reason_user in ["", phishing] {
            for (name, notice) in every_notice(organisation, reason_user) {
                for text in [notice.title, notice.short, notice.long] {
                    assert_no_link(&name, &text);
                }
            }
        }
    }
}

#[test]
fn every_sms_is_one_paragraph_that_fits_into_two_segments() {
    let long = "Der Vertrag endet – früher als geplant – und Ihre Zugänge werden geschlossen. ".repeat(12);
    let longest_name = "W".repeat(MAX_ORGANISATION_CHARS);
    for organisation in ["", "Acme", &longest_name, "株式会社"] {
        for reason_user in ["", "Ça suffit – sesión cerrada 🙂", &long, "Договор закончился", "契約が終了しました。"]
        {
            for (name, notice) in every_notice(organisation, reason_user) {
                let septets = sms::septets(&notice.short);
                let septets = septets.unwrap_or_else(|| panic!("{name}: not GSM 03.38: {}", notice.short));
                assert!(septets <= sms::MAX_SEPTETS, "{name}: {septets}: {}", notice.short);
                assert!(!notice.short.contains('\n'), "{name}");
            }
        }
    }
}

#[test]
fn our_own_words_are_never_cut() {
    for (tag, _) in language::NOTICES {
        let event = with_reason(ReasonCode::Compromise, &[(tag, &"word ".repeat(199))]);
        let notice = words("Acme").write(&event, &contacts(tag, "UTC"));
        let language = Language::read(tag, language::NOTICES.iter().find(|(t, _)| *t == tag).unwrap().1);
        for id in ["do-compromise", "no-links"] {
            let text = language.say(id, Part::Sms, &[]).unwrap();
            assert!(notice.short.contains(&text), "{tag} {id}: {}", notice.short);
        }
        assert!(notice.short.contains("word...") && notice.long.contains(&"word ".repeat(198)), "{}", notice.short);
    }
}

#[test]
fn every_message_and_placeable_stands_in_every_language() {
    let english = outline(language::NOTICES[0].1);
    for (tag, source) in language::NOTICES {
        assert_eq!(outline(source), english, "{tag}");
        for reason in ReasonCode::ALL {
            for id in [format!("why-{reason}"), format!("do-{reason}")] {
                assert!(english.contains_key(&id) && english.contains_key(&format!("{id}.sms")), "{id}");
            }
        }
    }
}

/// Message ids, and attributes as `id.sms`, with the placeables in them. Messages stand on one line each.
fn outline(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut outline = BTreeMap::new();
    let mut message = "";
    for line in source.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (key, text) = line.split_once(" = ").unwrap_or_else(|| panic!("not one message a line: {line}"));
        let id = if let Some(attribute) = key.strip_prefix("    ") {
            format!("{message}{attribute}")
        } else {
            message = key;
            key.to_owned()
        };
        let placeables = text.split("{ $").skip(1).map(|rest| rest.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(outline.insert(id, placeables), None, "{key} stands twice");
    }
    outline
}

#[test]
fn a_missing_translation_makes_the_whole_notice_english() {
    let german = language::NOTICES[1].1.replace("why-anomaly", "why-something-else");
    let mut words = words("Acme");
    words.languages[1] = Language::read("de", &german);
    let write = |reason| words.write(&event(reason), &contacts("de", "Europe/Berlin"));
    assert_eq!(write(ReasonCode::Anomaly), words.write(&event(ReasonCode::Anomaly), &contacts("en", "Europe/Berlin")));
    assert!(write(ReasonCode::Compromise).title.starts_with("Ihre"));
}

#[test]
fn a_notice_says_what_when_why_what_to_do_and_whom_to_ask() {
    let notice = words("Acme").write(&event(ReasonCode::Anomaly), &contacts("en", "Europe/Berlin"));
    assert_eq!(notice.title, "Your sessions have been ended");
    assert_eq!(
        notice.short,
        "Acme: All your sessions were ended on 31 Jul 2026 at 18:00 (UTC+02:00). Reason: unusual activity on your \
         account. Sign in again with MFA and check your recent activity. Questions? Contact Acme. We never send links."
    );
    assert_eq!(
        notice.long,
        "Hello,\n\nOn 31 July 2026 at 18:00 (CEST, UTC+02:00), all your sessions were ended. You are now signed out on \
         all your devices. There was unusual activity on your account. We ended your sessions as a precaution.\n\nSign \
         in again the way you usually do, confirm it with your second factor (MFA), and check your recent activity. If \
         any of it was not you, report it at once.\n\nDo you have questions? Contact Acme in a way you already know.\n\n\
         We never send a link to click in this message. If a message like this one has a link, do not follow it.\n"
    );
}

#[test]
fn the_reason_for_the_person_is_told_in_their_language_only() {
    let event = with_reason(ReasonCode::ProjectEnd, &[("en", "Project X is over"), ("de", "Projekt X ist beendet")]);
    let write = |locale| words("").write(&event, &contacts(locale, "UTC"));
    assert!(write("de-AT").short.contains("Grund: Projekt X ist beendet. Sie müssen nichts tun. Fragen bitte an "));
    assert!(write("en").long.contains("Reason given: Project X is over."));
    assert!(write("fr").short.contains("Motif : le projet ou le contrat a pris fin."));
}

#[test]
fn nobody_is_told_to_sign_in_to_a_disabled_account() {
    let write = |event| words("Acme").write(&event, &contacts("en", "UTC")).short;
    assert!(write(event(ReasonCode::Compromise)).contains("Reset your password"));
    assert!(write(disabled(event(ReasonCode::Compromise))).contains("Your account is disabled."));
    assert!(write(refreshed()).contains("access rights were changed on 31 Jul 2026"));
    assert!(!write(refreshed()).contains("ended"));
}

#[test]
fn without_a_tombstone_the_time_is_that_of_receipt() {
    let mut event = event(ReasonCode::Anomaly);
    event.record.tombstoned_at = None;
    assert!(words("").write(&event, &contacts("de", "")).short.contains("am 1.1.1970 um 00:00 (UTC) beendet."));
}

#[test]
fn a_topic_reads_of_the_person_by_sub() {
    let overrides: PolicyOverrides = serde_json::from_str(r#"{"offboarding":{"notice":"topic"}}"#).unwrap();
    let words = Words::new(Some("Acme"), Policy::with(&overrides));
    let person = Contacts { email: Some("jane@example.com".into()), ..contacts("de", "Europe/Berlin") };
    let notice = words.write(&disabled(event(ReasonCode::Offboarding)), &person);
    assert_eq!(notice.title, "Sessions of a user were ended (offboarding)");
    assert_eq!(
        notice.long,
        "On 31 July 2026 at 16:00 (UTC), all sessions of the user eu-central-1_TEST#sub-1 were ended. Reason: \
         offboarding.\nThe account is disabled.\nThe person was not told by this pipeline.\n"
    );
}
