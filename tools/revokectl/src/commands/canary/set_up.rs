//! `canary set-up`: makes the two accounts. The canary cannot do it itself: who may set one password may set everybody's.

use std::collections::BTreeMap;

use revocation_aws::cognito::CognitoUserDirectory;
use revocation_aws::secrets::SecretsManagerReader;
use revocation_core::domain::account::{NewAccount, Password};
use revocation_core::domain::profile::UserPoolId;
use revocation_core::ports::{PortError, Refused, TextReader as _, UserDirectory as _};
use serde::Serialize;

use super::deployed;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Make the canary's two users, or put them right: password, enabled.
///
/// Neither gets an address, a number or a group. Their password is the one that the stack made up; nobody sees it.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl canary set-up && revokectl canary run")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Ready<'a> {
    user_pool_id: &'a str,
    user: &'a str,
    control: &'a str,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, _: &Args) -> Result<Exit, Failure> {
    let (canary, aws) = (deployed(context).await?, context.aws().await?);
    let explain = |error: PortError| context.explain(error.into());
    let password = SecretsManagerReader::new(aws).read(&canary.password_secret).await.map_err(explain)?;
    let password = Password::new(password);
    let (directory, pool) = (CognitoUserDirectory::new(aws), UserPoolId(canary.user_pool_id.clone()));
    for name in [&canary.user, &canary.control] {
        let new = NewAccount { username: name.clone(), attributes: BTreeMap::new(), invite: false };
        match directory.create(&pool, &new).await.map_err(explain)? {
            Ok(_) | Err(Refused::Taken) => {}
            Err(_) => {
                let what = format!("the pool takes no user called {name} without attributes");
                return Err(Failure::other(what).next(
                    "a pool that signs in by address wants one: set CanaryUserName and CanaryControlName to addresses that nobody reads",
                ));
            }
        }
        let set = directory.set_password(&pool, name, &password).await.map_err(explain)?;
        set.map_err(|_| {
            let what = "the pool refuses the password that the stack made up";
            Failure::other(what).next("does its policy want more than 40 characters? Put another value into the secret")
        })?;
        directory.enable(&pool, name).await.map_err(explain)?;
    }
    let (user, control, user_pool_id) = (&canary.user, &canary.control, &canary.user_pool_id);
    let ready = Ready { user_pool_id, user, control };
    context.screen.result(&ready, |_| format!("{user} and {control} can sign in to {user_pool_id}"))?;
    Ok(Exit::Done)
}
