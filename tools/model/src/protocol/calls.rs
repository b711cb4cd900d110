//! What the use case asks of the world, what it is answered, and how a delivery ends.

use std::collections::BTreeMap;

use revocation_core::domain::audit::{SEALED_BY_ANOTHER, Step, StepOutcome};
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::domain::tombstone::{Cutoff, Seal};

/// A call of the use case, with what the rest of the world needs to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Begin {
        not_before: EpochSeconds,
    },
    Raise(Cutoff),
    Resolve,
    Resolved,
    Wrote {
        step: Step,
        how: How,
        at: EpochMillis,
    },
    Disable,
    SignOut,
    Seal(Seal),
    Completed,
    Publish,
    Published,
    Finished,
    /// What no scenario asks for.
    Unforeseen(&'static str),
}

impl Call {
    /// Whether it writes to the trail of its own request, and what another delivery of it would write, too.
    pub(crate) fn is_private(&self) -> bool {
        match self {
            Self::Wrote { step, .. } => *step != Step::GlobalSignOut,
            Self::Resolve | Self::Resolved | Self::Completed | Self::Publish | Self::Published => true,
            _ => false,
        }
    }
}

/// What it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    /// Nothing but that it is done.
    Done,
    /// An error that may pass.
    Failed,
    /// This is the first delivery.
    New,
    /// An earlier one left this.
    Before(Noted),
    /// The cutoff was moved.
    Moved(bool),
    /// The tombstone is sealed.
    Sealed(bool),
    /// The record of a step that stands.
    Stands(How, EpochMillis),
    /// The subject's record that stands sums up these steps.
    Record(Steps),
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum How {
    Done,
    SealedByAnother,
    Otherwise,
}

/// The steps written down.
pub(crate) type Steps = BTreeMap<Step, (How, EpochMillis)>;

/// An audit trail, without what is the same for every delivery of the request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Noted {
    /// The cutoff.
    pub(crate) not_before: EpochSeconds,
    /// Whether the subject was resolved.
    pub(crate) resolved: bool,
    /// The steps that ended.
    pub(crate) steps: Steps,
    /// Those the subject's record sums up.
    pub(crate) completed: Option<Steps>,
    /// Whether that was published.
    pub(crate) published: bool,
    /// Whether nothing is left to do.
    pub(crate) finished: bool,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Done, and whether it was this delivery that wrote the record.
    Done { reports: bool },
    /// Everything was done before.
    Repeated,
    /// To be delivered again.
    Failed,
}

impl How {
    pub(super) fn of(outcome: &StepOutcome) -> Self {
        match outcome {
            StepOutcome::Done => Self::Done,
            other if *other == StepOutcome::not_needed(SEALED_BY_ANOTHER) => Self::SealedByAnother,
            _ => Self::Otherwise,
        }
    }

    pub(super) fn outcome(self) -> StepOutcome {
        match self {
            Self::Done => StepOutcome::Done,
            Self::SealedByAnother => StepOutcome::not_needed(SEALED_BY_ANOTHER),
            Self::Otherwise => StepOutcome::not_needed("otherwise"),
        }
    }
}
