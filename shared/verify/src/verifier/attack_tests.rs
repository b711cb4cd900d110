//! Attack tokens: each is denied, for exactly the reason it should be, and without a read of the store.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use revocation_testkit::keys::{key_a, key_b};
use ring::hmac;

use crate::deny::DenyReason::{self, *};
use crate::jws::MAX_TOKEN_BYTES;
use crate::testing::{Bench, CLIENT, POOL, SUB};

/// Checks a token that must be denied.
async fn denied(bench: &Bench, what: &str, token: &str, expected: DenyReason) {
    assert_eq!(bench.checker.check(token).await, Err(expected), "{what}");
    assert_eq!(bench.store.reads(), 0, "{what}: the store was asked about a token that is not valid");
}

#[tokio::test]
async fn algorithms() {
    let bench = Bench::new();
    for alg in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        "HS256",
        "PS256",
        "RS384",
        "RS512",
        "ES256",
        "rs256",
        "RS256 ",
        "RS256\\u0000",
    ] {
        let token = bench.access().header(format!(r#"{{"kid":"test-key-a","alg":"{alg}"}}"#));
        denied(&bench, alg, &token.build(), AlgorithmRefused).await;
        denied(&bench, "without a signature", &format!("{}.", token.signing_input()), AlgorithmRefused).await;
    }
    let missing = bench.access().header(r#"{"kid":"test-key-a"}"#).build();
    denied(&bench, "no alg", &missing, AlgorithmRefused).await;
    let unsigned = format!("{}.", bench.access().signing_input());
    denied(&bench, "RS256 without a signature", &unsigned, BadSignature).await;
}

#[tokio::test]
async fn the_public_key_as_an_hmac_secret() {
    let bench = Bench::new();
    let components = key_a().components();
    let jwk = key_a().jwk().to_string();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&components.n));
    for secret in [components.n.as_slice(), jwk.as_bytes(), pem.as_bytes()] {
        for (alg, expected) in [("HS256", AlgorithmRefused), ("RS256", BadSignature)] {
            let input = bench.access().header(format!(r#"{{"kid":"test-key-a","alg":"{alg}"}}"#)).signing_input();
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
            denied(&bench, alg, &format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag)), expected).await;
        }
    }
}

#[tokio::test]
async fn keys_of_the_attackers_choice() {
    let bench = Bench::new();
    denied(&bench, "own key, our kid", &bench.access().forged_with(key_b()).build(), BadSignature).await;
    denied(&bench, "own key, own kid", &bench.access().signed_by(key_b()).build(), UnknownKey).await;
    let jwk = key_b().jwk();
    for member in [
        r#""jku":"https://evil.example/jwks.json""#.to_owned(),
        r#""x5u":"https://evil.example/cert.pem""#.to_owned(),
        format!(r#""jwk":{jwk}"#),
        r#""x5c":["MIIB"]"#.to_owned(),
        r#""jku":null"#.to_owned(),
        r#""\u006aku":"https://evil.example""#.to_owned(),
    ] {
        let header = format!(r#"{{"kid":"test-key-a","alg":"RS256",{member}}}"#);
        // Refused even where the signature is right.
        denied(&bench, &member, &bench.access().header(header).build(), KeyInHeader).await;
    }
    for crit in [r#"["b64"]"#, r#"["exp"]"#, "[]", "null"] {
        let header = format!(r#"{{"kid":"test-key-a","alg":"RS256","crit":{crit},"b64":false}}"#);
        denied(&bench, crit, &bench.access().header(header).build(), CriticalHeader).await;
    }
    assert_eq!(bench.jwks.fetches(), 1, "only for the first token; nothing from a header is ever fetched");
}

#[tokio::test]
async fn key_ids() {
    let bench = Bench::new();
    let huge = "k".repeat(129);
    for (kid, expected) in [
        (r#""../../../../dev/null""#, UnknownKey),
        (r#""test-key-a\u0000""#, UnknownKey),
        (r#""TEST-KEY-A""#, UnknownKey),
        (r#""' OR 1=1 --""#, UnknownKey),
        (r#""https://evil.example/key""#, UnknownKey),
        (r#""""#, BadKeyId),
        (&format!("\"{huge}\""), BadKeyId),
        ("null", BadHeader),
        ("7", BadHeader),
        (r#"["test-key-a"]"#, BadHeader),
        (r#""test-key-a","kid":"test-key-a""#, BadHeader),
        (r#""test-key-a","\u006bid":"test-key-a""#, BadHeader),
        (r#""test-key-a","alg":"none""#, BadHeader),
    ] {
        let header = format!(r#"{{"alg":"RS256","kid":{kid}}}"#);
        denied(&bench, kid, &bench.access().header(header).build(), expected).await;
    }
    denied(&bench, "no kid", &bench.access().header(r#"{"alg":"RS256"}"#).build(), BadKeyId).await;
    assert_eq!(bench.jwks.fetches(), 1, "a flood of unknown names causes one fetch");
}

#[tokio::test]
async fn headers_that_are_not_a_header() {
    let bench = Bench::new();
    let deep = "[".repeat(4_000);
    for header in [
        "",
        "null",
        "[]",
        "{",
        r#"["RS256","test-key-a"]"#,
        r#"{"alg":"RS256","kid":"test-key-a"}x"#,
        r#" {"alg":"RS256"}"#,
        &deep,
    ] {
        denied(&bench, header, &bench.access().header(header).build(), BadHeader).await;
    }
}

#[tokio::test]
async fn missing_claims() {
    let bench = Bench::new();
    for claim in ["sub", "iss", "exp", "token_use", "client_id"] {
        denied(&bench, claim, &bench.access().without(claim).build(), BadClaims).await;
    }
    denied(&bench, "aud", &bench.id().without("aud").build(), BadClaims).await;
    let undated = bench.access().without("iat").without("auth_time").build();
    denied(&bench, "undated", &undated, Revoked(revocation_core::domain::tombstone::Refusal::Undated)).await;
}

#[tokio::test]
async fn issuers_that_look_alike() {
    let bench = Bench::new();
    let right = format!("https://cognito-idp.eu-central-1.amazonaws.com/{POOL}");
    for iss in [
        String::new(),
        format!("{right}/"),
        format!("{right}?"),
        format!(" {right}"),
        format!("{right}\\u0000"),
        right.replace("https", "http"),
        right.replace("eu-central-1_Test", "eu-central-1_test"),
        right.replace("amazonaws.com", "amazonaws.com.evil.example"),
        right.replace("cognito-idp.", "cognito-idp.evil.example/"),
        right.replace("https://", "https://evil.example@"),
        right.replace("cognito", "соgnito"),
        "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Stranger".to_owned(),
        POOL.to_owned(),
    ] {
        let token = bench.access().claim("iss", format!("\"{iss}\"")).build();
        denied(&bench, &iss, &token, UnknownIssuer).await;
    }
    assert_eq!(bench.jwks.fetches(), 0, "a stranger's issuer never causes a fetch");
}

#[tokio::test]
async fn uses_and_clients() {
    let bench = Bench::new();
    for token_use in ["", "refresh", "ID", "Access", "access "] {
        let token = bench.access().claim("token_use", format!("\"{token_use}\"")).build();
        denied(&bench, token_use, &token, TokenUseRefused).await;
    }
    for client in ["", "client-2", "CLIENT-1", "client-1 ", "*"] {
        let raw = format!("\"{client}\"");
        denied(&bench, client, &bench.access().claim("client_id", raw.clone()).build(), ClientRefused).await;
        denied(&bench, client, &bench.id().claim("aud", raw).build(), ClientRefused).await;
    }
    // The claim of the other kind does not help.
    let borrowed = bench.access().without("client_id").claim("aud", format!("\"{CLIENT}\"")).build();
    denied(&bench, "aud in an access token", &borrowed, BadClaims).await;
    let borrowed = bench.id().without("aud").claim("client_id", format!("\"{CLIENT}\"")).build();
    denied(&bench, "client_id in an ID token", &borrowed, BadClaims).await;
    let list = bench.id().claim("aud", format!("[\"{CLIENT}\",\"other\"]")).build();
    denied(&bench, "a list", &list, BadClaims).await;
}

#[tokio::test]
async fn claims_that_stand_twice() {
    let bench = Bench::new();
    for (name, value) in [
        ("sub", r#""somebody-else""#),
        (r"\u0073ub", r#""somebody-else""#),
        ("exp", "9999999999"),
        (r"e\u0078p", "9999999999"),
        ("iat", "1"),
        ("auth_time", "1"),
        ("iss", r#""https://evil.example""#),
        ("token_use", r#""id""#),
        ("client_id", r#""client-2""#),
        ("cognito:groups", r#"["root"]"#),
        (r"cognito\u003agroups", r#"["root"]"#),
        ("origin_jti", r#""origin-2""#),
    ] {
        denied(&bench, name, &bench.access().again(name, value).build(), BadClaims).await;
    }
}

#[tokio::test]
async fn claims_of_the_wrong_type() {
    let bench = Bench::new();
    let exp = bench.now().0 + 60;
    for (claim, value) in [
        ("exp", format!("\"{exp}\"")),
        ("exp", format!("{exp}.0")),
        ("exp", format!("{exp}.5")),
        ("exp", "2e9".to_owned()),
        ("exp", "٢٠٠٠٠٠٠٠٠٠".to_owned()),
        ("exp", "\"٢٠٠٠٠٠٠٠٠٠\"".to_owned()),
        ("exp", "-1".to_owned()),
        ("exp", "null".to_owned()),
        ("exp", "true".to_owned()),
        ("exp", "[9999999999]".to_owned()),
        ("exp", format!("{exp}000")),
        ("exp", "9223372036854775808".to_owned()),
        ("exp", "1e400".to_owned()),
        ("exp", "0x7fffffff".to_owned()),
        ("exp", "Infinity".to_owned()),
        ("iat", "1.5".to_owned()),
        ("auth_time", "\"1\"".to_owned()),
        ("nbf", "null".to_owned()),
        ("sub", "7".to_owned()),
        ("sub", "null".to_owned()),
        ("sub", format!("[\"{SUB}\"]")),
        ("sub", "\"\"".to_owned()),
        ("sub", "\"*\"".to_owned()),
        ("sub", "\"a#b\"".to_owned()),
        ("sub", "\"a b\"".to_owned()),
        ("sub", "\"é\"".to_owned()),
        ("sub", format!("\"{}\"", "s".repeat(129))),
        ("token_use", "1".to_owned()),
        ("client_id", "null".to_owned()),
        ("cognito:groups", "\"staff\"".to_owned()),
        ("cognito:groups", "null".to_owned()),
        ("cognito:groups", "[1]".to_owned()),
        ("jti", "{}".to_owned()),
        ("origin_jti", "null".to_owned()),
        ("x", "\"\\ud800\"".to_owned()),
        ("x", "[".repeat(3_000)),
    ] {
        let token = bench.access().claim(claim, value.clone()).build();
        // A lone surrogate in a claim nobody reads is skipped, not decoded: that token is as good as it was.
        if claim == "x" && value.starts_with('"') {
            assert!(bench.checker.verifier.verify(&token).await.is_ok());
        } else {
            denied(&bench, &format!("{claim} {value}"), &token, BadClaims).await;
        }
    }
    for payload in ["", "null", "[]", "{}", "{", "\"x\"", "{}{}", "\u{feff}{}"] {
        denied(&bench, payload, &bench.access().payload(payload).build(), BadClaims).await;
    }
}

#[tokio::test]
async fn encodings() {
    let bench = Bench::new();
    let token = bench.access().build();
    let mut parts = token.split('.');
    let (header, payload, signature) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let padded = |part: &str| URL_SAFE.encode(URL_SAFE_NO_PAD.decode(part).unwrap());
    for (what, changed) in [
        ("empty", String::new()),
        ("dots", "..".to_owned()),
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{token}.{signature}")),
        ("five parts, as in JWE", format!("{token}.a.b")),
        ("trailing dot", format!("{token}.")),
        ("trailing garbage", format!("{token}A")),
        ("trailing space", format!("{token} ")),
        ("leading space", format!(" {token}")),
        ("line break", format!("{header}.\n{payload}.{signature}")),
        ("scheme left on", format!("Bearer {token}")),
        ("two tokens", format!("{token},{token}")),
        ("padded signature", format!("{header}.{payload}.{}", padded(signature))),
        ("standard alphabet", format!("{header}.{payload}.{}", signature.replace('_', "/").replace('-', "+") + "+/")),
        ("full-width digits", token.replace('0', "０") + "０"),
        ("null byte", format!("{token}\0")),
    ] {
        let expected = match what {
            // `..` decodes to three empty parts, and one more character to a signature of 257 bytes.
            "dots" => BadHeader,
            "trailing garbage" => BadSignature,
            _ => NotACompactJws,
        };
        denied(&bench, what, &changed, expected).await;
    }
}

#[tokio::test]
async fn sizes() {
    let bench = Bench::new();
    // Filled up to just below the limit it verifies; one byte above, it is not looked at.
    let filled = |n: usize| bench.access().claim("filler", format!("\"{}\"", "x".repeat(n))).build();
    let base = filled(0).len();
    let below = (MAX_TOKEN_BYTES - base) / 4 * 3;
    assert!(bench.checker.verifier.verify(&filled(below)).await.is_ok());
    denied(&bench, "over", &filled(below + 6), TooLong).await;
    denied(&bench, "1 MB", &"A".repeat(1 << 20), TooLong).await;
    denied(&bench, "dots", &".".repeat(MAX_TOKEN_BYTES), NotACompactJws).await;
}
