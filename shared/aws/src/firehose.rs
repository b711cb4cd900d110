//! `SiemExporter` on Amazon Data Firehose.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_firehose::Client;
use aws_sdk_firehose::primitives::Blob;
use aws_sdk_firehose::types::Record;
use revocation_core::ports::{PortError, SiemEvent, SiemExporter};

use crate::clients::AwsConfig;
use crate::error::port_error;

const PUT: &str = "firehose:PutRecordBatch";
/// Stands for the class in a stream's name: one stream a class, where the destination wants each by itself.
pub const CLASS: &str = "{class_uid}";
/// `PutRecordBatch` takes no more records at once. Its 4 MiB are then far: an event has a few KiB, and comes with few others.
const MOST_RECORDS: usize = 500;
/// Records that were refused are sent once more here; after that the queue delivers the whole cause again.
const ROUNDS: usize = 2;

/// Puts events on a stream, or on one for each class.
pub struct FirehoseExporter {
    client: Client,
    stream: String,
}

impl FirehoseExporter {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[PUT];

    /// An exporter to the stream of this name, in which [`CLASS`] stands for the event's class.
    #[must_use]
    pub fn new(aws: &AwsConfig, stream: impl Into<String>) -> Self {
        Self { client: aws.firehose(), stream: stream.into() }
    }

    fn stream_of(&self, event: &SiemEvent) -> String {
        self.stream.replace(CLASS, &event.class_uid.to_string())
    }

    /// Sends records; returns those that were refused. `PutRecordBatch` answers 200 even then (I7):
    /// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>
    async fn put(&self, stream: &str, records: Vec<Record>) -> Result<Vec<Record>, PortError> {
        let put = self.client.put_record_batch().delivery_stream_name(stream);
        let answer = put.set_records(Some(records.clone())).send().await;
        let answer = answer.map_err(|error| port_error(PUT, &error))?;
        if answer.failed_put_count() == 0 {
            return Ok(Vec::new());
        }
        // What the answer does not tell of counts as refused: told twice is better than not told.
        let is_refused = |n: usize| answer.request_responses().get(n).is_none_or(|told| told.record_id().is_none());
        Ok(records.into_iter().enumerate().filter(|(n, _)| is_refused(*n)).map(|(_, record)| record).collect())
    }
}

#[async_trait]
impl SiemExporter for FirehoseExporter {
    async fn export(&self, events: &[SiemEvent]) -> Result<(), PortError> {
        let mut streams: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        for event in events {
            streams.entry(self.stream_of(event)).or_default().push(record(event)?);
        }
        for (stream, records) in &streams {
            for chunk in records.chunks(MOST_RECORDS) {
                let mut left = chunk.to_vec();
                for _ in 0..ROUNDS {
                    if !left.is_empty() {
                        left = self.put(stream, left).await?;
                    }
                }
                if !left.is_empty() {
                    return Err(PortError::retry(PUT, "records_refused"));
                }
            }
        }
        Ok(())
    }
}

/// One line: Firehose joins records without anything in between.
fn record(event: &SiemEvent) -> Result<Record, PortError> {
    let line = format!("{}\n", event.line);
    Record::builder().data(Blob::new(line)).build().map_err(|_| PortError::reject(PUT, "request_not_built"))
}

#[cfg(test)]
mod tests;
