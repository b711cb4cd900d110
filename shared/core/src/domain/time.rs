//! Points in time, by unit: tokens and tombstones count whole seconds, the audit trail milliseconds.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Whole seconds since 1970-01-01T00:00:00Z, as in `iat`, `auth_time` and DynamoDB's TTL attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EpochSeconds(pub i64);

/// Milliseconds since 1970-01-01T00:00:00Z, for what is measured: receipt, cutoff, seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EpochMillis(pub i64);

/// Not an RFC 3339 timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 timestamp, such as 2026-01-31T18:00:00Z")]
pub struct NotATimestamp;

/// 0000-01-01T00:00:00Z.
const YEAR_ZERO_MS: i64 = -62_167_219_200_000;

// === impl EpochSeconds ===

impl EpochSeconds {
    /// The time `by` later; saturates, so that no input can wrap a cutoff round to the past.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(by.as_secs()))
    }
}

impl fmt::Display for EpochSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

// === impl EpochMillis ===

impl EpochMillis {
    /// The whole second this instant lies in: what Cognito writes into `iat` for a token minted now.
    #[must_use]
    pub fn seconds(self) -> EpochSeconds {
        EpochSeconds(self.0.div_euclid(1000))
    }

    /// The time `by` later; saturates.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads an RFC 3339 timestamp with an offset.
    pub fn parse_rfc3339(text: &str) -> Result<Self, NotATimestamp> {
        // jiff also reads non-ASCII minus signs and years of six digits with a sign; RFC 3339 (section 5.6) has four digits. An
        // offset must not lead out of them either: a day is the key of an index.
        let is_plain = text.is_ascii() && text.starts_with(|c: char| c.is_ascii_digit());
        let stamp: jiff::Timestamp = is_plain.then(|| text.parse().ok()).flatten().ok_or(NotATimestamp)?;
        let at = stamp.as_millisecond();
        if at < YEAR_ZERO_MS { Err(NotATimestamp) } else { Ok(Self(at)) }
    }

    /// The instant as RFC 3339 in UTC; times beyond the year 9999 are written as that year's end.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let stamp = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX);
        format!("{stamp:.3}")
    }

    /// The UTC day, `YYYY-MM-DD`: the key of the audit trail's index by day.
    #[must_use]
    pub fn utc_day(self) -> String {
        self.rfc3339().chars().take_while(|c| *c != 'T').collect()
    }
}

impl From<EpochSeconds> for EpochMillis {
    fn from(value: EpochSeconds) -> Self {
        Self(value.0.saturating_mul(1000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_survives_the_round_trip() {
        let at = EpochMillis::parse_rfc3339("2026-01-31T18:00:00.250+01:00").unwrap();
        assert_eq!(at.rfc3339(), "2026-01-31T17:00:00.250Z");
        assert_eq!(at.utc_day(), "2026-01-31");
        assert_eq!(at.seconds(), EpochSeconds(1_769_878_800));
    }

    #[test]
    fn absurd_timestamps_are_errors_and_absurd_numbers_saturate() {
        for bad in [
            "",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "+99999-01-01T00:00:00Z",
            "٢٠٢٦-01-01T00:00:00Z",
            "-003026-01-24T09:30:00Z",
            "+002026-01-24T09:30:00Z",
            "0000-01-01T00:00:00+01:00",
        ] {
            assert_eq!(EpochMillis::parse_rfc3339(bad), Err(NotATimestamp), "{bad}");
        }
        assert_eq!(EpochMillis::parse_rfc3339("0000-01-01T00:00:00Z"), Ok(EpochMillis(YEAR_ZERO_MS)));
        assert_eq!(EpochSeconds(i64::MAX).plus(Duration::from_secs(9)), EpochSeconds(i64::MAX));
        assert_eq!(EpochMillis(i64::MAX).utc_day(), "9999-12-30");
    }

    #[test]
    fn a_moment_before_the_epoch_lies_in_the_second_before_it() {
        assert_eq!(EpochMillis(-1).seconds(), EpochSeconds(-1));
    }
}
