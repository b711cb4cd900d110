use revocation_core::domain::reason::ReasonCode;
use revocation_core::ports::PortError;
use serde_json::{Value, json};

use super::name::group_id;
use crate::tests::{GROUP, World, filtered, scim_type};

fn removal(ids: &[&str]) -> Value {
    let values: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
    json!([{"op": "Remove", "path": "members", "value": values}])
}

async fn staffed() -> (World, String, [String; 3]) {
    let world = World::new().await;
    let ids = ["ann", "bob", "cy"].map(|name| world.add(name));
    world.directory.add_group("staff", &["ann", "bob"]);
    (world, format!("/Groups/{}", group_id("staff")), ids)
}

#[tokio::test]
async fn a_group_comes_is_renamed_and_keeps_its_name_in_tokens() {
    let world = World::new().await;
    let ann = world.add("ann");
    let body =
        json!({"schemas": [GROUP], "displayName": "Sales Team", "externalId": "g1", "members": [{"value": ann}]});
    let (status, created) = world.send("POST", "/Groups", &body).await;
    assert_eq!(status, 201, "{created}");
    assert_eq!((&created["displayName"], &created["externalId"]), (&json!("Sales Team"), &json!("g1")));
    assert_eq!(created["members"][0]["value"], ann);
    assert_eq!(world.directory.members_of("Sales_Team"), ["ann"]);
    let uri = format!("/Groups/{}", created["id"].as_str().unwrap());
    assert_eq!(world.get(&uri).await, (200, created));
    let again = world.send("POST", "/Groups", &body).await;
    assert_eq!((again.0, scim_type(&again)), (409, "uniqueness"));

    let rename = json!([{"op": "Replace", "path": "displayName", "value": "Revenue"}]);
    assert_eq!(world.patch(&uri, rename).await, (204, Value::Null));
    let (_, group) = world.get(&uri).await;
    assert_eq!((&group["displayName"], &group["externalId"]), (&json!("Revenue"), &json!("g1")));
    assert_eq!(world.directory.members_of("Sales_Team"), ["ann"]);
    world.directory.add_group("Taken", &[]);
    let taken = world.patch(&uri, json!([{"op": "replace", "value": {"displayName": "Taken"}}])).await;
    assert_eq!((taken.0, scim_type(&taken)), (409, "uniqueness"));
}

#[tokio::test]
async fn members_come_without_a_revocation() {
    let (world, uri, [ann, _, cy]) = staffed().await;
    let add = json!([{"op": "Add", "path": "members", "value": [{"value": cy}, {"value": ann}]}]);
    assert_eq!(world.patch(&uri, add).await.0, 204);
    assert_eq!(world.directory.members_of("staff"), ["ann", "bob", "cy"]);
    assert!(world.published().is_empty());
    let stranger = json!([{"op": "add", "path": "members", "value": [{"value": "nobody"}, {"value": cy}]}]);
    let refused = world.patch(&uri, stranger).await;
    assert_eq!((refused.0, scim_type(&refused)), (400, "invalidValue"));
    let nested = json!([{"op": "add", "path": "members", "value": [{"value": cy, "type": "Group"}]}]);
    assert_eq!(world.patch(&uri, nested).await.0, 400);
}

#[tokio::test]
async fn a_removal_is_promised_made_and_kept() {
    let (_, _, [_, bob, _]) = staffed().await;
    let by_filter = json!([{"op": "remove", "path": format!("members[value eq \"{bob}\"]")}]);
    for operations in [removal(&[&bob]), by_filter] {
        let (world, uri, [_, bob, _]) = staffed().await;
        assert_eq!(world.patch(&uri, operations.clone()).await.0, 204, "{operations}");
        assert_eq!(world.calls(), ["queue", "remove_member", "publish"], "{operations}");
        assert_eq!(world.directory.members_of("staff"), ["ann"]);
        let (ahead, delay) = world.intake.state().queued[0].clone();
        assert_eq!((delay.as_secs(), &ahead), (30, &world.published()[0]));
        assert_eq!((ahead.reason, ahead.check()), (ReasonCode::RoleChange, Ok(())));
        assert!(ahead.source.event_id.ends_with(&bob));
    }
}

#[tokio::test]
async fn who_is_no_member_loses_nothing() {
    let (world, uri, [_, _, cy]) = staffed().await;
    assert_eq!(world.patch(&uri, removal(&[&cy, "nobody", "00000000-0000-4000-8000-999999999999"])).await.0, 204);
    assert!(world.calls().is_empty());
}

#[tokio::test]
async fn i07_a_crash_at_any_step_of_a_removal_loses_no_revocation() {
    let outage = || PortError::retry("test", "timeout");
    // Before it is durable: nothing is changed.
    for failing in ["admit", "queue"] {
        let (world, uri, [_, bob, _]) = staffed().await;
        world.intake.fail(failing, outage());
        assert_eq!(world.patch(&uri, removal(&[&bob])).await.0, 503, "{failing}");
        assert_eq!(world.directory.members_of("staff"), ["ann", "bob"], "{failing}");
    }
    // After that: the copy sent ahead stands.
    let (world, uri, [_, bob, _]) = staffed().await;
    world.directory.fail("remove_member", outage());
    assert_eq!(world.patch(&uri, removal(&[&bob])).await.0, 503);
    assert_eq!(world.intake.state().queued.len(), 1);
    assert_eq!(world.patch(&uri, removal(&[&bob])).await.0, 204, "the client repeats it");
    let (world, uri, [_, bob, _]) = staffed().await;
    world.intake.fail("publish", outage());
    assert_eq!(world.patch(&uri, removal(&[&bob])).await.0, 204, "durable, only later");
    assert_eq!(world.intake.state().queued.len(), 1);
    assert!(world.published().is_empty());
}

#[tokio::test]
async fn i11_beyond_the_blast_radius_the_removal_is_made_and_its_revocation_parked() {
    let world = World::with("subjects_per_hour: 1").await;
    let ids = ["ann", "bob"].map(|name| world.add(name));
    world.directory.add_group("staff", &["ann", "bob"]);
    let uri = format!("/Groups/{}", group_id("staff"));
    assert_eq!(world.patch(&uri, removal(&[&ids[0], &ids[1]])).await.0, 204);
    assert!(world.directory.members_of("staff").is_empty());
    let delays: Vec<u64> = world.intake.state().queued.iter().map(|(_, delay)| delay.as_secs()).collect();
    assert_eq!((delays, world.published().len()), (vec![0, 30], 1));
}

#[tokio::test]
async fn a_put_takes_out_who_is_missing_but_not_everybody_by_silence() {
    let (world, uri, [ann, _, cy]) = staffed().await;
    let body = json!({"schemas": [GROUP], "displayName": "staff", "members": [{"value": ann}, {"value": cy}]});
    let (status, group) = world.send("PUT", &uri, &body).await;
    assert_eq!((status, group["members"].as_array().unwrap().len()), (200, 2), "{group}");
    assert_eq!(world.calls(), ["queue", "remove_member", "publish", "add_member"]);
    let silent = json!({"schemas": [GROUP], "displayName": "All Staff"});
    let (status, group) = world.send("PUT", &uri, &silent).await;
    assert_eq!((status, &group["displayName"]), (200, &json!("All Staff")));
    assert_eq!(world.directory.members_of("staff"), ["ann", "cy"]);
    assert_eq!(world.calls(), ["describe_group"]);
    let nobody = json!({"schemas": [GROUP], "displayName": "All Staff", "members": []});
    assert_eq!(world.send("PUT", &uri, &nobody).await.0, 200);
    assert!(world.directory.members_of("staff").is_empty());
    assert_eq!(world.published().len(), 3);
}

#[tokio::test]
async fn a_deleted_group_is_lost_by_everybody_in_it() {
    let (world, uri, _) = staffed().await;
    assert_eq!(world.send("DELETE", &uri, &Value::Null).await, (204, Value::Null));
    assert_eq!(world.calls(), ["queue", "queue", "delete_group", "publish"]);
    assert_eq!(world.published().len(), 2);
    for method in ["GET", "DELETE"] {
        assert_eq!(world.send(method, &uri, &Value::Null).await.0, 404);
    }
    let world = World::with("on_role_loss: none").await;
    world.add("ann");
    world.directory.add_group("staff", &["ann"]);
    assert_eq!(world.send("DELETE", &uri, &Value::Null).await.0, 204);
    assert_eq!(world.calls(), ["delete_group"]);
}

#[tokio::test]
async fn more_than_a_request_can_do_is_refused_before_anything_is_done() {
    let world = World::new().await;
    let ids: Vec<String> = (0..101).map(|number| world.add(&format!("user{number}"))).collect();
    let names: Vec<String> = (0..101).map(|number| format!("user{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.directory.add_group("staff", &names);
    let uri = format!("/Groups/{}", group_id("staff"));
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let members: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
    let empty = json!({"schemas": [GROUP], "displayName": "staff", "members": []});
    let full = json!({"schemas": [GROUP], "displayName": "other", "members": members});
    for answer in [
        world.patch(&uri, removal(&all)).await,
        world.patch(&uri, json!([{"op": "remove", "path": "members"}])).await,
        world.send("PUT", &uri, &empty).await,
        world.send("POST", "/Groups", &full).await,
        world.send("DELETE", &uri, &Value::Null).await,
    ] {
        assert_eq!((answer.0, scim_type(&answer)), (413, "tooMany"), "{answer:?}");
    }
    assert!(world.calls().is_empty());
    assert_eq!(world.patch(&uri, removal(&all[..100])).await.0, 204);
    assert_eq!(world.published().len(), 100);
}

#[tokio::test]
async fn a_group_whose_members_cannot_be_added_is_not_left_behind() {
    let world = World::new().await;
    let ann = world.add("ann");
    world.directory.fail("add_member", PortError::retry("test", "timeout"));
    let body = json!({"schemas": [GROUP], "displayName": "staff", "members": [{"value": ann}]});
    assert_eq!(world.send("POST", "/Groups", &body).await.0, 503);
    assert_eq!(world.send("POST", "/Groups", &body).await.0, 201);
}

#[tokio::test]
async fn lists() {
    let (world, _, [ann, bob, cy]) = staffed().await;
    world.directory.add_group("Sales", &["bob"]);
    let staff = group_id("staff");
    let cases = [
        ("displayName eq \"STAFF\"".to_owned(), vec!["staff"]),
        (format!("id eq \"{staff}\""), vec!["staff"]),
        ("id eq \"???\"".to_owned(), vec![]),
        (format!("members.value eq \"{bob}\""), vec!["Sales", "staff"]),
        (format!("members[value eq \"{ann}\"]"), vec!["staff"]),
        (format!("id eq \"{staff}\" and members eq \"{ann}\""), vec!["staff"]),
        (format!("id eq \"{staff}\" and members eq \"{cy}\""), vec![]),
        ("displayName sw \"s\"".to_owned(), vec!["Sales", "staff"]),
    ];
    for (filter, expected) in cases {
        let encoded = filtered(&filter);
        for more in ["", "&excludedAttributes=members"] {
            world.directory.state().reads.clear();
            let (status, list) = world.get(&format!("/Groups?{encoded}{more}")).await;
            assert_eq!(status, 200, "{filter} {list}");
            let resources = list["Resources"].as_array().unwrap();
            let names: Vec<&str> = resources.iter().map(|group| group["displayName"].as_str().unwrap()).collect();
            assert_eq!(names, expected, "{filter}");
            let read = world.directory.state().reads.get("members").copied().unwrap_or_default();
            assert_eq!(read, if more.is_empty() { expected.len() } else { 0 }, "{filter}{more}");
        }
    }
    let (_, list) = world.get("/Groups").await;
    assert_eq!(list["Resources"][1]["members"].as_array().unwrap().len(), 2);
    for filter in ["members.display%20co%20%22a%22", "not%20(members.value%20eq%20%22x%22)", "members%20pr"] {
        let answer = world.get(&format!("/Groups?filter={filter}")).await;
        assert_eq!((answer.0, scim_type(&answer)), (400, "invalidFilter"), "{filter}");
    }
}
