//! Times an alert's way without network, for `cargo xtask bench`: signature check and translation, beside the floor (the HMAC
//! and the JSON parser alone), for a body of 4 KiB and one of 256 KiB. Prints one JSON object; times in microseconds.
//!
//! `cargo run --release -p intake-siem --example bench_intake [-- <iterations>]`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise and prints its result"
)]

use std::hint::black_box;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_sources::Sources;
use revocation_sources::authenticate::{Presented, SecretList, authenticate};
use revocation_sources::json::parse_json;
use revocation_sources::siem::Verdict;
use ring::hmac;
use serde_json::{Value, json};

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
const DOCUMENT: &str = "version: 1\npools: [eu-central-1_One]\nsiem:\n  plain:\n    preset: plain\n    \
    severity_floor: high\n    authentication: { method: standard_webhooks, secret: s }\n";
const ITERATIONS: usize = 2_000;
const WARM_UPS: usize = 200;

fn main() {
    let iterations = std::env::args().nth(1).map_or(ITERATIONS, |text| text.parse().unwrap());
    println!("{}", json!({ "4 KiB": measure(4 * 1024, iterations), "256 KiB": measure(256 * 1024, iterations / 10) }));
}

fn measure(size: usize, iterations: usize) -> Value {
    let sources = Sources::parse(DOCUMENT).unwrap();
    let source = sources.siem.get("plain").unwrap();
    let secrets = SecretList::parse(&format!("whsec_{}", STANDARD.encode(KEY))).unwrap();
    let (body, now) = (body(size), SystemClock.now().seconds());
    let (key, at) = (hmac::Key::new(hmac::HMAC_SHA256, KEY), now.0.to_string());
    let mut signed = format!("msg_1.{at}.").into_bytes();
    signed.extend_from_slice(&body);
    let signature = format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed)));
    let headers = |name: &str| match name {
        "webhook-id" => Some("msg_1"),
        "webhook-timestamp" => Some(at.as_str()),
        "webhook-signature" => Some(signature.as_str()),
        _ => None,
    };
    let presented = Presented { headers: &headers, body: &body, path_secret: None };

    let (mut floor, mut check, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..WARM_UPS + iterations {
        // Turn by turn, so that whatever else the machine does meets all alike.
        let start = Instant::now();
        black_box(hmac::sign(&key, &signed));
        black_box(serde_json::from_slice::<Value>(&body).unwrap());
        let floor_time = start.elapsed();
        let start = Instant::now();
        authenticate(&source.authentication, &presented, &secrets, now).unwrap();
        let check_time = start.elapsed();
        let verdict = source.translate(&parse_json(&body).unwrap(), Some("msg_1")).unwrap();
        let whole_time = start.elapsed();
        assert!(matches!(verdict, Verdict::Requests { .. }));
        if n >= WARM_UPS {
            floor.push(floor_time.as_secs_f64() * 1e6);
            check.push(check_time.as_secs_f64() * 1e6);
            whole.push(whole_time.as_secs_f64() * 1e6);
        }
    }
    json!({ "floor": summary(floor), "signature": summary(check), "signature and translation": summary(whole) })
}

/// An alert of `size` bytes: what the mapping reads, and evidence nobody reads, as alerts have it.
fn body(size: usize) -> Vec<u8> {
    let alert = |evidence: &[Value]| {
        json!({
            "event_id": "case-4711", "severity": "high", "reason": "compromise", "title": "Session cookie sold",
            "subjects": ["jane@example.com", "jürgen@example.com"], "evidence": evidence,
        })
        .to_string()
        .into_bytes()
    };
    let line =
        json!({"time": "2026-11-20T09:15:00Z", "ip": "198.51.100.7", "count": 42, "tags": ["a", "b"], "ok": true});
    let mut evidence = Vec::new();
    let length = line.to_string().len() + 1;
    evidence.resize((size - alert(&[]).len()) / length, line);
    let body = alert(&evidence);
    assert!(body.len() <= size && body.len() + 2 * length > size);
    body
}

fn summary(mut times: Vec<f64>) -> Value {
    times.sort_by(f64::total_cmp);
    let at = |per_cent: usize| times.get((times.len() * per_cent / 100).min(times.len() - 1)).unwrap();
    json!({ "iterations": times.len(), "p50_us": at(50), "p99_us": at(99), "min_us": at(0) })
}
