//! The operator's command line against a real pipeline: the built binary, as it is spawned by people and scripts.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use revocation_probe::{NewUser, Probe, User, until};
use serde_json::{Value, json};

use crate::world::{LIMIT, command, fresh, probe, record, served_again, status, user};

pub(crate) fn run(probe: &Probe, arguments: &[&str]) -> Output {
    command(probe, arguments).output().unwrap()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The one JSON document on standard output.
pub(crate) fn document(output: &Output) -> Value {
    let printed = text(&output.stdout);
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{printed}\n{}", text(&output.stderr)))
}

fn subject(user: &User) -> String {
    user.key.to_string()
}

#[tokio::test]
async fn a_dry_run_shows_and_changes_nothing_and_the_real_one_shows_each_step() {
    let probe = probe();
    let (person, session) = user(&probe, "ctl-user").await;
    assert_eq!(status(&probe, &session.access), 200);
    let dry = run(&probe, &["user", &person.email, "--reason", "offboarding", "--dry-run", "--output", "json"]);
    let would = &document(&dry)["would"];
    assert_eq!((code(&dry), would["sub"].as_str()), (0, Some(person.key.sub.0.as_str())));
    assert_eq!(would["steps"], json!(["tombstone", "disable", "global_sign_out", "seal"]));
    assert_eq!((would["notice"].as_str(), would["federated"].as_bool()), (Some("none"), Some(false)));
    assert!(would["initiator"].as_str().unwrap().starts_with("arn:aws:"));
    assert_eq!(status(&probe, &session.access), 200, "a dry run changes nothing");

    let arguments = ["user", &person.email, "--reason", "offboarding", "--comment", "left today", "--yes"];
    let done = run(&probe, &arguments);
    let printed = text(&done.stdout);
    assert_eq!(code(&done), 0, "{printed}{}", text(&done.stderr));
    for told in ["requested", "tombstone", "disabled", "seal", "enforced"] {
        assert!(printed.contains(told), "{told}: {printed}");
    }
    assert!(!printed.contains('\u{1b}'), "no colours without a terminal");
    assert_eq!(status(&probe, &session.access), 401);
    let written = record(&probe, &person.key).await;
    assert_eq!(written.reason_admin.english_or_first(), Some("left today"));
    assert_eq!((written.source.name.as_str(), would["initiator"].as_str()), ("operator", Some(&*written.initiator.id)));

    // What the trail says of it.
    let id = written.revocation_id.0.as_str();
    let shown = run(&probe, &["audit", "show", id, "--output", "json"]);
    assert!(document(&shown)["entries"].as_array().unwrap().len() >= 6);
    let shown = text(&run(&probe, &["audit", "show", id, "--time-zone", "Asia/Tokyo"]).stdout);
    assert!(shown.contains("left today") && shown.contains("JST"), "{shown}");
    let listed = async || {
        let listed = run(&probe, &["audit", "--subject", &subject(&person), "--output", "json"]);
        Ok(document(&listed).as_array().filter(|all| !all.is_empty()).cloned())
    };
    let (listed, _) = until("the index", LIMIT, listed).await.unwrap();
    assert_eq!((listed.len(), listed[0]["kind"].as_str()), (1, Some("revocation")));
    let csv = text(&run(&probe, &["audit", "--since", "1h", "--reason", "offboarding", "--csv"]).stdout);
    assert!(csv.starts_with("received_at,id,kind,") && csv.contains(id), "{csv}");
    let none = run(&probe, &["audit", "--subject", &subject(&person), "--reason", "anomaly"]);
    assert_eq!((code(&none), none.stdout.len()), (0, 0));
}

#[tokio::test]
async fn nobody_several_and_the_wrong_stack_are_told_apart_by_the_exit_code() {
    let probe = probe();
    let nobody = run(&probe, &["user", "nobody-at-all@example.com", "--reason", "anomaly", "--yes"]);
    assert_eq!(code(&nobody), 3);
    assert!(!text(&nobody.stderr).contains("nobody-at-all"), "nothing is quoted");

    let phone = format!("+49301{:07}", std::process::id());
    for stem in ["ctl-twin-a", "ctl-twin-b"] {
        let name = fresh(stem);
        probe.add_user(&NewUser { name: &name, phone: Some(&phone), ..NewUser::default() }).await.unwrap();
    }
    let several = run(&probe, &["user", &phone, "--reason", "anomaly", "--yes"]);
    assert_eq!(code(&several), 2, "{}", text(&several.stderr));
    assert!(text(&several.stderr).matches(&probe.facts.user_pool_id).count() >= 2);
    let huge = "a".repeat(100_000);
    for hostile in ["a\u{1b}[2Jb", "user\u{202e}nimda", huge.as_str()] {
        let refused = run(&probe, &["user", hostile, "--reason", "anomaly", "--yes"]);
        assert_eq!(code(&refused), 2);
        assert!(!text(&refused.stderr).contains(['\u{1b}', '\u{202e}']) && refused.stderr.len() < 500);
    }
    let unasked = run(&probe, &["user", &phone, "--reason", "anomaly"]);
    assert_eq!(code(&unasked), 2, "nobody is there to ask");

    let elsewhere = run(&probe, &["status", "--stack", "no-such-stack"]);
    assert_eq!(code(&elsewhere), 3);
    assert!(text(&elsewhere.stderr).contains("--region"));
    let unreachable = command(&probe, &["status"]).env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").output().unwrap();
    assert_eq!(code(&unreachable), 1);
    assert!(text(&unreachable.stderr).contains("does not answer"), "{}", text(&unreachable.stderr));
    let anonymous = command(&probe, &["status"])
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    assert_eq!(code(&anonymous), 4, "{}", text(&anonymous.stderr));
    assert!(text(&anonymous.stderr).contains("aws sso login"));
}

#[tokio::test]
async fn one_session_ends_and_the_other_goes_on() {
    let probe = probe();
    let (person, phone) = user(&probe, "ctl-session").await;
    let laptop = probe.sign_in(&person).await.unwrap().unwrap();
    let inspected = inspect(&probe, &phone.access, &[]);
    let origin_jti = inspected["claims"]["origin_jti"].as_str().unwrap();
    let laptops = inspect(&probe, &laptop.access, &[])["claims"]["origin_jti"].as_str().unwrap().to_owned();
    // The ledger has a session once an API has seen it.
    assert_eq!((status(&probe, &phone.access), status(&probe, &laptop.access)), (200, 200));
    let noted = async || {
        let plan = run(&probe, &["session", &subject(&person), origin_jti, "--dry-run"]);
        Ok((code(&plan) == 0).then_some(()))
    };
    until("the session in the ledger", LIMIT, noted).await.unwrap();
    let (stranger, _) = user(&probe, "ctl-stranger").await;
    for (whose, which) in [(&person, "00000000-0000-4000-8000-000000000000"), (&stranger, laptops.as_str())] {
        let unknown = run(&probe, &["session", &subject(whose), which, "--yes"]);
        assert_eq!(code(&unknown), 3, "{}", text(&unknown.stderr));
    }
    let done = run(&probe, &["session", &subject(&person), origin_jti, "--yes", "--output", "json"]);
    assert_eq!(code(&done), 0, "{}", text(&done.stderr));
    assert_eq!(document(&done)["records"][0]["session"], json!({"only": origin_jti}));
    assert_eq!((status(&probe, &phone.access), status(&probe, &laptop.access)), (401, 200));
    let refused = inspect(&probe, &phone.access, &["--tombstone-from-store"]);
    assert_eq!(refused["refused_for"].as_str(), Some("session_revoked"));
    let good = inspect(&probe, &laptop.access, &["--tombstone-from-store"]);
    assert_eq!(good["refused_for"], Value::Null, "{good}");
    let wrong = run(&probe, &["session", &subject(&person), "not visible", "--unseen", "--yes"]);
    assert_eq!(code(&wrong), 2);
}

/// Through standard input, as it should be.
fn inspect(probe: &Probe, token: &str, more: &[&str]) -> Value {
    let arguments = [&["token", "inspect", "--output", "json"], more].concat();
    let mut child =
        command(probe, &arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("Authorization: Bearer {token}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(!text(&output.stdout).contains(token), "never whole");
    document(&output)
}

#[tokio::test]
async fn a_token_is_checked_offline_by_the_pools_own_keys() {
    let probe = probe();
    let (_, session) = user(&probe, "ctl-token").await;
    let keys = ureq_get(&probe.facts.jwks_url);
    let file = std::env::temp_dir().join(format!("{}.json", fresh("jwks")));
    std::fs::write(&file, keys).unwrap();
    let with_keys = ["--jwks", file.to_str().unwrap(), "--client", &probe.facts.client_id];
    let good = inspect(&probe, &session.access, &with_keys);
    let signature = good["checks"].as_array().unwrap().iter().find(|check| check["what"] == "signature").unwrap();
    assert_eq!((signature["verdict"].as_str(), &good["refused_for"]), (Some("good"), &Value::Null), "{good}");
    let (signed, _) = session.access.rsplit_once('.').unwrap();
    let forged = inspect(&probe, &format!("{signed}.{}", "A".repeat(342)), &with_keys);
    assert_eq!(forged["refused_for"].as_str(), Some("bad_signature"));
    let other = inspect(&probe, &session.access, &["--client", "another"]);
    assert_eq!(other["refused_for"].as_str(), Some("client_refused"));
    std::fs::remove_file(file).unwrap();
}

fn ureq_get(url: &str) -> String {
    let output = Command::new("curl").args(["-sf", url]).output().unwrap();
    text(&output.stdout)
}

#[tokio::test]
async fn waiting_can_be_left_out_and_has_an_end() {
    let probe = probe();
    let (person, session) = user(&probe, "ctl-nowait").await;
    let left =
        run(&probe, &["user", &subject(&person), "--reason", "canary", "--yes", "--no-wait", "--output", "json"]);
    assert_eq!((code(&left), document(&left)["outcome"].as_str()), (0, Some("requested")));
    let id = document(&left)["revocation_id"].as_str().unwrap().to_owned();
    assert_eq!(record(&probe, &person.key).await.revocation_id.0, id);
    assert_eq!(status(&probe, &session.access), 401);
    served_again(&probe, &person).await;
    let late = run(&probe, &["user", &subject(&person), "--reason", "canary", "--yes", "--timeout", "0"]);
    let told = text(&late.stderr);
    // The first look may come after the end, on a machine that is that fast.
    assert!(code(&late) == 6 && told.contains("revokectl audit show rv_") || code(&late) == 0, "{told}");
}

#[tokio::test]
async fn dead_letters_are_shown_without_names_tried_again_and_given_up() {
    let probe = probe();
    let marker = fresh("marker");
    let queue = &probe.facts.notify_queue_url;
    probe.send(queue, &format!("no event, but {marker}@example.com")).await.unwrap();
    let listed = async || {
        let rows = document(&run(&probe, &["dlq", "list", "--output", "json"]));
        let row = rows.as_array().unwrap().iter().find(|row| row["queue"] == "notify").cloned();
        Ok(row.filter(|row| row["messages"].as_u64() >= Some(1)))
    };
    until("the dead letter in the list", LIMIT, listed).await.unwrap();
    let found = async |reveal: &[&str]| {
        let arguments = [&["dlq", "show", "notify", "--limit", "100", "--output", "json"], reveal].concat();
        let look = async || {
            let shown = document(&run(&probe, &arguments));
            Ok(shown.as_array().filter(|all| !all.is_empty()).cloned())
        };
        until("the dead letter", LIMIT, look).await.unwrap().0
    };
    let hidden = found(&[]).await;
    assert!(!format!("{hidden:?}").contains(&marker), "names are shown on request only");
    let revealed = found(&["--reveal"]).await;
    assert!(format!("{revealed:?}").contains(&marker));

    // It is no event: notify parks it again, now with the reason.
    let moved = run(&probe, &["dlq", "redrive", "notify", "--yes", "--output", "json"]);
    assert_eq!(code(&moved), 0, "{}", text(&moved.stderr));
    assert!(document(&moved)["moved"].as_u64() >= Some(1));
    let parked = async || {
        let shown =
            document(&run(&probe, &["dlq", "show", "notify", "--limit", "100", "--output", "json", "--reveal"]));
        let ours = shown.as_array().unwrap().iter().find(|one| one["body"].to_string().contains(&marker)).cloned();
        Ok(ours.filter(|one| one["why"].as_str().is_some_and(|why| why.contains("not an EventBridge event"))))
    };
    let (parked, _) = until("the dead letter with its reason", LIMIT, parked).await.unwrap();
    let id = parked["id"].as_str().unwrap();
    let status = run(&probe, &["status", "--output", "json"]);
    assert_eq!(code(&status), 5, "dead letters need a hand");
    let lost = run(&probe, &["dlq", "discard", "notify", "--message", id, "--dry-run"]);
    assert!(text(&lost.stdout).contains("would be lost") && !text(&lost.stdout).contains(&marker));
    let discarded = run(&probe, &["dlq", "discard", "notify", "--message", id, "--yes", "--output", "json"]);
    assert_eq!((code(&discarded), document(&discarded)["discarded"].as_u64()), (0, Some(1)));
    let gone = run(&probe, &["dlq", "discard", "notify", "--message", id, "--yes"]);
    assert_eq!(code(&gone), 3);
    assert_eq!(code(&run(&probe, &["dlq", "show", "nothing-of-the-kind"])), 3);
}

#[tokio::test]
async fn the_status_has_every_part() {
    let probe = probe();
    let output = run(&probe, &["status", "--output", "json"]);
    let status = document(&output);
    let findings = status["findings"].as_array().unwrap();
    assert_eq!(code(&output), if findings.is_empty() { 0 } else { 5 });
    for part in ["tombstones", "incidents", "canary", "sources"] {
        assert!(!status[part].is_null(), "{part}: {findings:?}");
    }
    let names: Vec<_> = status["queues"].as_array().unwrap().iter().map(|queue| queue["name"].clone()).collect();
    assert!(names.contains(&json!("revoke")) && names.contains(&json!("parked")));
    assert_eq!(status["tombstones"]["whole"], true);
    let drawn = text(&run(&probe, &["status"]).stdout);
    assert!(drawn.contains("compromise window") && drawn.contains("siem/plain"), "{drawn}");
}

#[tokio::test]
async fn watching_shows_a_request_and_its_outcome_and_ends_with_ctrl_c() {
    let probe = probe();
    let (person, _) = user(&probe, "ctl-watch").await;
    let mut watch = command(&probe, &["watch", "--since", "1m", "--output", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = run(&probe, &["user", &subject(&person), "--reason", "canary", "--yes", "--output", "json"]);
    let id = document(&asked)["revocation_id"].as_str().unwrap().to_owned();
    let lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let (mut request, mut outcome) = (false, false);
    for line in lines {
        let news: Value = serde_json::from_str(&line.unwrap()).unwrap();
        request |= news["event"] == "request" && news["id"] == id.as_str();
        outcome |= news["event"] == "outcome" && news["record"]["revocation_id"] == id.as_str();
        if request && outcome {
            break;
        }
    }
    assert!(request && outcome, "the stream ended");
    let told = interrupt(watch);
    assert_eq!((code(&told), text(&told.stderr).contains("nothing was requested")), (130, true));
}

fn interrupt(child: Child) -> Output {
    std::thread::sleep(Duration::from_millis(200));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    child.wait_with_output().unwrap()
}
