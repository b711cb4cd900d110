//! What the cases share: the pipeline behind the proxy, people, and what is parked and paged meanwhile.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use fault_proxy::FaultProxy;
use revocation_core::domain::incident::{Page, Stage};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::{NewUser, PageInbox, Probe, Tokens, User};
use tokio::task::{JoinHandle, spawn_blocking};

/// What the schedule puts on the counter's queue every five minutes.
pub(super) const TICK: &str = r#"{"id":"1","source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#;
/// The counter is told oftener than every five minutes, or whoever waits for the lease of a dead one waits that long.
const TICKS: Duration = Duration::from_secs(5);
/// Two windows of an hour and some more, seconds.
const BETWEEN_WINDOWS: i64 = 7_500;
/// As many as fit into the week after which nobody is paged.
const MOST_WINDOWS: i64 = 76;
/// As long as other cases may keep the machine busy.
const BUSY: Duration = Duration::from_secs(30);
/// For how long a token that is to be refused is tried without a pause worth the name.
const OFTEN: Duration = Duration::from_secs(40);
/// Between two looks into the dead-letter queues.
const LOOKS: Duration = Duration::from_millis(500);

/// A message that was found in a dead-letter queue.
#[derive(Clone, Debug)]
pub(super) struct Parked {
    /// Where it came from.
    pub(super) queue_url: String,
    pub(super) body: String,
    pub(super) reason: Option<String>,
}

/// The pipeline, and who watches it.
pub(super) struct World {
    pub(super) probe: Arc<Probe>,
    pub(super) proxy: FaultProxy,
    inbox: PageInbox,
    found: Mutex<Found>,
    next: AtomicU32,
    windows: AtomicU32,
    /// HTTPS intakes work for one case at a time: their bodies name nobody the proxy would know.
    pub(super) intake: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Found {
    parked: Vec<Parked>,
    pages: Vec<Page>,
}

/// Somebody with a session, whose number nobody else has.
pub(super) struct Person {
    pub(super) user: User,
    pub(super) session: Tokens,
    pub(super) phone: String,
}

/// Calls the API with a token over and over, until it is dropped.
pub(super) struct Watch {
    state: Arc<Mutex<Watched>>,
    task: JoinHandle<()>,
}

/// What a watch saw.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    /// When the token was refused first (401 or 403).
    pub(super) refused_at: Option<Instant>,
    /// How often it was permitted after that.
    pub(super) permitted_since: usize,
    /// Statuses other than 200 and the refusals, which permit nothing either.
    pub(super) failed: usize,
}

// === impl World ===

impl World {
    pub(super) async fn new(probe: Probe, proxy: FaultProxy) -> Result<Self> {
        let inbox = probe.page_inbox("faults-pages").await?;
        Ok(Self {
            probe: Arc::new(probe),
            proxy,
            inbox,
            found: Mutex::default(),
            next: AtomicU32::new(0),
            windows: AtomicU32::new(0),
            intake: tokio::sync::Mutex::default(),
        })
    }

    /// A name that is part of no other.
    pub(super) fn name(&self) -> String {
        format!("fault-{:05}-x", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// A person with a session that is served.
    pub(super) async fn person(&self, name: &str, group: Option<&str>) -> Result<Person> {
        // 555-0100 to 555-0199 are reserved for examples in each area code.
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let phone = format!("+1{}55501{:02}", 201 + n / 100, n % 100);
        let new = NewUser { name, phone: Some(&phone), group, ..NewUser::default() };
        let user = self.probe.add_user(&new).await?;
        let session = self.probe.sign_in(&user).await?.map_err(|code| anyhow!("cannot sign in: {code}"))?;
        // A machine that is busy with other cases makes the store late, and the authorizer refuses then.
        ensure!(self.waits_for(&session.access, 200, BUSY).await, "the session is not served to begin with");
        Ok(Person { user, session, phone })
    }

    /// A time for signs of compromise that is further from every other than the window of an hour, and not so long ago that
    /// nobody is paged any more (a week): epoch seconds.
    pub(super) fn window(&self) -> Result<i64> {
        let n = i64::from(self.windows.fetch_add(1, Ordering::Relaxed));
        ensure!(n < MOST_WINDOWS, "more than {MOST_WINDOWS} incidents do not fit into a week");
        Ok(now().seconds().0 - 2 * BETWEEN_WINDOWS - n * BETWEEN_WINDOWS)
    }

    /// The status of a call to the protected API.
    pub(super) async fn status(&self, token: &str) -> Result<u16> {
        let (probe, token) = (self.probe.clone(), token.to_owned());
        let answer = spawn_blocking(move || probe.call(&token)).await.context("the call was not made")?;
        Ok(answer?.status)
    }

    /// Waits until the token is answered with `status`; answers whether it was.
    pub(super) async fn waits_for(&self, token: &str, status: u16, limit: Duration) -> bool {
        let start = Instant::now();
        while start.elapsed() < limit {
            if self.status(token).await.is_ok_and(|seen| seen == status) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        false
    }

    /// Signs in anew and waits until that session is served. The inner error is what was seen last.
    pub(super) async fn served_anew(&self, user: &User, limit: Duration) -> Result<Result<Tokens, String>> {
        let start = Instant::now();
        let mut last = String::new();
        while start.elapsed() < limit {
            match self.probe.sign_in(user).await? {
                Ok(session) => match self.status(&session.access).await {
                    Ok(200) => return Ok(Ok(session)),
                    Ok(status) => last = format!("signed in, and answered {status}"),
                    Err(error) => last = error.to_string(),
                },
                Err(code) => last = code,
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        Ok(Err(last))
    }

    /// Looks after what the whole pipeline has once: dead letters, pages, the schedule. Never ends.
    pub(super) async fn keep(&self) {
        let mut ticked = Instant::now();
        loop {
            // The local cloud may be busy; the next look finds the same.
            let _ = self.look().await;
            if ticked.elapsed() > TICKS {
                ticked = Instant::now();
                let _ = self.probe.send(&self.probe.facts.compromise_queue_url, TICK).await;
            }
            tokio::time::sleep(LOOKS).await;
        }
    }

    /// Takes what is in the dead-letter queues and in the page inbox.
    pub(super) async fn look(&self) -> Result<()> {
        let facts = &self.probe.facts;
        let queues = [
            (&facts.revoke_dlq_url, &facts.revoke_queue_url),
            (&facts.notify_dlq_url, &facts.notify_queue_url),
            (&facts.compromise_dlq_url, &facts.compromise_queue_url),
            (&facts.intake_dlq_url, &facts.intake_queue_url),
        ];
        for (dead_letters, queue) in queues {
            for (body, reason) in self.probe.take(dead_letters).await? {
                self.found().parked.push(Parked { queue_url: queue.clone(), body, reason });
            }
        }
        let pages = self.probe.take_pages(&self.inbox).await?;
        self.found().pages.extend(pages.into_iter().filter(|page| page.stage == Stage::Triggered));
        Ok(())
    }

    /// Takes the parked messages that name somebody.
    pub(super) fn parked(&self, marker: &str) -> Vec<Parked> {
        self.found().parked.extract_if(.., |parked| parked.body.contains(marker)).collect()
    }

    /// Pages so far.
    pub(super) fn pages(&self) -> Vec<Page> {
        self.found().pages.clone()
    }

    /// Pages of the incident that the revocations of the run are together: those of about now.
    pub(super) fn pages_of_the_run(&self) -> usize {
        let hour = 3_600;
        self.pages().iter().filter(|page| page.first_at.0 > now().seconds().0 - hour).count()
    }

    /// How many SMS somebody got.
    pub(super) async fn sms_to(&self, phone: &str) -> Result<usize> {
        let (probe, phone) = (self.probe.clone(), phone.to_owned());
        Ok(spawn_blocking(move || probe.sms_to(&phone)).await??.len())
    }

    /// `iss` of the pool's tokens.
    pub(super) fn issuer(&self) -> String {
        let facts = &self.probe.facts;
        format!("https://cognito-idp.{}.amazonaws.com/{}", facts.region, facts.user_pool_id)
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Now, for timestamps.
pub(super) fn now() -> EpochMillis {
    SystemClock.now()
}

// === impl Watch ===

impl Watch {
    pub(super) fn start(world: &Arc<World>, token: &str) -> Self {
        let state = Arc::new(Mutex::new(Watched::default()));
        let (world, token, seen) = (world.clone(), token.to_owned(), state.clone());
        let start = Instant::now();
        let task = tokio::spawn(async move {
            loop {
                let status = world.status(&token).await;
                let mut watched = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
                watched.see(status.unwrap_or(599), Instant::now());
                // Often while it counts, seldom in an outage and afterwards: every look is work for the local cloud.
                let pause = match watched.refused_at {
                    None if start.elapsed() < OFTEN => 100,
                    _ => 1_500,
                };
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = watched;
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        });
        Self { state, task }
    }

    /// Waits until the token is refused; whoever is told of the end of a revocation may look before the watch does.
    pub(super) async fn refused(&self, limit: Duration) -> Watched {
        let start = Instant::now();
        while self.seen().refused_at.is_none() && start.elapsed() < limit {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.seen()
    }

    pub(super) fn seen(&self) -> Watched {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Watched ===

impl Watched {
    fn see(&mut self, status: u16, at: Instant) {
        match status {
            401 | 403 => self.refused_at = self.refused_at.or(Some(at)),
            200 if self.refused_at.is_some() => self.permitted_since += 1,
            200 => {}
            _ => self.failed += 1,
        }
    }
}
