//! How old an answer about a tombstone may be.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The shortest and the longest bound, milliseconds. Below, a snapshot costs more than it saves; above, a revocation is
/// no longer "now".
const BOUNDS_MS: std::ops::RangeInclusive<u64> = 50..=60_000;

/// How old an answer may be. As text: `strict`, or a number of milliseconds from 50 to 60000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// A strongly consistent read with every request.
    #[default]
    Strict,
    /// Every tombstone acknowledged longer ago than this is seen.
    Within(Duration),
}

/// Neither `strict` nor a number of milliseconds in bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither `strict` nor a number of milliseconds from 50 to 60000")]
pub struct BadFreshness;

// === impl Freshness ===

impl FromStr for Freshness {
    type Err = BadFreshness;

    fn from_str(text: &str) -> Result<Self, BadFreshness> {
        if text == "strict" {
            return Ok(Self::Strict);
        }
        // `parse` would also take a sign.
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let ms = digits.then(|| text.parse().ok()).flatten().filter(|ms| BOUNDS_MS.contains(ms));
        ms.map(|ms| Self::Within(Duration::from_millis(ms))).ok_or(BadFreshness)
    }
}

impl fmt::Display for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Strict => f.write_str("strict"),
            Self::Within(age) => write!(f, "{}", age.as_millis()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_strict_and_milliseconds_in_bounds() {
        for good in ["strict", "50", "1000", "60000"] {
            assert_eq!(good.parse::<Freshness>().unwrap().to_string(), good);
        }
        assert_eq!("250".parse(), Ok(Freshness::Within(Duration::from_millis(250))));
    }

    #[test]
    fn i06_what_is_no_bound_is_not_read_as_one() {
        for bad in ["", "Strict", "0", "49", "60001", "+100", "-1", "1s", "1.5", " 100", "99999999999999999999"] {
            assert_eq!(bad.parse::<Freshness>(), Err(BadFreshness), "{bad}");
        }
    }
}
