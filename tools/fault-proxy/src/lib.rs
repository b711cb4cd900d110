//! Stands between the functions and the local cloud, and injects faults.
//!
//! A function reaches the proxy because its variables `AWS_ENDPOINT_URL_<SERVICE>` say so, which is all it notices: it is
//! the binary that goes to AWS, over real HTTP. Each function has a port of its own, so that the proxy knows who calls.
//!
//! Faults are scripted by *case*. A case owns what belongs to one user's revocation: a call is its own when the body
//! names the user or the revocation, or when the process that calls was last at work for it. So hundreds of cases run at
//! the same time and do not meet.

mod answers;
mod call;
mod fault;
mod process;
mod proxy;
mod script;

pub use fault::Fault;
pub use proxy::{Case, FaultProxy};
pub use script::{Lasting, Rule, Script, Seen};
