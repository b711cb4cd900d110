use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::error::ScimType;
use crate::schema::{Schema, UserSchema};

fn parse(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn babs() -> Value {
    json!({
        "id": "2819c223", "externalId": "Babs-1", "userName": "bjensen@example.com", "active": true,
        "name": {"familyName": "Jensen", "givenName": "Bärbel"}, "title": "Tour Guide", "userType": "Employee",
        "emails": [
            {"value": "bjensen@example.com", "type": "work", "primary": true},
            {"value": "babs@jensen.example.org", "type": "home"},
        ],
        "roles": [],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
            {"department": "Tours", "manager": {"value": "26118915", "displayName": "John"}},
        "meta": {"resourceType": "User", "created": "2010-01-23T04:56:22Z", "lastModified": "2011-05-13T04:42:34.5Z"},
    })
}

#[test]
fn resources_match_by_the_rfc() {
    let cases = [
        // The examples of RFC 7644, figure 2.
        (r#"userName eq "bjensen@example.com""#, true),
        (r#"name.familyName co "ENS""#, true),
        (r#"userName sw "J""#, false),
        (r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "B""#, true),
        ("title pr", true),
        (r#"meta.lastModified gt "2011-05-13T04:42:34Z""#, true),
        (r#"meta.lastModified ge "2011-05-13T06:42:34.5+02:00""#, true),
        (r#"meta.lastModified lt "2011-05-13T04:42:34Z""#, false),
        (r#"meta.lastModified eq "2011-05-13T04:42:34.500Z""#, true),
        (r#"title pr and userType eq "Employee""#, true),
        (r#"title pr or userType eq "Intern""#, true),
        (r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#, true),
        (r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:Group""#, false),
        ("schemas pr", true),
        ("schemas eq null", false),
        ("schemas ne null", true),
        (r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#, true),
        (r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#, false),
        (r#"userType eq "Employee" and (emails.type eq "work")"#, true),
        (r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#, true),
        (r#"emails[type eq "work" and value co "@jensen"] or ims[type eq "xmpp" and value co "@foo.com"]"#, false),
        // Case: of keywords, names, values.
        (r#"USERNAME Eq "BJensen@Example.com""#, true),
        (r#"externalId eq "babs-1""#, false),
        (r#"externalId eq "Babs-1""#, true),
        (r#"name.givenName eq "BÄRBEL""#, true),
        (r#"name.givenName sw "BÄR" AND name.givenName ew "BEL" and name.givenName co "ÄRBE""#, true),
        ("Not(userName pr)", false),
        // One value, or any of them.
        (r#"emails.value eq "babs@jensen.example.org" and emails.type eq "work""#, true),
        (r#"emails[value eq "babs@jensen.example.org" and type eq "work"]"#, false),
        (r#"emails[type eq "work"].value eq "bjensen@example.com""#, true),
        (r#"emails[type eq "home"].value eq "bjensen@example.com""#, false),
        (r#"emails[type eq "work" or type eq "home"].value sw "babs""#, true),
        (r#"emails eq "bjensen@example.com""#, true),
        ("emails.value ne \"bjensen@example.com\"", true),
        // Booleans, also as Entra writes them.
        ("active eq true", true),
        ("active eq TRUE", true),
        (r#"active eq "True""#, true),
        ("active ne true", false),
        ("active eq false", false),
        ("active eq 1", false),
        (r#"emails[primary eq "True"].value sw "bj""#, true),
        // What has no value.
        ("roles pr", false),
        ("emails.display pr", false),
        ("nickName pr", false),
        ("nickName eq null", true),
        ("title eq null", false),
        ("title ne null", true),
        (r#"nickName ne "x""#, true),
        (r#"nickName eq "x""#, false),
        (r#"nickName lt "x""#, false),
        ("noSuchThing pr", false),
        (r#"noSuchThing eq "x" or userName.first eq "b""#, false),
        (r#"urn:example:ext:2.0:User:department eq "Tours""#, false),
        // Extensions.
        (r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "tours""#, true),
        (r#"URN:ietf:params:scim:schemas:extension:enterprise:2.0:user:manager.value eq "26118915""#, true),
        (r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "26118915""#, true),
        (r#"department eq "Tours""#, false),
        // Other types, escapes.
        ("title eq 5", false),
        ("title ne 5", true),
        (r#"title eq "Tour\u0020Guide""#, true),
        (r#"title gt "tour""#, true),
        (r#"title le "TOUR GUIDE""#, true),
        ("name[givenName sw \"b\"]", true),
    ];
    let (user, schema) = (babs(), UserSchema::all());
    for (text, expected) in cases {
        assert_eq!(parse(text).matches(&user, &schema), expected, "{text}");
    }
}

#[test]
fn the_tree_follows_precedence() {
    let (a, b, c) = (parse("a pr"), parse("b pr"), parse("c pr"));
    assert_eq!(parse("a pr or b pr and c pr"), Filter::Or(vec![a.clone(), Filter::And(vec![b.clone(), c.clone()])]));
    assert_eq!(parse("(a pr or b pr) and c pr"), Filter::And(vec![Filter::Or(vec![a.clone(), b.clone()]), c.clone()]));
    assert_eq!(parse("not (a pr) and b pr"), Filter::And(vec![Filter::Not(Box::new(a.clone())), b]));
    assert_eq!(parse("((a pr))"), a);
    assert_eq!(parse("not pr"), Filter::Present(AttributePath::parse("not").unwrap()), "an attribute of that name");
}

#[test]
fn what_is_no_filter_is_refused() {
    let cases = [
        "",
        " ",
        "userName",
        "userName eq",
        "eq \"x\"",
        "userName xx \"x\"",
        "userName eq x",
        "userName eq 'x'",
        "userName eq \"x",
        "userName eq \"\\x\"",
        "userName eq 1.",
        "userName eq -",
        "userName eq 01",
        "a eq 1e999",
        "(a pr",
        "a pr)",
        "a pr and",
        "and a pr",
        "a pr b pr",
        "not a pr",
        "emails[",
        "emails[]",
        "emails[type eq \"w\"",
        "emails[type eq \"w\"].",
        "emails[a pr].b.c pr",
        "emails.value[type pr]",
        "emails[ims[type pr]]",
        "1a pr",
        "urn: pr",
        "a.b.c pr",
        "$ pr",
        "ä pr",
        "a eq tru",
        "emails[type pr]value pr",
        "emails[a pr] pr",
    ];
    for text in cases {
        let error = Filter::parse(text).expect_err(text);
        assert_eq!(error.scim_type, Some(ScimType::InvalidFilter), "{text}");
        assert_eq!(error.status, 400);
    }
}

#[test]
fn size_depth_and_terms_are_bounded() {
    let nested = |depth| format!("{}a pr{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Filter::parse(&nested(16)).is_ok());
    assert!(Filter::parse(&nested(17)).is_err());
    assert!(Filter::parse(&"(".repeat(2_048)).is_err());
    assert!(Filter::parse(&"not(".repeat(512)).is_err());
    assert!(Filter::parse(&vec!["a pr"; 100].join(" or ")).is_ok());
    assert!(Filter::parse(&vec!["a pr"; 101].join(" or ")).is_err());
    let long = |bytes: usize| format!("a eq \"{}\"", "x".repeat(bytes - 7));
    assert!(Filter::parse(&long(2_048)).is_ok());
    assert!(Filter::parse(&long(2_049)).is_err());
    let edge = format!("{}e[a pr or b pr].c pr{}", "(".repeat(15), ")".repeat(15));
    assert!(Filter::parse(&edge).is_err(), "what is displayed would be deeper than what is read");
}

#[test]
fn what_can_never_be_answered_is_refused() {
    let schema = UserSchema::all();
    for text in [
        "active gt true",
        "active co \"t\"",
        "password eq \"x\"",
        "password pr",
        "not (password sw \"a\")",
        "name eq \"x\"",
        "addresses co \"x\"",
        "emails[primary gt true]",
        "userName[value pr]",
        "emails.primary le false",
    ] {
        let error = parse(text).check(&schema).expect_err(text);
        assert_eq!(error.scim_type, Some(ScimType::InvalidFilter), "{text}");
    }
    for text in
        ["active eq true", "name pr", "noSuchThing gt 5", "emails sw \"x\"", "x[y gt true]", "userName gt \"a\""]
    {
        parse(text).check(&schema).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn equalities_are_found() {
    let schema = UserSchema::all();
    let keys = |text: &str| {
        let filter = parse(text);
        let one = filter.equality().map(|(path, _)| schema.resolve(&path).unwrap().key());
        let all = filter.conjunct_equalities();
        let all: Vec<String> = all
            .iter()
            .map(|(path, value)| format!("{}={}", schema.resolve(path).unwrap().key(), value.as_str().unwrap_or("?")))
            .collect();
        (one, all.join(","))
    };
    let some = |key: &str| Some(key.to_owned());
    assert_eq!(keys(r#"username eq "x""#), (some("userName"), "userName=x".to_owned()));
    assert_eq!(keys(r#"emails eq "x""#), (some("emails.value"), "emails.value=x".to_owned()));
    assert_eq!(keys(r#"emails[value eq "x"]"#), (some("emails.value"), "emails.value=x".to_owned()));
    let entra = r#"emails[type eq "work"].value eq "x""#;
    assert_eq!(keys(entra), (None, "emails.type=work,emails.value=x".to_owned()));
    assert_eq!(keys(r#"userName eq "x" or id eq "y""#), (None, String::new()));
    assert_eq!(keys(r#"not (userName eq "x")"#), (None, String::new()));
    assert_eq!(keys("nickName eq null"), (None, String::new()), "nothing is no value to look for");
    assert_eq!(
        keys(r#"(userName eq "x" and title pr) and (id eq "y" or id eq "z") and active eq true"#),
        (None, "userName=x,active=?".to_owned())
    );
    let department = r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "D""#;
    assert_eq!(keys(department).0, some("department"));
}

#[test]
fn i10_the_debug_form_quotes_nothing() {
    let filter = parse(r#"emails[value eq "ada@example.com"]"#);
    assert!(!format!("{filter:?}").contains("ada"));
}

fn names() -> impl Strategy<Value = AttributePath> {
    let urn = prop::option::of(Just("urn:ietf:params:scim:schemas:core:2.0:User"));
    let path = (urn, "[a-zA-Z][a-zA-Z0-9_-]{0,8}|\\$ref|not|and|pr|true", prop::option::of("[a-z]{1,5}"));
    path.prop_map(|(urn, name, sub)| AttributePath { urn: urn.map(str::to_owned), name, sub })
}

fn literals() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Bool),
        any::<i64>().prop_map(|number| Literal::Number(number.into())),
        any::<u64>().prop_map(|number| Literal::Number(number.into())),
        any::<f64>().prop_filter_map("finite", Number::from_f64).prop_map(Literal::Number),
        any::<String>().prop_map(|text| Literal::from(text.as_str())),
    ]
}

fn filters() -> impl Strategy<Value = Filter> {
    let operator = prop::sample::select(Operator::ALL.to_vec());
    let term = prop_oneof![
        names().prop_map(Filter::Present),
        (names(), operator, literals()).prop_map(|(path, operator, literal)| Filter::Compare(path, operator, literal)),
    ];
    let plain = |mut path: AttributePath| {
        path.sub = None;
        path
    };
    let inner = term.clone().prop_recursive(3, 8, 3, |part| groups(part).boxed());
    let values = (names(), inner).prop_map(move |(path, inner)| Filter::Values(plain(path), Box::new(inner)));
    prop_oneof![term, values].prop_recursive(4, 24, 3, |part| groups(part).boxed())
}

fn groups(part: impl Strategy<Value = Filter> + Clone + 'static) -> impl Strategy<Value = Filter> {
    prop_oneof![
        prop::collection::vec(part.clone(), 2..4).prop_map(Filter::And),
        prop::collection::vec(part.clone(), 2..4).prop_map(Filter::Or),
        part.prop_map(|inner| Filter::Not(Box::new(inner))),
    ]
}

/// Texts that are nearly filters.
fn almost() -> impl Strategy<Value = String> {
    let tokens = [
        "userName",
        "emails",
        "[",
        "]",
        "(",
        ")",
        "not",
        "and",
        "or",
        "eq",
        "pr",
        "co",
        "\"x\"",
        "\"",
        "\\",
        "true",
        "null",
        "5",
        "-1.5e3",
        ".value",
        " ",
        " ",
        " ",
        "urn:a:b:c",
        ".",
        "é",
    ];
    prop::collection::vec(prop::sample::select(tokens.to_vec()), 0..24).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn what_is_displayed_is_read_as_the_same(filter in filters()) {
        let text = filter.to_string();
        prop_assume!(text.len() <= Filter::MAX_BYTES);
        prop_assert_eq!(Filter::parse(&text), Ok(filter), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![any::<String>(), almost()]) {
        if let Ok(filter) = Filter::parse(&text) {
            let (user, group) = (UserSchema::all(), Schema::group());
            let _ = (filter.check(&user), filter.matches(&babs(), &user), filter.matches(&babs(), &group));
            let again = filter.to_string();
            if again.len() <= Filter::MAX_BYTES {
                prop_assert_eq!(Filter::parse(&again), Ok(filter));
            }
        }
    }

    #[test]
    fn what_must_hold_does(filter in filters(), literal in "[a-z]{0,3}") {
        // Of an `and`, every equality that is found holds wherever the whole does.
        let both = Filter::And(vec![Filter::Compare(AttributePath::parse("nickName").unwrap(), Operator::Eq, Literal::from(literal.as_str())), filter]);
        let schema = UserSchema::all();
        for nick in ["a", "b", "abc", ""] {
            let user = json!({"userName": "x", "nickName": nick});
            if both.matches(&user, &schema) {
                for (path, literal) in both.conjunct_equalities() {
                    prop_assert!(Filter::Compare(path, Operator::Eq, literal.clone()).matches(&user, &schema));
                }
            }
        }
    }

    #[test]
    fn regardless_of_case_means_regardless_of_case(value in "\\PC{0,12}", text in "\\PC{0,4}") {
        let schema = UserSchema::all();
        let lower = |text: &str| fold(text).collect::<String>();
        let user = json!({"nickName": value});
        for (operator, expected) in [
            (Operator::Eq, lower(&value) == lower(&text)),
            (Operator::Co, lower(&value).contains(&lower(&text))),
            (Operator::Sw, lower(&value).starts_with(&lower(&text))),
            (Operator::Ew, lower(&value).ends_with(&lower(&text))),
            (Operator::Gt, lower(&value) > lower(&text)),
        ] {
            let filter = Filter::Compare(AttributePath::parse("nickName").unwrap(), operator, Literal::from(text.as_str()));
            prop_assert_eq!(filter.matches(&user, &schema), expected && !value.is_empty(), "{}", filter);
        }
    }
}
