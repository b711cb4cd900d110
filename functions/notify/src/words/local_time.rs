//! A point in time as the person's clock on the wall showed it.

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use revocation_core::domain::time::EpochMillis;

use super::language::Part;

/// The time by a pattern of strftime, with its zone: "20 November 2026 at 15:31 (CET, UTC+01:00)", in an SMS without the
/// abbreviation. A zone that is unknown is UTC: wrong for nobody. `None` if the pattern is none.
pub(super) fn local(at: EpochMillis, zone: Option<&str>, pattern: &str, part: Part) -> Option<String> {
    // Beyond the calendar's end, its end: an absurd time is no reason to say nothing.
    let stamp = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::MAX);
    let zone = zone.and_then(|name| TimeZone::get(name.trim()).ok()).filter(|zone| !zone.is_unknown());
    let time = stamp.to_zoned(zone.unwrap_or(TimeZone::UTC));
    let [time, abbreviation, offset] = [pattern, "%Z", "%:z"].map(|pattern| strtime::format(pattern, &time).ok());
    let (time, abbreviation, offset) = (time?, abbreviation?, offset?);
    Some(match abbreviation.as_str() {
        "UTC" => format!("{time} (UTC)"),
        // Many zones have no abbreviation; the database then has their offset, such as -03.
        name if part == Part::Email && name.bytes().all(|b| b.is_ascii_alphabetic()) => {
            format!("{time} ({name}, UTC{offset})")
        }
        _ => format!("{time} (UTC{offset})"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: EpochMillis = EpochMillis(1_785_513_600_000);

    #[test]
    fn the_zone_is_the_persons_with_its_daylight_saving_time() {
        let local = |zone| local(AT, zone, "%d.%m.%Y %H:%M", Part::Email).unwrap();
        assert_eq!(local(Some("Europe/Vienna")), "31.07.2026 18:00 (CEST, UTC+02:00)");
        assert_eq!(local(Some("america/new_york")), "31.07.2026 12:00 (EDT, UTC-04:00)");
        assert_eq!(local(Some("Asia/Kathmandu")), "31.07.2026 21:45 (UTC+05:45)");
        assert_eq!(local(Some("America/Sao_Paulo")), "31.07.2026 13:00 (UTC-03:00)");
        assert_eq!(super::local(AT, Some("Europe/Rome"), "%H:%M", Part::Sms).as_deref(), Some("18:00 (UTC+02:00)"));
    }

    #[test]
    fn an_unknown_zone_is_utc() {
        for zone in ["", "UTC", "Etc/Unknown", "Mars/Olympus", "../../etc/passwd", "+01:00", "\u{0}", "Wien"] {
            assert_eq!(local(AT, Some(zone), "%H:%M", Part::Email).as_deref(), Some("16:00 (UTC)"), "{zone:?}");
        }
        assert_eq!(local(AT, None, "%H:%M", Part::Sms).as_deref(), Some("16:00 (UTC)"));
    }

    #[test]
    fn absurd_times_and_patterns_do_no_harm() {
        for at in [i64::MIN, -1, 0, i64::MAX] {
            assert!(local(EpochMillis(at), Some("Pacific/Kiritimati"), "%Y", Part::Email).is_some(), "{at}");
        }
        assert_eq!(local(AT, None, "%", Part::Email), None);
    }
}
