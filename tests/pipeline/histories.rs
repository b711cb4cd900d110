//! I1 to I5 over random histories: people sign in and refresh while revocations are delivered late, twice, out of order and
//! at once, and die between any two steps; Cognito's clock is up to two seconds off.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::request::RevocationRequest;
use revocation_core::ports::Clock as _;
use revocation_testkit::cloud::FakeCloud;
use serde_json::json;
use tokio::sync::Notify;

use crate::stepping::{Cognito, Promises, Stepping};
use crate::world::request;

#[derive(Clone, Debug)]
enum Happens {
    SignIn,
    Refresh(usize),
    Wait(u16),
    /// A delivery of the nth request begins, and goes on beside everything that follows.
    Deliver(usize, Vec<u8>),
    /// Others go on.
    Pause(u8),
}

#[derive(Clone, Debug)]
struct History {
    ahead: i64,
    remints: bool,
    /// Whether the third request ends one session only.
    happens: Vec<Happens>,
}

fn histories() -> impl Strategy<Value = History> {
    // A death at one gate in ten.
    let gate = prop_oneof![1 => Just(0_u8), 9 => 1..8_u8];
    let happens = prop_oneof![
        3 => Just(Happens::SignIn),
        3 => (0..8_usize).prop_map(Happens::Refresh),
        3 => (1..4_000_u16).prop_map(Happens::Wait),
        3 => (0..3_usize, proptest::collection::vec(gate, 0..40)).prop_map(|(n, fate)| Happens::Deliver(n, fate)),
        4 => (1..30_u8).prop_map(Happens::Pause),
    ];
    (-2_000..=2_000_i64, any::<bool>(), proptest::collection::vec(happens, 5..60))
        .prop_map(|(ahead, remints, happens)| History { ahead, remints, happens })
}

/// Two revocations of everything, and one of a single session.
fn requests(key: &SubjectKey) -> Vec<RevocationRequest> {
    let mut by_key = request("by-key", "", "anomaly");
    by_key["sub_id"] = json!({"format": "opaque", "id": key.sub.0});
    let mut one = request("one-session", "alice@example.com", "user_request");
    one["session"] = json!({"only": "session-0"});
    let by_email = request("by-email", "alice@example.com", "anomaly");
    [by_key, by_email, one].map(|request| serde_json::from_value(request).unwrap()).into()
}

struct Play {
    cognito: Arc<Cognito>,
    key: SubjectKey,
    requests: Vec<RevocationRequest>,
    deliveries: Vec<(Arc<Stepping>, tokio::task::JoinHandle<()>)>,
}

impl Play {
    fn new(history: &History) -> Self {
        let cloud = Arc::new(FakeCloud::default());
        let key = cloud.add_user("alice");
        let cognito = Arc::new(Cognito {
            cloud,
            ahead: history.ahead,
            remints: history.remints,
            sessions: Mutex::default(),
            promises: Mutex::new(Promises::default()),
        });
        Self { cognito, requests: requests(&key), key, deliveries: Vec::new() }
    }

    fn deliver(&mut self, n: usize, fate: Vec<u8>) {
        let stepping = Arc::new(Stepping {
            cognito: self.cognito.clone(),
            subject: self.key.clone(),
            fate: Mutex::new(fate),
            came_at: self.cognito.cloud.clock.now(),
            died: Notify::new(),
            began: Mutex::default(),
            broken: Mutex::default(),
        });
        let (request, revoker, at) = (self.requests[n].clone(), stepping.revoker(), self.cognito.cloud.clock.now());
        let of = stepping.clone();
        let delivery = tokio::spawn(async move {
            tokio::select! {
                _ = revoker.revoke(request, at) => {}
                () = of.died.notified() => {}
            }
        });
        self.deliveries.push((stepping, delivery));
    }

    async fn happen(&mut self, what: Happens) -> Result<(), String> {
        match what {
            Happens::SignIn => self.cognito.sign_in(),
            Happens::Refresh(n) => self.cognito.refresh(n),
            Happens::Wait(ms) => self.cognito.cloud.clock.advance(Duration::from_millis(ms.into())),
            Happens::Deliver(n, fate) => self.deliver(n, fate),
            Happens::Pause(times) => {
                for _ in 0..times {
                    tokio::task::yield_now().await;
                }
            }
        }
        self.cognito.present_everything(&self.key)
    }

    /// The queue delivers what did not come to its end once more, long after; and somebody signs in after all of it.
    async fn end(mut self) -> Result<(), String> {
        for n in 0..self.requests.len() {
            self.deliver(n, Vec::new());
        }
        for (stepping, delivery) in self.deliveries.drain(..) {
            delivery.await.map_err(|error| error.to_string())?;
            if let Some(why) = stepping.broken.lock().unwrap().take() {
                return Err(why);
            }
        }
        self.cognito.present_everything(&self.key)?;
        let state = self.cognito.cloud.tombstone(&self.key).unwrap();
        if !state.sealed {
            return Err(format!("not sealed at the end: {state:?}"));
        }
        self.cognito.cloud.clock.advance(Duration::from_secs(10));
        self.cognito.sign_in();
        // Late duplicates of everything end nobody's new session (I2).
        for n in 0..self.requests.len() {
            self.deliver(n, Vec::new());
        }
        for (_, delivery) in self.deliveries.drain(..) {
            delivery.await.map_err(|error| error.to_string())?;
        }
        self.cognito.present_everything(&self.key)
    }
}

fn play(history: History) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut play = Play::new(&history);
        for what in history.happens {
            play.happen(what).await?;
        }
        play.end().await
    })
}

proptest! {
    // `PROPTEST_CASES` asks for more than the default of 256.
    #![proptest_config(ProptestConfig { max_shrink_iters: 4_000, ..ProptestConfig::default() })]
    #[test]
    fn i01_i05_no_history_permits_what_is_over_or_refuses_what_is_new(history in histories()) {
        prop_assert_eq!(play(history), Ok(()));
    }
}
