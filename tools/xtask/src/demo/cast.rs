//! Who plays, and what the outside world says of them.

use anyhow::Result;
use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::{NewUser, Probe, Tokens, User};
use serde_json::{Value, json};

/// Someone signed in.
pub(crate) struct Player {
    pub(crate) user: User,
    pub(crate) session: Tokens,
}

/// Makes a user and signs them in.
pub(crate) async fn player(probe: &Probe, new: NewUser<'_>) -> Result<Player> {
    let user = probe.add_user(&new).await?;
    let session = sign_in(probe, &user).await?;
    Ok(Player { user, session })
}

/// Signs in; a refusal is an error here.
pub(crate) async fn sign_in(probe: &Probe, user: &User) -> Result<Tokens> {
    probe.sign_in(user).await?.map_err(|code| anyhow::anyhow!("{} cannot sign in: {code}", user.name))
}

/// An event that can be put on the bus, again and again.
#[derive(Clone)]
pub(crate) struct Told {
    source: &'static str,
    detail_type: &'static str,
    detail: Value,
}

impl Told {
    pub(crate) async fn put(&self, probe: &Probe) -> Result<()> {
        probe.put_event(self.source, self.detail_type, &self.detail).await.map(drop)
    }
}

/// What Okta's log stream puts on its partner bus when something happens to `user`.
pub(crate) fn okta(uuid: &str, event_type: &str, message: &str, user: &User) -> Told {
    let detail = json!({
        "uuid": uuid, "published": now(), "eventType": event_type, "version": "0",
        "severity": "INFO", "displayMessage": message,
        "actor": {"id": "00uadmin", "type": "User", "alternateId": "admin@example.com", "displayName": "An Admin"},
        "outcome": {"result": "SUCCESS", "reason": null},
        "target": [{"id": format!("00u-{}", user.name), "type": "User", "alternateId": user.email,
                    "displayName": user.name}],
    });
    Told { source: "aws.partner/okta.com/acme/prod", detail_type: "SystemLog", detail }
}

/// What CloudTrail reports when an administrator takes `user` out of `group` of the pool itself.
pub(crate) fn removed_from_group(event_id: &str, user: &User, group: &str) -> Told {
    let pool = &user.key.user_pool_id.0;
    let detail = json!({
        "eventVersion": "1.08", "eventID": event_id, "eventSource": "cognito-idp.amazonaws.com",
        "eventName": "AdminRemoveUserFromGroup", "eventTime": now(),
        "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::000000000000:assumed-role/Admin/an-admin"},
        "requestParameters": {"userPoolId": pool, "username": "HIDDEN_DUE_TO_SECURITY_REASONS", "groupName": group},
        "additionalEventData": {"sub": user.key.sub.0},
    });
    // CloudTrail's own events are on the default bus; a relay puts them here under a name of its own.
    Told { source: "relay.cloudtrail", detail_type: "AWS API Call via CloudTrail", detail }
}

/// The counter looks at when things occurred, so the story must take place now.
fn now() -> String {
    SystemClock.now().rfc3339()
}
