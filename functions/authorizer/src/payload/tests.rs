use serde_json::{Value, json};

use super::*;

const ARN: &str = "arn:aws:execute-api:eu-central-1:111122223333:api/v1/GET/orders";

fn parsed(event: &Value) -> Result<(Front, Result<String, &'static str>), Failure> {
    read(&event.to_string()).map(|request| (request.front, request.token.map_err(NoToken::code)))
}

fn rest() -> Front {
    Front::Rest { method_arn: ARN.into() }
}

fn request(headers: &Value, multi: &Value) -> Value {
    json!({
        "type": "REQUEST", "methodArn": ARN, "resource": "/orders", "path": "/orders", "httpMethod": "GET",
        "headers": headers, "multiValueHeaders": multi, "queryStringParameters": { "Authorization": "Bearer query" },
        "requestContext": { "path": "/orders", "identity": { "sourceIp": "127.0.0.1" } },
    })
}

fn http(headers: &Value) -> Value {
    json!({
        "version": "2.0", "type": "REQUEST", "routeArn": ARN, "identitySource": ["Bearer t"], "routeKey": "$default",
        "headers": headers, "requestContext": { "http": { "method": "GET" } },
    })
}

#[test]
fn each_front_is_recognised_by_its_shape() {
    let token = || Ok("t".to_owned());
    let headers = json!({ "Authorization": "Bearer t" });
    for (event, front) in [
        (json!({ "type": "TOKEN", "methodArn": ARN, "authorizationToken": "Bearer t" }), rest()),
        (json!({ "type": "TOKEN", "methodArn": ARN, "authorizationToken": "t" }), rest()),
        (request(&headers, &json!({ "Authorization": ["Bearer t"] })), rest()),
        (request(&headers, &Value::Null), rest()),
        (json!({ "version": "1.0", "type": "REQUEST", "methodArn": ARN, "headers": headers }), rest()),
        (http(&json!({ "authorization": "Bearer t", "host": "x" })), Front::Http),
        (json!({ "authorizationToken": "t", "requestContext": {}, "requestHeaders": {} }), Front::AppSync),
        (json!({ "authorizationToken": "Bearer t", "requestContext": { "apiId": "a" } }), Front::AppSync),
    ] {
        assert_eq!(parsed(&event), Ok((front, token())), "{event}");
    }
}

#[test]
fn the_scheme_and_the_name_have_any_case() {
    for (name, value) in [
        ("authorization", "bearer t"),
        ("AUTHORIZATION", "BEARER t"),
        ("aUthOrization", "Bearer   t"),
        ("Authorization", " Bearer t "),
    ] {
        assert_eq!(parsed(&http(&json!({ (name): value }))), Ok((Front::Http, Ok("t".into()))), "{name}: {value}");
    }
}

#[test]
fn i06_without_exactly_one_bearer_token_there_is_none() {
    for (headers, code) in [
        (json!({}), "no_token"),
        (Value::Null, "no_token"),
        (json!({ "Authorization": "" }), "no_token"),
        (json!({ "Authorization": "Bearer" }), "not_bearer"),
        (json!({ "Authorization": "Bearer " }), "not_bearer"),
        (json!({ "Authorization": [] }), "no_token"),
        (json!({ "X-Authorization": "Bearer t" }), "no_token"),
        (json!({ "Authorization": "Basic dTpw" }), "not_bearer"),
        (json!({ "Authorization": "t" }), "not_bearer"),
        (json!({ "Authorization": "Bearer\tt" }), "not_bearer"),
        (json!({ "Authorization": "Bearer t", "authorization": "Bearer t" }), "several_tokens"),
        (json!({ "Authorization": ["Bearer t", "Bearer u"] }), "several_tokens"),
    ] {
        for event in [http(&headers), request(&headers, &Value::Null)] {
            assert_eq!(parsed(&event).unwrap().1, Err(code), "{event}");
        }
    }
    let twice = request(&json!({ "Authorization": "Bearer t" }), &json!({ "Authorization": ["Bearer t", "Bearer t"] }));
    assert_eq!(parsed(&twice).unwrap().1, Err("several_tokens"));
    let differ = request(&json!({ "Authorization": "Bearer t" }), &json!({ "Authorization": ["Bearer u"] }));
    assert_eq!(parsed(&differ).unwrap().1, Err("several_tokens"));
    for (token, code) in [(Value::Null, "no_token"), (json!(" "), "no_token"), (json!("Bearer "), "not_bearer")] {
        let event = json!({ "type": "TOKEN", "methodArn": ARN, "authorizationToken": token });
        assert_eq!(parsed(&event), Ok((rest(), Err(code))), "{event}");
    }
}

#[test]
fn i06_an_event_of_no_known_shape_is_refused() {
    for event in [
        json!({}),
        json!([]),
        json!(null),
        json!("text"),
        json!({ "type": "TOKEN", "authorizationToken": "t" }),
        json!({ "type": "REQUEST", "headers": {} }),
        json!({ "type": "REQUEST", "version": "2.0", "methodArn": ARN }),
        json!({ "type": "REQUEST", "version": "3.0", "methodArn": ARN, "routeArn": ARN }),
        json!({ "type": "request", "methodArn": ARN }),
        json!({ "type": "REQUEST", "methodArn": 7 }),
        json!({ "type": "REQUEST", "methodArn": ARN, "headers": "Authorization: Bearer t" }),
        json!({ "type": "REQUEST", "methodArn": ARN, "headers": { "Authorization": { "Bearer": "t" } } }),
        json!({ "type": "REQUEST", "methodArn": ARN, "headers": { "Authorization": null } }),
        json!({ "type": "REQUEST", "methodArn": ARN, "multiValueHeaders": { "Authorization": [7] } }),
        json!({ "authorizationToken": "t" }),
        json!({ "requestContext": {} }),
        json!({ "type": "TOKEN", "methodArn": ARN, "authorizationToken": ["t"] }),
        json!({ "version": "2.0", "rawPath": "/", "requestContext": { "http": {} } }),
    ] {
        assert_eq!(parsed(&event), Err(Failure::UnknownEvent), "{event}");
    }
    let twice = format!(r#"{{"type":"TOKEN","methodArn":"{ARN}","methodArn":"*","authorizationToken":"t"}}"#);
    for event in ["", "{", "\u{0}", &"[".repeat(100_000), &twice] {
        assert_eq!(read(event), Err(Failure::UnknownEvent));
    }
}

#[test]
fn a_websocket_may_bring_its_token_as_a_sub_protocol() {
    let connect = |headers: Value| {
        json!({
            "type": "REQUEST", "methodArn": ARN, "headers": headers, "multiValueHeaders": null,
            "requestContext": { "routeKey": "$connect", "eventType": "CONNECT", "connectionId": "c" },
        })
    };
    for (headers, expected) in [
        (json!({ "Sec-WebSocket-Protocol": "bearer, a.b.c" }), Ok("a.b.c")),
        (json!({ "sec-websocket-protocol": "bearer,a.b.c", "Authorization": "Bearer h" }), Ok("h")),
        (json!({ "Sec-WebSocket-Protocol": "bearer" }), Err("not_bearer")),
        (json!({ "Sec-WebSocket-Protocol": "bearer, " }), Err("not_bearer")),
        (json!({ "Sec-WebSocket-Protocol": "bearer, a.b.c, chat" }), Err("not_bearer")),
        (json!({ "Sec-WebSocket-Protocol": "chat, a.b.c" }), Err("not_bearer")),
        (json!({}), Err("no_token")),
    ] {
        assert_eq!(parsed(&connect(headers.clone())).unwrap(), (rest(), expected.map(str::to_owned)), "{headers}");
    }
    // Elsewhere a sub-protocol is no place for a token.
    let elsewhere = request(&json!({ "Sec-WebSocket-Protocol": "bearer, a.b.c" }), &Value::Null);
    assert_eq!(parsed(&elsewhere).unwrap().1, Err("no_token"));
}

#[test]
fn who_presents_the_token_is_read_where_the_front_tells() {
    let seen = |event: &Value| {
        let client = read(&event.to_string()).unwrap().client;
        (client.source_ip.unwrap_or_default(), client.user_agent.unwrap_or_default())
    };
    let headers = json!({ "authorization": "Bearer t" });
    let mut rest = request(&headers, &Value::Null);
    rest["requestContext"]["identity"]["userAgent"] = json!("curl");
    assert_eq!(seen(&rest), ("127.0.0.1".into(), "curl".into()));
    let mut http = http(&headers);
    http["requestContext"]["http"] = json!({ "method": "GET", "sourceIp": "::1", "userAgent": "x" });
    assert_eq!(seen(&http), ("::1".into(), "x".into()));
    let token = json!({ "type": "TOKEN", "methodArn": ARN, "authorizationToken": "Bearer t" });
    assert_eq!(seen(&token), (String::new(), String::new()));
}
