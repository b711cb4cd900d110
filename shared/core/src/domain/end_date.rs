//! The date on which somebody's work ends, as an attribute or a claim says it: after it, no token is good.
//!
//! Whoever writes it (an HRIS, an administrator) chooses the form, so several are read; what cannot be read is an error
//! and never "no end" (I6).

use jiff::civil::{Date, DateTime, date};

use super::time::EpochSeconds;

/// The end of the year 9999, the last that RFC 3339 can write. A later number is a unit mistaken (milliseconds), and
/// would never be reached.
const LATEST: i64 = 253_402_300_799;
/// A UTC day, in seconds.
const DAY: i64 = 86_400;
/// `YYYY-MM-DDTHH:MM:SS`.
const LOCAL_CHARS: usize = 19;

/// When somebody's work ends: the first second in which it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndDate(EpochSeconds);

/// None of the forms an end date may have. The text is not quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither a date such as 2026-12-31, nor an RFC 3339 timestamp, nor epoch seconds")]
pub struct NotAnEndDate;

// === impl EndDate ===

impl EndDate {
    /// Reads a text; empty means that there is no end. The forms, nothing around them:
    ///
    /// - RFC 3339 full-date, `2026-12-31`: good through the end of that day, UTC.
    /// - RFC 3339 timestamp, `2026-12-31T18:00:00+01:00`: good until that moment, to the whole second before it.
    /// - Epoch seconds in ASCII digits, up to the end of the year 9999: good until then.
    pub fn parse(text: &str) -> Result<Option<Self>, NotAnEndDate> {
        if text.is_empty() {
            return Ok(None);
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            let seconds = text.parse().map_err(|_| NotAnEndDate)?;
            return Self::from_epoch_seconds(seconds).map(Some);
        }
        let end = match text.get(..LOCAL_CHARS) {
            Some(local) => timestamp(local, text.get(LOCAL_CHARS..).unwrap_or_default()),
            None => full_date(text).map(|day| day + DAY),
        };
        end.map(|end| Some(Self(EpochSeconds(end)))).ok_or(NotAnEndDate)
    }

    /// The end at a number of epoch seconds, as a JSON number gives it.
    pub fn from_epoch_seconds(seconds: i64) -> Result<Self, NotAnEndDate> {
        if (0..=LATEST).contains(&seconds) { Ok(Self(EpochSeconds(seconds))) } else { Err(NotAnEndDate) }
    }

    /// Whether the work has ended.
    #[must_use]
    pub fn passed(self, now: EpochSeconds) -> bool {
        self.0 <= now
    }

    /// The first second in which it has.
    #[must_use]
    pub fn at(self) -> EpochSeconds {
        self.0
    }
}

/// Midnight (UTC) at which the day of `YYYY-MM-DD` begins.
fn full_date(text: &str) -> Option<i64> {
    // jiff reads other forms of ISO 8601 as well: week dates, dates without hyphens, years with a sign.
    let day: Date = has_form(text, b"dddd-dd-dd").then(|| text.parse().ok()).flatten()?;
    days(day)
}

/// RFC 3339, section 5.6, in two parts. By hand, since `jiff::Timestamp` ends a day before the year 9999 does, and
/// `9999-12-31T23:59:59Z` is how many write "never".
fn timestamp(local: &str, rest: &str) -> Option<i64> {
    // Upper case or lower, as the RFC has it.
    if !has_form(local, b"dddd-dd-ddtdd:dd:dd") {
        return None;
    }
    let local: DateTime = local.parse().ok()?;
    let time = local.time();
    let seconds = i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    Some(days(local.date())? + seconds - offset(rest)?)
}

/// What follows the seconds: a fraction, which is dropped, and the offset from UTC in seconds.
fn offset(rest: &str) -> Option<i64> {
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            (zone.len() < fraction.len()).then_some(zone)?
        }
        None => rest,
    };
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, zone) = match zone.split_at_checked(1)? {
        ("+", zone) => (1, zone),
        ("-", zone) => (-1, zone),
        _ => return None,
    };
    let (hours, minutes) = has_form(zone, b"dd:dd").then(|| zone.split_once(':')).flatten()?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn days(day: Date) -> Option<i64> {
    let since_epoch = day.since(date(1970, 1, 1)).ok()?;
    Some(i64::from(since_epoch.get_days()) * DAY)
}

/// Whether a text has the form: `d` is an ASCII digit, `t` the letter of either case, all else itself.
fn has_form(text: &str, form: &[u8]) -> bool {
    let fits = |(byte, form): (u8, &u8)| match form {
        b'd' => byte.is_ascii_digit(),
        b't' => byte.eq_ignore_ascii_case(&b't'),
        _ => byte == *form,
    };
    text.len() == form.len() && text.bytes().zip(form).all(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::time::EpochMillis;

    fn at(text: &str) -> Result<Option<i64>, NotAnEndDate> {
        EndDate::parse(text).map(|end| end.map(|end| end.at().0))
    }

    #[test]
    fn every_form_is_read() {
        // 2027-01-01T00:00:00Z, by `date -u -d`.
        let new_year = 1_798_761_600;
        for (text, expected) in [
            ("2026-12-31", new_year),
            ("2026-12-31T23:59:59Z", new_year - 1),
            ("2026-12-31T23:59:59.999Z", new_year - 1),
            ("2026-12-31t23:59:59z", new_year - 1),
            ("2027-01-01T01:00:00+01:00", new_year),
            ("2026-12-31T18:30:00-05:30", new_year),
            ("2026-12-31T23:59:60Z", new_year - 1),
            ("1798761600", new_year),
            ("0", 0),
            ("1969-12-31", 0),
            ("2024-02-29", 1_709_251_200),
            ("9999-12-31", LATEST + 1),
            ("9999-12-31T23:59:59Z", LATEST),
            ("253402300799", LATEST),
        ] {
            assert_eq!(at(text), Ok(Some(expected)), "{text}");
        }
        assert_eq!(at(""), Ok(None));
    }

    #[test]
    fn a_day_is_good_to_its_end_and_a_moment_until_it_comes() {
        let day = EndDate::parse("2026-12-31").unwrap().unwrap();
        let last = EpochMillis::parse_rfc3339("2026-12-31T23:59:59Z").unwrap().seconds();
        assert!(!day.passed(last) && day.passed(EpochSeconds(last.0 + 1)));
        let moment = EndDate::parse("2026-12-31T23:59:59Z").unwrap().unwrap();
        assert!(!moment.passed(EpochSeconds(last.0 - 1)) && moment.passed(last));
    }

    #[test]
    fn i06_what_cannot_be_read_is_never_no_end() {
        for text in [
            " ",
            "never",
            "null",
            "-1",
            "+1798761600",
            "1798761600.0",
            "1e9",
            "1798761600000",
            "253402300800",
            "99999999999999999999",
            "٢٠٢٦-١٢-٣١",
            "2026-02-29",
            "2026-13-01",
            "2026-12-32",
            "2026-12-31 ",
            " 2026-12-31",
            "2026-12-31\n",
            "2026-12",
            "2026-W53-4",
            "2026-1-1",
            "26-12-31",
            "31.12.2026",
            "12/31/2026",
            "+002026-12-31",
            "2026-12-31T23:59:59",
            "2026-12-31T23:59Z",
            "2026-12-31 23:59:59Z",
            "2026-12-31T24:00:00Z",
            "2026-12-31T23:59:59.Z",
            "2026-12-31T23:59:59+0100",
            "2026-12-31T23:59:59+24:00",
            "2026-12-31T23:59:59+01:60",
            "2026-12-31T23:59:59Z[UTC]",
            "2026-12-31T23:59:59Zé",
            "2026-12-31T23:59:5é",
        ] {
            assert_eq!(at(text), Err(NotAnEndDate), "{text}");
        }
        assert_eq!(EndDate::from_epoch_seconds(-1), Err(NotAnEndDate));
        assert_eq!(EndDate::from_epoch_seconds(1_798_761_600_000), Err(NotAnEndDate));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = EndDate::parse(&text);
        }

        /// The reading by hand agrees with jiff's wherever jiff reads.
        #[test]
        fn timestamps_are_read_as_jiff_reads_them(
            seconds in -62_135_596_800_i64..253_402_000_000,
            offset in -1_439_i32..1_440,
        ) {
            let stamp = jiff::Timestamp::from_second(seconds).unwrap();
            let offset = jiff::tz::Offset::from_seconds(offset * 60).unwrap();
            let local = offset.to_datetime(stamp);
            prop_assume!((1..=9_999).contains(&local.year()));
            let sign = if offset.seconds() < 0 { '-' } else { '+' };
            let minutes = offset.seconds().abs() / 60;
            let text = format!("{}{sign}{:02}:{:02}", local.strftime("%Y-%m-%dT%H:%M:%S"), minutes / 60, minutes % 60);
            prop_assert_eq!(at(&text), Ok(Some(seconds)), "{}", text);
        }
    }
}
