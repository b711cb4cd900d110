//! What a document may say, and that every mistake is named with its line.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use revocation_core::domain::grant::GrantedAction::{Lockout, Refresh, SignOut};
use revocation_core::domain::reason::ReasonCode::{Anomaly, Compromise, Offboarding, RoleChange};
use revocation_core::domain::request::Effect;
use revocation_core::domain::role_change::RoleOrder;
use revocation_core::domain::silence::LONGEST_SILENCE;

use super::*;
use crate::authenticate::Authentication;
use crate::scim::{OnRoleLoss, UserName};
use crate::siem::Severity;

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sources/sources.example.yaml");
    fs::read_to_string(path).unwrap()
}

fn mistakes(text: &str) -> Vec<String> {
    match Sources::parse(text) {
        Ok(_) => Vec::new(),
        Err(Mistakes(all)) => all.iter().map(ToString::to_string).collect(),
    }
}

const HEAD: &str = "version: 1\npools: [eu-central-1_Sample001]\n";
const SIEM: &str = "siem:\n  soc:\n    preset: plain\n    authentication: { method: standard_webhooks, secret: a/b }\n";

#[test]
fn the_example_is_valid_and_means_what_it_says() {
    let sources = Sources::parse(&example()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let datadog = &sources.siem["datadog-prod"];
    assert_eq!(datadog.name, "siem/datadog-prod");
    assert_eq!(datadog.severity_floor, Some(Severity::High));
    assert_eq!(datadog.mapping.default_reason, Compromise);
    let header = Authentication::Header {
        header: "x-revocation-secret".into(),
        secret: "revocation/sources/datadog-prod".into(),
    };
    assert_eq!(datadog.authentication, header);
    let splunk = &sources.siem["splunk"].grant;
    assert_eq!(
        (&splunk.reasons[..], &splunk.actions[..], splunk.subjects_per_hour),
        (&[Anomaly][..], &[SignOut][..], 10)
    );
    let sentinel = &sources.siem["sentinel"].grant;
    assert_eq!((&sentinel.reasons[..], sentinel.subjects_per_hour), (&[Compromise, Anomaly][..], 50));
    let fraud = &sources.siem["fraud-engine"];
    assert!(fraud.lockout);
    assert_eq!(fraud.grant.actions, [SignOut, Lockout]);
    assert_eq!(fraud.mapping.default_reason, Compromise, "the only one that is granted");
    let erp = &sources.role_change["erp"];
    assert_eq!(
        (erp.effect, &erp.grant.actions[..], erp.grant.subjects_per_hour),
        (Effect::Refresh, &[Refresh][..], 200)
    );
    assert_eq!(sources.role_change["entitlements"].compare, RoleOrder::Inclusion);
    let entra = &sources.scim["entra"];
    assert_eq!((&entra.grant.reasons[..], entra.grant.pools.len()), (&[Offboarding, RoleChange][..], 1));
    assert_eq!((entra.attributes.user_name, entra.on_role_loss), (UserName::PreferredUsername, OnRoleLoss::SignOut));
    assert_eq!(entra.attributes.more["name.givenName"], "given_name");
    let expected: Vec<_> = sources.expected().into_iter().map(|one| (one.source, one.silent_after.as_secs())).collect();
    assert_eq!(expected, [("siem/fraud-engine".to_owned(), 6 * 3_600), ("scim/entra".to_owned(), 24 * 3_600)]);
    assert!(example().len() <= MAX_PARAMETER_BYTES, "{}", example().len());
}

#[test]
fn an_empty_list_of_sources_is_fine_and_an_empty_document_is_not() {
    assert_eq!(Sources::parse("version: 1\n"), Ok(Sources::default()));
    assert_eq!(mistakes(""), ["line 1: the document: is not a mapping"]);
    assert_eq!(mistakes("{}"), ["line 1: the document: lacks `version`"]);
    assert_eq!(mistakes("version: 2"), ["line 1: version: is not 1"]);
}

/// Each with the lines that follow `HEAD`, which has two.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_kind_of_mistake_has_its_line_and_its_words() {
    let siem = |more: &str| format!("{SIEM}{more}");
    let role =
        |more: &str| format!("role_change:\n  erp:\n    authentication: {{ method: bearer, secret: a/b }}\n{more}");
    let scim = |more: &str| format!("scim:\n  entra:\n    tokens: a/b\n    pool: eu-central-1_Sample001\n{more}");
    let auth = |more: &str| format!("siem:\n  soc:\n    preset: plain\n    authentication: {more}\n");
    let cases: Vec<(String, &str)> = vec![
        (
            siem("    severity_flor: high\n"),
            "line 7: siem.soc.severity_flor: is not known here; did you mean `severity_floor`?",
        ),
        (siem("    zzz: 1\n"), "line 7: siem.soc.zzz: is not known here"),
        (
            siem("    severity_floor: hihg\n"),
            "line 7: siem.soc.severity_floor: is not one of low, medium, high, critical",
        ),
        (siem("    lockout: \"yes\"\n"), "line 7: siem.soc.lockout: is not true or false"),
        (siem("    lockout: true\n"), "line 7: siem.soc.lockout: needs the action `lockout` in `grant.actions`"),
        (siem("    silent_after_hours: 721\n"), "line 7: siem.soc.silent_after_hours: is more than 720"),
        (
            siem("    silent_after_hours: 18446744073709551615\n"),
            "line 7: siem.soc.silent_after_hours: is more than 720",
        ),
        (siem("    silent_after_hours: 24.0\n"), "line 7: siem.soc.silent_after_hours: is not a whole number"),
        (role("    silent_after_hours: 0\n"), "line 6: role_change.erp.silent_after_hours: is less than 1"),
        (
            scim("    leaving_reason: canary\n"),
            "line 4: scim.entra: needs `only_users` with the canary's user, since its `leaving_reason` is canary",
        ),
        (scim("    only_users: []\n"), "line 7: scim.entra.only_users: has fewer than 1 items"),
        (scim("    silent_after_hours: a day\n"), "line 7: scim.entra.silent_after_hours: is not a whole number"),
        (siem("    grant: []\n"), "line 7: siem.soc.grant: is not a mapping"),
        (
            siem("    grant:\n      reasons:\n        - anomaly\n        - boredom\n"),
            "line 10: siem.soc.grant.reasons.1: is not one of offboarding, compromise, anomaly, role_change, project_end, policy_violation, user_request, canary",
        ),
        (
            siem("    grant: { reasons: [canary, anomaly] }\n"),
            "line 7: siem.soc.grant.reasons: has `canary` among others: it is for the canary's own source, which is granted nothing else",
        ),
        (
            siem("    grant: { reasons: [anomaly, anomaly] }\n"),
            "line 7: siem.soc.grant.reasons: has the same item twice",
        ),
        (
            siem("    grant: { subjects_per_hour: 100001 }\n"),
            "line 7: siem.soc.grant.subjects_per_hour: is more than 100000",
        ),
        (siem("    grant: { subjects_per_hour: 0 }\n"), "line 7: siem.soc.grant.subjects_per_hour: is less than 1"),
        (
            siem("    grant: { subjects_per_hour: 1.5 }\n"),
            "line 7: siem.soc.grant.subjects_per_hour: is not a whole number",
        ),
        (
            siem("    grant: { pools: [pool] }\n"),
            "line 7: siem.soc.grant.pools.0: is not a user pool's id, such as eu-central-1_AbCdEf123",
        ),
        (
            siem("    grant: { actions: [refresh] }\n"),
            "line 7: siem.soc.grant.actions.0: is not one of sign_out, lockout",
        ),
        (
            siem("    mapping:\n      subject: users[*\n"),
            "line 8: siem.soc.mapping.subject: is no JMESPath expression: at character 8, Expected ']' for wildcard index",
        ),
        (
            siem("    mapping: { title: \"uper(a)\" }\n"),
            "line 7: siem.soc.mapping.title: calls the function `uper`, which does not exist",
        ),
        (
            siem("    mapping: { default_reason: offboarding }\n"),
            "line 7: siem.soc.mapping.default_reason: is a reason that `grant.reasons` does not have",
        ),
        (
            siem("    mapping: { reason_map: { a: project_end } }\n"),
            "line 7: siem.soc.mapping.reason_map.a: is a reason that `grant.reasons` does not have",
        ),
        (
            siem("    mapping: { severity_ranges: { high: 10, medium: 20 } }\n"),
            "line 7: siem.soc.mapping.severity_ranges: has a higher level that begins no later than a lower one",
        ),
        (siem("    preset: splunk\n"), "line 7: siem.soc.preset: stands twice; it is on line 5 already"),
        (siem("  soc:\n    preset: plain\n"), "line 7: siem.soc: stands twice; it is on line 4 already"),
        (
            siem("  SOC:\n    preset: plain\n    authentication: { method: bearer, secret: a/b }\n"),
            "line 7: siem.SOC: is not a name of 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit",
        ),
        ("siem:\n  soc:\n    preset: plain\n".into(), "line 4: siem.soc: lacks `authentication`"),
        (auth("{ method: header, secret: a/b }"), "line 6: siem.soc.authentication: lacks `header`"),
        (
            auth("{ method: header, header: \"x y\", secret: a/b }"),
            "line 6: siem.soc.authentication.header: is not a header's name of 1 to 64 letters, digits and -",
        ),
        (
            auth("{ method: header, header: Content-Type, secret: a/b }"),
            "line 6: siem.soc.authentication.header: is a header that is never secret",
        ),
        (
            auth("{ method: path, header: X-A, secret: a/b }"),
            "line 6: siem.soc.authentication.header: is not for this `method`",
        ),
        (
            auth("{ method: path, secret: \"a b\" }"),
            "line 6: siem.soc.authentication.secret: is not the name or ARN of a secret in Secrets Manager",
        ),
        (
            auth("{ method: path, secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw }"),
            "line 6: siem.soc.authentication.secret: looks like a secret: keep it in Secrets Manager, and write its name here",
        ),
        (
            auth("{ method: path, secret: 0f8fad5bd9cb469fa16570867728950e }"),
            "line 6: siem.soc.authentication.secret: looks like a secret: keep it in Secrets Manager, and write its name here",
        ),
        (role("    compare: includes\n"), "line 6: role_change.erp.compare: is neither `inclusion` nor a `ranking`"),
        (role("    compare: 1\n"), "line 6: role_change.erp.compare: is not a text or a mapping"),
        (
            role("    compare: { rank: [a, b] }\n"),
            "line 6: role_change.erp.compare.rank: is not known here; did you mean `ranking`?",
        ),
        (role("    compare: { ranking: [a] }\n"), "line 6: role_change.erp.compare.ranking: has fewer than 2 items"),
        (
            role("    compare: { ranking: [a, b, a] }\n"),
            "line 6: role_change.erp.compare.ranking.2: stands in the ranking already",
        ),
        (
            role("    compare: inclusion\n    effect: refresh\n    grant: { actions: [sign_out] }\n"),
            "line 7: role_change.erp.effect: needs the action `refresh` in `grant.actions`",
        ),
        (
            role("    compare: inclusion\n    grant: { actions: [refresh] }\n"),
            "line 4: role_change.erp: needs the action `sign_out` in `grant.actions`",
        ),
        (
            scim("    attributes: { roles: custom:a, entitlements: custom:a }\n"),
            "line 7: scim.entra.attributes.entitlements: is kept in an attribute that something else is kept in",
        ),
        (
            scim("    attributes: { more: { active: sub } }\n"),
            "line 7: scim.entra.attributes.more.active: is an attribute that cannot be provisioned",
        ),
        (
            scim("    attributes: { roles: \"custom roles\" }\n"),
            "line 7: scim.entra.attributes.roles: is not the name of an attribute of a Cognito user",
        ),
        ("scim:\n  entra: { tokens: a/b }\n".into(), "line 4: scim.entra: lacks `pool`"),
        ("sime: {}\n".into(), "line 3: sime: is not known here; did you mean `siem`?"),
        ("siem: &a {}\n".into(), "line 3: siem: has an anchor, which is not allowed here"),
        ("siem: !!map {}\n".into(), "line 3: siem: has a tag, which is not allowed here"),
        ("---\nversion: 1\n".into(), "line 3: the document: is followed by a second document"),
    ];
    for (text, expected) in cases {
        let found = mistakes(&format!("{HEAD}{text}"));
        assert!(found.iter().any(|one| one == expected), "{text}\nexpected {expected}\nfound {found:#?}");
    }
}

#[test]
fn a_source_of_each_kind_may_be_expected_and_none_is_unasked() {
    let expected = |hours: &str| {
        let text = format!(
            "{HEAD}{SIEM}{hours}role_change:\n  erp:\n    authentication: {{ method: bearer, secret: a/b }}\n    \
             compare: inclusion\n{hours}scim:\n  entra:\n    tokens: a/b\n    pool: eu-central-1_Sample001\n{hours}"
        );
        let sources = Sources::parse(&text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        sources.expected().into_iter().map(|one| (one.source, one.silent_after)).collect::<Vec<_>>()
    };
    assert_eq!(expected(""), []);
    let all = ["siem/soc", "role-change/erp", "scim/entra"].map(|name| (name.to_owned(), LONGEST_SILENCE));
    assert_eq!(expected("    silent_after_hours: 720\n"), all);
}

#[test]
fn every_mistake_is_told_in_the_order_of_lines() {
    let text = "version: 1\nsiem:\n  soc:\n    preset: plian\n    authentication: { method: path }\n    severity_floor: 3\n    \
                mapping: { subject: \"a[\" }\n  noc:\n    preset: plain\n    authentication: { method: bearer, secret: a/b }\n    \
                mapping: { title: \"[\" }\nrole_change:\n  erp: { compare: inclusion }\n";
    let found = mistakes(text);
    let lines: Vec<&str> = found.iter().map(|one| one.split(':').next().unwrap()).collect();
    assert_eq!(
        lines,
        ["line 3", "line 4", "line 5", "line 6", "line 8", "line 11", "line 13", "line 13"],
        "{found:#?}"
    );
}

#[test]
fn what_is_no_yaml_is_told_with_its_line() {
    let found = mistakes("version: 1\nsiem: {}\n  scim: {}\nrole_change: {}\n");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("line 3: the document: is not YAML: "), "{found:?}");
    assert!(mistakes("version: 1\nsiem: *a\n")[0].contains("is not YAML"), "an alias of nothing");
    let deep = format!("version: {}{}", "[".repeat(100), "]".repeat(100));
    assert!(mistakes(&deep)[0].contains("nested more than 16 levels deep"));
    assert_eq!(mistakes(&"#".repeat(MAX_DOCUMENT_BYTES + 1)), ["line 1: the document: is larger than 65536 bytes"]);
}

#[test]
fn aliases_cannot_blow_a_document_up() {
    let text = "version: &a 1\nsiem: { x: *a, y: *a }\n";
    let found = mistakes(text);
    assert!(found.iter().any(|one| one == "line 2: siem.x: is an alias, which is not allowed here"), "{found:?}");
}

#[test]
fn there_are_at_most_64_sources() {
    let with = |count: usize| {
        let source = |n| format!("  s{n}: {{ tokens: a/b, pool: eu-central-1_Sample001 }}\n");
        let sources = (0..count).map(source).collect::<Vec<_>>().concat();
        mistakes(&format!("{HEAD}{SIEM}scim:\n{sources}"))
    };
    assert_eq!(with(63), [""; 0]);
    assert_eq!(with(64), ["line 1: the document: has more than 64 sources"]);
}

#[test]
fn i10_no_mistake_quotes_a_value() {
    for text in [
        "version: hunter2\n",
        "version: 1\npools: hunter2\n",
        "version: 1\nsiem: { soc: { preset: hunter2, authentication: { method: path, secret: \"hunter2 hunter2\" } } }\n",
        "version: 1\nsiem: { whsec_hunter2hunter2: 1 }\n",
        "version: 1\n\"hunter2 hunter2\": 1\n",
        "version: 1\nsiem: { soc: { severity_floor: hunter2, lockout: hunter2, grant: { reasons: [hunter2] } } }\n",
    ] {
        for mistake in mistakes(text) {
            assert!(!mistake.contains("hunter2"), "{mistake}");
        }
        assert!(!mistakes(text).is_empty());
    }
}

#[test]
fn the_schema_knows_what_the_code_knows() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    let words = |pointer: &str| -> Vec<String> {
        serde_json::from_value(schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).clone()).unwrap()
    };
    let presets: Vec<_> = crate::siem::Preset::ALL.iter().map(|preset| preset.as_str().to_owned()).collect();
    assert_eq!(words("/$defs/siem/properties/preset/enum"), presets);
    for pointer in ["/$defs/siem/properties/grant", "/$defs/role_change/properties/grant", "/$defs/scim"] {
        let most = schema.pointer(&format!("{pointer}/properties/subjects_per_hour/maximum")).unwrap();
        assert_eq!(most, revocation_core::domain::grant::MAX_SUBJECTS_PER_HOUR);
    }
    for kind in ["siem", "role_change", "scim"] {
        let most = schema.pointer(&format!("/$defs/{kind}/properties/silent_after_hours/maximum")).unwrap();
        assert_eq!(most.as_u64().map(|hours| hours * 3_600), Some(LONGEST_SILENCE.as_secs()));
    }
    for name in words("/$defs/siem/properties/grant/properties/reasons/items/enum") {
        assert!(grant::reason(&name).is_some(), "{name}");
    }
    for method in words("/$defs/authentication/properties/method/enum") {
        let header = if method == "header" { ", header: X-A" } else { "" };
        let text = format!(
            "{HEAD}siem: {{ a: {{ preset: plain, authentication: {{ method: {method}, secret: a/b{header} }} }} }}\n"
        );
        let sources = Sources::parse(&text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!(sources.siem["a"].authentication.method(), method);
    }
    assert!(jsonschema::meta::is_valid(&schema));
}

#[test]
fn a_preset_is_a_valid_mapping() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    for preset in crate::siem::Preset::ALL {
        let report = Report::default();
        let tree = yaml::read(preset.mapping(), &report).unwrap();
        report.into_result(()).unwrap_or_else(|mistakes| panic!("{preset:?}: {mistakes}"));
        let mut mapping = serde_json::json!({"$ref": "#/$defs/mapping"});
        mapping["$defs"] = schema["$defs"].clone();
        let validator = jsonschema::validator_for(&mapping).unwrap();
        let errors: Vec<_> = validator.iter_errors(&tree.value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{preset:?}: {errors:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_makes_it_panic(text in "([a-z]{1,8}|[:{}\\[\\],&*!|>'\"#?%@` \n-]|version: 1\n|siem:\n|  a:\n){0,40}") {
        let _ = Sources::parse(&text);
    }

    #[test]
    fn a_mutated_example_is_valid_or_has_mistakes_with_lines(at in any::<proptest::sample::Index>(), length in 0_usize..12, new in "[a-z:{}\\[\\],\" \n-]{0,6}") {
        let mut characters: Vec<char> = example().chars().collect();
        let from = at.index(characters.len());
        let to = (from + length).min(characters.len());
        characters.splice(from..to, new.chars());
        let text: String = characters.into_iter().collect();
        if let Err(Mistakes(all)) = Sources::parse(&text) {
            prop_assert!(!all.is_empty());
            for mistake in all {
                prop_assert!((1..=text.lines().count() + 1).contains(&mistake.line), "{}", mistake);
            }
        }
    }
}
