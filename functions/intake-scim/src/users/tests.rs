use revocation_core::domain::account::AccountStatus;
use revocation_core::domain::initiator::InitiatorKind;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::Effect;
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::ports::{PortError, Refused};
use serde_json::{Value, json};

use crate::tests::{POOL, USER, World, scim_type};

fn jane() -> Value {
    json!({
        "schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
        "userName": "jane", "externalId": "00u1", "active": true,
        "name": {"givenName": "Jane", "familyName": "Doe"}, "displayName": "Jane Doe",
        "emails": [{"value": "private@example.com", "type": "home"},
                   {"value": "jane@example.com", "type": "work", "primary": true}],
        "roles": [{"value": "editor", "primary": true}, {"value": "viewer"}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Sales"},
    })
}

/// Entra as it comes, Entra with `aadOptscim062020`, Okta, and two more spellings.
fn deactivations() -> [Value; 5] {
    [
        json!([{"op": "Replace", "path": "active", "value": "False"}]),
        json!([{"op": "replace", "path": "active", "value": false}]),
        json!([{"op": "replace", "value": {"active": false}}]),
        json!([{"op": "Add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": false}]),
        json!([{"op": "Replace", "value": {"active": "false", "displayName": "Gone"}}]),
    ]
}

#[tokio::test]
async fn a_user_comes_and_is_read_back() {
    let world = World::new().await;
    let (status, created) = world.send("POST", "/Users", &jane()).await;
    assert_eq!(status, 201, "{created}");
    let id = created["id"].as_str().unwrap();
    assert_eq!(created["meta"]["location"], format!("https://api.example.com/scim/v2/Users/{id}"));
    assert_eq!(created["userName"], "jane");
    assert_eq!(created["emails"], json!([{"value": "jane@example.com", "type": "work", "primary": true}]));
    assert_eq!(created["roles"], json!([{"value": "editor"}, {"value": "viewer"}]));
    assert_eq!(created["name"], json!({"familyName": "Doe", "givenName": "Jane"}));
    assert!(created.get("password").is_none());
    let (status, read) = world.get(&format!("/Users/{id}")).await;
    assert_eq!((status, &read), (200, &created));
    let account = world.directory.account("jane").unwrap();
    assert_eq!(account.attribute("custom:department"), Some("Sales"));
    assert_eq!(account.attribute("email_verified"), None);
    assert_eq!(account.status, AccountStatus::Local, "a password nobody knows, so that `forgot password` works");
    assert_eq!(world.calls(), ["create", "set_password"]);
    assert!(world.published().is_empty());
}

#[tokio::test]
async fn creation_by_configuration() {
    let world = World::with("emails_verified: true\n    invitation: email").await;
    assert_eq!(world.send("POST", "/Users", &jane()).await.0, 201);
    assert_eq!(world.directory.account("jane").unwrap().attribute("email_verified"), Some("true"));
    assert!(world.directory.state().invited.contains("jane"));
    assert_eq!(world.calls(), ["create"]);

    let world = World::with("attributes: {user_name: email}").await;
    let mut body = jane();
    body["userName"] = json!("Jane@example.com");
    let (status, created) = world.send("POST", "/Users", &body).await;
    assert_eq!((status, &created["userName"]), (201, &json!("Jane@example.com")));
    assert_eq!(created["emails"][0]["value"], "Jane@example.com", "the address is the user name");

    let world = World::with("attributes: {user_name: preferred_username}").await;
    assert_eq!(world.send("POST", "/Users", &jane()).await.0, 201);
    let account = world.directory.state().accounts[0].clone();
    assert_ne!(account.username, "jane");
    assert_eq!(account.attribute("preferred_username"), Some("jane"));
}

#[tokio::test]
async fn a_user_name_kept_in_an_attribute_is_unique_all_the_same() {
    let world = World::with("attributes: {user_name: preferred_username}").await;
    let (_, first) = world.send("POST", "/Users", &jane()).await;
    let mut bob = jane();
    (bob["userName"], bob["emails"]) = (json!("bob"), json!([]));
    let (status, second) = world.send("POST", "/Users", &bob).await;
    assert_eq!(status, 201, "{second}");
    let (jane_id, bob_id) = (first["id"].as_str().unwrap(), second["id"].as_str().unwrap());
    // Search does not know her yet; the derived name does.
    world.directory.state().unindexed.insert(jane_id.to_owned());
    let mut shouting = jane();
    (shouting["userName"], shouting["emails"]) = (json!("JANE"), json!([]));
    assert_eq!(world.send("POST", "/Users", &shouting).await.0, 409);
    world.directory.state().unindexed.clear();
    assert_eq!(world.send("POST", "/Users", &shouting).await.0, 409);
    let rename = |name: &str| json!([{"op": "replace", "path": "userName", "value": name}]);
    assert_eq!(world.patch(&format!("/Users/{bob_id}"), rename("Jane")).await.0, 409);
    assert_eq!(world.patch(&format!("/Users/{jane_id}"), rename("jane.roe")).await.0, 200);
    // The name is free again, although the one derived from it is not.
    assert_eq!(world.send("POST", "/Users", &shouting).await.0, 201);
}

#[tokio::test]
async fn an_inactive_or_bad_or_taken_newcomer() {
    let world = World::new().await;
    let mut body = jane();
    body["active"] = json!("False");
    let (status, created) = world.send("POST", "/Users", &body).await;
    assert_eq!((status, &created["active"]), (201, &json!(false)));
    assert!(!world.directory.account("jane").unwrap().enabled);
    let again = world.send("POST", "/Users", &body).await;
    assert_eq!((again.0, scim_type(&again)), (409, "uniqueness"));

    world.directory.refuse("set_password", Refused::WeakPassword);
    let weak = json!({"schemas": [USER], "userName": "weak", "password": "1"});
    let answer = world.send("POST", "/Users", &weak).await;
    assert_eq!((answer.0, scim_type(&answer)), (400, "invalidValue"));
    assert!(world.directory.account("weak").is_none(), "a POST that is refused leaves nobody");
    world.directory.refuse("create", Refused::BadValue);
    let answer = world.send("POST", "/Users", &weak).await;
    assert_eq!((answer.0, scim_type(&answer)), (400, "invalidValue"));
    let nameless = world.send("POST", "/Users", &json!({"schemas": [USER]})).await;
    assert_eq!((nameless.0, scim_type(&nameless)), (400, "invalidValue"));
}

#[tokio::test]
async fn a_repeated_post_completes_what_an_earlier_one_left() {
    for call in ["disable", "set_password"] {
        let world = World::new().await;
        let mut body = jane();
        body["active"] = json!(false);
        world.directory.fail(call, PortError::retry("test", "timeout"));
        assert_eq!(world.send("POST", "/Users", &body).await.0, 503, "{call}");
        assert_eq!(world.send("POST", "/Users", &body).await.0, 201, "{call}");
        let account = world.directory.account("jane").unwrap();
        assert!(!account.enabled && account.status == AccountStatus::Local, "{call}");
        body["displayName"] = json!("Another Jane");
        assert_eq!(world.send("POST", "/Users", &body).await.0, 409, "{call}");
    }
}

#[tokio::test]
async fn revocation_precedes_the_disable_in_every_dialect() {
    for operations in deactivations() {
        let world = World::new().await;
        let id = world.add("jane");
        let (status, user) = world.patch(&format!("/Users/{id}"), operations.clone()).await;
        assert_eq!((status, &user["active"]), (200, &json!(false)), "{operations} {user}");
        let calls = world.calls();
        assert_eq!(calls[..2], ["publish", "disable"], "{operations}");
        assert!(!world.directory.account("jane").unwrap().enabled);

        let request = world.published().remove(0);
        assert_eq!(request.check(), Ok(()));
        assert_eq!(
            (request.reason, request.effect, request.lockout),
            (ReasonCode::Offboarding, Effect::SignOut, false)
        );
        assert_eq!(request.pools, [UserPoolId(POOL.into())]);
        let iss = UserPoolId(POOL.into()).issuer();
        assert_eq!(request.sub_id, SubjectIdentifier::IssSub { iss, sub: id.clone() });
        assert_eq!(request.source.name, "scim/entra");
        assert_eq!(request.source.event_id, format!("request-0/{id}"));
        assert_eq!(
            (request.initiator.kind, request.initiator.id.as_str()),
            (InitiatorKind::System, "scim/entra/2026-11")
        );

        // Said again, it is done again: an administrator may have changed things by hand.
        assert_eq!(world.patch(&format!("/Users/{id}"), operations).await.0, 200);
        assert_eq!(world.calls()[..2], ["publish", "disable"]);
        assert_ne!(world.published()[0].id(), world.published()[1].id());
    }
}

#[tokio::test]
async fn okta_deactivates_by_put() {
    let world = World::new().await;
    let (_, created) = world.send("POST", "/Users", &jane()).await;
    world.calls();
    let uri = format!("/Users/{}", created["id"].as_str().unwrap());
    let mut body = jane();
    body["id"] = created["id"].clone();
    body["meta"] = created["meta"].clone();
    body["active"] = json!(false);
    let (status, user) = world.send("PUT", &uri, &body).await;
    assert_eq!((status, &user["active"]), (200, &json!(false)));
    assert_eq!(world.calls(), ["publish", "disable"]);
}

#[tokio::test]
async fn a_name_that_cannot_be_had_keeps_nobody_in() {
    for (mapping, name, refused) in [
        ("", "other", (400, "mutability")),
        ("attributes: {user_name: preferred_username}", "bob", (409, "uniqueness")),
    ] {
        for method in ["PUT", "PATCH"] {
            let world = World::with(mapping).await;
            let (_, created) = world.send("POST", "/Users", &jane()).await;
            assert_eq!(world.send("POST", "/Users", &json!({"schemas": [USER], "userName": "bob"})).await.0, 201);
            world.calls();
            let id = created["id"].as_str().unwrap();
            let operation = json!([{"op": "replace", "value": {"active": false, "userName": name}}]);
            let put = json!({"schemas": [USER], "userName": name, "active": false});
            let uri = format!("/Users/{id}");
            let answer =
                if method == "PUT" { world.send("PUT", &uri, &put).await } else { world.patch(&uri, operation).await };
            assert_eq!((answer.0, scim_type(&answer)), refused, "{method} {mapping}");
            assert_eq!(world.calls()[..2], ["publish", "disable"], "{method} {mapping}");
            let account = world.directory.state().accounts.iter().find(|account| account.sub.0 == id).cloned();
            assert!(!account.unwrap().enabled, "{method} {mapping}");
        }
    }
}

#[tokio::test]
async fn a_put_replaces_and_leaves_active_and_password_alone() {
    let world = World::new().await;
    let (_, created) = world.send("POST", "/Users", &jane()).await;
    let uri = format!("/Users/{}", created["id"].as_str().unwrap());
    assert_eq!(world.patch(&uri, json!([{"op": "replace", "path": "active", "value": false}])).await.0, 200);
    world.calls();
    let body = json!({"schemas": [USER], "userName": "JANE", "displayName": "J"});
    let (status, user) = world.send("PUT", &uri, &body).await;
    assert_eq!(status, 200, "{user}");
    assert_eq!((&user["displayName"], &user["active"]), (&json!("J"), &json!(false)));
    assert!(user.get("emails").is_none() && user.get("name").is_none(), "{user}");
    assert_eq!(
        world.calls(),
        ["queue", "update", "publish"],
        "somebody else may have disabled it: its tokens may live"
    );
    let renamed = world.send("PUT", &uri, &json!({"schemas": [USER], "userName": "other"})).await;
    assert_eq!((renamed.0, scim_type(&renamed)), (400, "mutability"));
}

#[tokio::test]
async fn without_a_published_revocation_the_account_stays() {
    for failing in ["admit", "publish"] {
        let world = World::new().await;
        let id = world.add("jane");
        for (method, body) in [("PATCH", deactivations()[0].clone()), ("DELETE", Value::Null)] {
            world.intake.fail(failing, PortError::retry("test", "timeout"));
            let uri = format!("/Users/{id}");
            let (status, _) =
                if method == "PATCH" { world.patch(&uri, body).await } else { world.send(method, &uri, &body).await };
            assert_eq!(status, 503, "{failing} {method}");
            assert!(world.directory.account("jane").is_some_and(|account| account.enabled), "{failing} {method}");
            assert!(world.calls().iter().all(|call| *call == "publish"), "{failing} {method}");
        }
    }
}

#[tokio::test]
async fn a_disable_that_fails_after_the_revocation_is_repeated_by_the_client() {
    let world = World::new().await;
    let id = world.add("jane");
    world.directory.fail("disable", PortError::retry("test", "timeout"));
    assert_eq!(world.patch(&format!("/Users/{id}"), deactivations()[1].clone()).await.0, 503);
    assert_eq!(world.published().len(), 1, "`revoke` disables too");
    assert_eq!(world.patch(&format!("/Users/{id}"), deactivations()[1].clone()).await.0, 200);
}

#[tokio::test]
async fn i11_beyond_the_blast_radius_it_is_parked_and_nothing_changed() {
    let world = World::with("subjects_per_hour: 1").await;
    let (one, other) = (world.add("one"), world.add("other"));
    assert_eq!(world.patch(&format!("/Users/{one}"), deactivations()[0].clone()).await.0, 200);
    world.calls();
    assert_eq!(world.patch(&format!("/Users/{other}"), deactivations()[0].clone()).await.0, 429);
    assert_eq!(world.send("DELETE", &format!("/Users/{other}"), &Value::Null).await.0, 429);
    assert!(world.directory.account("other").unwrap().enabled);
    assert_eq!(world.calls(), ["queue", "queue"]);
    let queued = world.intake.state().queued.clone();
    assert!(queued.iter().all(|(request, delay)| delay.is_zero() && request.reason == ReasonCode::Offboarding));
    // Who was admitted stays admitted.
    assert_eq!(world.patch(&format!("/Users/{one}"), deactivations()[0].clone()).await.0, 200);
}

#[tokio::test]
async fn reactivation_enables_and_publishes_nothing() {
    let world = World::new().await;
    let id = world.add("jane");
    world.patch(&format!("/Users/{id}"), deactivations()[0].clone()).await;
    world.calls();
    let (status, user) =
        world.patch(&format!("/Users/{id}"), json!([{"op": "Replace", "path": "active", "value": "True"}])).await;
    assert_eq!((status, &user["active"]), (200, &json!(true)));
    assert_eq!(world.calls(), ["enable"]);
    assert_eq!(world.published().len(), 1);
}

#[tokio::test]
async fn a_deleted_user_is_revoked_first_and_gone() {
    let world = World::new().await;
    let id = world.add("jane");
    assert_eq!(world.send("DELETE", &format!("/Users/{id}"), &Value::Null).await, (204, Value::Null));
    assert_eq!(world.calls(), ["publish", "delete"]);
    for method in ["GET", "DELETE"] {
        assert_eq!(world.send(method, &format!("/Users/{id}"), &Value::Null).await.0, 404);
    }
    assert_eq!(world.patch(&format!("/Users/{id}"), deactivations()[0].clone()).await.0, 404);
    assert_eq!(world.published().len(), 1);
}

#[tokio::test]
async fn attributes_change_one_by_one() {
    let world = World::new().await;
    let id = world.add("jane");
    let operations = json!([
        {"op": "Add", "path": "emails[type eq \"work\"].value", "value": "new@example.com"},
        {"op": "Replace", "path": "name.familyName", "value": "Roe"},
        {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Ops"},
        {"op": "Remove", "path": "name.givenName"},
    ]);
    let (status, user) = world.patch(&format!("/Users/{id}"), operations).await;
    assert_eq!(status, 200, "{user}");
    let account = world.directory.account("jane").unwrap();
    let kept = ["email", "family_name", "custom:department", "given_name"].map(|name| account.attribute(name));
    assert_eq!(kept, [Some("new@example.com"), Some("Roe"), Some("Ops"), None]);
    assert_eq!(user["name"], json!({"familyName": "Roe"}));
    assert_eq!(world.calls(), ["update"]);
    let password = json!([{"op": "replace", "path": "password", "value": "correct horse"}]);
    let (status, user) = world.patch(&format!("/Users/{id}"), password).await;
    assert_eq!((status, user.get("password")), (200, None));
    assert_eq!(world.directory.state().passwords["jane"], "correct horse");
    world.directory.refuse("update", Refused::Taken);
    let taken =
        world.patch(&format!("/Users/{id}"), json!([{"op": "replace", "path": "displayName", "value": "X"}])).await;
    assert_eq!((taken.0, scim_type(&taken)), (409, "uniqueness"));
    let read_only =
        world.patch(&format!("/Users/{id}"), json!([{"op": "replace", "path": "groups", "value": []}])).await;
    assert_eq!((read_only.0, scim_type(&read_only)), (400, "mutability"));
}

#[tokio::test]
async fn a_lost_role_is_revoked_around_the_change_and_a_won_one_not() {
    let world = World::new().await;
    let (_, created) = world.send("POST", "/Users", &jane()).await;
    let uri = format!("/Users/{}", created["id"].as_str().unwrap());
    world.calls();
    let won = json!([{"op": "add", "path": "roles", "value": [{"value": "admin"}]}]);
    let (status, user) = world.patch(&uri, won).await;
    assert_eq!((status, user["roles"].as_array().unwrap().len()), (200, 3), "{user}");
    assert_eq!(world.calls(), ["update"]);
    let lost = json!([{"op": "remove", "path": "roles[value eq \"admin\"]"}]);
    assert_eq!(world.patch(&uri, lost).await.0, 200);
    assert_eq!(world.calls(), ["queue", "update", "publish"]);
    let (ahead, delay) = world.intake.state().queued[0].clone();
    assert_eq!(ahead, world.published()[0], "the same id with the same content has its effect once");
    assert_eq!((delay.as_secs(), ahead.reason, ahead.effect), (30, ReasonCode::RoleChange, Effect::SignOut));
}

/// The canary's own client: nobody is told of it, and the policy adds no lock that would come after the reactivation.
#[tokio::test]
async fn why_sessions_of_leavers_end_is_configured() {
    for (more, reason) in [
        ("emails_verified: true", ReasonCode::Offboarding),
        ("leaving_reason: canary\n    only_users: [jane]", ReasonCode::Canary),
    ] {
        let world = World::with(more).await;
        let leave = json!([{"op": "replace", "path": "active", "value": false}]);
        assert_eq!(world.patch(&format!("/Users/{}", world.add("jane")), leave).await.0, 200);
        assert_eq!(world.published().iter().map(|request| request.reason).collect::<Vec<_>>(), [reason], "{more}");
    }
}

#[tokio::test]
async fn what_a_lost_role_means_is_configured() {
    let lost = json!([{"op": "replace", "path": "roles", "value": [{"value": "viewer"}]}]);
    for (more, calls) in [
        ("on_role_loss: refresh", vec!["queue", "update", "publish"]),
        ("on_role_loss: none", vec!["update"]),
        ("role_compare: {ranking: [editor, viewer]}", vec!["update"]),
    ] {
        let world = World::with(more).await;
        let (_, created) = world.send("POST", "/Users", &jane()).await;
        world.calls();
        assert_eq!(world.patch(&format!("/Users/{}", created["id"].as_str().unwrap()), lost.clone()).await.0, 200);
        assert_eq!(world.calls(), calls, "{more}");
        assert!(world.published().iter().all(|request| request.effect == Effect::Refresh), "{more}");
    }
}

#[tokio::test]
async fn entra_s_only_role_is_replaced_as_the_primary_one() {
    let world = World::new().await;
    let id = world.add("jane");
    let role = |op: &str, value: &str| json!([{"op": op, "path": "roles[primary eq \"True\"].value", "value": value}]);
    for (op, value) in [("Add", "editor"), ("Replace", "viewer")] {
        let (status, user) = world.patch(&format!("/Users/{id}"), role(op, value)).await;
        assert_eq!((status, &user["roles"]), (200, &json!([{"value": value}])), "{user}");
    }
    assert_eq!(world.published().len(), 1);
}

#[tokio::test]
async fn who_leaves_and_loses_a_role_is_revoked_once_and_first() {
    let world = World::new().await;
    let (_, created) = world.send("POST", "/Users", &jane()).await;
    world.calls();
    let operations = json!([{"op": "replace", "value": {"active": false, "roles": []}}]);
    assert_eq!(world.patch(&format!("/Users/{}", created["id"].as_str().unwrap()), operations).await.0, 200);
    assert_eq!(world.calls(), ["publish", "disable", "update"]);
    assert_eq!(world.published()[0].reason, ReasonCode::Offboarding);
}

#[tokio::test]
async fn a_part_of_a_user() {
    let world = World::new().await;
    let id = world.add("jane");
    world.directory.add_group("staff", &["jane"]);
    let (_, user) = world.get(&format!("/Users/{id}?attributes=userName")).await;
    assert_eq!(user, json!({"schemas": [USER], "id": id, "userName": "jane"}));
    assert_eq!(world.directory.state().reads.get("groups_of"), None, "not wanted, not read");
    let (_, user) = world.get(&format!("/Users/{id}?excludedAttributes=emails,meta")).await;
    assert!(user.get("emails").is_none() && user.get("meta").is_none());
    assert_eq!(user["groups"][0]["display"], "staff");
}

#[tokio::test]
async fn a_role_lost_beside_a_reactivation_is_revoked() {
    let world = World::new().await;
    let id = world.add("jane");
    world.patch(&format!("/Users/{id}"), json!([{"op": "add", "path": "roles", "value": [{"value": "admin"}]}])).await;
    // By somebody else: no tombstone was written.
    world.directory.state().accounts[0].enabled = false;
    let operations = json!([{"op": "remove", "path": "roles"}, {"op": "replace", "path": "active", "value": true}]);
    let (status, user) = world.patch(&format!("/Users/{id}"), operations).await;
    assert_eq!((status, &user["active"]), (200, &json!(true)), "{user}");
    assert_eq!(world.published().len(), 1);
}
