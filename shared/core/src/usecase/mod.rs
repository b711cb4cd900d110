//! What the pipeline does, step by step, over ports.

pub mod account_action;
pub mod bulk;
pub mod chain_audit;
pub mod count_compromise;
pub mod intake;
pub mod notify;
pub mod revoke;
pub mod silence;
pub mod sweep;
