//! What Cognito is asked to do to an account.

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use revocation_core::domain::audit::USER_NOT_FOUND;
use revocation_core::domain::disposition::Disposition;
use revocation_core::domain::profile::Profile;
use revocation_core::ports::{AccountEnabler, AccountLocker, Acted, DeviceForgetter, PortError, SessionTerminator};

use crate::clients::AwsConfig;
use crate::error::{OperationError, port_error};

const SIGN_OUT: &str = "cognito-idp:AdminUserGlobalSignOut";
const DISABLE: &str = "cognito-idp:AdminDisableUser";
const ENABLE: &str = "cognito-idp:AdminEnableUser";
const RESET: &str = "cognito-idp:AdminResetUserPassword";
const LIST_DEVICES: &str = "cognito-idp:AdminListDevices";
const FORGET_DEVICE: &str = "cognito-idp:AdminForgetDevice";

/// The most `AdminListDevices` returns at once.
const DEVICE_PAGE: i32 = 60;
/// More devices than anybody has; the listing starts anew after each page, so this bounds the work, not the user.
const MOST_DEVICE_PAGES: usize = 10;

/// Ends sessions by `AdminUserGlobalSignOut`: refresh tokens are refused by Cognito from its answer on. Access and ID
/// tokens stay valid by their signature; that is what the tombstone is for.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminUserGlobalSignOut.html>
pub struct CognitoSessionTerminator {
    client: Client,
}

/// Prevents sign-ins by `AdminDisableUser` and `AdminResetUserPassword`.
pub struct CognitoAccountLocker {
    client: Client,
}

/// Allows sign-ins again by `AdminEnableUser`.
pub struct CognitoAccountEnabler {
    client: Client,
}

/// Forgets remembered devices.
pub struct CognitoDeviceForgetter {
    client: Client,
}

// === impl CognitoSessionTerminator ===

impl CognitoSessionTerminator {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[SIGN_OUT];

    /// A terminator.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }
}

#[async_trait]
impl SessionTerminator for CognitoSessionTerminator {
    async fn sign_out_everywhere(&self, profile: &Profile) -> Result<Acted, PortError> {
        let (pool, name) = (&profile.key.user_pool_id.0, &profile.username);
        let sent = self.client.admin_user_global_sign_out().user_pool_id(pool).username(name).send().await;
        acted(SIGN_OUT, sent, &[])
    }
}

// === impl CognitoAccountLocker ===

impl CognitoAccountLocker {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[DISABLE, RESET];

    /// A locker.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }
}

#[async_trait]
impl AccountLocker for CognitoAccountLocker {
    async fn disable(&self, profile: &Profile) -> Result<Acted, PortError> {
        let (pool, name) = (&profile.key.user_pool_id.0, &profile.username);
        let sent = self.client.admin_disable_user().user_pool_id(pool).username(name).send().await;
        acted(DISABLE, sent, &[])
    }

    async fn reset_password(&self, profile: &Profile) -> Result<Acted, PortError> {
        let (pool, name) = (&profile.key.user_pool_id.0, &profile.username);
        let sent = self.client.admin_reset_user_password().user_pool_id(pool).username(name).send().await;
        acted(RESET, sent, &[]).map_err(reset_refused)
    }
}

// === impl CognitoAccountEnabler ===

impl CognitoAccountEnabler {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[ENABLE];

    /// An enabler.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }
}

#[async_trait]
impl AccountEnabler for CognitoAccountEnabler {
    async fn enable(&self, profile: &Profile) -> Result<Acted, PortError> {
        let (pool, name) = (&profile.key.user_pool_id.0, &profile.username);
        let sent = self.client.admin_enable_user().user_pool_id(pool).username(name).send().await;
        acted(ENABLE, sent, &[])
    }
}

// === impl CognitoDeviceForgetter ===

impl CognitoDeviceForgetter {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[LIST_DEVICES, FORGET_DEVICE];

    /// A forgetter.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }
}

#[async_trait]
impl DeviceForgetter for CognitoDeviceForgetter {
    async fn forget_devices(&self, profile: &Profile) -> Result<Acted, PortError> {
        let (pool, name) = (&profile.key.user_pool_id.0, &profile.username);
        for _ in 0..MOST_DEVICE_PAGES {
            // Always the first page: forgetting moves the others up.
            let page = self.client.admin_list_devices().user_pool_id(pool).username(name).limit(DEVICE_PAGE);
            let devices = match page.send().await {
                Ok(page) => page.devices.unwrap_or_default(),
                // Pools that do not remember devices answer so.
                Err(error) => return acted(LIST_DEVICES, Err::<(), _>(error), &NO_DEVICES),
            };
            if devices.is_empty() {
                return Ok(Acted::Done);
            }
            for key in devices.iter().filter_map(|device| device.device_key()) {
                let forget = self.client.admin_forget_device().user_pool_id(pool).username(name).device_key(key);
                acted(FORGET_DEVICE, forget.send().await, &NO_DEVICES)?;
            }
        }
        Err(PortError::retry(FORGET_DEVICE, "endless_devices"))
    }
}

/// Codes that mean: there is nothing to forget.
const NO_DEVICES: [(&str, &str); 3] = [
    ("ResourceNotFoundException", "no_such_device"),
    ("InvalidUserPoolConfigurationException", "devices_not_remembered"),
    // No AWS endpoint answers so; the local cloud does, which has no devices.
    ("InvalidAction", "not_supported"),
];

/// Why a code cannot be sent, or may not be: a day's e-mails are used up, the roles or triggers of the pool are not right
/// (`AdminResetUserPassword`, Errors). Tried again, each would leave the account as it is for as long as that lasts; refused,
/// it is disabled instead.
const NO_RESET: [&str; 7] = [
    "invalid_email_role_access_policy",
    "invalid_lambda_response",
    "invalid_sms_role_access_policy",
    "invalid_sms_role_trust_relationship",
    "limit_exceeded",
    "unexpected_lambda",
    "user_lambda_validation",
];

fn reset_refused(error: PortError) -> PortError {
    let for_good = NO_RESET.contains(&error.code.as_str());
    if for_good { PortError { disposition: Disposition::Reject, ..error } } else { error }
}

/// The answer as an outcome. A user who is gone has nothing left to end; `harmless` lists further codes of that kind.
pub(super) fn acted<T, E: OperationError>(
    operation: &'static str,
    sent: Result<T, SdkError<E, HttpResponse>>,
    harmless: &[(&str, &'static str)],
) -> Result<Acted, PortError> {
    let Err(error) = sent else { return Ok(Acted::Done) };
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    if code == Some("UserNotFoundException") {
        return Ok(Acted::NotNeeded(USER_NOT_FOUND));
    }
    match harmless.iter().find(|(harmless, _)| code == Some(*harmless)) {
        Some((_, why)) => Ok(Acted::NotNeeded(why)),
        None => Err(port_error(operation, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Or nobody would lock the account: `Revoker` disables whom a reset is refused for good.
    #[test]
    fn a_reset_that_cannot_send_its_code_is_refused_and_one_that_may_pass_is_not() {
        let error = |code: &str| reset_refused(PortError::retry(RESET, code));
        assert!(NO_RESET.iter().all(|code| error(code).disposition == Disposition::Reject));
        for passes in ["too_many_requests", "internal_error", "timeout", "unreachable"] {
            assert_eq!(error(passes), PortError::retry(RESET, passes));
        }
    }
}
