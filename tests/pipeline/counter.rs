//! I9: one page per incident, whatever the order, the number and the concurrency of deliveries.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use compromise_counter::CounterHandler;
use proptest::prelude::*;
use revocation_core::domain::event::Envelope;
use revocation_core::domain::incident::{Page, Rule, Stage};
use revocation_core::domain::policy::Policy;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Clock as _, MEANS_NO_ACCOUNT, Pager, PortError};
use revocation_core::usecase::count_compromise::CompromiseCounter;
use revocation_lambda::queue::{Delivery, EventHandler};
use revocation_testkit::cloud::FakeCloud;
use revocation_testkit::compromises::FakeCompromises;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::world::request;

const HOUR: Duration = Duration::from_hours(1);

#[derive(Clone)]
struct Counter {
    cloud: Arc<FakeCloud>,
    table: Arc<FakeCompromises>,
    handler: Arc<CounterHandler>,
}

impl Counter {
    fn new(seed: u64) -> Self {
        Self::with(seed, Vec::new())
    }

    /// With pagers that are told before the one that takes its pages.
    fn with(seed: u64, before: Vec<Arc<dyn Pager>>) -> Self {
        let cloud = Arc::new(FakeCloud::default());
        let table = Arc::new(FakeCompromises::default());
        *table.seed.lock().unwrap() = seed;
        for n in 0..40 {
            cloud.add_user(&format!("user{n}"));
        }
        let counter = CompromiseCounter {
            clock: cloud.clock.clone(),
            resolver: cloud.clone(),
            ledger: table.clone(),
            incidents: table.clone(),
            pagers: before.into_iter().chain([table.clone() as Arc<dyn Pager>]).collect(),
            policy: Policy::default(),
            rule: Rule { threshold: 3, window: HOUR },
            runbook_url: "https://runbook.example.com/".into(),
        };
        Self { cloud, table, handler: Arc::new(CounterHandler::new(counter)) }
    }

    /// A sign of `user`, `minute` minutes after the clock's beginning, delivered now.
    async fn sign(&self, event: &str, user: &str, minute: i64) -> bool {
        self.sign_for(event, user, minute, "compromise").await
    }

    async fn sign_for(&self, event: &str, user: &str, minute: i64, reason: &str) -> bool {
        let mut detail = request(event, &format!("{user}@example.com"), reason);
        detail["occurred_at"] = json!(Self::at(minute));
        self.put(&detail, minute).await
    }

    fn at(minute: i64) -> String {
        EpochMillis(FakeCloud::default().clock.now().0 + minute * 60_000).rfc3339()
    }

    /// A request that was put on the bus at this minute.
    async fn put(&self, detail: &Value, minute: i64) -> bool {
        let at = Self::at(minute);
        let body =
            json!({"id": "1", "source": "s", "detail-type": "Revocation Requested", "time": at, "detail": detail});
        self.handle(&body.to_string()).await
    }

    async fn tick(&self) -> bool {
        self.handle(r#"{"id":"1","source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#).await
    }

    async fn handle(&self, body: &str) -> bool {
        let envelope: Envelope<'_> = serde_json::from_str(body).unwrap();
        self.handler.handle(Delivery { envelope, received_at: self.cloud.clock.now() }).await.is_ok()
    }

    fn pages(&self, stage: Stage) -> usize {
        self.table.pages.lock().unwrap().iter().filter(|page| page.stage == stage).count()
    }

    fn to_minute(&self, minute: u64) {
        let start = FakeCloud::default().clock.now();
        self.cloud.clock.set(start.plus(Duration::from_mins(minute)));
    }
}

#[tokio::test]
async fn i09_the_third_does_not_page_the_fourth_does_the_fifth_does_not_again() {
    let counter = Counter::new(1);
    counter.to_minute(30);
    for (n, pages) in [(1, 0), (2, 0), (3, 0), (4, 1), (5, 1)] {
        assert!(counter.sign(&n.to_string(), &format!("user{n}"), 10 + n).await);
        assert_eq!(counter.pages(Stage::Triggered), pages, "after {n}");
    }
    let page = counter.table.pages.lock().unwrap()[0].clone();
    assert_eq!((page.count, page.threshold, page.window_minutes), (4, 3, 60));
    assert_eq!(page.subjects, ["sub-user1", "sub-user2", "sub-user3", "sub-user4"]);
}

#[tokio::test]
async fn i09_only_suspicious_reasons_and_real_accounts_count() {
    let counter = Counter::new(1);
    for (n, reason) in ["canary", "offboarding", "role_change", "user_request", "project_end"].into_iter().enumerate() {
        counter.sign_for(&n.to_string(), &format!("user{n}"), 0, reason).await;
    }
    for n in 0..9 {
        counter.sign(&format!("ghost{n}"), &format!("ghost{n}"), 0).await;
    }
    for n in 0..3 {
        counter.sign_for(&format!("anomaly{n}"), &format!("user{n}"), 0, "anomaly").await;
    }
    assert_eq!(counter.pages(Stage::Triggered), 0);
    counter.sign("last", "user9", 0).await;
    assert_eq!(counter.pages(Stage::Triggered), 1);
}

#[tokio::test]
async fn i09_an_outage_of_cognito_does_not_silence_the_page() {
    let counter = Counter::new(1);
    for n in 0..4 {
        counter.cloud.fail("resolve", PortError::retry("cognito-idp:ListUsers", "timeout"));
        assert!(counter.sign(&n.to_string(), &format!("user{n}"), 0).await);
    }
    assert_eq!(counter.pages(Stage::Triggered), 1);
}

#[tokio::test]
async fn i09_an_incident_is_resolved_once_and_the_next_one_pages_anew() {
    let counter = Counter::new(1);
    counter.to_minute(4);
    for n in 0..4 {
        counter.sign(&n.to_string(), &format!("user{n}"), n).await;
    }
    counter.to_minute(63);
    counter.tick().await;
    assert_eq!(counter.pages(Stage::Resolved), 0, "the window is not empty yet");
    counter.to_minute(64);
    counter.tick().await;
    counter.tick().await;
    assert_eq!(counter.pages(Stage::Resolved), 1);
    // Late signs of that time, delivered now, and the same events once more.
    for n in 0..8 {
        counter.sign(&format!("late{n}"), &format!("user{n}"), 30).await;
        counter.sign(&n.to_string(), &format!("user{n}"), n).await;
    }
    assert_eq!(counter.pages(Stage::Triggered), 1, "late signs cannot page twice");
    counter.to_minute(300);
    for n in 0..4 {
        counter.sign(&format!("new{n}"), &format!("user{n}"), 299).await;
    }
    assert_eq!(counter.pages(Stage::Triggered), 2, "a new incident");
}

#[tokio::test]
async fn i09_a_tick_that_comes_late_does_not_swallow_what_happened_meanwhile() {
    let counter = Counter::new(1);
    counter.to_minute(180);
    for n in 0..4 {
        counter.sign(&n.to_string(), &format!("user{n}"), 0).await;
    }
    counter.tick().await;
    assert_eq!((counter.pages(Stage::Triggered), counter.pages(Stage::Resolved)), (1, 1));
    for n in 10..14 {
        counter.sign(&n.to_string(), &format!("user{n}"), 175).await;
    }
    assert_eq!(counter.pages(Stage::Triggered), 2, "four others, five minutes ago: a new incident");
}

#[tokio::test]
async fn i08_the_same_requests_put_again_later_do_not_page_again() {
    let counter = Counter::new(1);
    for minute in [0, 180] {
        counter.to_minute(minute + 1);
        for n in 0..4 {
            // Without `occurred_at`: only the envelope's time differs.
            let detail = request(&n.to_string(), &format!("user{n}@example.com"), "compromise");
            counter.put(&detail, i64::try_from(minute).unwrap()).await;
        }
        counter.tick().await;
    }
    assert_eq!(counter.pages(Stage::Triggered), 1);
}

#[tokio::test]
async fn i09_one_id_is_one_sign_and_what_cannot_be_an_account_is_none() {
    let counter = Counter::new(1);
    for n in 0..6 {
        counter.sign("same-id", &format!("user{n}"), 0).await;
    }
    for n in 0..6 {
        counter.cloud.fail("resolve", PortError::reject("cognito-idp:ListUsers", "identifier_too_long"));
        counter.sign(&format!("long{n}"), "x", 0).await;
    }
    assert_eq!(counter.pages(Stage::Triggered), 0);
}

#[tokio::test]
async fn i09_a_replay_after_weeks_does_not_page() {
    let counter = Counter::new(1);
    counter.to_minute(60 * 24 * 30);
    for n in 0..9 {
        counter.sign(&n.to_string(), &format!("user{n}"), 0).await;
    }
    counter.tick().await;
    assert_eq!(counter.pages(Stage::Triggered), 0);
}

#[tokio::test]
async fn i09_an_identifier_that_cannot_mean_an_account_is_no_sign() {
    for code in MEANS_NO_ACCOUNT {
        let counter = Counter::new(1);
        for n in 0..5 {
            counter.cloud.fail("resolve", PortError::reject("cognito-idp:ListUsers", code));
            counter.sign(&n.to_string(), &format!("user{n}"), n).await;
        }
        assert_eq!(counter.pages(Stage::Triggered), 0, "{code}");
    }
}

#[tokio::test]
async fn i09_what_is_a_week_old_to_the_second_still_counts() {
    for (late, pages) in [(0, 1), (1, 0)] {
        let counter = Counter::new(1);
        counter.to_minute(60 * 24 * 7);
        counter.cloud.clock.advance(Duration::from_secs(late));
        for n in 0..4 {
            counter.sign(&n.to_string(), &format!("user{n}"), 0).await;
        }
        assert_eq!(counter.pages(Stage::Triggered), pages, "{late} s more");
    }
}

#[tokio::test]
async fn i09_a_page_that_was_refused_is_sent_by_the_redelivery() {
    let counter = Counter::new(1);
    for n in 0..3 {
        counter.sign(&n.to_string(), &format!("user{n}"), 0).await;
    }
    *counter.table.refuse_pages.lock().unwrap() = 1;
    assert!(!counter.sign("3", "user3", 0).await, "must be delivered again");
    assert_eq!(counter.pages(Stage::Triggered), 0);
    assert!(counter.sign("3", "user3", 0).await);
    assert_eq!(counter.pages(Stage::Triggered), 1);
}

#[tokio::test]
async fn i09_a_sign_an_hour_after_an_incident_does_not_swallow_the_next_surge() {
    let counter = Counter::new(1);
    for n in 0..4 {
        counter.sign(&n.to_string(), &format!("user{n}"), n).await;
    }
    // One an hour, for a day: never too many.
    for n in 1..24 {
        counter.to_minute(u64::try_from(n * 60).unwrap());
        counter.sign(&format!("drop{n}"), &format!("user{n}"), n * 60).await;
        counter.tick().await;
    }
    assert_eq!((counter.pages(Stage::Triggered), counter.pages(Stage::Resolved)), (1, 1));
    counter.to_minute(24 * 60 + 10);
    for n in 30..34 {
        counter.sign(&format!("surge{n}"), &format!("user{n}"), 24 * 60 + n - 30).await;
    }
    assert_eq!(counter.pages(Stage::Triggered), 2);
}

#[tokio::test]
async fn i09_a_long_attack_is_one_page() {
    let counter = Counter::new(1);
    // Four within each hour, just too many, for a day.
    for n in 0..72 {
        let minute = n * 20;
        counter.to_minute(u64::try_from(minute).unwrap());
        counter.sign(&n.to_string(), &format!("user{}", n % 40), minute).await;
        counter.tick().await;
    }
    assert_eq!((counter.pages(Stage::Triggered), counter.pages(Stage::Resolved)), (1, 0));
}

/// Its key is wrong, or cannot be read.
struct Broken(fn() -> PortError);

#[async_trait]
impl Pager for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    async fn page(&self, _: &Page) -> Result<(), PortError> {
        Err(self.0())
    }
}

#[tokio::test]
async fn i09_a_pager_that_is_refused_silences_no_other_and_parks_nothing() {
    let broken = || PortError::reject("pagerduty:enqueue", "status_400");
    let counter = Counter::with(1, vec![Arc::new(Broken(broken))]);
    for n in 0..4 {
        assert!(counter.sign(&n.to_string(), &format!("user{n}"), 0).await, "the sign is counted");
    }
    assert_eq!(counter.pages(Stage::Triggered), 1);
    // The next incident comes after one of which the broken pager still knows nothing.
    counter.to_minute(180);
    for n in 4..8 {
        assert!(counter.sign(&n.to_string(), &format!("user{n}"), 180).await);
    }
    assert_eq!(counter.pages(Stage::Triggered), 2);
    assert!(counter.tick().await, "or a tick would be parked every minute");
}

#[tokio::test]
async fn i09_a_tick_leaves_a_pager_that_is_down_to_the_next_one_and_a_sign_comes_back_for_it() {
    let counter = Counter::with(1, vec![Arc::new(Broken(|| PortError::retry("pagerduty:enqueue", "timeout")))]);
    for n in 0..4 {
        let told = counter.sign(&n.to_string(), &format!("user{n}"), 0).await;
        assert_eq!(told, n < 3);
    }
    assert_eq!(counter.pages(Stage::Triggered), 1);
    assert!(counter.tick().await);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever trickled in since the first incident, below the threshold: a surge pages.
    #[test]
    fn i09_no_trickle_below_the_threshold_hides_a_surge(gaps in proptest::collection::vec(31..=60i64, 4..30), after in 1..=60i64) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let pages = runtime.block_on(async {
            let counter = Counter::new(1);
            for n in 0..4 {
                counter.sign(&n.to_string(), &format!("user{n}"), 0).await;
            }
            // Two within an hour at most; the first may still be one too many.
            let mut minute = 0;
            for (n, gap) in gaps.iter().enumerate() {
                minute += gap;
                counter.to_minute(u64::try_from(minute).unwrap());
                counter.sign(&format!("drop{n}"), &format!("user{}", 4 + n), minute).await;
                counter.tick().await;
            }
            counter.to_minute(u64::try_from(minute + after).unwrap());
            for n in 35..39 {
                counter.sign(&format!("surge{n}"), &format!("user{n}"), minute + after).await;
            }
            counter.pages(Stage::Triggered)
        });
        prop_assert_eq!(pages, 2);
    }

    /// Any order, any duplicates, any interleaving: one page if there are more than three accounts, else none.
    #[test]
    fn i09_one_page_per_incident(
        accounts in 1..12usize,
        minutes in proptest::collection::vec(0..=60i64, 12),
        order in proptest::collection::vec(0..12usize, 0..40),
        width in 1..6usize,
        seed in any::<u64>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (pages, incidents, retried) = runtime.block_on(async {
            let counter = Counter::new(seed);
            counter.to_minute(61);
            // Every account at least once, in a random order with random repetitions.
            let deliveries: Vec<usize> = order.into_iter().map(|n| n % accounts).chain(0..accounts).collect();
            let mut retried = 0;
            for batch in deliveries.chunks(width) {
                let mut tasks = JoinSet::new();
                for n in batch {
                    let (counter, n, minute) = (counter.clone(), *n, minutes[*n]);
                    tasks.spawn(async move { counter.sign(&n.to_string(), &format!("user{n}"), minute).await });
                }
                while let Some(done) = tasks.join_next().await {
                    retried += usize::from(!done.unwrap());
                }
            }
            (counter.pages(Stage::Triggered), counter.table.log().incidents.len(), retried)
        });
        let expected = usize::from(accounts > 3);
        prop_assert_eq!((pages, incidents, retried), (expected, expected, 0));
    }
}
