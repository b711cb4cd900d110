//! The day a person's project or contract ends, as an attribute or a claim has it.

use super::time::{EpochMillis, EpochSeconds};

/// Longest text looked at, in bytes: an RFC 3339 timestamp with nanoseconds and an offset has 35.
const MAX_BYTES: usize = 64;

/// When access ends: the first second in which it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndDate(EpochSeconds);

/// Neither a date, nor a timestamp, nor epoch seconds. The text is not quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither a date such as 2026-12-31, nor an RFC 3339 timestamp, nor epoch seconds")]
pub struct NotAnEndDate;

// === impl EndDate ===

impl EndDate {
    /// Reads an RFC 3339 full-date, which is good through the end of that day in UTC, an RFC 3339 timestamp, or epoch
    /// seconds. Nothing but white space means that there is no end.
    pub fn parse(text: &str) -> Result<Option<Self>, NotAnEndDate> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() > MAX_BYTES || !text.is_ascii() {
            return Err(NotAnEndDate);
        }
        let ends_at = if text.bytes().all(|b| b.is_ascii_digit()) {
            text.parse().map(EpochSeconds).map_err(|_| NotAnEndDate)?
        } else if text.len() == "2026-12-31".len() {
            end_of_day(text)?
        } else {
            EpochMillis::parse_rfc3339(text).map_err(|_| NotAnEndDate)?.seconds()
        };
        Ok(Some(Self(ends_at)))
    }

    /// Whether access has ended at `now`.
    #[must_use]
    pub fn passed(self, now: EpochSeconds) -> bool {
        now >= self.0
    }

    /// The first second in which access has ended.
    #[must_use]
    pub fn ends_at(self) -> EpochSeconds {
        self.0
    }
}

/// The first second after a day.
fn end_of_day(text: &str) -> Result<EpochSeconds, NotAnEndDate> {
    let shape = |(at, byte): (usize, u8)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    if !text.bytes().enumerate().all(shape) {
        return Err(NotAnEndDate);
    }
    let day: jiff::civil::Date = text.parse().map_err(|_| NotAnEndDate)?;
    let next = day.tomorrow().and_then(|next| next.to_zoned(jiff::tz::TimeZone::UTC));
    // The last day there is, 9999-12-31, is how directories write "never".
    Ok(next.map_or(EpochSeconds(i64::MAX), |next| EpochSeconds(next.timestamp().as_second())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> EpochSeconds {
        EpochMillis::parse_rfc3339(text).unwrap().seconds()
    }

    #[test]
    fn a_day_is_good_to_its_end_and_a_moment_to_itself() {
        let day = EndDate::parse("2026-12-31").unwrap().unwrap();
        assert!(!day.passed(at("2026-12-31T23:59:59Z")));
        assert!(day.passed(at("2027-01-01T00:00:00Z")));
        for moment in ["2026-12-31T12:00:00+01:00", " 1798714800 "] {
            let moment = EndDate::parse(moment).unwrap().unwrap();
            assert!(!moment.passed(at("2026-12-31T10:59:59Z")));
            assert!(moment.passed(at("2026-12-31T11:00:00Z")));
        }
    }

    #[test]
    fn the_last_day_there_is_means_never() {
        assert!(!EndDate::parse("9999-12-31").unwrap().unwrap().passed(EpochSeconds(i64::MAX - 1)));
    }

    #[test]
    fn nothing_is_no_end_and_nonsense_is_an_error() {
        assert_eq!(EndDate::parse(""), Ok(None));
        assert_eq!(EndDate::parse("  "), Ok(None));
        let bad = [
            "soon",
            "2026-13-01",
            "2026-02-30",
            "31.12.2026",
            "20261231T",
            "2026-12-31T12:00:00",
            "-1",
            "1e9",
            "1.5",
            "99999999999999999999",
            "2026/12/31",
            "٢٠٢٦",
        ];
        for text in bad {
            assert_eq!(EndDate::parse(text), Err(NotAnEndDate), "{text}");
        }
        assert_eq!(EndDate::parse(&"1".repeat(65)), Err(NotAnEndDate));
    }
}
