//! Attack tokens: each is denied, for exactly the reason it should be, and without a read of the store.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use revocation_core::domain::tombstone::Refusal;
use revocation_testkit::keys::{key_a, key_b};
use ring::{hmac, signature};

use crate::deny::DenyReason::{self, *};
use crate::jws::MAX_TOKEN_BYTES;
use crate::testing::{Bench, CLIENT, POOL, SUB};

/// Checks a token that must be denied, however often it comes.
async fn denied(bench: &Bench, what: &str, token: &str, expected: DenyReason) {
    for time in ["at first", "again"] {
        assert_eq!(bench.checker.check(token).await, Err(expected), "{what}, {time}");
    }
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

/// Whoever sends a token would like to say where its keys are (SSRF): by the issuer, by the key's name, by a header.
#[tokio::test]
async fn keys_are_asked_of_configured_addresses_alone() {
    let bench = Bench::new();
    let address = crate::testing::pool().jwks_url;
    for iss in ["https://evil.example", "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", &address, ""]
    {
        let kid = format!(r#"{{"kid":"{iss}/k","alg":"RS256"}}"#);
        let jku = format!(r#"{{"kid":"test-key-a","alg":"RS256","jku":"{iss}"}}"#);
        for header in [None, Some(kid), Some(jku)] {
            for claim in [format!(r#""{iss}""#), format!(r#""{iss}/.well-known/jwks.json""#)] {
                let token = bench.access().claim("iss", claim);
                let token = header.clone().map_or(token.clone(), |header| token.header(header));
                assert!(bench.checker.check(&token.build()).await.is_err());
            }
        }
    }
    assert!(bench.checker.check(&bench.access().build()).await.is_ok(), "the pool's own tokens are good all the while");
    let asked = bench.jwks.asked.lock().unwrap();
    assert!(!asked.is_empty() && asked.iter().all(|asked| *asked == address), "{asked:?}");
}

#[tokio::test]
async fn key_ids() {
    let bench = Bench::new();
    let (longest, huge) = ("k".repeat(128), "k".repeat(129));
    for (kid, expected) in [
        (&*format!("\"{longest}\""), UnknownKey),
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
    let filled = |n: usize| bench.access().claim("filler", format!("\"{}\"", "x".repeat(n))).build();
    let start = (MAX_TOKEN_BYTES - filled(0).len()) / 4 * 3;
    let mut longest = 0;
    for token in (start - 6..start + 6).map(filled) {
        if token.len() <= MAX_TOKEN_BYTES {
            longest = longest.max(token.len());
            assert!(bench.checker.verifier.verify(&token).await.is_ok(), "{}", token.len());
        } else {
            denied(&bench, "over", &token, TooLong).await;
        }
    }
    assert!(longest >= MAX_TOKEN_BYTES - 1, "{longest}");
    denied(&bench, "1 MB", &"A".repeat(1 << 20), TooLong).await;
    denied(&bench, "dots", &".".repeat(MAX_TOKEN_BYTES), NotACompactJws).await;
}

/// A token of these bytes, signed by the pool's key.
fn signed(header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = key_a().sign(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

const HEADER: &[u8] = br#"{"kid":"test-key-a","alg":"RS256"}"#;

/// `n - s`, big-endian numbers of one length.
fn minus(n: &[u8], s: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut digits: Vec<u8> = (n.iter().rev().zip(s.iter().rev()))
        .map(|(n, s)| {
            let digit = i16::from(*n) - i16::from(*s) - borrow;
            borrow = i16::from(digit < 0);
            u8::try_from(digit.rem_euclid(256)).unwrap()
        })
        .collect();
    digits.reverse();
    digits
}

#[tokio::test]
async fn signatures_that_are_numbers_of_note() {
    let bench = Bench::new();
    let input = bench.access().signing_input();
    let good = key_a().sign(input.as_bytes());
    let n = key_a().components().n;
    let number = |last: u8| [vec![0; 255], vec![last]].concat();
    let with = |signature: &[u8]| format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature));
    for (what, signature) in [
        ("nothing", Vec::new()),
        ("one byte", vec![0]),
        ("0", number(0)),
        ("1, which is its own power", number(1)),
        ("2", number(2)),
        ("n - 1, which is its own power", minus(&n, &number(1))),
        ("n", n.clone()),
        ("n - s", minus(&n, &good)),
        ("all ones", vec![0xff; 256]),
        ("a zero before it", [vec![0], good.clone()].concat()),
        ("a zero after it", [good.clone(), vec![0]].concat()),
        ("twice", [good.clone(), good.clone()].concat()),
        ("cut at its end", good[..255].to_vec()),
        ("cut at its beginning", good[1..].to_vec()),
        ("backwards", good.iter().rev().copied().collect()),
        ("the digest itself", ring::digest::digest(&ring::digest::SHA256, input.as_bytes()).as_ref().to_vec()),
        ("of another token", key_a().sign(b"another token")),
        ("by another key", key_b().sign(input.as_bytes())),
        ("by PSS", key_a().sign_by(&signature::RSA_PSS_SHA256, input.as_bytes())),
        ("of SHA-384", key_a().sign_by(&signature::RSA_PKCS1_SHA384, input.as_bytes())),
        ("of SHA-512", key_a().sign_by(&signature::RSA_PKCS1_SHA512, input.as_bytes())),
    ] {
        denied(&bench, what, &with(&signature), BadSignature).await;
    }
    assert!(bench.checker.verifier.verify(&with(&good)).await.is_ok());
}

#[tokio::test]
async fn a_signature_without_its_leading_zero() {
    let bench = Bench::new();
    // One in 256 begins with a zero; which one has to be found.
    let (input, signature) = (0..)
        .map(|n| bench.access().claim("jti", format!("\"{n}\"")).signing_input())
        .map(|input| (key_a().sign(input.as_bytes()), input))
        .find_map(|(signature, input)| (signature.first() == Some(&0)).then_some((input, signature)))
        .unwrap();
    let with = |signature: &[u8]| format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert!(bench.checker.verifier.verify(&with(&signature)).await.is_ok());
    denied(&bench, "stripped", &with(&signature[1..]), BadSignature).await;
}

#[tokio::test]
async fn right_signatures_by_other_algorithms() {
    let bench = Bench::new();
    let algorithms: [(&str, &'static dyn signature::RsaEncoding); 5] = [
        ("PS256", &signature::RSA_PSS_SHA256),
        ("PS512", &signature::RSA_PSS_SHA512),
        ("RS384", &signature::RSA_PKCS1_SHA384),
        ("RS512", &signature::RSA_PKCS1_SHA512),
        ("rs256", &signature::RSA_PKCS1_SHA256),
    ];
    for (alg, encoding) in algorithms {
        let input = bench.access().header(format!(r#"{{"kid":"test-key-a","alg":"{alg}"}}"#)).signing_input();
        let signature = URL_SAFE_NO_PAD.encode(key_a().sign_by(encoding, input.as_bytes()));
        denied(&bench, alg, &format!("{input}.{signature}"), AlgorithmRefused).await;
    }
}

#[tokio::test]
async fn bytes_that_are_not_text() {
    let bench = Bench::new();
    let payload = |sub: &[u8]| {
        let rest = format!(
            r#"","iss":"https://cognito-idp.eu-central-1.amazonaws.com/{POOL}","exp":{},"token_use":"access","client_id":"{CLIENT}","iat":1}}"#,
            bench.now().0 + 60
        );
        [br#"{"sub":""#, sub, rest.as_bytes()].concat()
    };
    assert!(
        bench.checker.verifier.verify(&signed(HEADER, &payload(SUB.as_bytes()))).await.is_ok(),
        "the form is right"
    );
    for (what, sub) in [
        ("no UTF-8", &b"a\xff"[..]),
        ("overlong UTF-8", b"a\xc0\xaf"),
        ("a surrogate in UTF-8", b"a\xed\xa0\x80"),
        ("a lone high surrogate", br"a\ud800"),
        ("a lone low surrogate", br"a\udc00"),
        ("a surrogate pair", br"a\ud83d\ude00"),
        ("a raw zero", b"a\0"),
        ("an escaped zero", br"a\u0000"),
        ("a raw line break", b"a\n"),
        ("an escaped line break", br"a\n"),
        ("a tab", br"a\t"),
        ("a delete", b"a\x7f"),
        ("a space", b" a"),
        ("a non-breaking space", "a\u{a0}".as_bytes()),
        ("a zero-width space", "a\u{200b}".as_bytes()),
        ("a Cyrillic letter", "\u{430}".as_bytes()),
        ("written from right to left", "\u{202e}a".as_bytes()),
        ("another's key", b"x#y"),
        ("an escaped #", br"x\u0023y"),
        ("everybody", b"*"),
        ("everybody, escaped", br"\u002a"),
        ("not escaped at all", br"a\x41"),
    ] {
        denied(&bench, what, &signed(HEADER, &payload(sub)), BadClaims).await;
    }
    denied(
        &bench,
        "a header in Latin-1",
        &signed(b"{\"kid\":\"test-key-a\",\"alg\":\"RS256\",\"x\":\"\xe9\"}", b"{}"),
        BadHeader,
    )
    .await;
    let utf16: Vec<u8> = r#"{"sub":"a"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    denied(&bench, "UTF-16", &signed(HEADER, &utf16), BadClaims).await;
    denied(&bench, "a header in UTF-16", &signed(&utf16, b"{}"), BadHeader).await;
    let nested = bench.access().build();
    denied(
        &bench,
        "a token in a token",
        &signed(br#"{"kid":"test-key-a","alg":"RS256","cty":"JWT"}"#, nested.as_bytes()),
        BadClaims,
    )
    .await;
}

#[tokio::test]
async fn json_that_is_not_json() {
    let bench = Bench::new();
    for header in [
        r#"{"kid":"test-key-a","alg":"RS256",}"#,
        r"{'kid':'test-key-a','alg':'RS256'}",
        r#"{kid:"test-key-a",alg:"RS256"}"#,
        r#"{"kid":"test-key-a","alg":"RS256"/**/}"#,
        r#"{"kid":"test-key-a","alg":"RS256"}//"#,
        r#"{"kid":"test-key-a","alg":"RS256"}{}"#,
        r#"{"kid":"test-key-a","alg":"RS256","crit":[],"crit":[]}"#,
        r#"{"kid":"test-key-a","alg":"RS256","jku":"a","\u006aku":"b"}"#,
        r#"{"kid":"test-key-a","alg":["RS256"]}"#,
        r#"{"kid":"test-key-a","alg":null}"#,
        r#"{"kid":"test-key-a","alg":"RS256","x":NaN}"#,
        r#"{"kid":"test-key-a","alg":"RS256","x":01}"#,
        "{\"kid\":\"test-key-a\",\"alg\":\"RS256\u{0}\"}",
        "\u{feff}{\"kid\":\"test-key-a\",\"alg\":\"RS256\"}",
        "\n{\"kid\":\"test-key-a\",\"alg\":\"RS256\"}",
    ] {
        denied(&bench, header, &bench.access().header(header).build(), BadHeader).await;
    }
    let deep = format!(r#"{{"kid":"test-key-a","alg":"RS256","x":{}"#, "[".repeat(5_000));
    denied(&bench, "a deep header", &bench.access().header(deep).build(), BadHeader).await;
}

#[tokio::test]
async fn numbers_and_dates() {
    let bench = Bench::new();
    let digits = "9".repeat(400);
    for claim in ["exp", "nbf", "iat", "auth_time"] {
        for value in [&*digits, "-0", "-1", "0.0", "1E9", "+1", "01", "1_000", "253402300800", "\"0\"", "{}", "false"] {
            denied(&bench, &format!("{claim} {value}"), &bench.access().claim(claim, value).build(), BadClaims).await;
        }
    }
    denied(&bench, "no exp", &bench.access().without("exp").build(), BadClaims).await;
    let now = bench.now().0;
    for (claim, ahead, expected) in [
        ("exp", 0, Expired),
        ("exp", -now, Expired),
        ("nbf", 3, NotYetValid),
        ("nbf", 1_000_000_000, NotYetValid),
        ("iat", 301, FromTheFuture),
        ("auth_time", 301, FromTheFuture),
        ("auth_time", 100_000_000_000, FromTheFuture),
    ] {
        denied(&bench, claim, &bench.access().claim(claim, (now + ahead).to_string()).build(), expected).await;
    }
    let undated = bench.access().without("iat").without("auth_time").build();
    denied(&bench, "neither date", &undated, Revoked(Refusal::Undated)).await;
}

#[tokio::test]
async fn white_space_and_spare_bits() {
    let bench = Bench::new();
    let token = bench.access().build();
    let dots: Vec<usize> = token.match_indices('.').map(|(at, _)| at).collect();
    for space in [" ", "\t", "\r", "\n", "\r\n", "\0", "=", "\u{a0}", "%2E", "+", "/", ","] {
        for at in [0, 1, dots[0], dots[0] + 1, dots[1], dots[1] + 1, token.len()] {
            let mut changed = token.clone();
            changed.insert_str(at, space);
            denied(&bench, &format!("{space:?} at {at}"), &changed, NotACompactJws).await;
        }
    }
    // The last character of each part may have bits that belong to no byte; another text with the same bytes is no token.
    let next = |c: char| {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        alphabet.chars().cycle().skip_while(|known| *known != c).nth(1).unwrap()
    };
    let mut found = 0;
    for filler in ["", "x", "xx"] {
        let header = format!(r#"{{"kid":"test-key-a","alg":"RS256","x":"{filler}"}}"#);
        let token = bench.access().header(header).claim("x", format!("\"{filler}\"")).build();
        let parts: Vec<&str> = token.split('.').collect();
        for (n, part) in parts.iter().enumerate().filter(|(_, part)| part.len() % 4 != 0) {
            let last = part.chars().last().unwrap();
            let changed = format!("{}{}", &part[..part.len() - 1], next(last));
            let mut parts = parts.clone();
            parts[n] = &changed;
            denied(&bench, &format!("spare bits of part {n}"), &parts.join("."), NotACompactJws).await;
            found += 1;
        }
    }
    assert!(found >= 6, "{found}");
}

#[tokio::test]
async fn a_token_of_one_kind_as_the_other() {
    let bench = Bench::new();
    let swapped = bench.access().claim("token_use", r#""id""#).build();
    denied(&bench, "an access token called ID token", &swapped, BadClaims).await;
    let swapped = bench.id().claim("token_use", r#""access""#).build();
    denied(&bench, "an ID token called access token", &swapped, BadClaims).await;
    // A resource's URL, as resource binding writes it, or another client's id: what counts is `client_id`.
    let other = bench.access().claim("client_id", r#""client-2""#).claim("aud", format!("\"{CLIENT}\"")).build();
    denied(&bench, "another client's access token", &other, ClientRefused).await;
    for client in ["", "client-1\\u0000", " client-1", "client-1,client-2", "client%2D1", "сlient-1"] {
        let token = bench.access().claim("client_id", format!("\"{client}\"")).build();
        denied(&bench, client, &token, ClientRefused).await;
    }
}
