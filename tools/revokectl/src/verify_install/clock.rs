//! Whether this machine's clock is right: what it shows as times, and compares, goes by it. The pipeline's own clocks are Lambda's.

use std::time::Duration;

use jiff::fmt::rfc2822;
use revocation_aws::rest::RestReader;
use revocation_core::domain::time::EpochMillis;

use super::Check;
use crate::context::Context;
use crate::failure::Failure;
use crate::moment::span;

const GROUP: &str = "clock";
/// `ClockSkewSeconds`' default: what the pipeline itself allows for.
const MOST: Duration = Duration::from_secs(2);

pub(super) async fn checks(context: &Context) -> Result<Vec<Check>, Failure> {
    let before = context.now();
    let told = RestReader::new(context.aws().await?).date().await;
    let after = context.now();
    Ok(vec![match told {
        Ok(date) => judge(&date, before, after),
        Err(error) => Check::not_seen(GROUP, "this machine", error),
    }])
}

fn judge(date: &str, before: EpochMillis, after: EpochMillis) -> Check {
    let Ok(told) = rfc2822::parse(date) else {
        return Check::warning(GROUP, "this machine", "AWS answered with no date", "run this again");
    };
    // The header has whole seconds, and was written somewhere between asking and being told.
    let begin = EpochMillis(told.timestamp().as_millisecond());
    let end = EpochMillis(begin.0.saturating_add(999));
    let off = if end < before { before.since(end) } else { begin.since(after) };
    let off = if end < before || begin > after { off } else { Duration::ZERO };
    if off <= MOST {
        return Check::ok(GROUP, "this machine", format!("within {} of AWS", span(MOST)));
    }
    let found = format!("{} off AWS's", span(off));
    Check::failed(GROUP, "this machine", found, "set the clock (NTP): signatures are refused beyond 5 minutes")
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_clock_may_be_off_by_two_seconds_either_way() {
        let at = |ms: i64| EpochMillis(1_795_694_400_000 + ms);
        let of = |ms: i64| judge("Thu, 26 Nov 2026 12:00:00 GMT", at(ms), at(ms + 50)).verdict;
        for (ms, verdict) in [
            (0, Verdict::Ok),
            (2_900, Verdict::Ok),
            (-2_000, Verdict::Ok),
            (3_100, Verdict::Failed),
            (-2_100, Verdict::Failed),
            (3_600_000, Verdict::Failed),
        ] {
            assert_eq!(of(ms), verdict, "{ms}");
        }
        assert_eq!(judge("yesterday", at(0), at(1)).verdict, Verdict::Warning);
    }
}
