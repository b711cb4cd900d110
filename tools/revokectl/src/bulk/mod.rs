//! Bulk revocations an operator asks for: who would be concerned, the request, and how far it has come.

pub(crate) mod csv;
pub(crate) mod follow;
pub(crate) mod plan;
pub(crate) mod view;

use revocation_aws::dynamodb::DynamoBulkJobs;
use revocation_core::domain::bulk::{BulkJob, Control, ControlAction, ControlRequest};
use revocation_core::domain::event::Event;
use revocation_core::domain::request::EventSource;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::ports::BulkJobs as _;

use crate::context::Context;
use crate::failure::Failure;
use crate::random;
use crate::revocation::{SOURCE, Told, put};

/// The bulk table.
pub(crate) async fn jobs(context: &Context) -> Result<DynamoBulkJobs, Failure> {
    let table = context.operations().await?.bulk_table.clone();
    let table = table.ok_or_else(|| {
        Failure::not_found("this pipeline knows no bulk revocations").next("it is of an older version: deploy it again")
    })?;
    Ok(DynamoBulkJobs::new(context.aws().await?, table))
}

/// A job, and what people wish of it.
pub(crate) async fn load(
    context: &Context,
    jobs: &DynamoBulkJobs,
    id: &RevocationId,
) -> Result<(BulkJob, Control), Failure> {
    let job = jobs.load(id).await.map_err(|error| context.explain(error.into()))?;
    let job = job.ok_or_else(|| {
        Failure::not_found(format!("there is no bulk revocation {id}")).next("those there are: revokectl job list")
    })?;
    let control = jobs.control(id).await.map_err(|error| context.explain(error.into()))?;
    Ok((job, control))
}

/// Reads the id of a job.
pub(crate) fn job_id(text: &str) -> Result<RevocationId, String> {
    let is_id = text
        .strip_prefix("rv_")
        .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    if is_id { Ok(RevocationId(text.to_owned())) } else { Err("expected rv_ and 32 hexadecimal digits".to_owned()) }
}

/// Says what is wished of a job; answers the id of what was said.
pub(crate) async fn steer(context: &Context, id: &RevocationId, action: ControlAction) -> Result<String, Failure> {
    let event_id = random::event_id()?;
    let request = ControlRequest {
        version: "1".into(),
        source: EventSource { name: SOURCE.into(), event_id: event_id.clone() },
        job_id: id.clone(),
        action,
        initiator: context.initiator().await?,
    };
    put(context, Event::BulkControlRequested(request), &Told::of(id, said(action), "job show")).await?;
    Ok(event_id)
}

/// What a job was, once that is said of it.
fn said(action: ControlAction) -> &'static str {
    match action {
        ControlAction::Pause => "told to pause",
        ControlAction::Resume => "told to go on",
        ControlAction::Cancel => "cancelled",
        ControlAction::Approve => "approved",
    }
}
