//! `ContactBook`: how a user can be reached, from the attributes of their profile.

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::UserType;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::ports::{ContactBook, Contacts, PortError, Searchable};

use super::list_users::{LIST_USERS, attribute, find};
use crate::clients::AwsConfig;

/// Reads contacts by `ListUsers`.
pub struct CognitoContactBook {
    client: Client,
    personal_email_attribute: Option<String>,
}

impl CognitoContactBook {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[LIST_USERS];

    /// A contact book. `personal_email_attribute` names the attribute with an address outside the company, such as
    /// `custom:personal_email`: preferred, because the company's mailbox may be closed with the account.
    #[must_use]
    pub fn new(aws: &AwsConfig, personal_email_attribute: Option<String>) -> Self {
        Self { client: aws.cognito(), personal_email_attribute }
    }

    fn read(&self, user: &UserType) -> Contacts {
        let get = |name: &str| attribute(user, name).filter(|value| !value.is_empty()).map(str::to_owned);
        let verified = |name: &str, flag: &str| get(name).filter(|_| get(flag).as_deref() == Some("true"));
        let personal = self.personal_email_attribute.as_deref().and_then(get);
        Contacts {
            verified_phone: verified("phone_number", "phone_number_verified"),
            email: personal.or_else(|| verified("email", "email_verified")),
            locale: get("locale"),
            zone: get("zoneinfo"),
        }
    }
}

#[async_trait]
impl ContactBook for CognitoContactBook {
    async fn contacts(&self, subject: &SubjectKey) -> Result<Option<Contacts>, PortError> {
        let users = find(&self.client, &subject.user_pool_id, Searchable::Sub, &subject.sub.0).await?;
        Ok(users.first().map(|user| self.read(user)))
    }
}
