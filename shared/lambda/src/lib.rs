//! Runtime glue of the Lambda functions: environment, logging, metrics, and the loop over SQS batches.

pub mod audit_line;
pub mod clock;
pub mod env;
mod lines;
pub mod logging;
pub mod metrics;
pub mod queue;
pub mod siem_line;
