use serde_json::{Value, json};

use crate::tests::{GROUP, USER, World};

/// Whoever has the token of such a client can do no more than switch these users off and on.
#[tokio::test]
async fn i11_a_client_of_some_users_says_whether_they_are_active_and_nothing_else() {
    let world = World::with("only_users: [probe]").await;
    let (own, other) = (world.add("probe"), world.add("jane"));
    let active = |value: bool| json!([{"op": "replace", "path": "active", "value": value}]);
    for (value, calls) in [(false, vec!["publish", "disable"]), (true, vec!["enable"])] {
        let (status, user) = world.patch(&format!("/Users/{own}"), active(value)).await;
        assert_eq!((status, &user["active"]), (200, &value.into()));
        assert_eq!(world.calls(), calls);
    }
    assert_eq!(world.get(&format!("/Users/{own}")).await.0, 200);
    assert_eq!(world.get("/ServiceProviderConfig").await.0, 200);

    assert_eq!(world.get(&format!("/Users/{other}")).await.0, 404);
    assert_eq!(world.patch(&format!("/Users/{other}"), active(false)).await.0, 404);
    for operations in [
        json!([{"op": "replace", "path": "password", "value": "Another-1-Password"}]),
        json!([{"op": "replace", "path": "emails", "value": [{"value": "mallory@example.com"}]}]),
        json!([{"op": "replace", "path": "active", "value": false}, {"op": "add", "path": "roles", "value": [{"value": "admin"}]}]),
    ] {
        assert_eq!(world.patch(&format!("/Users/{own}"), operations.clone()).await.0, 403, "{operations}");
    }
    let user = format!("/Users/{own}");
    let body = json!({"schemas": [USER], "userName": "mallory"});
    for (method, uri, body) in [
        ("GET", "/Users", Value::Null),
        ("GET", "/Groups", Value::Null),
        ("POST", "/.search", json!({})),
        ("POST", "/Users", body.clone()),
        ("PUT", &*user, body.clone()),
        ("DELETE", &*user, Value::Null),
        ("POST", "/Groups", json!({"schemas": [GROUP], "displayName": "admins"})),
    ] {
        assert_eq!(world.send(method, uri, &body).await.0, 403, "{method} {uri}");
    }
    assert_eq!(world.calls(), Vec::<&str>::new(), "nothing of it did anything");
}
