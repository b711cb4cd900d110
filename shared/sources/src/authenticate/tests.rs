//! Every method with what is right, what is nearly right, and what is neither.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;

const NOW: EpochSeconds = EpochSeconds(1_795_000_000);
const BODY: &[u8] = br#"{"event_id":"1"}"#;

fn named(name: &str) -> String {
    "revocation/sources/x/".to_owned() + name
}

fn standard() -> Authentication {
    Authentication::StandardWebhooks { secret: named("a") }
}

fn shared(byte: u8) -> [u8; 32] {
    [byte; 32]
}

fn whsec(byte: u8) -> String {
    format!("whsec_{}", STANDARD.encode(shared(byte)))
}

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn whpk() -> String {
    format!("whpk_{}", STANDARD.encode(pair().public_key().as_ref()))
}

fn list(values: &[String]) -> SecretList {
    let secrets: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(n, value)| serde_json::json!({"name": format!("s{n}"), "value": value}))
        .collect();
    SecretList::parse(&serde_json::json!({ "secrets": secrets }).to_string()).unwrap()
}

fn signed_text(id: &str, at: i64, body: &[u8]) -> Vec<u8> {
    [format!("{id}.{at}.").as_bytes(), body].concat()
}

fn v1(byte: u8, id: &str, at: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &shared(byte));
    format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed_text(id, at, body))))
}

fn v1a(id: &str, at: i64, body: &[u8]) -> String {
    format!("v1a,{}", STANDARD.encode(pair().sign(&signed_text(id, at, body))))
}

fn present(
    how: &Authentication,
    headers: &[(&str, &str)],
    path: Option<&str>,
    body: &[u8],
    secrets: &SecretList,
) -> Result<Authentic, Unauthenticated> {
    let headers: BTreeMap<&str, &str> = headers.iter().copied().collect();
    let presented = Presented { headers: &|name| headers.get(name).copied(), body, path_secret: path };
    authenticate(how, &presented, secrets, NOW)
}

fn webhook(
    signature: &str,
    id: &str,
    at: &str,
    body: &[u8],
    secrets: &SecretList,
) -> Result<Authentic, Unauthenticated> {
    let headers = [("webhook-id", id), ("webhook-timestamp", at), ("webhook-signature", signature)];
    present(&standard(), &headers, None, body, secrets)
}

/// The example of the specification's reference implementations.
#[test]
fn the_published_vector_verifies() {
    let secrets = list(&["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()]);
    let body = br#"{"test": 2432232314}"#;
    let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let headers: BTreeMap<&str, &str> = BTreeMap::from([
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", signature),
    ]);
    let presented = Presented { headers: &|name| headers.get(name).copied(), body, path_secret: None };
    let authentic = authenticate(&standard(), &presented, &secrets, EpochSeconds(1_614_265_330)).unwrap();
    assert_eq!(authentic.event_id.as_deref(), Some("msg_p5jXN8AQM9LWM0D4loKWxJek"));
    assert_eq!(authentic.sent_at, Some(EpochSeconds(1_614_265_330)));
}

#[test]
fn i11_standard_webhooks_case_by_case() {
    let (at, stamp) = (NOW.0, NOW.0.to_string());
    let good = v1(1, "msg_1", at, BODY);
    let one = list(&[whsec(1)]);
    let rotated = list(&[whsec(2), whsec(1), whpk()]);
    let unpadded = good.trim_end_matches('=').to_owned();
    let garbage = format!("v1, v1,!!! v1,AAAA v9,{} x {good} ,", STANDARD.encode([0; 32]));
    let many = vec![good.as_str(); 17].join(" ");
    let accepted: [(&str, &str, &SecretList, &str); 8] = [
        ("plain", &good, &one, "s0"),
        ("without padding", &unpadded, &one, "s0"),
        ("second of two signatures", &format!("{} {good}", v1(9, "msg_1", at, BODY)), &one, "s0"),
        ("second of several secrets", &good, &rotated, "s1"),
        ("among garbage", &garbage, &one, "s0"),
        ("public key", &v1a("msg_1", at, BODY), &rotated, "s2"),
        ("both kinds, the first secret that fits", &format!("{} {good}", v1a("msg_1", at, BODY)), &rotated, "s1"),
        ("sixteen signatures", &vec![good.as_str(); 16].join(" "), &one, "s0"),
    ];
    for (what, signature, secrets, name) in accepted {
        let authentic = webhook(signature, "msg_1", &stamp, BODY, secrets).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(authentic.secret_name, name, "{what}");
        assert_eq!(authentic.event_id.as_deref(), Some("msg_1"), "{what}");
    }
    let malformed = Unauthenticated::Malformed("webhook-signature");
    let refused: [(&str, &str, &str, &[u8], Unauthenticated); 12] = [
        ("another body", &good, "msg_1", b"{}", Unauthenticated::NoMatch),
        ("empty body", &good, "msg_1", b"", Unauthenticated::NoMatch),
        ("another id", &good, "msg_2", BODY, Unauthenticated::NoMatch),
        ("another secret", &v1(2, "msg_1", at, BODY), "msg_1", BODY, Unauthenticated::NoMatch),
        ("a MAC called v1a", &good.replace("v1,", "v1a,"), "msg_1", BODY, malformed),
        ("public-key signature without a public key", &v1a("msg_1", at, BODY), "msg_1", BODY, Unauthenticated::NoMatch),
        ("cut short", &good[..40], "msg_1", BODY, malformed),
        ("nothing", "", "msg_1", BODY, malformed),
        ("the version alone", "v1", "msg_1", BODY, malformed),
        ("seventeen signatures", &many, "msg_1", BODY, malformed),
        ("an id with a space", &v1(1, "msg 1", at, BODY), "msg 1", BODY, Unauthenticated::Malformed("webhook-id")),
        ("no id", &v1(1, "", at, BODY), "", BODY, Unauthenticated::Malformed("webhook-id")),
    ];
    for (what, signature, id, body, why) in refused {
        assert_eq!(webhook(signature, id, &stamp, body, &one), Err(why), "{what}");
    }
    let empty = webhook(&v1(1, "msg_1", at, b""), "msg_1", &stamp, b"", &one);
    assert!(empty.is_ok(), "an empty body that is signed is authentic");
}

#[test]
fn i11_a_message_is_fresh_for_five_minutes_both_ways() {
    let one = list(&[whsec(1)]);
    let at = |at: i64| webhook(&v1(1, "m", at, BODY), "m", &at.to_string(), BODY, &one).map(drop);
    assert_eq!(at(NOW.0 - 300), Ok(()));
    assert_eq!(at(NOW.0 + 300), Ok(()));
    assert_eq!(at(NOW.0 - 301), Err(Unauthenticated::Stale));
    assert_eq!(at(NOW.0 + 301), Err(Unauthenticated::Future));
    assert_eq!(at(0), Err(Unauthenticated::Stale));
    assert_eq!(at(i64::MAX), Err(Unauthenticated::Future));
    let bad = Err(Unauthenticated::Malformed("webhook-timestamp"));
    for text in ["", "-1", "+1", "1.5", "1e9", "99999999999999999999", "٣", " 1", "9223372036854775808"] {
        assert_eq!(webhook("v1,AAAA", "m", text, BODY, &one), bad, "{text}");
    }
}

#[test]
fn headers_that_are_missing_are_named() {
    let one = list(&[whsec(1)]);
    let stamp = NOW.0.to_string();
    let all = [("webhook-id", "m"), ("webhook-timestamp", stamp.as_str()), ("webhook-signature", "v1,AAAA")];
    for (n, name) in ["webhook-id", "webhook-timestamp", "webhook-signature"].into_iter().enumerate() {
        let mut some = all.to_vec();
        some.remove(n);
        assert_eq!(present(&standard(), &some, None, BODY, &one), Err(Unauthenticated::Missing(name)));
    }
    let signature = v1(1, "m", NOW.0, BODY);
    let svix = [("svix-id", "m"), ("svix-timestamp", stamp.as_str()), ("svix-signature", signature.as_str())];
    assert!(present(&standard(), &svix, None, BODY, &one).is_ok());
    let mixed = [("webhook-id", "m"), ("svix-timestamp", stamp.as_str()), ("svix-signature", signature.as_str())];
    assert_eq!(present(&standard(), &mixed, None, BODY, &one), Err(Unauthenticated::Missing("webhook-id")));
}

#[test]
fn i11_hexadecimal_signatures() {
    let secrets = list(&["an-older-secret-of-the-hook".into(), "It's-a-Secret-to-Everybody".into()]);
    let github = Authentication::GithubSignature { secret: named("g") };
    let pagerduty = Authentication::PagerdutySignature { secret: named("p") };
    let mac = |secret: &str, body: &[u8]| {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    };
    let good = mac("It's-a-Secret-to-Everybody", BODY);
    let send = |how: &Authentication, header: &str, value: &str, body: &[u8]| {
        present(how, &[(header, value)], None, body, &secrets).map(|it| it.secret_name)
    };
    let hub = "x-hub-signature-256";
    assert_eq!(send(&github, hub, &format!("sha256={good}"), BODY), Ok("s1".into()));
    assert_eq!(send(&github, hub, &format!("sha256={}", good.to_uppercase()), BODY), Ok("s1".into()));
    assert_eq!(send(&github, hub, &format!("sha256={good}"), b"{}"), Err(Unauthenticated::NoMatch));
    assert_eq!(
        send(&github, hub, &format!("sha256={}", mac("Somebody-else's-Secret", BODY)), BODY),
        Err(Unauthenticated::NoMatch)
    );
    for bad in [
        good.clone(),
        format!("sha1={good}"),
        format!("sha256={}", &good[2..]),
        "sha256=".into(),
        String::new(),
        format!("sha256={good},sha256={good}"),
        format!("sha256={}", "g".repeat(64)),
        format!("sha256={}", "é".repeat(32)),
    ] {
        assert_eq!(send(&github, hub, &bad, BODY), Err(Unauthenticated::Malformed(hub)), "{bad}");
    }
    assert_eq!(send(&github, "x-hub-signature", "sha1=00", BODY), Err(Unauthenticated::Missing(hub)));
    let two = format!("v1={},v1={good}", mac("It's-another-Secret", BODY));
    assert_eq!(send(&pagerduty, "x-pagerduty-signature", &two, BODY), Ok("s1".into()));
    assert_eq!(
        send(&pagerduty, "x-pagerduty-signature", &[two.as_str(); 5].join(","), BODY),
        Err(Unauthenticated::Malformed("x-pagerduty-signature"))
    );
}

#[test]
fn i11_secrets_as_they_stand() {
    let secrets = list(&["old-old-old-old-old-old".into(), "new-new-new-new-new-new".into()]);
    let secret = named("s");
    let header = Authentication::Header { header: "x-revocation-secret".into(), secret: secret.clone() };
    let bearer = Authentication::Bearer { secret: secret.clone() };
    let okta = Authentication::OktaEventHook { secret: secret.clone() };
    let path = Authentication::Path { secret };
    let send = |how: &Authentication, name: &str, value: &str| {
        present(how, &[(name, value)], None, BODY, &secrets).map(|it| it.secret_name)
    };
    let no = || Err(Unauthenticated::NoMatch);
    assert_eq!(send(&header, "x-revocation-secret", "new-new-new-new-new-new"), Ok("s1".into()));
    assert_eq!(send(&header, "x-revocation-secret", "old-old-old-old-old-old"), Ok("s0".into()));
    for bad in ["", "new", "new-new-new-new-new-neW", "new-new-new-new-new-new ", "new-new-new-new-new-new\u{0}"] {
        assert_eq!(send(&header, "x-revocation-secret", bad), no(), "{bad}");
    }
    assert_eq!(send(&header, "x-other", "new-new-new-new-new-new"), Err(Unauthenticated::Missing("header")));
    assert_eq!(send(&header, "x-revocation-secret", &"x".repeat(5_000)), Err(Unauthenticated::Malformed("header")));
    assert_eq!(send(&okta, "authorization", "old-old-old-old-old-old"), Ok("s0".into()));
    assert_eq!(send(&bearer, "authorization", "Bearer new-new-new-new-new-new"), Ok("s1".into()));
    assert_eq!(send(&bearer, "authorization", "bearer new-new-new-new-new-new"), Ok("s1".into()));
    for bad in ["new-new-new-new-new-new", "Basic new-new-new-new-new-new", "Bearer", "Bearer ", "Bearer x"] {
        assert_eq!(send(&bearer, "authorization", bad), no(), "{bad}");
    }
    let by_path = |value| present(&path, &[], value, BODY, &secrets).map(|it| it.secret_name);
    assert_eq!(by_path(Some("new-new-new-new-new-new")), Ok("s1".into()));
    assert_eq!(by_path(Some("new-new-new-new-new")), no());
    assert_eq!(by_path(None), Err(Unauthenticated::Missing("secret in the path")));
    assert_eq!(match_bearer(&secrets, "Bearer old-old-old-old-old-old").map(|it| it.name.as_str()), Some("s0"));
}

#[test]
fn the_text_of_a_secret_is_checked_when_it_is_loaded() {
    let parse =
        |text: &str| SecretList::parse(text).map(|list| list.iter().map(|one| one.name.clone()).collect::<Vec<_>>());
    assert_eq!(parse("a-secret-that-is-long-enough\n"), Ok(vec!["default".into()]));
    let pair =
        r#"{"secrets":[{"name":"2026-10","value":"0123456789abcdef"},{"name":"2026-11","value":"fedcba9876543210"}]}"#;
    assert_eq!(parse(pair), Ok(vec!["2026-10".into(), "2026-11".into()]));
    let nine = format!(r#"{{"secrets":[{}]}}"#, [r#"{"name":"a","value":"0123456789abcdef"}"#; 9].join(","));
    for (text, why) in [
        ("", BadSecrets::Value(1)),
        ("fifteen-letters", BadSecrets::Value(1)),
        ("sixteen letters and spaces", BadSecrets::Value(1)),
        ("schlüssel-mit-umlaut-drin", BadSecrets::Value(1)),
        ("{", BadSecrets::Shape),
        (r#"{"secret":"0123456789abcdef"}"#, BadSecrets::Shape),
        (r#"{"secrets":[],"secrets":[]}"#, BadSecrets::Shape),
        (r#"{"secrets":[]}"#, BadSecrets::Count),
        (&nine, BadSecrets::Count),
        (
            r#"{"secrets":[{"name":"a","value":"0123456789abcdef"},{"name":"a","value":"0123456789abcdef"}]}"#,
            BadSecrets::Name(2),
        ),
        (r#"{"secrets":[{"name":"","value":"0123456789abcdef"}]}"#, BadSecrets::Name(1)),
        (r#"{"secrets":[{"name":"a","value":"0123456789abcdef","x":1}]}"#, BadSecrets::Shape),
        (r#"{"secrets":[{"name":"a","value":"0123456789abcdef"},{"name":"b","value":"short"}]}"#, BadSecrets::Value(2)),
    ] {
        assert_eq!(parse(text), Err(why), "{text}");
    }
}

#[test]
fn a_secret_for_standard_webhooks_must_be_a_key() {
    let load = |value: &str| standard().secrets(value).map(drop);
    assert_eq!(load(&whsec(1)), Ok(()));
    assert_eq!(load(&whpk()), Ok(()));
    assert_eq!(load(&format!("whsec_{}", STANDARD_NO_PAD.encode([1; 25]))), Ok(()));
    let bad = Err(BadSecrets::NotAWebhookKey(1));
    assert_eq!(load("a-secret-that-is-long-enough"), bad);
    for length in [23, 65] {
        assert_eq!(load(&format!("whsec_{}", STANDARD.encode(vec![1; length]))), bad, "{length}");
    }
    assert_eq!(load(&format!("whpk_{}", STANDARD.encode([1; 31]))), bad);
    assert_eq!(load(&format!("whsk_{}", STANDARD.encode([1; 64]))), bad, "a private key");
    let header = Authentication::Header { header: "x".into(), secret: named("h") };
    assert!(header.secrets("a-secret-that-is-long-enough").is_ok());
}

#[test]
fn oktas_challenge_is_answered_and_bounded() {
    assert_eq!(okta_verification("abc-123").as_deref(), Ok(r#"{"verification":"abc-123"}"#));
    for bad in ["", "a b", "a\nb", "ü", &"x".repeat(257)] {
        assert!(okta_verification(bad).is_err(), "{bad}");
    }
}

#[test]
fn i10_neither_errors_nor_debug_have_secrets() {
    let secrets = list(&[whsec(1)]);
    let presented = Presented { headers: &|_| Some("hunter2"), body: b"hunter2", path_secret: Some("hunter2") };
    let texts = [format!("{secrets:?}"), format!("{presented:?}"), BadSecrets::Shape.to_string()];
    for text in texts {
        assert!(!text.contains("whsec_") && !text.contains("hunter2"), "{text}");
    }
}

proptest! {
    #[test]
    fn no_header_makes_it_panic_or_pass(id in ".{0,30}", at in "[0-9]{0,20}|.{0,5}", signature in "((v1|v1a|v2),[A-Za-z0-9+/=]{0,90} ?){0,20}|.{0,60}") {
        prop_assert!(webhook(&signature, &id, &at, BODY, &list(&[whsec(1), whpk()])).is_err());
        let github = Authentication::GithubSignature { secret: named("g") };
        prop_assert!(present(&github, &[("x-hub-signature-256", &signature)], None, BODY, &list(&[whsec(1)])).is_err());
    }

    #[test]
    fn what_is_signed_passes_and_what_is_changed_does_not(body in proptest::collection::vec(any::<u8>(), 0..200), at in any::<proptest::sample::Index>()) {
        let secrets = list(&[whsec(3)]);
        let stamp = NOW.0.to_string();
        let signature = v1(3, "m", NOW.0, &body);
        prop_assert!(webhook(&signature, "m", &stamp, &body, &secrets).is_ok());
        if !body.is_empty() {
            let mut changed = body.clone();
            changed[at.index(body.len())] ^= 1;
            prop_assert_eq!(webhook(&signature, "m", &stamp, &changed, &secrets), Err(Unauthenticated::NoMatch));
        }
    }
}
