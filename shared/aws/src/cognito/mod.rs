//! Ports on Amazon Cognito user pools: who is meant, how to reach them, and how their sessions end.

mod accounts;
mod contacts;
mod list_users;
mod resolver;

pub use accounts::{CognitoAccountLocker, CognitoDeviceForgetter, CognitoSessionTerminator};
pub use contacts::CognitoContactBook;
pub use resolver::CognitoSubjectResolver;
