//! Users of the pool: made, signed in, refreshed.

use anyhow::{Context as _, Result};
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata as _;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, AuthFlowType, AuthenticationResultType, MessageActionType,
};
use revocation_core::domain::profile::SubjectKey;

use crate::Probe;

/// A user to be made. Their address and number are from ranges reserved for examples.
#[derive(Clone, Debug, Default)]
pub struct NewUser<'a> {
    /// User name; the address is `<name>@example.com`.
    pub name: &'a str,
    /// Verified phone number, E.164.
    pub phone: Option<&'a str>,
    /// BCP 47.
    pub locale: Option<&'a str>,
    /// Group they are in.
    pub group: Option<&'a str>,
}

/// A user who can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// User name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Pool and `sub`.
    pub key: SubjectKey,
    password: String,
}

/// A session. Not `Debug`: tokens do not belong into an output.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Access token.
    pub access: String,
    /// ID token.
    pub id: String,
    /// Refresh token.
    pub refresh: String,
}

impl User {
    /// Somebody who was made by other means, such as SCIM; `name` is what they sign in with.
    #[must_use]
    pub fn provisioned(name: &str, email: &str, key: SubjectKey, password: &str) -> Self {
        Self { name: name.to_owned(), email: email.to_owned(), key, password: password.to_owned() }
    }
}

impl Probe {
    /// Makes a user with a permanent password.
    pub async fn add_user(&self, new: &NewUser<'_>) -> Result<User> {
        let email = format!("{}@example.com", new.name);
        // Only ever the password of a user of an emulated or dedicated test pool.
        let password = format!("Correct-horse-7-{}", new.name);
        let mut attributes = vec![attribute("email", &email)?, attribute("email_verified", "true")?];
        for (name, value) in [("phone_number", new.phone), ("locale", new.locale)] {
            attributes.extend(value.map(|value| attribute(name, value)).transpose()?);
        }
        attributes.extend(new.phone.map(|_| attribute("phone_number_verified", "true")).transpose()?);
        let made = self
            .cognito
            .admin_create_user()
            .user_pool_id(&self.facts.user_pool_id)
            .username(new.name)
            .message_action(MessageActionType::Suppress)
            .set_user_attributes(Some(attributes))
            .send()
            .await
            .with_context(|| format!("cannot make the user {}", new.name))?;
        let user = made.user.context("Cognito made no user")?;
        let sub = user.attributes().iter().find(|a| a.name() == "sub").and_then(|a| a.value()).context("no sub")?;
        let key = SubjectKey::new(&self.facts.user_pool_id, sub);
        self.cognito
            .admin_set_user_password()
            .user_pool_id(&self.facts.user_pool_id)
            .username(new.name)
            .password(&password)
            .permanent(true)
            .send()
            .await
            .context("cannot set the password")?;
        if let Some(group) = new.group {
            self.add_to_group(new.name, group).await?;
        }
        Ok(User { name: new.name.to_owned(), email, key, password })
    }

    /// Makes a user who never signs in: one call, for when many are needed.
    pub async fn add_account(&self, name: &str) -> Result<SubjectKey> {
        let email = format!("{name}@example.com");
        let made = self
            .cognito
            .admin_create_user()
            .user_pool_id(&self.facts.user_pool_id)
            .username(name)
            .message_action(MessageActionType::Suppress)
            .set_user_attributes(Some(vec![attribute("email", &email)?, attribute("email_verified", "true")?]))
            .send()
            .await
            .with_context(|| format!("cannot make the account {name}"))?;
        let user = made.user.context("Cognito made no user")?;
        let sub = user.attributes().iter().find(|a| a.name() == "sub").and_then(|a| a.value()).context("no sub")?;
        Ok(SubjectKey::new(&self.facts.user_pool_id, sub))
    }

    /// Makes a group.
    pub async fn add_group(&self, group: &str) -> Result<()> {
        let create = self.cognito.create_group().user_pool_id(&self.facts.user_pool_id).group_name(group);
        create.send().await.map(drop).with_context(|| format!("cannot make the group {group}"))
    }

    /// Puts a user into a group.
    pub async fn add_to_group(&self, name: &str, group: &str) -> Result<()> {
        let pool = &self.facts.user_pool_id;
        let add = self.cognito.admin_add_user_to_group().user_pool_id(pool).username(name).group_name(group);
        add.send().await.map(drop).with_context(|| format!("cannot add {name} to the group {group}"))
    }

    /// Takes a user out of a group.
    pub async fn remove_from_group(&self, name: &str, group: &str) -> Result<()> {
        let pool = &self.facts.user_pool_id;
        let remove = self.cognito.admin_remove_user_from_group().user_pool_id(pool).username(name).group_name(group);
        remove.send().await.map(drop).with_context(|| format!("cannot remove {name} from the group {group}"))
    }

    /// Sets an attribute, as an administrator.
    pub async fn set_attribute(&self, user: &User, name: &str, value: &str) -> Result<()> {
        let pool = &self.facts.user_pool_id;
        let update = self.cognito.admin_update_user_attributes().user_pool_id(pool).username(&user.name);
        let update = update.user_attributes(attribute(name, value)?);
        update.send().await.map(drop).with_context(|| format!("cannot set {name} of {}", user.name))
    }

    /// Gives a user their password back, as the help desk does after a reset.
    pub async fn restore_password(&self, user: &User) -> Result<()> {
        let pool = &self.facts.user_pool_id;
        let set = self.cognito.admin_set_user_password().user_pool_id(pool).username(&user.name);
        set.password(&user.password).permanent(true).send().await.map(drop).context("cannot set the password")
    }

    /// Signs a user in. The inner error is Cognito's code, such as `NotAuthorizedException`.
    pub async fn sign_in(&self, user: &User) -> Result<std::result::Result<Tokens, String>> {
        let answer = self
            .cognito
            .initiate_auth()
            .client_id(&self.facts.client_id)
            .auth_flow(AuthFlowType::UserPasswordAuth)
            .auth_parameters("USERNAME", &user.name)
            .auth_parameters("PASSWORD", &user.password)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(Ok(tokens(answer.authentication_result, None)?)),
            Err(error) => refused(error.code()),
        }
    }

    /// Refreshes a session.
    pub async fn refresh(&self, session: &Tokens) -> Result<std::result::Result<Tokens, String>> {
        let answer = self
            .cognito
            .initiate_auth()
            .client_id(&self.facts.client_id)
            .auth_flow(AuthFlowType::RefreshTokenAuth)
            .auth_parameters("REFRESH_TOKEN", &session.refresh)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(Ok(tokens(answer.authentication_result, Some(&session.refresh))?)),
            Err(error) => refused(error.code()),
        }
    }

    /// Whether the account is enabled.
    pub async fn is_enabled(&self, user: &User) -> Result<bool> {
        let get = self.cognito.admin_get_user().user_pool_id(&self.facts.user_pool_id).username(&user.name);
        Ok(get.send().await.context("cannot look the user up")?.enabled)
    }
}

fn attribute(name: &str, value: &str) -> Result<AttributeType> {
    Ok(AttributeType::builder().name(name).value(value).build()?)
}

fn refused(code: Option<&str>) -> Result<std::result::Result<Tokens, String>> {
    Ok(Err(code.context("Cognito did not answer")?.to_owned()))
}

/// A refresh without rotation returns no refresh token: the old one stays.
fn tokens(result: Option<AuthenticationResultType>, refresh: Option<&str>) -> Result<Tokens> {
    let result = result.context("Cognito asked for more instead of signing in")?;
    Ok(Tokens {
        access: result.access_token.context("no access token")?,
        id: result.id_token.context("no ID token")?,
        refresh: result.refresh_token.as_deref().or(refresh).context("no refresh token")?.to_owned(),
    })
}
