use revocation_testkit::keys::{jwks, key_a, key_b};
use serde_json::json;

use super::*;

fn kids(document: &Value) -> Result<Vec<String>, BadKeySet> {
    KeySet::parse(document.to_string().as_bytes()).map(|set| set.0.iter().map(|key| key.kid.clone()).collect())
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut jwk = key_b().jwk();
    for (name, value) in changes {
        jwk[*name] = value.clone();
    }
    jwk
}

#[test]
fn reads_what_cognito_serves() {
    let set = KeySet::parse(&jwks(&[key_a(), key_b()])).unwrap();
    let signature = key_b().sign(b"text");
    assert!(set.get("test-key-b").unwrap().verifies(b"text", &signature));
    assert!(!set.get("test-key-a").unwrap().verifies(b"text", &signature));
    assert!(!set.get("test-key-b").unwrap().verifies(b"other", &signature));
    assert_eq!(set.get("test-key-c"), None);
}

#[test]
fn keys_of_another_kind_are_left_out_and_cost_the_others_nothing() {
    let short = URL_SAFE_NO_PAD.encode([0xff_u8; 128]);
    let short_with_zeros = URL_SAFE_NO_PAD.encode([vec![0_u8; 200], vec![0xff_u8; 128]].concat());
    let long = URL_SAFE_NO_PAD.encode([0xff_u8; 1_025]);
    for bad in [
        json!({ "kty": "EC", "kid": "e", "crv": "P-256", "x": "x", "y": "y" }),
        with(&[("kty", json!("oct"))]),
        with(&[("alg", json!("PS256"))]),
        with(&[("alg", json!("RS512"))]),
        with(&[("use", json!("enc"))]),
        with(&[("n", json!(short))]),
        with(&[("n", json!(short_with_zeros))]),
        with(&[("n", json!(long))]),
        with(&[("n", json!(""))]),
        with(&[("n", json!("not base64!"))]),
        with(&[("e", json!("Aw"))]),
        with(&[("e", json!("AQ"))]),
        with(&[("e", json!(""))]),
        with(&[("kid", json!(7))]),
        with(&[("kid", Value::Null)]),
        json!("a string"),
    ] {
        assert_eq!(kids(&json!({ "keys": [bad.clone(), key_a().jwk()] })), Ok(vec!["test-key-a".into()]), "{bad}");
        assert_eq!(kids(&json!({ "keys": [bad] })), Err(BadKeySet::NoUsableKey));
    }
}

#[test]
fn a_key_without_alg_and_use_and_with_a_sign_byte_is_taken() {
    let n = [&[0_u8][..], &key_b().components().n].concat();
    let jwk = with(&[("alg", Value::Null), ("use", Value::Null), ("n", json!(URL_SAFE_NO_PAD.encode(n)))]);
    let set = KeySet::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap();
    assert!(set.get("test-key-b").unwrap().verifies(b"text", &key_b().sign(b"text")));
}

#[test]
fn the_first_of_two_keys_with_one_kid_stays() {
    let second = with(&[("kid", json!("test-key-a"))]);
    let document = json!({ "keys": [key_a().jwk(), second] });
    assert_eq!(kids(&document), Ok(vec!["test-key-a".into()]));
    let set = KeySet::parse(document.to_string().as_bytes()).unwrap();
    let key = set.get("test-key-a").unwrap();
    assert!(key.verifies(b"text", &key_a().sign(b"text")));
    assert!(!key.verifies(b"text", &key_b().sign(b"text")));
}

#[test]
fn the_same_key_of_another_fetch_is_the_same_and_one_of_its_name_is_not() {
    let set = KeySet::parse(&jwks(&[key_a()])).unwrap();
    let again = KeySet::parse(&jwks(&[key_a()])).unwrap();
    assert!(set.has(&again.get("test-key-a").unwrap()));
    let renamed = json!({ "keys": [with(&[("kid", json!("test-key-a"))])] });
    let renamed = KeySet::parse(renamed.to_string().as_bytes()).unwrap();
    assert!(!set.has(&renamed.get("test-key-a").unwrap()));
}

#[test]
fn a_key_is_shown_by_its_length() {
    let key = KeySet::parse(&jwks(&[key_a()])).unwrap().get("test-key-a").unwrap();
    assert_eq!(format!("{key:?}"), "PublicKey(2048 bits)");
}

#[test]
fn a_document_as_large_as_may_be_is_read() {
    let most: Vec<_> = (0..32).map(|n| with(&[("kid", json!(n.to_string()))])).collect();
    assert_eq!(kids(&json!({ "keys": most })).unwrap().len(), 32);
    let mut padded = br#"{"filler":""#.to_vec();
    let rest = [br#"","#, &jwks(&[key_a()])[1..]].concat();
    padded.resize(MAX_JWKS_BYTES - rest.len(), b'x');
    padded.extend(rest);
    assert!(KeySet::parse(&padded).is_ok());
    padded.push(b' ');
    assert_eq!(KeySet::parse(&padded), Err(BadKeySet::TooLarge));
}

#[test]
fn absurd_documents_are_refused() {
    let many: Vec<_> = (0..33).map(|n| with(&[("kid", json!(n.to_string()))])).collect();
    assert_eq!(kids(&json!({ "keys": many })), Err(BadKeySet::TooManyKeys));
    assert_eq!(kids(&json!({ "keys": [] })), Err(BadKeySet::NoUsableKey));
    for document in [json!({}), json!([]), json!({ "keys": {} }), json!(null), json!("<html>")] {
        assert_eq!(kids(&document), Err(BadKeySet::NotAKeySet), "{document}");
    }
    let huge =
        format!("{{\"filler\":\"{}\",{}", "x".repeat(1 << 20), &String::from_utf8(jwks(&[key_a()])).unwrap()[1..]);
    assert_eq!(KeySet::parse(huge.as_bytes()), Err(BadKeySet::TooLarge));
    assert_eq!(KeySet::parse(b"\xff"), Err(BadKeySet::NotAKeySet));
    assert_eq!(KeySet::parse("[".repeat(60_000).as_bytes()), Err(BadKeySet::NotAKeySet));
    let deep = format!("{{\"keys\":{}", "[".repeat(60_000));
    assert_eq!(KeySet::parse(deep.as_bytes()), Err(BadKeySet::NotAKeySet));
}
