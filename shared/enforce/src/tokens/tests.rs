use revocation_testkit::keys::{jwks, key_a};

use revocation_lambda::env::{BadEnvironment, Variables};

use super::*;

const POOLS: &str = r#"[{"user_pool_id":"eu-central-1_AbC","client_ids":["c1","c2"]}]"#;

fn read_from(variables: &dyn Variables) -> Result<TokenSettings, Vec<String>> {
    let mut env = EnvReader::new(variables);
    let settings = TokenSettings::read(&mut env);
    env.finish(settings).map_err(|BadEnvironment(mistakes)| mistakes)
}

fn read(pools: &str) -> Result<TokenSettings, Vec<String>> {
    read_from(&[("TOKEN_POOLS", pools)])
}

#[test]
fn defaults_are_the_strict_ones() {
    let config = read(POOLS).unwrap();
    assert_eq!(config.store_outage, StoreOutage::Deny);
    assert_eq!(config.token_uses, [TokenUse::Access, TokenUse::Id]);
    assert_eq!((config.end_date_claim.as_str(), config.signature_cache), ("", 1_000));
    let [pool] = config.pools.as_slice() else { panic!("one pool") };
    assert_eq!(pool.client_ids, ["c1", "c2"]);
    assert!(pool.jwks_url.starts_with("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC/"));
    assert!(pool.bundled_keys.is_none());
}

#[test]
fn an_address_of_keys_and_keys_can_be_given() {
    let pools = format!(
        r#"[{{"user_pool_id":"eu-central-1_AbC","client_ids":["c1"],"jwks":{},"extra_issuers":["https://i"],
             "jwks_url":"http://127.0.0.1:4566/{{user_pool_id}}/.well-known/jwks.json"}}]"#,
        String::from_utf8(jwks(&[key_a()])).unwrap()
    );
    let config = read(&pools).unwrap();
    assert_eq!(config.pools[0].jwks_url, "http://127.0.0.1:4566/eu-central-1_AbC/.well-known/jwks.json");
    assert!(config.pools[0].bundled_keys.as_ref().is_some_and(|keys| keys.get("test-key-a").is_some()));
    assert_eq!(config.pools[0].issuers().last().map(String::as_str), Some("https://i"));
}

#[test]
fn options_of_the_verifier_are_read() {
    let pools = r#"[{"user_pool_id":"us-east-1_AbC","client_ids":["c1"],"replica_regions":["us-west-2"]}]"#;
    let variables = [("TOKEN_POOLS", pools), ("END_DATE_CLAIM", "project_end_date"), ("SIGNATURE_CACHE", "0")];
    let config = read_from(&variables).unwrap();
    assert_eq!((config.end_date_claim.as_str(), config.signature_cache), ("project_end_date", 0));
    let replica = "https://cognito-idp.us-west-2.amazonaws.com/us-east-1_AbC";
    assert!(config.pools[0].issuers().iter().any(|issuer| issuer == replica));
    let twice = pools.replace("us-west-2", "us-east-1");
    let nowhere = pools.replace("us-west-2", "evil.example/");
    for (pools, cache, mistake) in [
        (&*twice, "1", "TOKEN_POOLS has the issuer https://cognito-idp.us-east-1"),
        (&*nowhere, "1", "TOKEN_POOLS[0].replica_regions"),
        (pools, "100001", "SIGNATURE_CACHE is more than"),
        (pools, "-1", "SIGNATURE_CACHE cannot be read"),
    ] {
        let variables = [("TOKEN_POOLS", pools), ("SIGNATURE_CACHE", cache)];
        let mistakes = read_from(&variables).unwrap_err();
        assert!(mistakes.len() == 1 && mistakes[0].starts_with(mistake), "{mistakes:?}");
    }
}

#[test]
fn every_mistake_is_named_at_once() {
    let pools = r#"[{"user_pool_id":"nonsense","client_ids":[],"jwks_url":"http://example.com/","jwks":{"keys":[]}},
                    {"user_pool_id":"eu-central-1_AbC","client_ids":[""]},
                    {"user_pool_id":"eu-central-1_AbC","client_ids":["c"]}]"#;
    let wrong = [("TOKEN_POOLS", pools), ("TOKEN_USES", "access,refresh"), ("STORE_OUTAGE", "allow")];
    let mistakes = read_from(&wrong).unwrap_err();
    let expected = [
        "TOKEN_POOLS[0].user_pool_id",
        "TOKEN_POOLS[0].client_ids",
        "TOKEN_POOLS[0].jwks_url",
        "TOKEN_POOLS[0].jwks:",
        "TOKEN_POOLS[1].client_ids",
        "TOKEN_POOLS has the issuer https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC twice",
        "TOKEN_POOLS has the issuer https://issuer-cognito-idp",
        "TOKEN_USES",
        "STORE_OUTAGE",
    ];
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
    for (mistake, expected) in mistakes.iter().zip(expected) {
        assert!(mistake.starts_with(expected), "{mistake} / {expected}");
    }
}

#[test]
fn pools_that_are_not_pools_are_mistakes() {
    for pools in [
        "",
        "[]",
        "{}",
        "[{",
        r#"[{"user_pool_id":"eu-central-1_AbC"}]"#,
        r#"[{"user_pool_id":"eu-central-1_AbC","client_ids":"c1"}]"#,
        r#"[{"user_pool_id":"eu-central-1_AbC","client_ids":["c1"],"client_id":"c1"}]"#,
        r#"[{"user_pool_id":"_AbC","client_ids":["c1"]}]"#,
        r#"[{"user_pool_id":"evil.example/_AbC","client_ids":["c1"]}]"#,
        r#"[{"user_pool_id":"eu-central-1_","client_ids":["c1"]}]"#,
        r#"[{"user_pool_id":"eu-central-1_A/../B","client_ids":["c1"]}]"#,
    ] {
        assert_eq!(read(pools).map(|_| ()).unwrap_err().len(), 1, "{pools}");
    }
}
