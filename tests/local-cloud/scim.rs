//! An identity provider provisions people and groups over SCIM, and takes them away again.

use revocation_core::domain::audit::Outcome;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::reason::ReasonCode;
use revocation_probe::{Answer, Probe, Tokens, User, until};
use serde_json::{Value, json};

use crate::world::{ALONE, LIMIT, fresh, probe, record, served_again, status};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn scim(probe: &Probe, method: &str, path: &str, body: &Value) -> Answer {
    probe.scim(method, path, Some(body).filter(|body| !body.is_null())).unwrap()
}

fn expect(answer: Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.body);
    answer.body
}

fn patch(op: &Value) -> Value {
    json!({"schemas": [PATCH], "Operations": [op]})
}

fn new_user(name: &str) -> Value {
    let email = format!("{name}@example.com");
    json!({
        "schemas": [USER], "userName": email, "externalId": format!("x-{name}"), "active": true,
        "emails": [{"value": email, "type": "work", "primary": true}], "password": format!("Correct-horse-7-{name}"),
    })
}

async fn provisioned(probe: &Probe, stem: &str) -> (User, Tokens) {
    let name = fresh(stem);
    let made = expect(scim(probe, "POST", "/Users", &new_user(&name)), 201);
    let (email, password) = (format!("{name}@example.com"), format!("Correct-horse-7-{name}"));
    let key = SubjectKey::new(&probe.facts.user_pool_id, made["id"].as_str().unwrap());
    let user = User::provisioned(&email, &email, key, &password);
    let session = probe.sign_in(&user).await.unwrap().unwrap();
    (user, session)
}

fn path(user: &User) -> String {
    format!("/Users/{}", user.key.sub.0)
}

#[tokio::test]
async fn a_provisioned_user_signs_in_and_a_deactivated_one_is_refused() {
    let probe = probe();
    let deactivations = [
        json!({"op": "Replace", "path": "active", "value": "False"}),
        json!({"op": "replace", "value": {"active": false}}),
    ];
    for operation in deactivations {
        let (person, session) = provisioned(&probe, "provisioned").await;
        assert_eq!(status(&probe, &session.access), 200);
        let answer = expect(scim(&probe, "PATCH", &path(&person), &patch(&operation)), 200);
        assert_eq!(answer["active"], false);
        assert!(!probe.is_enabled(&person).await.unwrap(), "disabled when it is answered");
        let record = record(&probe, &person.key).await;
        assert_eq!((record.reason, record.outcome), (ReasonCode::Offboarding, Outcome::Complete));
        assert_eq!(record.source.name, "scim/entra");
        assert_eq!(status(&probe, &session.access), 401);
        assert!(probe.refresh(&session).await.unwrap().is_err());
    }
}

#[tokio::test]
async fn a_whole_user_put_inactive_and_a_delete_end_sessions_too() {
    let probe = probe();
    let (person, session) = provisioned(&probe, "put").await;
    let mut whole = expect(scim(&probe, "GET", &path(&person), &Value::Null), 200);
    whole["active"] = json!(false);
    assert_eq!(expect(scim(&probe, "PUT", &path(&person), &whole), 200)["active"], false);
    record(&probe, &person.key).await;
    assert_eq!(status(&probe, &session.access), 401);

    let (person, session) = provisioned(&probe, "deleted").await;
    expect(scim(&probe, "DELETE", &path(&person), &Value::Null), 204);
    expect(scim(&probe, "GET", &path(&person), &Value::Null), 404);
    record(&probe, &person.key).await;
    assert_eq!(status(&probe, &session.access), 401);
}

#[tokio::test]
async fn a_reactivated_user_signs_in_again_and_the_old_token_stays_refused() {
    let probe = probe();
    let (person, session) = provisioned(&probe, "back").await;
    let operation = json!({"op": "replace", "path": "active", "value": false});
    expect(scim(&probe, "PATCH", &path(&person), &patch(&operation)), 200);
    record(&probe, &person.key).await;
    probe.settled(LIMIT).await.unwrap();
    let operation = json!({"op": "replace", "path": "active", "value": true});
    assert_eq!(expect(scim(&probe, "PATCH", &path(&person), &patch(&operation)), 200)["active"], true);
    served_again(&probe, &person).await;
    assert_eq!(status(&probe, &session.access), 401);
}

#[tokio::test]
async fn a_member_has_the_group_in_the_token_and_whoever_is_removed_is_refused_until_they_sign_in() {
    let probe = probe();
    let (person, _) = provisioned(&probe, "member").await;
    let (stayer, _) = provisioned(&probe, "stayer").await;
    let name = fresh("Sales Team");
    let members = [&person, &stayer].map(|user| json!({"value": user.key.sub.0}));
    let group = json!({"schemas": [GROUP], "displayName": name, "members": members});
    let group = expect(scim(&probe, "POST", "/Groups", &group), 201);
    let group = format!("/Groups/{}", group["id"].as_str().unwrap());
    let session = probe.sign_in(&person).await.unwrap().unwrap();
    let stayers = probe.sign_in(&stayer).await.unwrap().unwrap();
    let claims = |token: &str| probe.call(token).unwrap().body.to_string();
    let claim = name.replace(' ', "_");
    assert!(claims(&session.access).contains(&claim), "{}", claims(&session.access));

    let filter = format!("members[value eq \"{}\"]", person.key.sub.0);
    expect(scim(&probe, "PATCH", &group, &patch(&json!({"op": "Remove", "path": filter}))), 204);
    let record = record(&probe, &person.key).await;
    assert_eq!(record.reason, ReasonCode::RoleChange);
    assert_eq!(status(&probe, &session.access), 401);
    assert_eq!(status(&probe, &stayers.access), 200);
    let session = served_again(&probe, &person).await;
    assert!(!claims(&session.access).contains(&claim));
    // The copy that was sent ahead, in case we crash between the removal and the publication, has no second effect.
    let left = expect(scim(&probe, "GET", &group, &Value::Null), 200);
    assert_eq!(left["members"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_asked_for_is_found_and_nothing_else() {
    let probe = probe();
    let (person, _) = provisioned(&probe, "o'Brien").await;
    let find = |filter: &str| {
        let filter = filter.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        expect(scim(&probe, "GET", &format!("/Users?filter={filter}"), &Value::Null), 200)
    };
    for filter in [
        format!("userName eq \"{}\"", person.email.to_uppercase()),
        format!("emails.value eq \"{}\"", person.email),
        format!("id eq \"{}\"", person.key.sub.0),
        format!("externalId eq \"x-{}\"", person.email.replace("@example.com", "")),
        format!("emails[type eq \"work\" and value sw \"{}\"]", person.email),
    ] {
        let found = find(&filter);
        assert_eq!(found["totalResults"], 1, "{filter}: {found}");
        assert_eq!(found["Resources"][0]["id"], json!(person.key.sub.0), "{filter}");
    }
    // A quotation mark in a value must not become part of the question put to Cognito.
    let attack = format!("userName eq \"x\\\" or email = \\\"{}\"", person.email);
    assert_eq!(find(&attack)["totalResults"], 0);
}

#[tokio::test]
async fn i11_without_a_token_of_a_source_nothing_is_told() {
    let probe = probe();
    let mut answers = Vec::new();
    // What is there, what is not, and what that method cannot be asked.
    for (method, path) in
        [("GET", "/Users"), ("GET", "/Users/1"), ("GET", "/Nothing"), ("DELETE", "/Schemas"), ("GET", "/Me")]
    {
        let url = format!("{}{path}", probe.facts.scim_url);
        for headers in
            [&[][..], &[("authorization", "Bearer not-a-token-of-any-source")], &[("authorization", "Basic eDp5")]]
        {
            let answer = probe.request(method, &url, headers, None).unwrap();
            assert_eq!((answer.status, &answer.body["status"]), (401, &json!("401")), "{path}: {}", answer.body);
            answers.push((answer.www_authenticate.unwrap(), answer.body));
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "whatever the path: {answers:?}");
}

#[tokio::test]
async fn i11_beyond_the_blast_radius_nobody_is_disabled() {
    let _alone = ALONE.lock().await;
    let probe = probe();
    let token = probe.secret_of("scim/hr").unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/scim+json")];
    let mut last = None;
    for n in 0..3 {
        let (person, session) = provisioned(&probe, "many").await;
        let url = format!("{}{}", probe.facts.scim_url, path(&person));
        let body = patch(&json!({"op": "replace", "path": "active", "value": false})).to_string();
        let answer = probe.request("PATCH", &url, &headers, Some(body.as_bytes())).unwrap();
        assert_eq!(answer.status, if n < 2 { 200 } else { 429 }, "{}", answer.body);
        last = Some((person, session));
    }
    let (person, session) = last.unwrap();
    assert!(probe.is_enabled(&person).await.unwrap());
    assert_eq!(status(&probe, &session.access), 200);
    let parked = async || Ok((probe.parked().await? > 0).then_some(()));
    until("the parked request", LIMIT, parked).await.unwrap();
    probe.release_parked().await.unwrap();
    record(&probe, &person.key).await;
    assert_eq!(status(&probe, &session.access), 401);
}
