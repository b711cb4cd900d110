//! The enforcement API: introspection by a resource server, and the question of a gateway.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use revocation_probe::{Answer, Probe, until};
use serde_json::{Value, json};

use crate::world::{LIMIT, ask, fresh, probe, record, request, user};

fn introspect(probe: &Probe, authorization: &str, token: &str) -> Answer {
    let headers = [("authorization", authorization), ("content-type", "application/x-www-form-urlencoded")];
    probe.post(&probe.facts.introspect_url, &headers, format!("token={token}&token_type_hint=x").as_bytes()).unwrap()
}

fn basic(probe: &Probe) -> String {
    format!("Basic {}", STANDARD.encode(format!("local:{}", probe.facts.introspection_secret)))
}

fn batch(probe: &Probe, tokens: &[&str]) -> Answer {
    let headers = [("authorization", &*basic(probe)), ("content-type", "application/json")];
    let body = json!({ "tokens": tokens }).to_string();
    probe.post(&format!("{}/batch", probe.facts.introspect_url), &headers, body.as_bytes()).unwrap()
}

fn gate(probe: &Probe, method: &str, path: &str, token: Option<&str>) -> Answer {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<_> = bearer.iter().map(|value| ("authorization", value.as_str())).collect();
    probe.request(method, &format!("{}/ext_authz{path}", probe.facts.enforcement_url), &headers, None).unwrap()
}

fn inactive() -> Value {
    json!({"active": false})
}

#[tokio::test]
async fn a_token_is_active_until_it_is_revoked() {
    let probe = probe();
    let (person, session) = user(&probe, "introspected").await;
    let answer = introspect(&probe, &basic(&probe), &session.access);
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!((&answer.headers["cache-control"], &answer.headers["pragma"]), (&"no-store".into(), &"no-cache".into()));
    let body = answer.body;
    assert_eq!((&body["active"], &body["sub"]), (&json!(true), &json!(person.key.sub.0)));
    assert_eq!((&body["client_id"], &body["token_use"]), (&json!(probe.facts.client_id), &json!("access")));
    assert_eq!(body["iss"], json!(person.key.user_pool_id.issuer()));
    let bearer = format!("Bearer {}", probe.facts.introspection_secret);
    assert_eq!(introspect(&probe, &bearer, &session.id).body["token_use"], "id");
    let permitted = gate(&probe, "GET", "", Some(&session.access));
    assert_eq!(permitted.status, 200);
    assert_eq!(permitted.headers["x-auth-sub"], person.key.sub.0);
    assert_eq!(permitted.headers["x-auth-client-id"], probe.facts.client_id);

    ask(&probe, &request(&fresh("e"), &person.email, "role_change")).await;
    record(&probe, &person.key).await;
    for token in [&session.access, &session.id] {
        assert_eq!(introspect(&probe, &basic(&probe), token).body, inactive());
    }
    let refused = gate(&probe, "GET", "/orders/7", Some(&session.access));
    assert_eq!((refused.status, refused.headers.contains_key("x-auth-sub")), (401, false));
    assert_eq!(refused.www_authenticate.as_deref(), Some("Bearer error=\"invalid_token\""));
    // Who signs in again is active again.
    let look = async || {
        let Ok(again) = probe.sign_in(&person).await? else { return Ok(None) };
        Ok((introspect(&probe, &basic(&probe), &again.access).body["active"] == true).then_some(()))
    };
    until("to be active again", LIMIT, look).await.unwrap();
}

#[tokio::test]
async fn i11_strangers_are_turned_away_and_garbage_is_inactive() {
    let probe = probe();
    let (_, session) = user(&probe, "asked").await;
    for stranger in ["", "Basic bG9jYWw6d3Jvbmctc2VjcmV0LTAxMjM0NTY3ODk=", &format!("Bearer {}", session.access)] {
        let answer = introspect(&probe, stranger, &session.access);
        assert_eq!((answer.status, answer.body.get("active")), (401, None), "{stranger}");
        assert!(answer.www_authenticate.unwrap().starts_with("Basic"));
    }
    let cut = &session.access[..session.access.len() - 4];
    for garbage in ["garbage", "a.b.c", cut, &session.refresh] {
        assert_eq!(introspect(&probe, &basic(&probe), garbage).body, inactive());
        assert_eq!(gate(&probe, "GET", "", Some(garbage)).status, 401);
    }
    assert_eq!(introspect(&probe, &basic(&probe), "").status, 400);
    let answer = batch(&probe, &["garbage", &session.access, cut, &session.id]);
    let active: Vec<_> = answer.body["results"].as_array().unwrap().iter().map(|one| one["active"] == true).collect();
    assert_eq!(active, [false, true, false, true]);
}

#[tokio::test]
async fn a_gateway_may_ask_with_any_method_and_path() {
    let probe = probe();
    let (_, session) = user(&probe, "gateway").await;
    for (method, path) in
        [("GET", ""), ("POST", "/orders"), ("DELETE", "/a/b/c/d/e/f/g/h/i/j?x=1"), ("PUT", "/introspect")]
    {
        assert_eq!(gate(&probe, method, path, Some(&session.access)).status, 200, "{method} {path}");
        let bare = gate(&probe, method, path, None);
        assert_eq!((bare.status, bare.www_authenticate.as_deref()), (401, Some("Bearer")), "{method} {path}");
    }
}
