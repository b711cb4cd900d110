//! Dates as people, tokens and senders write them. What is read is within the calendar, and its written form means the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use revocation_core::domain::end_date::EndDate;
use revocation_core::domain::time::EpochMillis;

/// Four digits of years, and a day more: the last one counts whole, and an offset may go beyond.
const YEARS: std::ops::RangeInclusive<i64> = -62_167_305_600..=253_402_387_200;

fuzz_target!(|text: &str| {
    if let Ok(Some(end)) = EndDate::parse(text) {
        let at = end.at();
        assert!(YEARS.contains(&at.0), "{}", at.0);
        assert!(end.passed(at));
        assert_eq!(EndDate::parse(text), Ok(Some(end)));
    }
    if let Ok(at) = EpochMillis::parse_rfc3339(text) {
        let written = at.rfc3339();
        assert_eq!(EpochMillis::parse_rfc3339(&written), Ok(at), "{written}");
        assert_eq!(at.utc_day().len(), 10, "{written}");
    }
});
