//! From verified, translated requests of one source to requests on the bus: known events are acknowledged, subjects
//! beyond the blast radius parked, everything else published.
//!
//! ```text
//! submit ─▶ seen before? ─▶ within the blast radius? ─┬▶ publish ─┬▶ note as accepted
//!            └ acknowledge                             └▶ park ────┘
//! ```
//!
//! Nothing is answered with success before it is durable (I7), and an event that is refused does not use up its id.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::disposition::{Disposed, Disposition};
use crate::domain::event::Event;
use crate::domain::request::RevocationRequest;
use crate::domain::revocation_id::{PayloadDigest, RevocationId};
use crate::domain::subject::SubjectIdentifier;
use crate::ports::{Admission, Clock, EventPublisher, PortError, Receipt, ReceiptLedger, RequestQueue, SubjectFence};

/// Why requests are parked, as it stands on the messages.
pub const OVER_BLAST_RADIUS: &str = "the source has named more subjects this hour than it was granted";

/// Lets requests through to the bus, as many subjects an hour as the source was granted.
pub struct Gate {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Counts subjects.
    pub fence: Arc<dyn SubjectFence>,
    /// The bus.
    pub publisher: Arc<dyn EventPublisher>,
    /// Where requests wait for an operator.
    pub parking: Arc<dyn RequestQueue>,
}

/// Requests sorted by the blast radius.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sorted {
    /// Within it.
    pub admitted: Vec<RevocationRequest>,
    /// Beyond it.
    pub over_limit: Vec<RevocationRequest>,
}

/// What became of a submission's requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// On the bus.
    pub published: Vec<RevocationId>,
    /// Waiting for an operator.
    pub parked: Vec<RevocationId>,
}

/// Receives events that carry an id of their own.
pub struct Intake {
    /// What came before.
    pub receipts: Arc<dyn ReceiptLedger>,
    /// The way to the bus.
    pub gate: Gate,
}

/// One event of one source, authenticated, translated and within the source's grant.
#[derive(Clone, Debug)]
pub struct Submission<'a> {
    /// The source's name, as in `revocation.source`.
    pub source: &'a str,
    /// The event's id at the source.
    pub event_id: &'a str,
    /// What it asks for; empty if it asks for nothing.
    pub requests: Vec<RevocationRequest>,
    /// The source's blast radius.
    pub subjects_per_hour: u32,
}

/// What came of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// It was carried out.
    Accepted(Passed),
    /// An earlier delivery was.
    Repeated,
}

/// A submission could not be accepted.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The same id with another content (I8).
    #[error("an event with this id was received before, with another content")]
    IdConflict,
}

// === impl IntakeError ===

impl Disposed for IntakeError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Port(error) => error.disposition,
            Self::IdConflict => Disposition::Reject,
        }
    }
}

// === impl Intake ===

impl Intake {
    /// Carries out a submission, once.
    pub async fn submit(&self, submission: Submission<'_>) -> Result<Acceptance, IntakeError> {
        let Submission { source, event_id, requests, subjects_per_hour } = submission;
        let digest = digest(&requests);
        match self.receipts.receive(source, event_id, &digest, self.gate.clock.now()).await? {
            Receipt::Accepted => return Ok(Acceptance::Repeated),
            Receipt::Conflict => return Err(IntakeError::IdConflict),
            Receipt::Open => {}
        }
        // Half done is done again: every request carries its own id, and has its effect once.
        let passed = self.gate.pass(requests, subjects_per_hour).await?;
        self.receipts.accept(source, event_id, self.gate.clock.now()).await?;
        Ok(Acceptance::Accepted(passed))
    }
}

/// Digest of what an event asks for: white space, and members that are not read, are not content.
fn digest(requests: &[RevocationRequest]) -> PayloadDigest {
    let mut digests: Vec<String> = requests.iter().map(|request| request.digest().0).collect();
    digests.sort_unstable();
    PayloadDigest::of(digests.join("\n").as_bytes())
}

// === impl Gate ===

impl Gate {
    /// Publishes what is within the blast radius and parks the rest.
    pub async fn pass(&self, requests: Vec<RevocationRequest>, limit: u32) -> Result<Passed, PortError> {
        let sorted = self.sort(requests, limit).await?;
        self.publish(&sorted.admitted).await?;
        self.park(&sorted.over_limit).await?;
        let ids = |requests: &[RevocationRequest]| requests.iter().map(RevocationRequest::id).collect();
        Ok(Passed { published: ids(&sorted.admitted), parked: ids(&sorted.over_limit) })
    }

    /// Sorts requests by the blast radius of their source. A subject once admitted stays admitted for the hour.
    pub async fn sort(&self, requests: Vec<RevocationRequest>, limit: u32) -> Result<Sorted, PortError> {
        let mut sorted = Sorted::default();
        for request in requests {
            let mut admission = Admission::Admitted;
            // Several names may be several people: each is counted, or sixteen would pass for one.
            for subject in counted_as(&request.sub_id) {
                if admission == Admission::Admitted {
                    admission = self.fence.admit(&request.source.name, &subject, limit, self.clock.now()).await?;
                }
            }
            match admission {
                Admission::Admitted => sorted.admitted.push(request),
                Admission::OverLimit => sorted.over_limit.push(request),
            }
        }
        Ok(sorted)
    }

    /// Puts requests on the bus.
    pub async fn publish(&self, requests: &[RevocationRequest]) -> Result<(), PortError> {
        if requests.is_empty() {
            return Ok(());
        }
        let events: Vec<Event> = requests.iter().cloned().map(Event::RevocationRequested).collect();
        self.publisher.publish(&events).await
    }

    /// Parks requests for an operator.
    pub async fn park(&self, requests: &[RevocationRequest]) -> Result<(), PortError> {
        for request in requests {
            self.parking.send(request, Duration::ZERO, OVER_BLAST_RADIUS).await?;
        }
        Ok(())
    }
}

/// What a subject is counted by: its names without regard to case, which addresses and user names do not have here.
/// Digests, because the table is not a list of people.
fn counted_as(subject: &SubjectIdentifier) -> Vec<PayloadDigest> {
    if let SubjectIdentifier::Aliases { identifiers } = subject {
        return identifiers.iter().flat_map(counted_as).collect();
    }
    vec![PayloadDigest::of(serde_json::to_string(subject).unwrap_or_default().to_lowercase().as_bytes())]
}
