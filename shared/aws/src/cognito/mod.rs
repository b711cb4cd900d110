//! Ports on Amazon Cognito user pools: who is meant, how to reach them, how their sessions end, and how accounts and
//! groups are kept.

mod accounts;
mod app_clients;
mod authenticator;
mod contacts;
mod directory;
mod groups;
mod inspection;
mod list_users;
mod members;
mod memberships;
mod people;
mod pool_inspection;
mod pool_size;
mod resolver;
mod throwaway;

pub use accounts::{CognitoAccountEnabler, CognitoAccountLocker, CognitoDeviceForgetter, CognitoSessionTerminator};
pub use app_clients::{CognitoAppClients, CognitoRefreshTokens};
pub use authenticator::CognitoAuthenticator;
pub use contacts::CognitoContactBook;
pub use directory::CognitoUserDirectory;
pub use groups::CognitoGroupDirectory;
pub use inspection::{AccountFacts, CognitoInspector, RememberedDevice, SignIn};
pub use members::CognitoMemberDirectory;
pub use memberships::CognitoMembershipReader;
pub use people::CognitoPeople;
pub use pool_inspection::{ClientFacts, CognitoPoolInspector, PoolFacts};
pub use pool_size::CognitoPoolSize;
pub use resolver::CognitoSubjectResolver;
pub use throwaway::{CognitoThrowaway, Session, Throwaway};
