//! Times as people write and read them.

use std::time::Duration;

use jiff::civil;
use jiff::tz::TimeZone;
use revocation_core::domain::time::EpochMillis;

use crate::cli::duration;
use crate::failure::Failure;

/// A time zone by its IANA name, such as `Europe/Berlin`; the database is part of the program.
pub(crate) fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "expected a name such as UTC or Europe/Berlin".to_owned())
}

/// Reads `2h` (ago), `2026-01-31`, `2026-01-31T18:00`, `today`, `yesterday`, or RFC 3339.
pub(crate) fn moment(text: &str, now: EpochMillis, zone: &TimeZone) -> Result<EpochMillis, Failure> {
    let today = || local(now, zone).date();
    let at_midnight = |date: civil::Date| in_zone(date.at(0, 0, 0, 0), zone);
    let read = match text.trim() {
        "now" => Some(now),
        "today" => at_midnight(today()),
        "yesterday" => today().yesterday().ok().and_then(at_midnight),
        text => None
            .or_else(|| EpochMillis::parse_rfc3339(text).ok())
            .or_else(|| duration(text).ok().map(|ago| before(now, ago)))
            // A date alone is also read as a date and time: the date goes first.
            .or_else(|| text.parse::<civil::Date>().ok().filter(|_| !text.contains('T')).and_then(at_midnight))
            .or_else(|| text.parse::<civil::DateTime>().ok().and_then(|at| in_zone(at, zone))),
    };
    read.ok_or_else(|| Failure::usage("that is no time: write 2h (ago), 2026-01-31, 2026-01-31T18:00 or today"))
}

/// The time `by` earlier.
pub(crate) fn before(at: EpochMillis, by: Duration) -> EpochMillis {
    EpochMillis(at.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}

/// `2026-01-31 18:00:00 UTC`
pub(crate) fn stamp(at: EpochMillis, zone: &TimeZone) -> String {
    local(at, zone).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// `18:00:00`
pub(crate) fn clock_time(at: EpochMillis, zone: &TimeZone) -> String {
    local(at, zone).strftime("%H:%M:%S").to_string()
}

/// A duration in the unit it is best read in.
pub(crate) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..172_800 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn local(at: EpochMillis, zone: &TimeZone) -> jiff::Zoned {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::MAX).to_zoned(zone.clone())
}

fn in_zone(at: civil::DateTime, zone: &TimeZone) -> Option<EpochMillis> {
    Some(EpochMillis(zone.to_zoned(at).ok()?.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-31T18:00:00Z
    const NOW: EpochMillis = EpochMillis(1_769_882_400_000);

    #[test]
    fn times_are_read_as_people_write_them() {
        let utc = TimeZone::UTC;
        for (text, meant) in [
            ("2h", "2026-01-31T16:00:00.000Z"),
            ("1d", "2026-01-30T18:00:00.000Z"),
            ("2026-01-30", "2026-01-30T00:00:00.000Z"),
            ("2026-01-30T12:30", "2026-01-30T12:30:00.000Z"),
            ("2026-01-30T12:30:00+01:00", "2026-01-30T11:30:00.000Z"),
            ("today", "2026-01-31T00:00:00.000Z"),
            ("yesterday", "2026-01-30T00:00:00.000Z"),
        ] {
            assert_eq!(moment(text, NOW, &utc).unwrap().rfc3339(), meant, "{text}");
        }
        for bad in ["", "soon", "2026-02-30", "31.1.2026", "-2h"] {
            assert!(moment(bad, NOW, &utc).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_day_is_the_zones_and_so_is_what_is_shown() {
        let tokyo = zone("Asia/Tokyo").unwrap();
        assert_eq!(moment("today", NOW, &tokyo).unwrap().rfc3339(), "2026-01-31T15:00:00.000Z");
        assert_eq!(stamp(NOW, &tokyo), "2026-02-01 03:00:00 JST");
        assert_eq!(stamp(NOW, &TimeZone::UTC), "2026-01-31 18:00:00 UTC");
        assert!(zone("Middle/Earth").is_err());
    }

    #[test]
    fn spans_are_told_in_the_unit_they_are_best_read_in() {
        let told: Vec<String> =
            [310, 1_250, 185_000, 7_260_000, 200_000_000].map(|ms| span(Duration::from_millis(ms))).to_vec();
        assert_eq!(told, ["310 ms", "1.2 s", "3 min 5 s", "2 h 1 min", "2 days"]);
    }
}
