use serde_json::{Value, json};

use super::*;
use crate::played::{Call, Calls, play};

const SUB: &str = "1111aaaa-bbbb-4ccc-8ddd-666677778888";

fn resolver(pools: &[&str]) -> CognitoSubjectResolver {
    let variable = |name: &str| name.starts_with("AWS_").then(|| "http://127.0.0.1:1".to_owned());
    let aws = AwsConfig::from_env(&variable).unwrap();
    let pools: Vec<String> = pools.iter().map(|pool| (*pool).to_owned()).collect();
    CognitoSubjectResolver::new(&aws, &pools, BTreeMap::new())
}

#[test]
fn i01_an_identifier_that_names_the_key_needs_no_call() {
    let one = resolver(&["eu-west-1_A"]);
    let two = resolver(&["eu-west-1_A", "eu-west-1_B"]);
    let opaque = SubjectIdentifier::Opaque { id: SUB.into() };
    let of_b = SubjectIdentifier::IssSub {
        iss: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_B".into(),
        sub: SUB.into(),
    };
    assert_eq!(one.key_of(&opaque), Some(SubjectKey::new("eu-west-1_A", SUB)));
    assert_eq!(two.key_of(&opaque), None, "which pool?");
    assert_eq!(two.key_of(&of_b), Some(SubjectKey::new("eu-west-1_B", SUB)));
    assert_eq!(one.key_of(&of_b), None, "not one of ours");
    let not_a_uuid = SubjectIdentifier::Opaque { id: "*".into() };
    assert_eq!(one.key_of(&not_a_uuid), None, "nobody's: it would be everybody's");
    let pool = |id: &str| SubjectIdentifier::Pool { user_pool_id: id.into() };
    assert_eq!(two.key_of(&pool("eu-west-1_B")), Some(SubjectKey::new("eu-west-1_B", "*")));
    assert_eq!(two.key_of(&pool("eu-west-1_C")), None, "not one of ours");
}

#[test]
fn i13_each_search_in_each_pool_and_spelling_counts() {
    let two = resolver(&["eu-west-1_A", "eu-west-1_B"]);
    let email = |email: &str| SubjectIdentifier::Email { email: email.into() };
    let of_b = SubjectIdentifier::IssSub {
        iss: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_B".into(),
        sub: SUB.into(),
    };
    let aliases = SubjectIdentifier::Aliases { identifiers: vec![of_b.clone(), email("Jane@example.com")] };
    let searches = [email("jane@example.com"), email("Jane@example.com"), of_b, aliases].map(|s| two.searches(&s));
    assert_eq!(searches, [2, 4, 1, 5]);
}

/// Plays Cognito: search finds nobody in `..._A` and `..._C`, the direct look finds `found` in `..._A`; `..._B` is gone.
fn serve(found: Value) -> (CognitoSubjectResolver, Calls) {
    let (aws, calls) = play(move |_, call| {
        let refused = |kind: &str| (400, json!({"__type": kind, "message": "x"}));
        let (status, body) = match (call.operation.as_str(), asked(call, "UserPoolId")) {
            (_, "eu-west-1_B") => refused("ResourceNotFoundException"),
            ("ListUsers", _) => (200, json!({"Users": []})),
            ("AdminGetUser", "eu-west-1_A") => (200, found.clone()),
            _ => refused("UserNotFoundException"),
        };
        Some((status, body.to_string()))
    });
    let pools = ["eu-west-1_A", "eu-west-1_B", "eu-west-1_C"].map(str::to_owned);
    (CognitoSubjectResolver::new(&aws, &pools, BTreeMap::new()), calls)
}

fn asked<'a>(call: &'a Call, name: &str) -> &'a str {
    call.body[name].as_str().unwrap_or_default()
}

fn jane(email: &str) -> Value {
    json!({"Username": "jane", "UserStatus": "CONFIRMED",
           "UserAttributes": [{"Name": "sub", "Value": SUB}, {"Name": "email", "Value": email}]})
}

fn email() -> SubjectIdentifier {
    SubjectIdentifier::Email { email: "Jane@example.com".into() }
}

#[tokio::test]
async fn whom_search_does_not_know_yet_is_looked_up_and_a_broken_pool_hides_nobody() {
    let (resolver, _) = serve(jane("jane@example.com"));
    let search = resolver.search(&email(), &[]).await;
    assert_eq!(
        search.found.iter().map(|profile| profile.key.clone()).collect::<Vec<_>>(),
        [SubjectKey::new("eu-west-1_A", SUB)]
    );
    assert!(search.failure.is_some(), "the second pool was not asked");
    assert!(resolver.resolve(&email()).await.is_err(), "who wants everybody is told");
    let username = SubjectIdentifier::Username { username: "JANE".into() };
    assert_eq!(resolver.search(&username, &[]).await.found, search.found);
}

#[tokio::test]
async fn whoever_else_bears_the_value_as_a_name_is_not_meant() {
    let (resolver, _) = serve(jane("other@example.com"));
    assert_eq!(resolver.search(&email(), &[]).await.found, []);
    let name = SubjectIdentifier::Username { username: "other".into() };
    assert_eq!(resolver.search(&name, &[]).await.found, []);
}

#[tokio::test]
async fn a_sub_in_capitals_means_the_same_person() {
    let (resolver, seen) = serve(jane("jane@example.com"));
    for subject in [
        SubjectIdentifier::Opaque { id: SUB.to_ascii_uppercase() },
        SubjectIdentifier::IssSub {
            iss: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A".into(),
            sub: SUB.to_ascii_uppercase(),
        },
    ] {
        let found = resolver.search(&subject, &[UserPoolId("eu-west-1_A".into())]).await.found;
        assert_eq!(found.len(), 1, "{subject:?}");
        assert_eq!(found[0].key, SubjectKey::new("eu-west-1_A", SUB));
    }
    let value = |call: &Call| format!("{}{}", asked(call, "Filter"), asked(call, "Username"));
    assert!(seen.lock().unwrap().iter().all(|call| value(call).contains(SUB)), "asked for as Cognito issued it");
}

#[tokio::test]
async fn only_the_pools_named_are_asked() {
    let (resolver, seen) = serve(jane("jane@example.com"));
    let search = resolver.search(&email(), &[UserPoolId("eu-west-1_C".into())]).await;
    assert_eq!(search, Search::default());
    assert!(seen.lock().unwrap().iter().all(|call| asked(call, "UserPoolId") == "eu-west-1_C"));
    assert_eq!(seen.lock().unwrap().len(), 4, "two spellings, searched for and looked up");
}
