//! What comes of a revocation.

use crate::domain::audit::AuditRecord;
use crate::domain::disposition::{Disposed, Disposition};
use crate::domain::revocation_id::RevocationId;
use crate::ports::PortError;

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevocationOutcome {
    /// Carried to its end.
    Ended {
        /// The records written by this delivery; one per subject, or one that says nobody was found.
        written: Vec<AuditRecord>,
        /// Those that an earlier delivery had written.
        standing: Vec<AuditRecord>,
    },
    /// An earlier delivery did everything, and wrote these records.
    Repeated(Vec<AuditRecord>),
}

/// The record of one subject.
pub(super) enum Completed {
    /// Written by this delivery.
    Written(AuditRecord),
    /// By another one.
    Standing(AuditRecord),
}

/// The revocation could not be carried to its end.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// A port failed, and what depends on it is still to be done.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The same id with another payload (I8).
    #[error("revocation {0} was already requested with another payload")]
    IdConflict(RevocationId),
    /// Many people are revoked member by member by the bulk engine, to whose queue the rule sends such requests.
    #[error("not a single subject; the function bulk revokes groups and lists")]
    ManySubjects,
    /// A whole pool that is none of the configured ones, or none of those the request is bound to.
    #[error("the pool is not in USER_POOL_IDS, or not among the request's pools")]
    ForeignPool,
    /// Some subjects or steps are left.
    #[error("{left} of {of} subjects are not finished")]
    Unfinished {
        /// How many.
        left: usize,
        /// Of how many.
        of: usize,
        /// Why one of them is not; one that may pass, if there is one.
        #[source]
        why: PortError,
    },
}

// === impl RevocationOutcome ===

impl RevocationOutcome {
    pub(super) fn of(completed: impl IntoIterator<Item = Completed>) -> Self {
        let (mut written, mut standing) = (Vec::new(), Vec::new());
        for one in completed {
            match one {
                Completed::Written(record) => written.push(record),
                Completed::Standing(record) => standing.push(record),
            }
        }
        Self::Ended { written, standing }
    }

    /// Every subject's record, whichever delivery wrote it.
    pub fn records(&self) -> impl Iterator<Item = &AuditRecord> {
        let (some, others): (&[_], &[_]) = match self {
            Self::Ended { written, standing } => (written, standing),
            Self::Repeated(records) => (records, &[]),
        };
        some.iter().chain(others)
    }
}

// === impl RevokeError ===

impl Disposed for RevokeError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Port(error) => error.disposition,
            Self::Unfinished { why, .. } => why.disposition,
            Self::IdConflict(_) | Self::ManySubjects | Self::ForeignPool => Disposition::Reject,
        }
    }
}
