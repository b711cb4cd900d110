//! The Lambda Runtime API for one instance: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.
//!
//! A block of invocations is handed out by the thread that holds the instance's connection, without a turn to any other
//! thread in between. What is timed is from the moment the event is written until the answer was read.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::harness::http::{Connection, Message};
use crate::harness::store::listen;

/// A Runtime API.
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    event: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// When the instance first asked for an event: its init phase is over.
    first_poll: Option<Instant>,
    /// It asks, and waits.
    waiting: bool,
    /// Invocations that may still be handed out.
    credit: usize,
    /// How many were ever handed out, which makes the request id.
    sent: u64,
    /// When the current one was.
    started: Option<Instant>,
    times: Vec<Duration>,
    /// The last answer, or the first one that was an error.
    answer: Option<Vec<u8>>,
    failed: bool,
}

// === impl RuntimeApi ===

impl RuntimeApi {
    pub(crate) fn start(event: &str) -> Result<Self> {
        let shared = Arc::new(Shared { event: event.to_owned(), state: Mutex::default(), changed: Condvar::new() });
        let address = listen({
            let shared = Arc::clone(&shared);
            move |stream| shared.serve(stream)
        })?;
        Ok(Self { address, shared })
    }

    /// Host and port, as in `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// When the instance first asked for an event, once it has.
    pub(crate) fn first_poll(&self, patience: Duration) -> Result<Instant> {
        let state = self.shared.wait(patience, |state| state.first_poll.is_some() || state.failed)?;
        match (state.failed, state.first_poll) {
            (false, Some(at)) => Ok(at),
            _ => bail!("the instance reported an error of its init phase: {}", shown(state.answer.as_deref())),
        }
    }

    /// Lets the instance have so many invocations.
    pub(crate) fn hand_out(&self, count: usize) {
        let mut state = self.shared.lock();
        state.times = Vec::with_capacity(count);
        state.credit = count;
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Whether all of them are answered and the instance asks for more, waiting for it no longer than `patience`.
    pub(crate) fn is_done(&self, count: usize, patience: Duration) -> bool {
        self.shared.wait(patience, |state| state.done(count)).is_ok()
    }

    /// The times of the invocations handed out.
    pub(crate) fn finish(&self, count: usize, patience: Duration) -> Result<Vec<Duration>> {
        let mut state = self.shared.wait(patience, |state| state.done(count))?;
        if state.failed {
            bail!("an invocation failed: {}", shown(state.answer.as_deref()));
        }
        Ok(std::mem::take(&mut state.times))
    }

    /// [`Self::hand_out`] and [`Self::finish`].
    pub(crate) fn run(&self, count: usize, patience: Duration) -> Result<Vec<Duration>> {
        self.hand_out(count);
        self.finish(count, patience)
    }

    /// The last answer.
    pub(crate) fn answer(&self) -> Option<Vec<u8>> {
        self.shared.lock().answer.clone()
    }
}

/// An instance's words in a message of ours, of bounded length.
fn shown(answer: Option<&[u8]>) -> String {
    String::from_utf8_lossy(answer.unwrap_or_default()).chars().take(500).collect()
}

// === impl State ===

impl State {
    fn done(&self, count: usize) -> bool {
        self.failed || (self.times.len() == count && self.waiting)
    }
}

// === impl Shared ===

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, patience: Duration, done: impl Fn(&State) -> bool) -> Result<MutexGuard<'_, State>> {
        let waited = self.changed.wait_timeout_while(self.lock(), patience, |state| !done(state));
        let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() && !done(&state) {
            bail!("the instance did not answer within {} ms", patience.as_millis());
        }
        Ok(state)
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut connection = Connection::new(stream);
        while let Some(request) = connection.read()? {
            let read_at = Instant::now();
            let line = request.first_line();
            if line.starts_with("GET /2018-06-01/runtime/invocation/next ") {
                let head = self.next();
                self.lock().started = Some(Instant::now());
                connection.write(&head)?;
                continue;
            }
            let error = line.contains("/error ");
            if error || line.contains("/response ") {
                self.answered(read_at, error, request);
            }
            connection.write(b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}")?;
        }
        Ok(())
    }

    /// Waits until there is something to do; answers the event.
    fn next(&self) -> Vec<u8> {
        let mut state = self.lock();
        let now = Instant::now();
        state.first_poll.get_or_insert(now);
        state.waiting = true;
        if state.credit == 0 {
            self.changed.notify_all();
            state = self.changed.wait_while(state, |state| state.credit == 0).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting = false;
        state.credit -= 1;
        state.sent += 1;
        let (sent, length, event) = (state.sent, self.event.len(), &self.event);
        drop(state);
        // The deadline is far ahead: 2100-01-01.
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
             Lambda-Runtime-Aws-Request-Id: 00000000-0000-4000-8000-{sent:012}\r\n\
             Lambda-Runtime-Deadline-Ms: 4102444800000\r\n\
             Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:111122223333:function:bench\r\n\
             Lambda-Runtime-Trace-Id: Root=1-65a00000-000000000000000000000000;Parent=0000000000000000;Sampled=0\r\n\
             Content-Length: {length}\r\n\r\n{event}"
        )
        .into_bytes()
    }

    fn answered(&self, at: Instant, error: bool, request: Message) {
        let mut state = self.lock();
        if let Some(started) = state.started.take() {
            state.times.push(at.duration_since(started));
        }
        if !state.failed {
            state.answer = Some(request.body);
            state.failed = error;
        }
        if error {
            self.changed.notify_all();
        }
    }
}

/// The floor of an invocation: asks for events at `address` and gives each the same answer.
pub(crate) fn answer_nothing(address: &str) -> Result<()> {
    let address: SocketAddr = address.parse().context("no address of a Runtime API")?;
    let mut connection = Connection::new(TcpStream::connect(address).context("no Runtime API")?);
    let next = format!("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: {address}\r\n\r\n");
    loop {
        connection.write(next.as_bytes())?;
        // The bench is over.
        let Some(event) = connection.read()? else { return Ok(()) };
        let id = event.header("lambda-runtime-aws-request-id").context("an event without an id")?;
        let body = include_str!("allow.json").trim_end();
        let length = body.len();
        let response = format!(
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nhost: {address}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        connection.write(response.as_bytes())?;
        connection.read()?.context("the Runtime API has gone")?;
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn hands_out_as_many_as_allowed_and_times_each() {
        let api = RuntimeApi::start("{}").unwrap();
        let address = api.address().to_string();
        thread::spawn(move || answer_nothing(&address));
        api.first_poll(PATIENCE).unwrap();
        assert_eq!(api.run(3, PATIENCE).unwrap().len(), 3);
        assert_eq!(api.run(2, PATIENCE).unwrap().len(), 2);
        assert!(String::from_utf8(api.answer().unwrap()).unwrap().contains("Allow"));
        assert!(!api.is_done(3, Duration::from_millis(1)));
    }

    #[test]
    fn an_error_of_the_instance_ends_the_wait() {
        let api = RuntimeApi::start("{}").unwrap();
        let mut connection = Connection::new(TcpStream::connect(api.address()).unwrap());
        connection.write(b"POST /2018-06-01/runtime/init/error HTTP/1.1\r\ncontent-length: 4\r\n\r\noops").unwrap();
        let error = api.first_poll(PATIENCE).unwrap_err();
        assert!(error.to_string().contains("oops"), "{error}");
    }
}
