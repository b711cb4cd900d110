//! `revokectl` on accounts, as an operator runs it: what it prints, how it ends, and what came of it.

use std::process::{Command, Output};

use revocation_probe::{Probe, User};
use serde_json::Value;

use crate::world::{ask, fresh, probe, record, request, status, user};

/// Runs the built command against the local cloud, without a terminal.
fn revokectl(probe: &Probe, args: &[&str]) -> Output {
    let here = std::env::current_exe().unwrap();
    let binary = here.ancestors().nth(2).unwrap().join("revokectl");
    let facts = &probe.facts;
    Command::new(binary)
        .args(args)
        .env_clear()
        .env("AWS_REGION", &facts.region)
        .env("AWS_ACCESS_KEY_ID", &facts.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &facts.secret_access_key)
        .env("AWS_ENDPOINT_URL", &facts.endpoint)
        .env("REVOKECTL_STACK", "local")
        .output()
        .expect("no revokectl: cargo build -p revokectl")
}

/// Runs it for JSON; answers that, and the exit code.
fn json(probe: &Probe, args: &[&str]) -> (Value, Option<i32>) {
    let output = revokectl(probe, &[args, &["--output", "json"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    (serde_json::from_str(&text).unwrap_or_else(|_| panic!("{args:?}: {text}{told}")), output.status.code())
}

fn act(probe: &Probe, command: &str, person: &User, more: &[&str]) -> (Value, Option<i32>) {
    json(probe, &[&[command, person.email.as_str(), "--yes"], more].concat())
}

#[tokio::test]
async fn a_hold_keeps_out_until_it_is_released_and_inspect_shows_it() {
    let probe = probe();
    let (person, session) = user(&probe, "ctl-held").await;
    let (would, exit) = json(&probe, &["hold", &person.email, "--dry-run", "--until", "10h"]);
    assert_eq!((exit, &would["would"]["action"]), (Some(0), &Value::from("hold")), "{would}");
    assert_eq!(would["would"]["barred_by"]["known"], serde_json::json!([]));
    assert_eq!(status(&probe, &session.access), 200, "a dry run does nothing");
    let terms = ["--until", "10h", "--message", "Call the service desk.", "--comment", "INC-1"];
    let (ended, exit) = act(&probe, "hold", &person, &terms);
    assert_eq!(exit, Some(0), "{ended}");
    let held = &ended["records"][0];
    assert_eq!((&held["outcome"], &held["hold"]["message"]), (&"done".into(), &"Call the service desk.".into()));
    assert_eq!(held["initiator"]["kind"], "admin");
    assert!(held["initiator"]["id"].as_str().unwrap().starts_with("arn:aws:"), "{held}");
    assert_eq!(status(&probe, &session.access), 401);
    let (seen, _) = json(&probe, &["inspect", &person.email]);
    assert_eq!(seen["barred_by"]["known"], serde_json::json!(["hold"]), "{seen}");
    assert_eq!(seen["tombstone"]["known"]["hold"]["message"], "Call the service desk.");
    assert_eq!(seen["past"]["known"][0]["kind"], "action");
    let (ended, exit) = act(&probe, "release", &person, &[]);
    assert_eq!((exit, &ended["records"][0]["still_barred_by"]), (Some(0), &serde_json::json!([])));
    assert_eq!(status(&probe, &session.access), 200);
}

#[tokio::test]
async fn disable_enable_and_reset_password_do_what_they_say() {
    let probe = probe();
    let (person, _) = user(&probe, "ctl-disabled").await;
    assert_eq!(act(&probe, "disable", &person, &[]).1, Some(0));
    assert!(!probe.is_enabled(&person).await.unwrap());
    assert_eq!(act(&probe, "enable", &person, &[]).1, Some(0));
    assert!(probe.sign_in(&person).await.unwrap().is_ok());
    assert_eq!(act(&probe, "reset-password", &person, &[]).1, Some(0));
    assert!(probe.sign_in(&person).await.unwrap().is_err());
    let output = revokectl(&probe, &["disable", &person.email, "--yes", "--no-wait"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && told.contains("requested: ac_"), "{told}");
}

#[tokio::test]
async fn protected_accounts_are_refused_with_a_code_of_its_own() {
    let probe = probe();
    let (person, session) = user(&probe, "ctl-protected").await;
    probe.add_to_group(&person.name, "admins").await.unwrap();
    let (would, _) = json(&probe, &["hold", &person.email, "--dry-run"]);
    assert_eq!(would["would"]["protected_by"]["known"], serde_json::json!(["admins"]), "{would}");
    let (ended, exit) = act(&probe, "hold", &person, &[]);
    assert_eq!((exit, &ended["records"][0]["code"]), (Some(4), &"protected_group".into()), "{ended}");
    assert_eq!(status(&probe, &session.access), 200);
    assert_eq!(act(&probe, "hold", &person, &["--override-protection"]).1, Some(0));
    assert_eq!(status(&probe, &session.access), 401);
}

#[tokio::test]
async fn inspect_shows_what_is_known_and_says_what_is_not() {
    let probe = probe();
    let (person, session) = user(&probe, "ctl-inspected").await;
    probe.add_to_group(&person.name, "staff").await.unwrap();
    assert_eq!(status(&probe, &session.access), 200);
    ask(&probe, &request(&fresh("e"), &person.email, "user_request")).await;
    let revoked = record(&probe, &person.key).await;
    let (seen, exit) = json(&probe, &["inspect", &person.email, "--mfa"]);
    assert_eq!(seen["account"]["known"]["enabled"], true, "{seen}");
    assert_eq!(seen["account"]["known"]["email"], person.email);
    assert_eq!(seen["groups"]["known"], serde_json::json!(["staff"]));
    assert_eq!(seen["second_factors"]["known"], serde_json::json!([]));
    assert_eq!(seen["tombstone"]["known"]["sealed"], true);
    assert_eq!(seen["past"]["known"][0]["revocation_id"], revoked.revocation_id.0);
    // What the local cloud does not have is told, each by itself, and none of it is a fault.
    for part in ["sign_ins", "devices", "cognito_sessions", "cloudtrail"] {
        assert!(seen[part]["known"].is_array() || seen[part]["not_known"]["why"].is_string(), "{part}: {seen}");
    }
    assert_eq!(exit, Some(0), "{seen}");
    let output = revokectl(&probe, &["inspect", &person.email]);
    let screen = String::from_utf8(output.stdout).unwrap();
    for shown in
        [&person.name, "enabled, CONFIRMED", "staff", "Sign-ins", "Devices", "revoked: user_request", "CloudTrail"]
    {
        assert!(screen.contains(shown), "{shown}:\n{screen}");
    }
}

#[tokio::test]
async fn whoever_is_not_there_or_cannot_be_asked_ends_with_its_own_code() {
    let probe = probe();
    let stranger = format!("{}@example.com", fresh("stranger"));
    for command in ["inspect", "disable", "enable", "reset-password", "hold", "release"] {
        let yes: &[&str] = if command == "inspect" { &[] } else { &["--yes"] };
        let output = revokectl(&probe, &[&[command, stranger.as_str()], yes].concat());
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{command}: {told}");
        assert!(told.contains("nobody is found"), "{command}: {told}");
    }
    let unasked = revokectl(&probe, &["hold", &stranger]);
    assert_eq!(unasked.status.code(), Some(2), "no terminal and no --yes");
}
