//! Lambda `report`: when a bulk revocation is over, its report goes into the evidence bucket, below `reports/<year>/<job>/`.
//!
//! The files are written on the instance's own disk and sent from there in parts, the manifest last: where it is, the others
//! are. Delivered twice, the report is written twice, as a new version of each object.

pub mod config;

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::sync::Arc;

use async_trait::async_trait;
use revocation_aws::clients::AwsConfig;
use revocation_aws::cognito::CognitoPeople;
use revocation_aws::dynamodb::{DynamoJobReader, DynamoRecords, DynamoSessionRefusals};
use revocation_aws::s3::S3Files;
use revocation_aws::sqs::SqsQueue;
use revocation_core::domain::bulk::BulkRevocationCompleted;
use revocation_core::domain::disposition::{Disposed, Disposition};
use revocation_core::ports::{Clock, PortError, RefusalReader};
use revocation_lambda::clock::SystemClock;
use revocation_lambda::metrics;
use revocation_lambda::queue::{Delivery, EventHandler, Failure};
use revocation_report::{GatherError, Made, Sources, keys};

use crate::config::Config;

/// The actions of the ports it holds: exactly what its role allows (I14).
pub const IAM_ACTIONS: &[&[&str]] = &[
    CognitoPeople::IAM_ACTIONS,
    DynamoJobReader::IAM_ACTIONS,
    DynamoRecords::IAM_ACTIONS,
    DynamoSessionRefusals::IAM_ACTIONS,
    S3Files::IAM_ACTIONS,
    SqsQueue::IAM_ACTIONS,
];
/// People looked up, at 10 a second: as many as the page shows, in four minutes of the function's fifteen.
const MOST_PEOPLE: usize = revocation_report::MOST_ROWS;

/// Writes reports.
pub struct ReportHandler {
    sources: Sources,
    files: S3Files,
    clock: Arc<dyn Clock>,
}

/// There is no report.
#[derive(Debug, thiserror::Error)]
enum NoReport {
    #[error("not a Bulk Revocation Completed")]
    NotThatEvent,
    #[error(transparent)]
    Gather(#[from] GatherError),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("the instance's disk")]
    Disk(#[from] io::Error),
}

impl Disposed for NoReport {
    fn disposition(&self) -> Disposition {
        match self {
            Self::NotThatEvent => Disposition::Reject,
            Self::Gather(error) => error.disposition(),
            Self::Port(error) => error.disposition,
            Self::Disk(_) => Disposition::Retry,
        }
    }
}

#[async_trait]
impl EventHandler for ReportHandler {
    async fn handle(&self, delivery: Delivery<'_>) -> Result<(), Failure> {
        let completed = serde_json::from_str(delivery.envelope.detail.get()).map_err(|_| NoReport::NotThatEvent)?;
        Ok(self.write(&completed).await?)
    }
}

impl ReportHandler {
    async fn write(&self, completed: &BulkRevocationCompleted) -> Result<(), NoReport> {
        let (csv, manifest) = (tempfile::tempfile()?, tempfile::tempfile()?);
        let made = Made { at: self.clock.now(), by: "the function report".to_owned() };
        let job = &completed.job_id;
        let finished = self.sources.job(job, made, csv.try_clone()?, manifest.try_clone()?).await?;
        let mut html = tempfile::tempfile()?;
        html.write_all(finished.html.as_bytes())?;
        let [csv_key, html_key, manifest_key] = keys(&completed.received_at.utc_day(), &job.0);
        self.files.put(&csv_key, "text/csv; charset=utf-8", rewound(csv)?).await?;
        self.files.put(&html_key, "text/html; charset=utf-8", rewound(html)?).await?;
        self.files.put(&manifest_key, "application/json", rewound(manifest)?).await?;
        let counts = finished.counts;
        let failed = counts.partial + counts.without_record;
        tracing::info!(job_id = %job, entries = counts.entries, failed, object = manifest_key, "report written");
        metrics::count("ReportWritten", "function", "report");
        Ok(())
    }
}

fn rewound(mut file: File) -> io::Result<File> {
    file.rewind()?;
    Ok(file)
}

/// The handler on AWS.
#[must_use]
pub fn handler(aws: &AwsConfig, config: &Config) -> ReportHandler {
    let records = Arc::new(DynamoRecords::new(aws, &config.revocations_table));
    let refusals = config
        .sessions_table
        .as_ref()
        .map(|table| -> Arc<dyn RefusalReader> { Arc::new(DynamoSessionRefusals::new(aws, table)) });
    let sources = Sources {
        jobs: Arc::new(DynamoJobReader::new(aws, &config.bulk_table)),
        index: records.clone(),
        records,
        people: Arc::new(CognitoPeople::new(aws)),
        refusals,
        most_people: MOST_PEOPLE,
    };
    ReportHandler { sources, files: S3Files::new(aws, &config.evidence_bucket), clock: Arc::new(SystemClock) }
}
