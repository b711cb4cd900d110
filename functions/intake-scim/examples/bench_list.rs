//! Times the listing of a pool of 10,000 users without network, for `cargo xtask bench`: a page of all, a filter that is
//! evaluated over all, and one that the pool answers by itself. Prints one JSON object; times in milliseconds, memory in KiB.
//!
//! `cargo run --release -p intake-scim --example bench_list [-- <users>]`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise and prints its result"
)]

use std::sync::Arc;
use std::time::Instant;

use intake_scim::{ScimProvider, Settings};
use revocation_edge::{Handler as _, Keyring, LastHeard, Request, SourceBook};
use revocation_testkit::directory::FakeDirectory;
use revocation_testkit::intake::FakeIntake;
use serde_json::{Value, json};

const TOKEN: &str = "a-bench-token-0123456789";
const DOCUMENT: &str = "version: 1\nscim:\n  bench: { tokens: bench, pool: eu-central-1_Bench }\n";
const USERS: usize = 10_000;
const ROUNDS: usize = 9;
/// `emails[type eq "work"] and userName sw "user-99"`
const EVALUATED: &str = "/Users?filter=emails%5Btype%20eq%20%22work%22%5D%20and%20userName%20sw%20%22user-99%22";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let users = std::env::args().nth(1).map_or(USERS, |text| text.parse().unwrap());
    let provider = provider(users).await;
    let before = peak_kib();
    let asked = [
        ("a page of 100 of all", "/Users?startIndex=5001&count=100"),
        ("a filter over all, evaluated", EVALUATED),
        ("userName eq, by the pool", "/Users?filter=userName%20eq%20%22user-4711%22"),
    ];
    let mut figures = serde_json::Map::new();
    for (name, uri) in asked {
        let mut times = Vec::new();
        let mut total = Value::Null;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let bearer = format!("Bearer {TOKEN}");
            let request = Request::new("GET", &format!("/scim/v2{uri}"), &[("authorization", &bearer)], "");
            let response = provider.handle(request).await;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            assert_eq!(response.status, 200, "{}", response.body);
            let list: Value = serde_json::from_str(&response.body).unwrap();
            total = list.get("totalResults").unwrap().clone();
        }
        times.sort_by(f64::total_cmp);
        let at = |n: usize| *times.get(n).unwrap();
        let figure = json!({ "total": total, "min_ms": at(0), "p50_ms": at(ROUNDS / 2), "max_ms": at(ROUNDS - 1) });
        figures.insert(name.to_owned(), figure);
    }
    println!("{}", json!({ "users": users, "lists": figures, "more_kib": peak_kib().saturating_sub(before) }));
}

async fn provider(users: usize) -> ScimProvider {
    let intake = Arc::new(FakeIntake::default());
    intake.put_text("sources", DOCUMENT);
    intake.put_text("bench", TOKEN);
    let directory = Arc::new(FakeDirectory::new(intake.clone()));
    for n in 0..users {
        let (name, email) = (format!("user-{n}"), format!("user-{n}@example.com"));
        directory.add(&name, &[("email", &email), ("given_name", "Jürgen"), ("family_name", "Müller")]);
    }
    ScimProvider {
        sources: SourceBook::open(intake.clone(), intake.clock.clone(), "sources").await.unwrap(),
        keyring: Keyring::new(intake.clone(), intake.clock.clone()),
        last_heard: LastHeard::new(intake.clone(), intake.clock.clone()),
        users: directory.clone(),
        groups: directory,
        gate: intake.gate(),
        ahead: intake.clone(),
        clock: intake.clock.clone(),
        settings: Settings { base_url: Some("https://api.example.com/scim/v2".to_owned()) },
    }
}

/// The most memory this process has had.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
