use serde_json::{Value, json};

use crate::tests::{World, scim_type};

fn filtered(filter: &str) -> String {
    format!("/Users?{}", crate::tests::filtered(filter))
}

fn names(list: &Value) -> Vec<&str> {
    list["Resources"].as_array().unwrap().iter().map(|user| user["userName"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_the_pool_finds_by_itself_is_asked_of_it() {
    let world = World::new().await;
    for number in 0..200 {
        world.add(&format!("user{number}"));
    }
    let jane = world.directory.add("jane", &[("email", "jane@example.com"), ("custom:external_id", "00u1")]).0;
    for (filter, pages) in [
        ("userName eq \"jane\"", 1),
        ("userName eq \"JANE\"", 2),
        ("emails.value eq \"Jane@Example.com\"", 2),
        ("emails[type eq \"work\" and value eq \"jane@example.com\"]", 1),
        ("emails.value eq \"jane@example.com\" and active eq true", 1),
        ("active eq true and userName eq \"jane\"", 1),
        (&format!("id eq \"{jane}\""), 0),
        ("externalId eq \"00u1\"", 4),
        ("displayName pr or userName eq \"jane\"", 4),
        ("userName sw \"jan\"", 4),
    ] {
        world.directory.state().reads.clear();
        let (status, list) = world.get(&filtered(filter)).await;
        assert_eq!((status, names(&list)), (200, vec!["jane"]), "{filter}");
        let read = world.directory.state().reads.get("page").copied().unwrap_or_default();
        assert_eq!(read, pages, "{filter}");
    }
    for nobody in [
        "userName eq \"nobody\"",
        "userName eq \"jane\" and active eq false",
        "id eq \"not a sub\"",
        "externalId eq \"00U1\"",
        "emails.value eq \"x\\\" or sub ^= \\\"\"",
        "displayName eq \"Jane\"",
    ] {
        let (status, list) = world.get(&filtered(nobody)).await;
        assert_eq!((status, &list["totalResults"]), (200, &json!(0)), "{nobody} {list}");
    }
}

#[tokio::test]
async fn a_user_just_created_is_found_before_search_knows_them() {
    let world = World::new().await;
    let id = world.add("jane");
    world.directory.state().unindexed.insert(id);
    for filter in ["userName eq \"jane\"", "emails.value eq \"jane@example.com\""] {
        let (_, list) = world.get(&filtered(filter)).await;
        assert_eq!(names(&list), ["jane"], "{filter}");
    }
}

#[tokio::test]
async fn pages_are_counted_from_one_and_the_total_is_true() {
    let world = World::new().await;
    for number in 0..130 {
        world.add(&format!("user{number:03}"));
    }
    for (query, items, first) in [
        ("", 100, Some("user000")),
        ("?startIndex=121&count=50", 10, Some("user120")),
        ("?startIndex=0&count=2", 2, Some("user000")),
        ("?count=0", 0, None),
        ("?startIndex=500", 0, None),
        ("?count=-5", 0, None),
    ] {
        let (status, list) = world.get(&format!("/Users{query}")).await;
        assert_eq!((status, &list["totalResults"]), (200, &json!(130)), "{query}");
        assert_eq!(list["itemsPerPage"], items, "{query}");
        assert_eq!(names(&list).first().copied(), first, "{query}");
    }
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                        "filter": "userName co \"12\"", "attributes": ["userName"], "count": 3});
    let (status, list) = world.send("POST", "/Users/.search", &search).await;
    assert_eq!((status, &list["totalResults"], &list["itemsPerPage"]), (200, &json!(12), &json!(3)));
    assert!(list["Resources"][0].get("emails").is_none());
}

#[tokio::test]
async fn beyond_what_can_be_looked_through_it_is_too_many() {
    let world = World::new().await;
    for number in 0..=crate::window::MOST_LOOKED_AT {
        world.directory.add(&format!("user{number}"), &[]);
    }
    for uri in ["/Users".to_owned(), filtered("displayName pr")] {
        let answer = world.get(&uri).await;
        assert_eq!((answer.0, scim_type(&answer)), (400, "tooMany"), "{uri}");
        assert!(answer.1["detail"].as_str().unwrap().contains("userName"));
    }
    assert_eq!(world.get(&filtered("userName eq \"user7\"")).await.0, 200);
}

#[tokio::test]
async fn filters_that_cannot_be_answered_are_refused() {
    let world = World::new().await;
    for filter in ["groups.value eq \"x\"", "userName", "userName eq", "active gt true", "((((", "password eq \"x\""] {
        let answer = world.get(&filtered(filter)).await;
        assert_eq!((answer.0, scim_type(&answer)), (400, "invalidFilter"), "{filter}");
    }
}

#[tokio::test]
async fn a_search_of_everything_pages_over_users_and_then_groups() {
    let world = World::new().await;
    for number in 0..3 {
        world.add(&format!("user{number}"));
        world.directory.add_group(&format!("group{number}"), &[]);
    }
    for (start, count, expected) in [(1, 100, 6), (1, 4, 4), (3, 2, 2), (4, 2, 2), (6, 9, 1), (7, 9, 0), (1, 0, 0)] {
        let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                            "startIndex": start, "count": count});
        let (status, list) = world.send("POST", "/.search", &search).await;
        assert_eq!((status, &list["totalResults"]), (200, &json!(6)), "{start} {count}");
        let kinds = list["Resources"].as_array().unwrap().iter().map(|one| &one["meta"]["resourceType"]);
        assert_eq!(kinds.clone().count(), expected, "{start} {count}");
        assert!(kinds.is_sorted_by_key(|kind| *kind != "User"), "{start} {count}: users first");
    }
    let search =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "userName eq \"user1\""});
    let (_, list) = world.send("POST", "/.search", &search).await;
    assert_eq!(list["totalResults"], 1);
}
