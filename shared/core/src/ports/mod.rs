//! What the use cases need from the world: traits of one capability each, so that a function holds, and its IAM
//! statement allows (I14), exactly what it does.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::audit::{AuditRecord, Started, StepRecord, Trail};
use crate::domain::disposition::{Disposed, Disposition};
use crate::domain::event::Event;
use crate::domain::profile::{Profile, SubjectKey, UserPoolId};
use crate::domain::revocation_id::RevocationId;
use crate::domain::session::SessionCutoff;
use crate::domain::subject::SubjectIdentifier;
use crate::domain::time::EpochMillis;
use crate::domain::tombstone::{Cutoff, Raised, Seal, Sealed, Tombstone};

mod action;
mod app_client;
mod bulk;
mod canary;
mod compromise;
mod directory;
mod evidence;
mod intake;
mod notice;
mod queue;
mod search;
mod session;
mod siem;
mod silence;
mod sweep;

pub use action::{AccountEnabler, ActionBegun, ActionLog, MembershipReader, TombstoneHolder};
pub use app_client::{AppClient, AppClients, ClientSecret, Redeemed, RefreshTokens, Unredeemed};
pub use bulk::{BegunReader, BulkJobs, JobQueue, MemberDirectory, Pacer};
pub use canary::{Authenticator, CanaryRuns, SessionTokens};
pub use compromise::{CompromiseLedger, Conflict, IncidentStore, Pager, Recorded};
pub use directory::{AccountFilter, GroupDirectory, Refused, Searchable, UserDirectory};
pub use evidence::{
    AuditChain, DigestSigner, DigestStore, JobReader, PersonReader, RecordIndex, RecordReader, RefusalReader,
    SessionKey,
};
pub use intake::{Admission, Receipt, ReceiptLedger, RequestQueue, SubjectFence, TextReader};
pub use notice::{
    Claim, ContactBook, Contacts, EmailNotifier, NoticeLog, NoticeRecord, NoticeResult, SmsNotifier, TopicNotifier,
};
pub use queue::{DeadLetterQueue, RedeliveryTimer};
pub use search::Search;
pub use session::{SessionLedger, SessionRecorder};
pub use siem::{SiemEvent, SiemExporter};
pub use silence::{LastHeardReader, LastHeardWriter};
pub use sweep::{BegunRequest, Redeliverer, RedeliveryLog, RequestIndex};

/// A port failed. It says what the queue should do and carries a stable code, never the service's message:
/// that may quote personal data (I10).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {code}")]
pub struct PortError {
    /// The operation, such as `cognito-idp:AdminUserGlobalSignOut`.
    pub operation: &'static str,
    /// Stable and machine-readable, in snake case: `throttled`, `not_authorized`, `timeout` …
    pub code: String,
    /// Whether trying again can help.
    pub disposition: Disposition,
}

impl PortError {
    /// An error that may pass.
    #[must_use]
    pub fn retry(operation: &'static str, code: impl Into<String>) -> Self {
        Self { operation, code: code.into(), disposition: Disposition::Retry }
    }

    /// An error that will not pass by trying again.
    #[must_use]
    pub fn reject(operation: &'static str, code: impl Into<String>) -> Self {
        Self { operation, code: code.into(), disposition: Disposition::Reject }
    }
}

/// Codes of errors by which a resolver says that the identifier cannot mean an account, however often it is asked.
pub const MEANS_NO_ACCOUNT: [&str; 2] = ["identifier_too_long", "not_a_single_subject"];

/// Codes of errors after which nobody knows whether the call took effect.
pub const NO_ANSWER: [&str; 3] = ["timeout", "unreachable", "bad_response"];

impl PortError {
    /// Whether the service said no, so that the call certainly had no effect.
    #[must_use]
    pub fn was_refused(&self) -> bool {
        !NO_ANSWER.contains(&self.code.as_str())
    }
}

impl Disposed for PortError {
    fn disposition(&self) -> Disposition {
        self.disposition
    }
}

/// The time of day. The only way to it, so that tests can steer it.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> EpochMillis;
}

/// Finds the users a subject identifier means, in every configured pool.
#[async_trait]
pub trait SubjectResolver: Send + Sync {
    /// Everyone found, without duplicates; empty if nobody.
    async fn resolve(&self, subject: &SubjectIdentifier) -> Result<Vec<Profile>, PortError>;

    /// The same in these pools alone; none named are all. One pool that cannot be asked hides nobody who is in another.
    async fn search(&self, subject: &SubjectIdentifier, pools: &[UserPoolId]) -> Search {
        match self.resolve(subject).await {
            Ok(mut found) => {
                found.retain(|profile| pools.is_empty() || pools.contains(&profile.key.user_pool_id));
                Search { found, failure: None }
            }
            Err(error) => Search { found: Vec::new(), failure: Some(error) },
        }
    }

    /// The subject's key where the identifier itself contains it (the issuer and `sub` of a configured pool), so that the
    /// tombstone need not wait for Cognito.
    fn key_of(&self, subject: &SubjectIdentifier) -> Option<SubjectKey>;

    /// How many searches it takes to resolve it, for whoever keeps them within a quota (I13).
    fn searches(&self, _subject: &SubjectIdentifier) -> u32 {
        1
    }
}

/// Reads tombstones.
#[async_trait]
pub trait TombstoneReader: Send + Sync {
    /// The subject's tombstone by a strongly consistent read; `None` if there is none.
    async fn read(&self, subject: &SubjectKey) -> Result<Option<Tombstone>, PortError>;

    /// The tombstone of everybody in the pool, as it stood no longer than [`POOL_CUTOFF_WITHIN`] ago; `None` if there is
    /// none. Looked at with every request, hence kept: it must not cost a second read each time.
    async fn read_pool(&self, pool: &UserPoolId) -> Result<Option<Tombstone>, PortError>;
}

/// Within this time of its acknowledgement every reader honours a whole pool's cutoff.
pub const POOL_CUTOFF_WITHIN: Duration = Duration::from_secs(1);

/// Writes tombstones, by conditional writes that match [`Tombstone::raise`], [`Tombstone::seal`] and
/// [`Tombstone::end_sessions`].
#[async_trait]
pub trait TombstoneWriter: Send + Sync {
    /// Moves a cutoff forward. Durable when it returns.
    async fn raise(&self, subject: &SubjectKey, cutoff: &Cutoff) -> Result<Raised, PortError>;

    /// Moves the cutoff past the sign-out and seals it if the revocation owns it.
    async fn seal(&self, subject: &SubjectKey, seal: &Seal) -> Result<Sealed, PortError>;

    /// Ends single sessions. Durable when it returns; a second time changes nothing.
    async fn end_sessions(&self, subject: &SubjectKey, cutoff: &SessionCutoff) -> Result<(), PortError>;
}

/// What came of an action on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acted {
    /// It was done.
    Done,
    /// There was nothing to do it to; a stable code says why.
    NotNeeded(&'static str),
}

/// Ends a user's sessions.
#[async_trait]
pub trait SessionTerminator: Send + Sync {
    /// Ends every session: refresh tokens are refused from here on.
    async fn sign_out_everywhere(&self, profile: &Profile) -> Result<Acted, PortError>;
}

/// Prevents sign-ins.
#[async_trait]
pub trait AccountLocker: Send + Sync {
    /// Disables the account.
    async fn disable(&self, profile: &Profile) -> Result<Acted, PortError>;

    /// Requires a new password before the next sign-in.
    async fn reset_password(&self, profile: &Profile) -> Result<Acted, PortError>;
}

/// Forgets devices that skip MFA.
#[async_trait]
pub trait DeviceForgetter: Send + Sync {
    /// Forgets every remembered device.
    async fn forget_devices(&self, profile: &Profile) -> Result<Acted, PortError>;
}

/// Whether a start was written or stood there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// This delivery is the first.
    New,
    /// An earlier one began; this is what it left.
    Before(Box<Trail>),
}

/// The audit trail: append-only, and by that the memory of what is done already (I8).
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Writes the start unless there is one, in which case the whole trail is returned.
    async fn begin(&self, started: &Started) -> Result<Begun, PortError>;

    /// Writes whom the identifier means. A second writing changes nothing.
    async fn resolved(&self, id: &RevocationId, profiles: &[Profile], at: EpochMillis) -> Result<(), PortError>;

    /// Writes the end of a step. A second writing changes nothing; returns the record that stands.
    async fn step(&self, id: &RevocationId, subject: &SubjectKey, record: &StepRecord)
    -> Result<StepRecord, PortError>;

    /// Writes a subject's record. A second writing changes nothing; returns the record that stands.
    async fn completed(&self, record: &AuditRecord, at: EpochMillis) -> Result<AuditRecord, PortError>;

    /// Writes that a subject's outcome was published.
    async fn published(&self, id: &RevocationId, subject: &SubjectKey, at: EpochMillis) -> Result<(), PortError>;

    /// Writes that nothing is left to do.
    async fn finished(&self, id: &RevocationId, at: EpochMillis) -> Result<(), PortError>;
}

/// Puts events on the bus.
#[async_trait]
pub trait EventPublisher: Send + Sync {
    /// Publishes all of them. An entry the bus refused is an error: nothing vanishes (I7).
    async fn publish(&self, events: &[Event]) -> Result<(), PortError>;
}
