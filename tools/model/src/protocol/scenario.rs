//! What is explored: who asks for what, how often it is delivered, and what else may happen meanwhile.

use revocation_core::domain::request::RevocationRequest;
use serde_json::json;

/// Bounds of one exploration.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// The requests.
    pub(crate) requests: Vec<RevocationRequest>,
    /// How often the queue delivers each at most; more often than functions die, so that one comes to its end.
    pub(crate) deliveries: u8,
    /// How many deliveries of one request may be at work at once.
    pub(crate) at_once: usize,
    /// Seconds that may pass, at any time.
    pub(crate) seconds: i64,
    /// Times that the clock may go on to the next full hour.
    pub(crate) hours: u8,
    /// The clock skew allowed for, seconds.
    pub(crate) skew: i64,
    /// By how much Cognito's clock may be ahead, seconds.
    pub(crate) ahead: Vec<i64>,
    /// Sign-ins beside the session there is.
    pub(crate) sign_ins: u8,
    pub(crate) refreshes: u8,
    /// Whether a refresh dates the authentication anew.
    pub(crate) remints: bool,
    pub(crate) crashes: u8,
    /// Failures of the lock.
    pub(crate) failures: u8,
    /// How many seconds a reader may lag.
    pub(crate) lag: i64,
    /// Calls that only write to the delivery's own trail are taken together with the one before them: nobody else sees
    /// them. The scenarios with a single delivery at a time take each by itself.
    pub(crate) is_coarse: bool,
}

/// A way to get the protocol wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The tombstone is not sealed after the sign-out.
    NoSeal,
    /// The tombstone is written after the sign-out.
    TombstoneSecond,
    /// Tokens are compared by `iat` alone.
    OnlyIat,
    /// Every delivery fixes a cutoff of its own.
    CutoffAnew,
    /// A cutoff is written whatever stands there.
    LastWriterWins,
    /// An unsealed tombstone lives as long as a sealed one.
    ShortLife,
    /// Readers lag a second longer than is said of them.
    LaterReaders,
}

impl Broken {
    /// What was taken away.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::NoSeal => "without the seal",
            Self::TombstoneSecond => "tombstone written after the sign-out",
            Self::OnlyIat => "tokens compared by `iat` alone",
            Self::CutoffAnew => "each delivery fixes its own cutoff",
            Self::LastWriterWins => "cutoffs written without a condition",
            Self::ShortLife => "an unsealed tombstone kept for a day only",
            Self::LaterReaders => "readers a second later than is said of them",
        }
    }
}

impl Scenario {
    fn plain(name: &'static str, about: &'static str, requests: Vec<RevocationRequest>) -> Self {
        Self {
            name,
            about,
            requests,
            deliveries: 2,
            at_once: 1,
            seconds: 3,
            hours: 0,
            skew: 1,
            ahead: vec![-1, 1],
            sign_ins: 1,
            refreshes: 1,
            remints: false,
            crashes: 1,
            failures: 0,
            lag: 0,
            is_coarse: false,
        }
    }

    /// One request that is redelivered after a crash.
    pub(crate) fn retry() -> Self {
        let about = "one request; its function dies between any two calls, and it is redelivered";
        Self::plain("retry", about, vec![by_key("anomaly")])
    }

    /// The same, redelivered at any time.
    pub(crate) fn late() -> Self {
        let about = "one request, redelivered or repeated an hour later, as from the dead-letter queue";
        let plain = Self::plain("late", about, vec![by_key("anomaly")]);
        Self { hours: 1, ahead: vec![1], is_coarse: true, ..plain }
    }

    /// The same, where Cognito dates refreshed tokens anew.
    pub(crate) fn remint() -> Self {
        let about = "as `retry`, and a refresh dates the authentication anew";
        Self { name: "remint", about, remints: true, is_coarse: true, ..Self::retry() }
    }

    /// One request, delivered twice at the same time.
    pub(crate) fn twice() -> Self {
        let about = "one request, delivered twice, both at work at once or one after the other";
        let plain = Self::plain("twice", about, vec![by_key("anomaly")]);
        Self { at_once: 2, crashes: 0, refreshes: 0, ahead: vec![1], is_coarse: true, ..plain }
    }

    /// Two requests for the same person.
    pub(crate) fn two() -> Self {
        let about = "two requests for one person at once; one names the key, the other must be resolved";
        Self {
            ahead: vec![0, 1],
            seconds: 2,
            refreshes: 0,
            crashes: 0,
            deliveries: 1,
            is_coarse: true,
            ..Self::plain("two", about, vec![by_key("anomaly"), by_email("anomaly")])
        }
    }

    /// A lock that fails.
    pub(crate) fn lock() -> Self {
        let about = "offboarding: the account is disabled first; the call fails, and the sign-out is made meanwhile";
        Self { failures: 1, crashes: 0, ..Self::plain("lock", about, vec![by_key("offboarding")]) }
    }

    /// Readers that lag.
    pub(crate) fn lag() -> Self {
        let about = "as `retry`, seen by readers that are up to a second late";
        Self { lag: 1, is_coarse: true, name: "lag", about, ..Self::retry() }
    }

    /// What runs with every test.
    pub(crate) fn small() -> Vec<Self> {
        vec![Self::retry(), Self::late(), Self::remint(), Self::twice(), Self::two(), Self::lock(), Self::lag()]
    }

    /// The same with more of everything.
    pub(crate) fn large() -> Vec<Self> {
        let more = |scenario: Self| Self {
            seconds: scenario.seconds + 1,
            sign_ins: 2,
            refreshes: 2,
            ahead: vec![-1, 0, 1],
            ..scenario
        };
        let twice = Self { deliveries: 3, crashes: 1, ahead: vec![-1, 1], ..Self::twice() };
        let two = Self { seconds: 3, refreshes: 1, ahead: vec![-1, 1], ..Self::two() };
        let more_of = [Self::retry(), Self::late(), Self::remint(), Self::lock(), Self::lag()];
        more_of.into_iter().map(more).chain([twice, two]).collect()
    }
}

/// A request that names the key: the tombstone does not wait for Cognito.
fn by_key(reason: &str) -> RevocationRequest {
    request("by-key", &json!({"format": "opaque", "id": "alice"}), reason)
}

fn by_email(reason: &str) -> RevocationRequest {
    request("by-email", &json!({"format": "email", "email": "alice@example.com"}), reason)
}

#[expect(clippy::expect_used, reason = "the documents are those above")]
fn request(event_id: &str, sub_id: &serde_json::Value, reason: &str) -> RevocationRequest {
    let request = json!({
        "version": "1", "source": {"name": "model", "event_id": event_id}, "sub_id": sub_id, "reason": reason,
        "initiator": {"kind": "system", "id": "model"},
    });
    serde_json::from_value(request).expect("a request as an intake writes it")
}

/// A sign of compromise of an account of its own.
pub(crate) fn compromise(account: u8) -> RevocationRequest {
    request(&format!("sign-{account}"), &json!({"format": "opaque", "id": format!("account-{account}")}), "compromise")
}
