//! Records of the audit trail: of revocations, and of actions on accounts.

use revocation_aws::dynamodb::{Cursor, DynamoAuditReader, Entry, Listing};
use revocation_core::domain::action::{ActionOutcome, ActionRecord};
use revocation_core::domain::audit::{AuditRecord, Outcome};
use revocation_core::domain::initiator::Initiator;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::request::EventSource;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::time::EpochMillis;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;

/// A record.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Record {
    /// Of a subject's revocation.
    Revocation(Box<AuditRecord>),
    /// Of an action on an account.
    Action(Box<ActionRecord>),
}

/// Reads listings page by page, one listing after the other, the newest first in each.
pub(crate) struct Pages {
    reader: DynamoAuditReader,
    listings: std::vec::IntoIter<Listing>,
    span: (EpochMillis, EpochMillis),
    at: Option<(Listing, Option<Cursor>)>,
}

// === impl Pages ===

impl Pages {
    /// Pages of these listings, between two times.
    pub(crate) async fn of(
        context: &Context,
        listings: Vec<Listing>,
        span: (EpochMillis, EpochMillis),
    ) -> Result<Self, Failure> {
        let table = &context.operations().await?.revocations_table;
        let reader = DynamoAuditReader::new(context.aws().await?, table);
        Ok(Self { reader, listings: listings.into_iter(), span, at: None })
    }

    /// The next page, which may be empty although more follow; `None` at the end.
    pub(crate) async fn next(&mut self, context: &Context) -> Result<Option<Vec<Entry>>, Failure> {
        let Some((listing, after)) = self.at.take().or_else(|| Some((self.listings.next()?, None))) else {
            return Ok(None);
        };
        let page = self.reader.page(&listing, self.span, after).await;
        let page = page.map_err(|error| context.explain(error.into()))?;
        self.at = page.next.map(|next| (listing, Some(next)));
        Ok(Some(page.entries))
    }
}

/// The UTC days a span touches, the newest first.
pub(crate) fn days((since, until): (EpochMillis, EpochMillis)) -> Vec<String> {
    const DAY_MS: i64 = 86_400_000;
    let (first, last) = (since.0.div_euclid(DAY_MS), until.0.div_euclid(DAY_MS));
    (first..=last).rev().map(|day| EpochMillis(day.saturating_mul(DAY_MS)).utc_day()).collect()
}

// === impl Record ===

impl Record {
    /// The record in an entry; `None` for one that is no record, or of a version this build does not know.
    pub(crate) fn of(entry: &Entry) -> Option<Self> {
        match entry.step.split('/').next()? {
            "completed" => serde_json::from_str(&entry.body).ok().map(Box::new).map(Self::Revocation),
            "action" => serde_json::from_str(&entry.body).ok().map(Box::new).map(Self::Action),
            _ => None,
        }
    }

    /// Its revocation or action.
    pub(crate) fn id(&self) -> &RevocationId {
        match self {
            Self::Revocation(record) => &record.revocation_id,
            Self::Action(record) => &record.id,
        }
    }

    /// Whom it concerns.
    pub(crate) fn subject(&self) -> Option<&SubjectKey> {
        match self {
            Self::Revocation(record) => record.subject.as_ref(),
            Self::Action(record) => record.subject.as_ref(),
        }
    }

    /// The reason, or the action.
    pub(crate) fn what(&self) -> &'static str {
        match self {
            Self::Revocation(record) => record.reason.as_str(),
            Self::Action(record) => record.action.as_str(),
        }
    }

    /// Who caused it.
    pub(crate) fn initiator(&self) -> &Initiator {
        match self {
            Self::Revocation(record) => &record.initiator,
            Self::Action(record) => &record.initiator,
        }
    }

    /// Where it came from.
    pub(crate) fn source(&self) -> &EventSource {
        match self {
            Self::Revocation(record) => &record.source,
            Self::Action(record) => &record.source,
        }
    }

    /// When the pipeline received it.
    pub(crate) fn received_at(&self) -> EpochMillis {
        match self {
            Self::Revocation(record) => record.received_at,
            Self::Action(record) => record.received_at,
        }
    }

    /// How it ended.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Revocation(record) => match record.outcome {
                Outcome::Complete => "complete",
                Outcome::Partial => "partial",
                Outcome::NoSuchUser => "no_such_user",
                Outcome::Cancelled => "cancelled",
            },
            Self::Action(record) => record.outcome.as_str(),
        }
    }

    /// Whether it ended as it should.
    pub(crate) fn is_good(&self) -> bool {
        match self {
            Self::Revocation(record) => record.outcome != Outcome::Partial,
            Self::Action(record) => matches!(record.outcome, ActionOutcome::Done | ActionOutcome::Superseded),
        }
    }

    /// The text for the record.
    pub(crate) fn comment(&self) -> Option<&str> {
        match self {
            Self::Revocation(record) => record.reason_admin.english_or_first(),
            Self::Action(record) => record.reason_admin.english_or_first(),
        }
    }

    /// What a revocation measured and counted.
    pub(crate) fn revocation(&self) -> Option<&AuditRecord> {
        match self {
            Self::Revocation(record) => Some(record),
            Self::Action(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_touches_its_first_and_last_day() {
        let at = |text| EpochMillis::parse_rfc3339(text).unwrap();
        let span = (at("2026-02-27T23:59:59Z"), at("2026-03-01T00:00:00Z"));
        assert_eq!(days(span), ["2026-03-01", "2026-02-28", "2026-02-27"]);
        assert_eq!(days((span.0, span.0)), ["2026-02-27"]);
    }
}
