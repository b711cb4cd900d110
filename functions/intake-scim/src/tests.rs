//! The provider over fakes, and what does not depend on a resource: tokens, routes, media types, limits.

use revocation_core::domain::request::RevocationRequest;
use revocation_testkit::directory::FakeDirectory;
use revocation_testkit::intake::FakeIntake;
use serde_json::{Value, json};

use super::*;

pub(crate) const TOKEN: &str = "entra-token-0123456789";
pub(crate) const POOL: &str = "eu-central-1_Staff";
pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A provider with one client.
pub(crate) struct World {
    pub(crate) intake: Arc<FakeIntake>,
    pub(crate) directory: Arc<FakeDirectory>,
    pub(crate) provider: ScimProvider,
    requests: std::sync::atomic::AtomicUsize,
}

/// An answer: status and body.
pub(crate) type Answer = (u16, Value);

impl World {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// With more members of the source, as YAML.
    pub(crate) async fn with(more: &str) -> Self {
        let intake = Arc::new(FakeIntake::default());
        let attributes = "attributes: {external_id: 'custom:external_id', roles: 'custom:roles', \
            more: {department: 'custom:department', 'phoneNumbers.value': phone_number}}";
        let attributes = if more.contains("attributes:") { "" } else { attributes };
        let document = format!(
            "version: 1\nscim:\n  entra:\n    tokens: revocation/sources/entra\n    pool: {POOL}\n    {attributes}\n    {more}\n"
        );
        intake.put_text("sources", &document);
        let secrets = json!({"secrets": [{"name": "2026-11", "value": TOKEN},
                                         {"name": "2026-10", "value": "entra-token-old-0123456"}]});
        intake.put_text("revocation/sources/entra", &secrets.to_string());
        let directory = Arc::new(FakeDirectory::new(intake.clone()));
        let sources = SourceBook::open(intake.clone(), intake.clock.clone(), "sources").await;
        let provider = ScimProvider {
            sources: sources.unwrap_or_else(|error| panic!("{error}")),
            keyring: Keyring::new(intake.clone(), intake.clock.clone()),
            last_heard: LastHeard::new(intake.clone(), intake.clock.clone()),
            users: directory.clone(),
            groups: directory.clone(),
            gate: intake.gate(),
            ahead: intake.clone(),
            clock: intake.clock.clone(),
            settings: Settings { base_url: Some("https://api.example.com/scim/v2".to_owned()) },
        };
        config::check(&*provider.sources.current().await, None).unwrap();
        intake.state().calls.clear();
        Self { intake, directory, provider, requests: 0.into() }
    }

    pub(crate) async fn send(&self, method: &str, uri: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/scim+json; charset=utf-8")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.raw(Request::new(method, &format!("/scim/v2{uri}"), &headers, body)).await
    }

    pub(crate) async fn get(&self, uri: &str) -> Answer {
        self.send("GET", uri, &Value::Null).await
    }

    pub(crate) async fn patch(&self, uri: &str, operations: Value) -> Answer {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        self.send("PATCH", uri, &json!({"schemas": schemas, "Operations": operations})).await
    }

    pub(crate) async fn raw(&self, mut request: Request) -> Answer {
        let number = self.requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        request.request_id = format!("request-{number}");
        let response = self.provider.handle(request).await;
        let body = if response.body.is_empty() { Value::Null } else { serde_json::from_str(&response.body).unwrap() };
        if response.status != 204 {
            assert_eq!(response.headers["content-type"], "application/scim+json");
        }
        if response.status >= 400 {
            assert_eq!(body["status"], response.status.to_string(), "{body}");
            assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        }
        (response.status, body)
    }

    pub(crate) fn add(&self, name: &str) -> String {
        let email = format!("{name}@example.com");
        self.directory.add(name, &[("email", &email), ("given_name", name)]).0
    }

    pub(crate) fn published(&self) -> Vec<RevocationRequest> {
        self.intake.state().published.clone()
    }

    /// What changed something, in order; counting and reading secrets apart.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        let calls = std::mem::take(&mut self.intake.state().calls);
        calls.into_iter().filter(|call| !["admit", "read"].contains(call)).collect()
    }
}

/// A filter as a parameter of a query.
pub(crate) fn filtered(filter: &str) -> String {
    use std::fmt::Write as _;
    filter.bytes().fold("filter=".to_owned(), |mut text, byte| {
        write!(text, "%{byte:02x}").unwrap();
        text
    })
}

pub(crate) fn scim_type(answer: &Answer) -> &str {
    answer.1["scimType"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn i11_only_a_configured_token_opens() {
    let world = World::new().await;
    let tries = [
        None,
        Some("Bearer wrong-token-0123456789"),
        Some("Bearer "),
        Some("Basic ZW50cmE6eA=="),
        Some(TOKEN),
        Some("Bearer entra-token-0123456789x"),
    ];
    for authorization in tries {
        let headers: Vec<(&str, &str)> = authorization.map(|value| ("authorization", value)).into_iter().collect();
        for uri in ["/scim/v2/Users", "/scim/v2/ServiceProviderConfig", "/scim/v2/nothing"] {
            let (status, _) = world.raw(Request::new("GET", uri, &headers, "")).await;
            assert_eq!(status, 401, "{authorization:?} {uri}");
        }
    }
    let old = [("authorization", "bearer entra-token-old-0123456")];
    assert_eq!(world.raw(Request::new("GET", "/scim/v2/Users", &old, "")).await.0, 200);
    assert!(world.directory.state().reads.get("page").copied() == Some(1), "strangers get to no directory");
}

#[tokio::test]
async fn a_client_with_its_token_was_heard_of_whatever_it_asks_and_a_stranger_was_not() {
    for (uri, status) in [("/Users", 200), ("/Nothing", 404), ("/Me", 501)] {
        let world = World::with("silent_after_hours: 24").await;
        let headers = [("authorization", "Bearer wrong-token-0123456789")];
        assert_eq!(world.raw(Request::new("GET", &format!("/scim/v2{uri}"), &headers, "")).await.0, 401);
        assert!(world.intake.state().heard.is_empty());
        assert_eq!(world.get(uri).await.0, status);
        assert_eq!(world.intake.state().heard["scim/entra"], world.intake.clock.now());
    }
}

#[tokio::test]
async fn tokens_that_cannot_be_read_are_no_reason_to_turn_a_client_away_for_good() {
    let world = World::new().await;
    world.intake.fail("read", revocation_core::ports::PortError::retry("test", "timeout"));
    assert_eq!(world.get("/Users").await.0, 503);
    assert_eq!(world.get("/Users").await.0, 200);
}

#[tokio::test]
async fn routes() {
    let world = World::new().await;
    let cases = [
        ("GET", "", 404),
        ("GET", "/", 404),
        ("GET", "/Nothing", 404),
        ("GET", "/Users/a/b", 404),
        ("PUT", "/Users", 405),
        ("DELETE", "/Groups", 405),
        ("POST", "/Users/x", 405),
        ("GET", "/Users/.search", 405),
        ("POST", "/Schemas", 405),
        ("OPTIONS", "/Users", 405),
        ("POST", "/Bulk", 501),
        ("GET", "/Me", 501),
        ("GET", "/.search", 405),
        ("GET", "/ServiceProviderConfig?filter=id%20pr", 403),
        ("GET", "/ServiceProviderConfig", 200),
        ("GET", "/ResourceTypes", 200),
        ("GET", "/ResourceTypes/User", 200),
        ("GET", "/Schemas", 200),
        ("GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group", 200),
        ("GET", "/Schemas/urn:nobody", 404),
        ("GET", "/Users?sortBy=userName", 400),
        ("GET", "/Users/%22%20or%20sub%20%5E=%20%22", 404),
    ];
    for (method, uri, expected) in cases {
        assert_eq!(world.send(method, uri, &Value::Null).await.0, expected, "{method} {uri}");
    }
    let headers = [("authorization", format!("Bearer {TOKEN}"))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let refused = world.provider.handle(Request::new("PUT", "/scim/v2/Users", &headers, "")).await;
    assert_eq!(refused.headers["allow"], "GET, POST");
}

#[tokio::test]
async fn what_is_declared_is_what_is_so() {
    let world = World::new().await;
    let (_, config) = world.get("/ServiceProviderConfig").await;
    for (feature, supported) in [("patch", true), ("filter", true), ("bulk", false), ("sort", false), ("etag", false)] {
        assert_eq!(config[feature]["supported"], supported, "{feature}");
    }
    let (_, schema) = world.get(&format!("/Schemas/{USER}")).await;
    let names: Vec<&str> =
        schema["attributes"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
    for kept in ["userName", "active", "name", "emails", "roles", "password", "groups"] {
        assert!(names.contains(&kept), "{kept} of {names:?}");
    }
    assert!(!names.contains(&"entitlements"), "it is kept nowhere");
}

#[tokio::test]
async fn bodies_that_are_none_are_refused_and_not_quoted() {
    let world = World::new().await;
    let bearer = format!("Bearer {TOKEN}");
    let cases = [
        ("text/plain", "{}", 415, ""),
        ("application/jsonp", "{}", 415, ""),
        ("application/json", "{jane@example.com", 400, "invalidSyntax"),
        ("application/scim+json", "", 400, "invalidSyntax"),
        ("application/scim+json", "[]", 400, "invalidSyntax"),
        ("APPLICATION/JSON;charset=UTF-8", r#"{"a":1,"a":2}"#, 400, "invalidSyntax"),
    ];
    for (media_type, body, status, kind) in cases {
        let headers = [("authorization", bearer.as_str()), ("content-type", media_type)];
        for (method, uri) in
            [("POST", "/scim/v2/Users"), ("POST", "/scim/v2/Groups"), ("POST", "/scim/v2/Users/.search")]
        {
            let answer = world.raw(Request::new(method, uri, &headers, body)).await;
            assert_eq!((answer.0, scim_type(&answer)), (status, kind), "{media_type} {body} {uri}");
            assert!(!answer.1.to_string().contains("jane"), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn what_the_edge_refuses_is_said_in_scim_s_form() {
    let world = World::new().await;
    for (status, expected) in [(413, 413), (503, 503), (414, 414)] {
        let response = world.provider.refuse(&Problem::new(status, "test", "test"));
        let body: Value = serde_json::from_str(&response.body).unwrap();
        assert_eq!((response.status, body["status"].as_str()), (expected, Some(expected.to_string().as_str())));
    }
}
