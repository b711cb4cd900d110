//! What Cognito knows of an account, for an operator who looks into it. Reads only.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{AuthEventType, DeviceType, EventRiskType, UserType};
use aws_smithy_types::DateTime;
use revocation_core::domain::profile::{Profile, SubjectKey};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{PortError, Searchable};
use serde::Serialize;

use super::list_users::{LIST_USERS, PAGE, attribute, find};
use crate::clients::AwsConfig;
use crate::error::port_error;

const AUTH_EVENTS: &str = "cognito-idp:AdminListUserAuthEvents";
const DEVICES: &str = "cognito-idp:AdminListDevices";
const GET_USER: &str = "cognito-idp:AdminGetUser";

/// Looks accounts up.
pub struct CognitoInspector {
    client: Client,
}

/// An account, as `ListUsers` tells of it; some seconds old.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountFacts {
    /// User name.
    pub username: String,
    /// Whether it may sign in.
    pub enabled: bool,
    /// `CONFIRMED`, `RESET_REQUIRED`, `EXTERNAL_PROVIDER` …
    pub status: String,
    /// Personal data.
    pub email: Option<String>,
    /// Whether the person has shown that it is theirs.
    pub email_verified: bool,
    /// Personal data.
    pub phone_number: Option<String>,
    /// Whether the person has shown that it is theirs.
    pub phone_number_verified: bool,
    /// Epoch milliseconds.
    pub created: Option<EpochMillis>,
    /// When the account, not its groups, was last changed; epoch milliseconds.
    pub modified: Option<EpochMillis>,
}

/// A sign-in, a sign-up or a change of the password, as threat protection noted it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignIn {
    /// Epoch milliseconds.
    pub at: Option<EpochMillis>,
    /// `SignIn`, `SignUp`, `ForgotPassword`, `PasswordChange`, `ResendCode`.
    pub event: Option<String>,
    /// `Pass`, `Fail`, `InProgress`.
    pub response: Option<String>,
    /// `Low`, `Medium`, `High`.
    pub risk_level: Option<String>,
    /// `NoRisk`, `AccountTakeover`, `Block`.
    pub risk_decision: Option<String>,
    /// Whether the password is known to be known to others.
    pub compromised_credentials: Option<bool>,
    /// Personal data.
    pub ip: Option<String>,
    /// City and country of the address.
    pub place: Option<String>,
    /// What the browser or app calls itself.
    pub device: Option<String>,
}

/// A device that Cognito remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RememberedDevice {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: Option<String>,
    /// Its last address. Personal data.
    pub ip: Option<String>,
    /// Whether it skips MFA.
    pub remembered: Option<String>,
    /// Epoch milliseconds.
    pub created: Option<EpochMillis>,
    /// Epoch milliseconds.
    pub last_authenticated: Option<EpochMillis>,
}

// === impl CognitoInspector ===

impl CognitoInspector {
    /// The actions it needs, if everything is looked at.
    pub const IAM_ACTIONS: &[&str] = &[LIST_USERS, AUTH_EVENTS, DEVICES, GET_USER];

    /// An inspector.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }

    /// The account; `None` if search does not find it.
    pub async fn account(&self, subject: &SubjectKey) -> Result<Option<AccountFacts>, PortError> {
        let found = find(&self.client, &subject.user_pool_id, Searchable::Sub, &subject.sub.0).await?;
        let is_meant = |user: &&UserType| attribute(user, "sub") == Some(&subject.sub.0);
        Ok(found.iter().find(is_meant).map(facts))
    }

    /// The second factors that are set up, the preferred one first. This counts the person as active this month, which is
    /// billed (Amazon Cognito pricing, "monthly active users").
    pub async fn second_factors(&self, profile: &Profile) -> Result<Vec<String>, PortError> {
        let (pool, name) = (&profile.key.user_pool_id.0, &profile.username);
        let user = self.client.admin_get_user().user_pool_id(pool).username(name).send().await;
        let user = user.map_err(|error| port_error(GET_USER, &error))?;
        let preferred = user.preferred_mfa_setting.filter(|factor| !factor.is_empty());
        let others = user.user_mfa_setting_list.unwrap_or_default().into_iter();
        let others: Vec<String> = others.filter(|factor| Some(factor) != preferred.as_ref()).collect();
        Ok(preferred.into_iter().chain(others).collect())
    }

    /// The latest sign-ins, at most a page. Needs threat protection, which is of the feature plan Plus.
    pub async fn sign_ins(&self, profile: &Profile, most: i32) -> Result<Vec<SignIn>, PortError> {
        let (pool, name) = (&profile.key.user_pool_id.0, &profile.username);
        let list = self.client.admin_list_user_auth_events().user_pool_id(pool).username(name);
        let page = list.max_results(most.min(PAGE)).send().await.map_err(|error| port_error(AUTH_EVENTS, &error))?;
        Ok(page.auth_events().iter().map(sign_in).collect())
    }

    /// The devices that are remembered, at most a page.
    pub async fn devices(&self, profile: &Profile) -> Result<Vec<RememberedDevice>, PortError> {
        let (pool, name) = (&profile.key.user_pool_id.0, &profile.username);
        let list = self.client.admin_list_devices().user_pool_id(pool).username(name).limit(PAGE);
        let page = list.send().await.map_err(|error| port_error(DEVICES, &error))?;
        Ok(page.devices().iter().filter_map(device).collect())
    }
}

fn facts(user: &UserType) -> AccountFacts {
    let owned = |name| attribute(user, name).map(str::to_owned);
    let is_true = |name| attribute(user, name) == Some("true");
    AccountFacts {
        username: user.username().unwrap_or_default().to_owned(),
        enabled: user.enabled(),
        status: user.user_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        email: owned("email"),
        email_verified: is_true("email_verified"),
        phone_number: owned("phone_number"),
        phone_number_verified: is_true("phone_number_verified"),
        created: millis(user.user_create_date()),
        modified: millis(user.user_last_modified_date()),
    }
}

fn sign_in(event: &AuthEventType) -> SignIn {
    let (context, risk) = (event.event_context_data(), event.event_risk());
    let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let place: Vec<&str> =
        context.into_iter().flat_map(|c| [c.city(), c.country()]).flatten().filter(|part| !part.is_empty()).collect();
    SignIn {
        at: millis(event.creation_date()),
        event: event.event_type().map(|it| it.as_str().to_owned()),
        response: event.event_response().map(|it| it.as_str().to_owned()),
        risk_level: risk.and_then(|risk| risk.risk_level()).map(|it| it.as_str().to_owned()),
        risk_decision: risk.and_then(|risk| risk.risk_decision()).map(|it| it.as_str().to_owned()),
        compromised_credentials: risk.and_then(EventRiskType::compromised_credentials_detected),
        ip: given(context.and_then(|context| context.ip_address())),
        place: given(Some(&place.join(", "))),
        device: given(context.and_then(|context| context.device_name())),
    }
}

fn device(device: &DeviceType) -> Option<RememberedDevice> {
    let of = |name: &str| {
        let mut attributes = device.device_attributes().iter();
        attributes.find(|attribute| attribute.name() == name)?.value().map(str::to_owned)
    };
    Some(RememberedDevice {
        key: device.device_key()?.to_owned(),
        name: of("device_name"),
        ip: of("last_ip_used"),
        remembered: of("device_status"),
        created: millis(device.device_create_date()),
        last_authenticated: millis(device.device_last_authenticated_date()),
    })
}

fn millis(time: Option<&DateTime>) -> Option<EpochMillis> {
    time?.to_millis().ok().map(EpochMillis)
}
