//! From an invocation to a handler and back.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use revocation_core::ports::Clock;
use revocation_core::trace::TraceHeader;
use revocation_lambda::logging::in_trace;
use revocation_lambda::metrics;
use serde_json::value::RawValue;

use crate::event::{HttpAnswer, HttpEvent};
use crate::problem::Problem;
use crate::request::{Refusal, Request};
use crate::response::Response;

/// The sender is answered within this, done or not: Datadog waits 15 s, API Gateway 30 s.
pub const DEADLINE: Duration = Duration::from_secs(12);

/// What an intake does with a request.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Answers it. Dropped at the [`DEADLINE`]: what must not stay half done is made durable before it is begun.
    async fn handle(&self, request: Request) -> Response;

    /// The first segment below which neither the rest of the path nor the query matters: they are somebody else's, and
    /// neither read nor bounded.
    fn opaque_below(&self) -> Option<&'static str> {
        None
    }

    /// Answers a request beyond the limits, or one that took too long, in the intake's own form of errors.
    fn refuse(&self, problem: &Problem) -> Response {
        problem.response()
    }
}

/// A function behind API Gateway's HTTP API.
pub struct HttpFunction {
    /// The function's name, for metrics.
    pub name: &'static str,
    /// What it does.
    pub handler: Arc<dyn Handler>,
    /// Time, for how long it took.
    pub clock: Arc<dyn Clock>,
}

/// The event is of another source or payload format.
#[derive(Debug, thiserror::Error)]
#[error("the event is not an HTTP API's, payload format 2.0")]
pub struct NotAnHttpEvent;

impl HttpFunction {
    /// Serves invocations until the sandbox ends.
    pub async fn serve(self) -> Result<(), Error> {
        let function = &self;
        // As text, and read by us: the runtime would quote what it cannot read into the log.
        let answer = |event: LambdaEvent<Box<RawValue>>| async move {
            let header = event.context.xray_trace_id.as_deref().and_then(TraceHeader::parse);
            Ok::<_, Error>(in_trace(header, function.run(event.payload.get())).await?)
        };
        lambda_runtime::run(service_fn(answer)).await
    }

    /// From bytes to bytes, as the Lambda runtime drives it: for benches and tests without one.
    pub async fn handle_bytes(&self, event: &str) -> Result<Vec<u8>, NotAnHttpEvent> {
        let answer = self.run(event).await?;
        serde_json::to_vec(&answer).map_err(|_| NotAnHttpEvent)
    }

    async fn run(&self, event: &str) -> Result<HttpAnswer, NotAnHttpEvent> {
        let event: HttpEvent = serde_json::from_str(event).map_err(|_| NotAnHttpEvent)?;
        let began = self.clock.now();
        let request_id = event.request_context.request_id.clone();
        let response = self.answer(Request::read(event, self.handler.opaque_below())).await;
        let elapsed = u64::try_from(self.clock.now().0.saturating_sub(began.0)).unwrap_or_default();
        // Not the path: it may hold a secret, or a person's name in a filter (I10).
        tracing::info!(request_id, status = response.status, elapsed_ms = elapsed, "answered");
        metrics::milliseconds("AnswerTime", elapsed, "function", self.name);
        if response.status >= 500 {
            metrics::count("AnsweredUnavailable", "function", self.name);
        }
        Ok(response.into_answer(&request_id))
    }

    async fn answer(&self, request: Result<Request, Refusal>) -> Response {
        let request = match request {
            Ok(request) if is_health_check(&request) => return healthy(),
            Ok(request) => request,
            Err(refusal) => {
                metrics::count("Refused", "why", refusal.code());
                return self.handler.refuse(&refusal.into());
            }
        };
        let in_time = tokio::time::timeout(DEADLINE, self.handler.handle(request)).await;
        in_time.unwrap_or_else(|_| {
            let detail = "it took too long; repeat the request: what was done already has its effect once";
            self.handler.refuse(&Problem::new(503, "deadline", detail))
        })
    }
}

fn is_health_check(request: &Request) -> bool {
    request.method == "GET" && request.segments() == ["healthz"]
}

/// The function has started: with its configuration, its sources and its credentials, or it would not be here.
///
/// Never 200, which is what lets a request through at Envoy: whoever makes a gateway's question end up here by the dots in
/// its path has not shown a token.
fn healthy() -> Response {
    Response::empty(204)
}
