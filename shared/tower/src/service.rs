//! The service in front of another.

use std::future::poll_fn;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::answer::Denial;
use crate::layer::Guard;

/// A service that is reached only with a token that is good and not revoked. [`RevocationLayer`](crate::RevocationLayer) makes
/// it.
#[derive(Clone)]
pub struct Revocation<S> {
    inner: S,
    guard: Guard,
}

/// A panic, of which the hook of the process has reported already.
struct Panicked;

// === impl Revocation ===

impl<S> Revocation<S> {
    pub(crate) fn new(inner: S, guard: Guard) -> Self {
        Self { inner, guard }
    }
}

impl<S, B, R> Service<Request<B>> for Revocation<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // It is this one that said it was ready; its clone may not be.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let guard = self.guard.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match or_panicked(guard.decide(&parts)).await {
                Ok(Ok(permit)) => {
                    parts.extensions.insert(permit);
                    inner.call(Request::from_parts(parts, body)).await
                }
                Ok(Err(denial)) => Ok(denial.response()),
                Err(Panicked) => {
                    tracing::error!("denied: the check panicked");
                    // The hook itself may be what panics.
                    let _ = catch_unwind(AssertUnwindSafe(|| guard.tell(Err(Denial::Panicked))));
                    Ok(Denial::Panicked.response())
                }
            }
        })
    }
}

/// What comes of `work`, or that it panicked: a defect must cost one request, and not all those on its connection. Nothing of
/// what panicked is looked at again, so it does not matter in what state it is.
async fn or_panicked<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut work = pin!(work);
    poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}
