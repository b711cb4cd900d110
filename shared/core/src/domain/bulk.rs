//! A bulk revocation: many subjects, one cause. Plain values, and the decision what is to be done next.
//!
//! ```text
//! pass 1: list a page ─▶ tombstone its members ─▶ … next page …  ─▶ end the sessions of page 1, 2, …  (within the quota)
//! pass 2: list again; whoever joined meanwhile gets the same      … until a pass finds nobody new
//! ```
//!
//! Every member is tombstoned before the first one is signed out: DynamoDB takes thousands of writes a second, Cognito
//! 25 sign-outs (I13). What a page's members are is written down before anything is done to them, so that a crash leaves
//! nobody tombstoned whom no page knows.

use serde::{Deserialize, Serialize};

use super::initiator::Initiator;
use super::profile::{Profile, SubjectKey};
use super::request::{EventSource, RevocationRequest};
use super::revocation_id::{PayloadDigest, RevocationId};
use super::subject::SubjectIdentifier;
use super::time::EpochMillis;

pub mod completed;
pub mod control;
mod cursor;
pub mod tally;

pub use completed::BulkRevocationCompleted;
pub use control::{Control, ControlAction, ControlRequest, Wish};
pub use cursor::{Counted, Cursor};
pub use tally::Tally;

/// Name of the source of each member's request; its event id is [`member_event_id`].
pub const BULK_SOURCE: &str = "bulk";
/// Passes at most: a group that keeps growing while it is being revoked is somebody's mistake, and its report says so.
pub const MOST_PASSES: u32 = 5;
/// The most members of a page: four of Cognito's, so that an item stays far below the 400 KB of DynamoDB.
pub const MOST_PAGE_MEMBERS: usize = 240;
/// Entries of each part of a list but the last, as whoever brings one writes it.
pub const LIST_PART_ENTRIES: u32 = 50;

/// A bulk revocation and how far it has come. Saved under optimistic concurrency control by whoever holds its lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkJob {
    /// The id of the request that asks for it.
    pub id: RevocationId,
    /// Digest of the request, to tell a redelivery from another request under the same id (I8).
    pub digest: PayloadDigest,
    /// The request. Its subject is a group, a list, or whoever's work has ended.
    pub request: RevocationRequest,
    /// When it was received, epoch milliseconds.
    pub received_at: EpochMillis,
    /// Where it stands.
    pub stage: Stage,
    /// Which pass is under way, from 1.
    pub pass: u32,
    /// How far they are counted, while they are. Jobs of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// Where listing goes on; `None` when this pass has listed everybody.
    pub cursor: Option<Cursor>,
    /// How many pages have been written, counting all passes.
    pub pages_listed: u32,
    /// How many of them have had their members tombstoned. Pages are taken in order.
    pub pages_locked_out: u32,
    /// How many of them are done.
    pub pages_ended: u32,
    /// Pages there were when this pass began.
    pub pages_before_pass: u32,
    /// Members of the pages that are done, and of the one under way.
    pub tally: Tally,
    /// Of those in `tally`, what was counted for the page under way: taken back when that page is done anew.
    pub in_page: Tally,
    /// When every member of the first pass was tombstoned, epoch milliseconds.
    pub locked_out_at: Option<EpochMillis>,
    /// When nothing was left to do, epoch milliseconds.
    pub ended_at: Option<EpochMillis>,
    /// How often in a row nothing could be done, because a service was out.
    pub stalls: u32,
    /// Who works on it right now.
    pub lease: Option<Lease>,
    /// Counts saves.
    pub version: u64,
}

/// Where a bulk revocation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its members are counted, because a large one needs a second person's approval.
    Counting,
    /// It waits for that.
    AwaitingApproval,
    /// Members are listed and tombstoned.
    LockingOut,
    /// Members are signed out, and whatever else the policy asks for.
    Ending,
    /// It was cancelled, and tombstones whose sign-out will not come are being closed.
    CallingOff,
    /// Nothing is left to do.
    Completed,
    /// It was cancelled, and nothing is left to do.
    Cancelled,
}

/// Who works on a job, and until when nobody else may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The message that is being worked on. Its redelivery may go on at once.
    pub owner: String,
    /// Epoch milliseconds.
    pub until: EpochMillis,
}

/// Some of a job's members, in the order in which they were listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkPage {
    /// From 1, counting all passes.
    pub number: u32,
    /// The pass that found them.
    pub pass: u32,
    /// Who.
    pub members: Vec<Profile>,
    /// Entries of the list that mean nobody, by line from 1; the list itself says who was meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<u32>,
    /// When they were listed, epoch milliseconds.
    pub listed_at: EpochMillis,
    /// When the last of them was tombstoned, epoch milliseconds.
    pub locked_out_at: Option<EpochMillis>,
    /// When the last of them was done, epoch milliseconds.
    pub ended_at: Option<EpochMillis>,
    /// What did not go as it should.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<MemberFailure>,
}

/// A member that needs a look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberFailure {
    /// Who.
    pub subject: SubjectKey,
    /// Stable, machine-readable; `handed_over` for those left to `revoke`.
    pub code: String,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Count the members, as far as it takes to know whether approval is needed.
    Count,
    /// Write the next page of members down.
    List,
    /// Tombstone the members of this page.
    LockOut(u32),
    /// End the sessions of the members of this page.
    End(u32),
    /// Close the tombstones of this page, whose sign-outs will not come.
    CallOff(u32),
    /// Begin the next pass.
    NextPass,
    /// Say that nothing is left.
    Complete,
    /// Nothing, for now or for ever.
    Rest,
}

// === impl BulkJob ===

impl BulkJob {
    /// A job as it begins. `needs_count` where approval may be needed; a request that names its approver waits for it whatever its
    /// size.
    #[must_use]
    pub fn new(request: RevocationRequest, received_at: EpochMillis, needs_count: bool) -> Self {
        let stage = match request.approve_by {
            Some(_) => Stage::AwaitingApproval,
            None if needs_count => Stage::Counting,
            None => Stage::LockingOut,
        };
        Self {
            id: request.id(),
            digest: request.digest(),
            request,
            received_at,
            stage,
            pass: 1,
            counted: None,
            cursor: Some(Cursor::default()),
            pages_listed: 0,
            pages_locked_out: 0,
            pages_ended: 0,
            pages_before_pass: 0,
            tally: Tally::default(),
            in_page: Tally::default(),
            locked_out_at: None,
            ended_at: None,
            stalls: 0,
            lease: None,
            version: 0,
        }
    }

    /// Whether nothing will ever be done to it again.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Completed | Stage::Cancelled)
    }

    /// What is to be done next, given what people wish.
    #[must_use]
    pub fn next(&self, control: &Control) -> Work {
        if self.is_over() {
            return Work::Rest;
        }
        match (control.wish, self.stage) {
            (Wish::Cancel, _) => self.call_off(),
            (Wish::Run, Stage::Counting) => Work::Count,
            (Wish::Run, Stage::AwaitingApproval) if control.approved_by.is_some() => Work::List,
            (Wish::Pause, _) | (Wish::Run, Stage::AwaitingApproval) => Work::Rest,
            (Wish::Run, _) => self.go_on(),
        }
    }

    fn go_on(&self) -> Work {
        if self.pages_locked_out < self.pages_listed {
            Work::LockOut(self.pages_locked_out + 1)
        } else if self.cursor.is_some() {
            Work::List
        } else if self.pages_ended < self.pages_locked_out {
            Work::End(self.pages_ended + 1)
        } else if self.passes_again() {
            Work::NextPass
        } else {
            Work::Complete
        }
    }

    /// Pages that are listed may be tombstoned in part; those after the last one that is done are closed.
    fn call_off(&self) -> Work {
        if self.pages_ended < self.pages_listed { Work::CallOff(self.pages_ended + 1) } else { Work::Complete }
    }

    /// A group may have got new members while it was being revoked. A list has not, and the end date is asked for daily.
    fn passes_again(&self) -> bool {
        let found_somebody = self.pages_listed > self.pages_before_pass;
        matches!(self.request.sub_id, SubjectIdentifier::Group { .. }) && found_somebody && self.pass < MOST_PASSES
    }

    /// Takes the lease for the message `owner`, unless another one has it.
    #[must_use]
    pub fn leased_to(&self, owner: &str, now: EpochMillis, until: EpochMillis) -> Option<Self> {
        let free = self.lease.as_ref().is_none_or(|lease| lease.owner == owner || lease.until < now);
        free.then(|| Self { lease: Some(Lease { owner: owner.to_owned(), until }), ..self.clone() })
    }

    /// The request of one member: the job's, for one person.
    #[must_use]
    pub fn member_request(&self, member: &SubjectKey) -> RevocationRequest {
        RevocationRequest {
            source: EventSource { name: BULK_SOURCE.into(), event_id: member_event_id(&self.id, member) },
            sub_id: SubjectIdentifier::IssSub { iss: member.user_pool_id.issuer(), sub: member.sub.0.clone() },
            txn: Some(self.id.0.clone()),
            pools: vec![member.user_pool_id.clone()],
            approve_by: None,
            ..self.request.clone()
        }
    }

    /// Who asked for it. Who approved it, where that was needed, is in the control.
    #[must_use]
    pub fn initiator(&self) -> &Initiator {
        &self.request.initiator
    }
}

/// The event id of a member's request, from which its [`RevocationId`] follows: the same in every pass and after every
/// crash, which is what makes each member's revocation happen once (I8).
#[must_use]
pub fn member_event_id(job: &RevocationId, member: &SubjectKey) -> String {
    format!("{job}/{member}")
}

/// The revocation of one member.
#[must_use]
pub fn member_revocation_id(job: &RevocationId, member: &SubjectKey) -> RevocationId {
    RevocationId::derive(BULK_SOURCE, &member_event_id(job, member))
}

#[cfg(test)]
mod tests;
