//! Marks in every field of the APIs: addresses, headers, forms, tokens, bodies.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::{Answer, Probe, Tokens, User};
use serde_json::{Value, json};

use super::plant::{FORMS, Form, Planter};
use super::written;
use crate::world::fresh;

/// Sends to all of them. Answers what was answered, the resources aside that SCIM answers to their owner.
pub(crate) fn everything(
    probe: &Probe,
    planter: &mut Planter,
    (person, session): (&User, &Tokens),
    other: &User,
) -> Vec<String> {
    let mut answers = Vec::new();
    let mut keep = |answer: Answer| {
        assert!(answer.status < 500, "{}", written::answer(&answer));
        answers.push(written::answer(&answer));
    };
    addresses_and_headers(probe, planter, &mut keep);
    tokens(probe, planter, session, &mut keep);
    scim(probe, planter, other, &mut |answer| {
        if answer.status >= 400 {
            keep(answer);
        }
    });
    operator(probe, planter, person);
    answers
}

/// An authentic webhook with this body, by the method of the sample's sender.
pub(crate) fn hook(probe: &Probe, sample: &str, body: &Value) -> Answer {
    let text = body.to_string();
    let source = match sample.split_once('/').unwrap() {
        ("siem", stem) if stem.starts_with("datadog") => {
            let secret = probe.secret_of("siem/datadog").unwrap();
            let headers = [("x-revocation-secret", secret)];
            return probe.post(&probe.hook_url("siem/datadog").unwrap(), &headers, text.as_bytes()).unwrap();
        }
        ("siem", stem) if stem.starts_with("splunk") => {
            let url = format!("{}/{}", probe.hook_url("siem/splunk").unwrap(), probe.secret_of("siem/splunk").unwrap());
            return probe.post(&url, &[], text.as_bytes()).unwrap();
        }
        ("siem", _) => "siem/plain",
        _ => "role-change/erp",
    };
    let now = SystemClock.now().seconds().0;
    probe.post_signed(source, &fresh("msg"), now, text.as_bytes()).unwrap()
}

fn addresses_and_headers(probe: &Probe, planter: &mut Planter, keep: &mut impl FnMut(Answer)) {
    let facts = probe.facts.clone();
    let (siem, roles) = (probe.hook_url("siem/plain").unwrap(), probe.hook_url("role-change/erp").unwrap());
    let splunk = probe.hook_url("siem/splunk").unwrap();
    let bases = [
        &siem,
        &roles,
        &splunk,
        &facts.siem_url,
        &facts.intakes_url,
        &facts.scim_url,
        &facts.enforcement_url,
        &facts.introspect_url,
        &facts.sign_out_url,
        &facts.api_url,
        &facts.http_api_url,
    ];
    for base in bases {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let path = format!("{base}/{}", planter.word("path"));
            keep(probe.request(method, &path, &[], None).unwrap());
            let query = format!("{base}?{}={}", planter.word("query name"), planter.word("query value"));
            keep(probe.request(method, &query, &[], None).unwrap());
        }
    }
    let names = [
        "authorization",
        "cookie",
        "user-agent",
        "referer",
        "x-forwarded-for",
        "x-request-id",
        "traceparent",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "x-hub-signature-256",
        "x-pagerduty-signature",
        "x-revocation-secret",
        "x-okta-verification-challenge",
        "content-type",
        "accept",
        "x-amzn-trace-id",
        "x-original-url",
        "x-envoy-original-path",
        "origin",
    ];
    for (turn, base) in bases.into_iter().enumerate() {
        for (number, name) in names.into_iter().enumerate() {
            // Every name meets every base, and every form.
            let value = planter.mark(name, FORMS[(turn + number) % FORMS.len()]);
            let value = if name == "authorization" { format!("Bearer {value}") } else { value };
            keep(probe.request("POST", base, &[(name, value.as_str())], Some(b"{\"a\":1}")).unwrap());
        }
    }
    let broken = planter.mark("a body that is no JSON", Form::Address);
    for body in [format!("{{\"{broken}"), format!("[{broken}]"), broken] {
        let now = SystemClock.now().seconds().0;
        for source in ["siem/plain", "role-change/erp"] {
            keep(probe.post_signed(source, &fresh("msg"), now, body.as_bytes()).unwrap());
        }
        keep(probe.post_signed("siem/plain", &planter.word("webhook-id, signed"), now, body.as_bytes()).unwrap());
    }
}

/// Tokens made of marks: in the header, in each claim, and as the signature.
fn forged(planter: &mut Planter, session: &Tokens) -> Vec<String> {
    let parts: Vec<&str> = session.access.split('.').collect();
    let decode = |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let (header, claims) = (decode(parts[0]), decode(parts[1]));
    let mut all = vec![planter.word("a token that is none"), format!("{}.{}.", parts[0], parts[1])];
    for variant in planter.variants("header of a token", &header) {
        all.push(format!("{}.{}.{}", encode(&variant), parts[1], parts[2]));
    }
    for variant in planter.variants("claims of a token", &claims) {
        all.push(format!("{}.{}.{}", parts[0], encode(&variant), parts[2]));
    }
    all.push(format!("{}.{}.{}", parts[0], parts[1], planter.word("signature")));
    // The encoded form must not turn up either.
    for token in &all {
        for (part, text) in token.split('.').enumerate().filter(|(_, text)| text.len() > 40) {
            planter.text(&format!("part {part} of a forged token"), text);
        }
    }
    all
}

fn tokens(probe: &Probe, planter: &mut Planter, session: &Tokens, keep: &mut impl FnMut(Answer)) {
    let facts = &probe.facts;
    let basic = |user: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{secret}")));
    let known = basic("local", &facts.introspection_secret);
    let form = ("content-type", "application/x-www-form-urlencoded");
    for token in forged(planter, session) {
        for url in
            [&facts.api_url, &facts.token_api_url, &facts.http_api_url, &format!("{}/ext_authz", facts.enforcement_url)]
        {
            keep(probe.call_at(url, Some(&token)).unwrap());
        }
        let body = format!("token={token}&token_type_hint=x");
        keep(probe.post(&facts.introspect_url, &[form, ("authorization", &known)], body.as_bytes()).unwrap());
        let fields = [("client_id", facts.client_id.as_str()), ("token", &token), ("everywhere", "false")];
        keep(probe.post_form(&facts.sign_out_url, &fields).unwrap());
        let batch = json!({"tokens": [token]}).to_string();
        let headers = [("content-type", "application/json"), ("authorization", known.as_str())];
        keep(probe.post(&format!("{}/batch", facts.introspect_url), &headers, batch.as_bytes()).unwrap());
    }
    for form_of in [Form::Word, Form::Address, Form::Name] {
        let stranger = basic(&planter.mark("client of introspect", form_of), &planter.mark("its secret", form_of));
        keep(probe.post(&facts.introspect_url, &[form, ("authorization", &stranger)], b"token=x").unwrap());
        let wrong = basic("local", &planter.mark("a wrong secret", form_of));
        keep(probe.post(&facts.introspect_url, &[form, ("authorization", &wrong)], b"token=x").unwrap());
        for field in ["client_id", "token", "everywhere", "client_secret", "post_logout_redirect_uri", "state"] {
            let mark = planter.mark(&format!("sign-out, {field}"), form_of);
            let fields = [("client_id", facts.client_id.as_str()), ("token", &session.access), ("everywhere", "maybe")];
            let mut fields: Vec<_> = fields.into_iter().filter(|(name, _)| *name != field).collect();
            fields.push((field, &mark));
            keep(probe.post_form(&facts.sign_out_url, &fields).unwrap());
        }
    }
}

fn scim(probe: &Probe, planter: &mut Planter, person: &User, keep: &mut impl FnMut(Answer)) {
    let users = "urn:ietf:params:scim:schemas:core:2.0:User";
    let user = json!({
        "schemas": [users], "userName": "x@example.com", "externalId": "x", "active": true, "displayName": "x",
        "name": {"givenName": "x", "familyName": "x", "formatted": "x"}, "locale": "de", "timezone": "Europe/Berlin",
        "emails": [{"value": "x@example.com", "type": "work", "primary": true}], "password": "Correct-horse-7-x",
        "phoneNumbers": [{"value": "+12025550100", "type": "work"}], "title": "x", "roles": [{"value": "x"}],
    });
    for body in planter.variants("SCIM user", &user) {
        keep(probe.scim("POST", "/Users", Some(&body)).unwrap());
    }
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "x",
        "members": [{"value": person.key.sub.0, "display": "x"}],
    });
    for body in planter.variants("SCIM group", &group) {
        keep(probe.scim("POST", "/Groups", Some(&body)).unwrap());
    }
    let own = format!("/Users/{}", person.key.sub.0);
    for op in [
        json!({"op": "replace", "path": "displayName", "value": "x"}),
        json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "x@example.com"}),
        json!({"op": "replace", "value": {"name": {"givenName": "x"}, "active": "true"}}),
        json!({"op": "remove", "path": "phoneNumbers"}),
    ] {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [op]});
        for body in planter.variants("SCIM patch", &body) {
            keep(probe.scim("PATCH", &own, Some(&body)).unwrap());
        }
    }
    for form in [Form::Word, Form::Address] {
        for (method, path) in [
            ("GET", "/Users/{}"),
            ("DELETE", "/Users/{}"),
            ("GET", "/Groups/{}"),
            ("GET", "/{}"),
            ("GET", "/Users?filter={}"),
            ("GET", "/Users?filter=userName%20eq%20%22{}%22"),
            ("GET", "/Users?filter={}%20eq%20%22x%22"),
            ("GET", "/Users?filter=userName%20eq%20%22{}"),
            ("GET", "/Users?attributes={}"),
            ("GET", "/Users?sortBy={}"),
            ("GET", "/Users?startIndex={}"),
            ("GET", "/Users?count={}"),
            ("GET", "/Users?cursor={}"),
        ] {
            let mark = planter.mark(&format!("SCIM {path}"), form);
            keep(probe.scim(method, &path.replace("{}", &mark), None).unwrap());
        }
        let bearer = format!("Bearer {}", planter.mark("SCIM token", form));
        let url = format!("{}/Users", probe.facts.scim_url);
        keep(probe.request("GET", &url, &[("authorization", &bearer)], None).unwrap());
    }
}

/// Marks in what an operator types.
fn operator(probe: &Probe, planter: &mut Planter, person: &User) {
    let run = |arguments: &[&str]| {
        let here = std::env::current_exe().unwrap();
        let facts = &probe.facts;
        let mut command = Command::new(here.ancestors().nth(2).unwrap().join("revokectl"));
        command.args(arguments).env_clear().env("HOME", "/nonexistent").env("REVOKECTL_STACK", "local");
        for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"] {
            command.env(name, crate::world::variable(facts, name).unwrap());
        }
        let output = command.output().expect("no revokectl: cargo build --examples --bin revokectl");
        (output.status.code(), format!("{output:?}"))
    };
    let done = |(code, said): (Option<i32>, String)| assert_eq!(code, Some(0), "{said}");
    let refused = |(code, said): (Option<i32>, String)| assert_ne!(code, Some(0), "{said}");
    let comment = planter.mark("--comment", Form::Name);
    let address = planter.mark("SUBJECT", Form::Address);
    done(run(&["user", &person.email, "--reason", "policy_violation", "--comment", &comment, "--yes"]));
    done(run(&["enable", &person.email, "--comment", &comment, "--yes"]));
    refused(run(&["user", &address, "--reason", "offboarding", "--yes"]));
    let group = planter.mark("GROUP", Form::Name);
    refused(run(&["group", &group, "--reason", "project_end", "--comment", &comment, "--yes"]));
}
