//! An answer read to its end, and what it says where it is not a 200.

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{DATE, HeaderMap};
use hyper::{Response, StatusCode};
use revocation_core::domain::time::EpochMillis;

use crate::failure::{Failure, Meaning, error_code, stable};

/// Of the status, the body and the sum over it.
const CHECKSUM: &str = "x-amz-crc32";

/// A whole answer.
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    /// What was sent.
    pub(crate) body: Bytes,
}

impl Answer {
    /// Reads an answer of at most `most` bytes.
    pub(crate) async fn read(response: Response<Incoming>, most: usize) -> Result<Self, Failure> {
        let (head, body) = response.into_parts();
        // Its length may be wrong or missing, so what is read is counted.
        let body = Limited::new(body, most).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() { Failure::BadResponse } else { Failure::Lost }
        })?;
        Ok(Self { status: head.status, headers: head.headers, body })
    }

    /// Whether it is a 200 whose body is what the store summed up.
    pub(crate) fn is_good(&self) -> Result<bool, Failure> {
        if self.status != StatusCode::OK {
            return Ok(false);
        }
        let Some(sum) = self.headers.get(CHECKSUM) else { return Ok(true) };
        let sum: Option<u32> = sum.to_str().ok().and_then(|sum| sum.parse().ok());
        if sum == Some(crc32fast::hash(&self.body)) { Ok(true) } else { Err(Failure::BadResponse) }
    }

    /// What the store means by an answer that is not a 200.
    pub(crate) fn refusal(&self) -> (Meaning, Failure) {
        let (status, code) = (self.status.as_u16(), error_code(&self.body));
        let meaning = Meaning::of(status, code.as_deref());
        let again = meaning.unhelped(code.as_deref());
        (meaning, Failure::Refused { code: stable(status, code.as_deref()), again })
    }

    /// The store's own time, whole seconds.
    pub(crate) fn date(&self) -> Option<EpochMillis> {
        let text = self.headers.get(DATE)?.to_str().ok()?;
        let at = jiff::fmt::rfc2822::parse(text).ok()?;
        Some(EpochMillis(at.timestamp().as_millisecond()))
    }
}
