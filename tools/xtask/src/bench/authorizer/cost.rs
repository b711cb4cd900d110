//! What a million requests cost on AWS, from the CPU measured here, by list price.
//!
//! Model: the billed time of an invocation is the CPU it needs at the function's share of a core, and the read's round
//! trip, rounded up to a millisecond. A function of 1,769 MB has one core, any other its share of it
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>). A core there is taken to be as fast as here.
//! Starts, logs and API Gateway itself are left out.

use serde::Serialize;

/// USD, as published then, after DynamoDB's reduction: <https://aws.amazon.com/lambda/pricing/>,
/// <https://aws.amazon.com/dynamodb/pricing/on-demand/>. Look again before you quote them.
pub(super) const PRICES_OF: &str = "November 2024, us-east-1";
const X86_GB_SECOND: f64 = 0.000_016_666_7;
const ARM_GB_SECOND: f64 = 0.000_013_333_4;
const MILLION_INVOCATIONS: f64 = 0.20;
/// A strongly consistent read of up to 4 KB is one request unit.
const MILLION_READS: f64 = 0.125;

/// MB of a whole core.
const WHOLE_CORE_MB: f64 = 1_769.0;
/// A read's round trip within a Region, milliseconds; published ones are 1 to 3.
pub(super) const STORE_MS: f64 = 2.0;
/// MB; ours would run in the first, Node starts to be usable in the second.
const SIZES_MB: [u32; 3] = [128, 512, 1_024];

/// One line of the table.
#[derive(Debug, Serialize)]
pub(super) struct Cost {
    pub(super) name: String,
    pub(super) memory_mb: u32,
    pub(super) billed_ms: f64,
    /// USD per million requests, and of it what invocations and reads cost whoever answers them.
    pub(super) x86: f64,
    pub(super) arm: f64,
    pub(super) of_it_fixed: f64,
}

/// By the CPU of a warm request.
pub(super) fn of(name: &str, cpu_us: f64) -> Vec<Cost> {
    let at = |memory_mb: u32| {
        let share = (f64::from(memory_mb) / WHOLE_CORE_MB).min(1.0);
        let billed_ms = (cpu_us / 1_000.0 / share + STORE_MS).ceil();
        let gb_seconds = billed_ms / 1_000.0 * f64::from(memory_mb) / 1_024.0 * 1e6;
        let of_it_fixed = MILLION_INVOCATIONS + MILLION_READS;
        let [x86, arm] = [X86_GB_SECOND, ARM_GB_SECOND].map(|price| price * gb_seconds + of_it_fixed);
        Cost { name: name.to_owned(), memory_mb, billed_ms, x86, arm, of_it_fixed }
    };
    SIZES_MB.into_iter().map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_millisecond_of_cpu_is_fourteen_in_the_smallest_function() {
        let costs = of("x", 1_000.0);
        // 13.8 ms and the read's 2: 16 ms of 1/8 GB, a million times, are 2,000 GB-seconds.
        assert!((costs[0].billed_ms - 16.0).abs() < 1e-9, "{costs:?}");
        assert!((costs[0].x86 - (2_000.0 * X86_GB_SECOND + 0.325)).abs() < 1e-9, "{costs:?}");
    }
}
