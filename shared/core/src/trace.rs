//! One trace from the intake to the seal: the header of AWS X-Ray, carried beside a piece of work.
//!
//! Neither ports nor use cases pass it on: whoever hands an event over reads it from [`current`], as the logs do. It is set for
//! one task while that task is polled, so that messages handled at the same time keep apart.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

thread_local! {
    static CURRENT: RefCell<Option<TraceHeader>> = const { RefCell::new(None) };
}

/// The longest header passed on. X-Ray's own has under 100 bytes; others may add to it.
const MOST_BYTES: usize = 256;

/// `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1` (X-Ray developer guide, "Tracing header").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceHeader {
    header: Arc<str>,
    root: (usize, usize),
}

/// A future with a trace of its own.
#[must_use = "a future does nothing unless it is polled"]
pub struct Traced<F> {
    header: Option<TraceHeader>,
    future: Pin<Box<F>>,
}

/// The trace of the task that is running.
#[must_use]
pub fn current() -> Option<TraceHeader> {
    CURRENT.with_borrow(Clone::clone)
}

/// Runs `future` within a trace.
pub fn traced<F: Future>(header: Option<TraceHeader>, future: F) -> Traced<F> {
    Traced { header, future: Box::pin(future) }
}

// === impl TraceHeader ===

impl TraceHeader {
    /// Reads a header. One that has no trace id, or holds anything that X-Ray does not write, is none: it is logged, and goes
    /// on to other services.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'=' | b';' | b'-' | b':' | b'|');
        if text.len() > MOST_BYTES || !text.bytes().all(plain) {
            return None;
        }
        let mut at = 0;
        for part in text.split(';') {
            if let Some(id) = part.strip_prefix("Root=").filter(|id| is_trace_id(id)) {
                let from = at + part.len() - id.len();
                return Some(Self { header: text.into(), root: (from, from + id.len()) });
            }
            at += part.len() + 1;
        }
        None
    }

    /// The whole header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.header
    }

    /// The trace's id, `1-5759e988-bd862e3fe1be46a994272793`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.header.get(self.root.0..self.root.1).unwrap_or_default()
    }
}

/// `1-`, 8 hexadecimal digits, `-`, 24 of them.
fn is_trace_id(id: &str) -> bool {
    let hex = |part: Option<&str>, digits| {
        part.is_some_and(|part| part.len() == digits && part.bytes().all(|c| c.is_ascii_hexdigit()))
    };
    let mut parts = id.split('-');
    parts.next() == Some("1") && hex(parts.next(), 8) && hex(parts.next(), 24) && parts.next().is_none()
}

// === impl Traced ===

impl<F: Future> Future for Traced<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _restored = Restore(CURRENT.replace(self.header.clone()));
        self.future.as_mut().poll(context)
    }
}

/// Puts back what was there, also when the future panics.
struct Restore(Option<TraceHeader>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    const HEADER: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

    #[test]
    fn a_header_is_read_and_goes_on_as_it_came() {
        let header = TraceHeader::parse(HEADER).unwrap();
        assert_eq!((header.as_str(), header.id()), (HEADER, "1-5759e988-bd862e3fe1be46a994272793"));
        let later = TraceHeader::parse(&format!("Sampled=0;{HEADER}")).unwrap();
        assert_eq!(later.id(), "1-5759e988-bd862e3fe1be46a994272793");
    }

    #[test]
    fn i10_what_is_no_header_is_neither_logged_nor_passed_on() {
        for bad in [
            "",
            "Root=1-5759e988-bd862e3fe1be46a99427279",
            "Root=1-5759e988-bd862e3fe1be46a99427279x",
            "Root=2-5759e988-bd862e3fe1be46a994272793",
            "Root=1-5759e988-bd862e3fe1be46a994272793-1",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Self=jane@example.com",
            "Parent=53995c3f42cd8ad8;Sampled=1",
        ] {
            assert_eq!(TraceHeader::parse(bad), None, "{bad}");
        }
        let padded = |length| format!("{HEADER};Lineage={}", "a".repeat(length - HEADER.len() - ";Lineage=".len()));
        assert!(TraceHeader::parse(&padded(MOST_BYTES)).is_some());
        assert_eq!(TraceHeader::parse(&padded(MOST_BYTES + 1)), None);
    }

    #[test]
    fn tasks_that_take_turns_keep_their_traces_apart() {
        fn id() -> Option<String> {
            current().map(|header| header.id().to_owned())
        }
        /// Pending once, so that another task gets its turn in between.
        async fn twice() -> [Option<String>; 2] {
            let first = id();
            let mut was_pending = false;
            std::future::poll_fn(|_| {
                if std::mem::replace(&mut was_pending, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            [first, id()]
        }
        let other = HEADER.replace("5759e988", "00000000");
        let mut one = Box::pin(traced(TraceHeader::parse(HEADER), twice()));
        let mut two = Box::pin(traced(TraceHeader::parse(&other), twice()));
        let mut none = Box::pin(traced(None, twice()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(one.as_mut().poll(&mut context).is_pending());
        assert_eq!(id(), None, "the trace ends with the poll");
        assert!(two.as_mut().poll(&mut context).is_pending());
        assert!(none.as_mut().poll(&mut context).is_pending());
        assert_eq!(id(), None);
        let (a, b) = ("1-5759e988-bd862e3fe1be46a994272793", "1-00000000-bd862e3fe1be46a994272793");
        assert_eq!(one.as_mut().poll(&mut context), Poll::Ready([Some(a.to_owned()), Some(a.to_owned())]));
        assert_eq!(two.as_mut().poll(&mut context), Poll::Ready([Some(b.to_owned()), Some(b.to_owned())]));
        assert_eq!(none.as_mut().poll(&mut context), Poll::Ready([None, None]));
    }
}
