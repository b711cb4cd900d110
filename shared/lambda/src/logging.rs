//! Logs: one JSON object a line, on standard error (docs/LOGGING.md).

use std::io;
use std::panic::{self, PanicHookInfo};
use std::process::ExitCode;

use revocation_core::trace::{self, TraceHeader};
use tracing::{Instrument as _, Level};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::env::{EnvReader, Variables};

/// Crates whose logs follow `LOG_LEVEL`. All others, the AWS SDK before all, stay at warnings: at `debug` it writes
/// request bodies, which hold phone numbers and user names (I10).
const OURS: [&str; 26] = [
    "revocation_core",
    "revocation_aws",
    "revocation_lambda",
    "revocation_store",
    "revocation_verify",
    "revocation_edge",
    "revocation_enforce",
    "revocation_sources",
    "revocation_tower",
    "intake_partner",
    "intake_role_change",
    "intake_scim",
    "intake_siem",
    "revoke",
    "audit_chain",
    "bulk",
    "sweeper",
    "report",
    "revocation_report",
    "notify",
    "compromise_counter",
    "authorizer",
    "siem_feed",
    "sign_out",
    "introspect",
    "token_gate",
];

/// `EX_USAGE` of sysexits.h: started wrongly.
const USAGE: u8 = 64;

/// Starts logging at `LOG_LEVEL` (default `info`).
pub fn init(variables: &dyn Variables) {
    let level = EnvReader::new(variables).parsed("LOG_LEVEL", Level::INFO);
    let targets = OURS
        .iter()
        .fold(Targets::new().with_default(LevelFilter::WARN), |targets, name| targets.with_target(*name, level));
    let lines = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
    // A second start in one process (tests) keeps the first subscriber.
    let _ = tracing_subscriber::registry().with(targets).with(lines.with_writer(io::stderr)).try_init();
    panic::set_hook(Box::new(tell_of_a_panic));
}

/// Where, and not what: a panic's message may quote the value it happened at. A text that is cut within a letter is quoted
/// whole, and it may be what somebody sent (I10).
fn tell_of_a_panic(panicked: &PanicHookInfo<'_>) {
    let at = panicked.location().map(ToString::to_string);
    tracing::error!(at, "panicked");
}

/// The end of `main`: a start that failed is logged with its whole chain of causes, and ends the process.
#[must_use]
pub fn exit(result: Result<(), Box<dyn std::error::Error + Send + Sync>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = chain(error.as_ref()), "the function could not start");
            ExitCode::from(USAGE)
        }
    }
}

/// Runs a piece of work within a trace, whose id stands in each of its lines (`span.trace_id`).
pub async fn in_trace<F: Future>(header: Option<TraceHeader>, work: F) -> F::Output {
    // Of the highest level, so that no `LOG_LEVEL` takes the id away from a line that is written.
    let span = match &header {
        Some(header) => tracing::error_span!("work", trace_id = header.id()),
        None => tracing::Span::none(),
    };
    trace::traced(header, work.instrument(span)).await
}

/// An error and its causes, in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Transparent errors repeat their source.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn i10_a_panic_says_where_and_not_what() {
        let written = Written::default();
        let writer = written.clone();
        let lines = fmt::layer().json().flatten_event(true).with_writer(move || writer.clone());
        let usual = panic::take_hook();
        panic::set_hook(Box::new(tell_of_a_panic));
        let cut = || std::hint::black_box(Err::<(), _>("zoë@example.com")).unwrap();
        let outcome =
            tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || panic::catch_unwind(cut));
        panic::set_hook(usual);
        assert!(outcome.is_err());
        let line = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(line.contains("panicked") && line.contains("logging.rs"), "{line}");
        assert!(!line.contains("example.com"), "{line}");
    }
}
