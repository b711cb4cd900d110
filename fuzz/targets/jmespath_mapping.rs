//! Alerts: hostile data through the presets' mappings, and hostile expressions over data. What comes out is a request that
//! passes its own checks, within the grant.
//!
//! Input: a line with an expression; the rest is the alert.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use revocation_sources::Sources;
use revocation_sources::expression::{Alert, Expression};
use revocation_sources::json::parse_json;
use revocation_sources::siem::Verdict;

static SOURCES: LazyLock<Sources> = LazyLock::new(|| {
    let presets = ["crowdstrike", "datadog", "elastic", "pagerduty", "plain", "sentinel", "splunk"];
    let source = |preset: &str| {
        format!("  {preset}:\n    preset: {preset}\n    authentication: {{ method: bearer, secret: s }}\n")
    };
    let all: String = presets.into_iter().map(source).collect();
    Sources::parse(&format!("version: 1\npools: [eu-central-1_One]\nsiem:\n{all}")).expect("every preset")
});

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let expression = std::str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
    let expression = Expression::compile(expression);
    let Ok(alert) = parse_json(lines.next().unwrap_or_default()) else { return };
    if let Ok(expression) = expression {
        let _ = expression.search(&Alert::of(&alert));
    }
    for source in SOURCES.siem.values() {
        if let Ok(Verdict::Requests { requests, .. }) = source.translate(&alert, Some("id")) {
            assert!((1..=100).contains(&requests.len()));
            for request in requests {
                assert_eq!(request.check(), Ok(()));
                assert_eq!(request.pools, source.grant.pools);
                assert!(source.grant.reasons.contains(&request.reason));
            }
        }
    }
});
