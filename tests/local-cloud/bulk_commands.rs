//! `revokectl group` and `revokectl job`, as an operator runs them: groups, lists as people keep them, and what a second
//! person says.

use std::path::PathBuf;

use revocation_core::domain::request::RevocationRequest;
use revocation_probe::{NewUser, Probe, Tokens, User, until};
use serde_json::{Value, json};

use crate::revokectl::{code, document, run, text};
use crate::world::{LIMIT, ask, fresh, probe, status, user};

async fn group(probe: &Probe, members: usize) -> (String, Vec<(User, Tokens)>) {
    let group = fresh("ctl-crew");
    probe.add_group(&group).await.unwrap();
    let mut all = Vec::new();
    for _ in 0..members {
        let name = fresh("ctl-contractor");
        let user = probe.add_user(&NewUser { name: &name, group: Some(&group), ..NewUser::default() }).await.unwrap();
        let session = probe.sign_in(&user).await.unwrap().unwrap();
        all.push((user, session));
    }
    (group, all)
}

/// A command's JSON document and exit code.
fn json_of(probe: &Probe, arguments: &[&str]) -> (Value, i32) {
    let output = run(probe, &[arguments, &["--output", "json"]].concat());
    (document(&output), code(&output))
}

/// A command that fails: its exit code, and what it said.
fn failure(probe: &Probe, arguments: &[&str]) -> (i32, String) {
    let output = run(probe, arguments);
    (code(&output), text(&output.stderr))
}

fn file(content: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("{}.csv", fresh("list")));
    std::fs::write(&path, content).unwrap();
    path
}

fn state(probe: &Probe, job: &str) -> String {
    json_of(probe, &["job", "show", job]).0["state"].as_str().unwrap().to_owned()
}

/// A job that somebody else asked for, and `approver` alone may release. Waits until it waits.
async fn waiting_for(probe: &Probe, group: &str, approver: &str) -> String {
    let detail = json!({
        "version": "1", "source": {"name": "tests", "event_id": fresh("waiting")}, "approve_by": approver,
        "sub_id": {"format": "group", "group": group}, "reason": "project_end",
        "initiator": {"kind": "admin", "id": "arn:aws:iam::000000000000:user/alice"},
    });
    ask(probe, &detail).await;
    let id = RevocationRequest::parse(&detail.to_string()).unwrap().id().0;
    let look = async || Ok(run(probe, &["job", "show", &id]).status.success().then_some(()));
    until("the job to be taken on", LIMIT, look).await.unwrap();
    id
}

/// Who these tests are to the pipeline.
fn me(probe: &Probe, group: &str) -> String {
    let (requested, exit) =
        json_of(probe, &["group", group, "--reason", "project_end", "--approve-by", "nobody", "--yes", "--no-wait"]);
    assert_eq!(exit, 0);
    let id = requested["job_id"].as_str().unwrap().to_owned();
    let watched = run(probe, &["job", "watch", &id]);
    assert_eq!(code(&watched), 5, "it waits: {}", text(&watched.stderr));
    json_of(probe, &["job", "show", &id]).0["initiator"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_group_is_shown_first_then_revoked_and_found_again_among_the_jobs() {
    let probe = probe();
    let (group, members) = group(&probe, 3).await;
    let (would, exit) = json_of(&probe, &["group", &group, "--reason", "project_end", "--dry-run"]);
    assert_eq!((exit, would["members"].as_u64(), would["first"].as_array().unwrap().len()), (0, Some(3), 3));
    assert!(members.iter().all(|(_, session)| status(&probe, &session.access) == 200), "a dry run changes nothing");

    let done = run(&probe, &["group", &group, "--reason", "project_end", "--comment", "contract 4711", "--yes"]);
    let (printed, noted) = (text(&done.stdout), text(&done.stderr));
    assert_eq!(code(&done), 0, "{printed}{noted}");
    assert!(printed.contains("completed: 3 found, 3 refused, 3 done"), "{printed}");
    assert!(printed.contains("everybody was refused") && printed.contains("revokectl report --job rv_"), "{printed}");
    assert!(!printed.contains('\u{1b}') && !noted.contains('\u{1b}'), "no bars without a terminal");
    for (user, session) in &members {
        assert_eq!(status(&probe, &session.access), 401);
        assert!(!probe.is_enabled(user).await.unwrap(), "the contract has ended");
    }

    let (listed, _) = json_of(&probe, &["job", "list"]);
    let is_ours = |job: &&Value| job["subject"] == json!(format!("group {group}"));
    let job = listed.as_array().unwrap().iter().find(is_ours).unwrap_or_else(|| panic!("{listed}"));
    assert_eq!((&job["state"], &job["tally"]["ended"]), (&json!("completed"), &json!(3)));
    let id = job["job_id"].as_str().unwrap();
    assert!(noted.contains(id));
    let (watched, exit) = json_of(&probe, &["job", "watch", id]);
    assert_eq!((exit, &watched["state"]), (0, &json!("completed")), "watching what is over ends at once");
    let (exit, told) = failure(&probe, &["job", "pause", id, "--yes"]);
    assert!(exit == 2 && told.contains("is over: completed"), "{told}");
    let (earlier, exit) = json_of(&probe, &["job", "list", "--month", "2020-01"]);
    assert_eq!((exit, earlier), (0, json!([])));
}

#[tokio::test]
async fn nobody_is_revoked_by_a_group_that_is_not_there_or_has_no_members() {
    let probe = probe();
    let (exit, told) = failure(&probe, &["group", "no-such-group", "--reason", "project_end", "--yes"]);
    assert!(exit == 3 && !told.contains("no-such-group"), "{told}");
    let (empty, _) = group(&probe, 0).await;
    let (exit, told) = failure(&probe, &["group", &empty, "--reason", "project_end", "--yes"]);
    assert!(exit == 3 && told.contains("no members; nothing was requested"), "{told}");
    let (exit, told) = failure(&probe, &["group", &empty, "--reason", "project_end"]);
    assert!(exit == 2 && told.contains("nobody is there to ask"), "{told}");
    let (exit, told) = failure(&probe, &["job", "show", &format!("rv_{}", "0".repeat(32))]);
    assert!(exit == 3 && told.contains("revokectl job list"), "{told}");
    assert_eq!(failure(&probe, &["job", "show", "everything"]).0, 2);
}

#[tokio::test]
async fn a_list_is_read_as_people_keep_it() {
    let probe = probe();
    let (alice, of_alice) = user(&probe, "ctl-listed").await;
    let (bob, of_bob) = user(&probe, "ctl-listed").await;
    let (_, of_a_stranger) = user(&probe, "ctl-stranger").await;
    let upper = alice.email.to_uppercase();
    // Byte-order mark, a delimiter that is no comma, quotes around one, comments, a repeated line, Windows line ends.
    let content = format!(
        "\u{feff}# leavers of November\r\nname;E-Mail;since\r\n\"Doe; Jane\";{};2020\r\nB;\"{}\";2021\r\n\r\nagain;{upper};x\r\n",
        alice.email, bob.email
    );
    let list = file(content.as_bytes());
    let arguments = ["group", "--csv", list.to_str().unwrap(), "--reason", "offboarding"];
    let (would, exit) = json_of(&probe, &[&arguments[..], &["--dry-run"]].concat());
    assert_eq!((exit, would["members"].as_u64()), (0, Some(2)), "{would}");
    assert!(would["who"].as_str().unwrap().contains("1 repeated lines"), "{would}");
    let (done, exit) = json_of(&probe, &[&arguments[..], &["--yes"]].concat());
    assert_eq!((exit, &done["tally"]["listed"], &done["tally"]["ended"]), (0, &json!(2), &json!(2)), "{done}");
    for (session, expected) in [(of_alice, 401), (of_bob, 401), (of_a_stranger, 200)] {
        assert_eq!(status(&probe, &session.access), expected);
    }
    std::fs::remove_file(list).unwrap();
}

#[tokio::test]
async fn a_list_with_mistakes_stops_before_anybody_is_revoked_and_a_name_of_nobody_is_told_after() {
    let probe = probe();
    let (person, session) = user(&probe, "ctl-listed").await;
    // A delimiter nobody writes: the whole line is taken for a name, and is none.
    let bad = file(format!("email|since\n{}|2020\n\u{1}|2021\n", person.email).as_bytes());
    let (exit, told) = failure(&probe, &["group", "--csv", bad.to_str().unwrap(), "--reason", "offboarding", "--yes"]);
    assert!(exit == 2 && told.contains("nothing was requested") && told.contains("line 3"), "{told}");
    assert!(!told.contains(&person.email), "nothing is quoted");
    let (exit, _) = failure(&probe, &["group", "--csv", "/nonexistent.csv", "--reason", "offboarding", "--yes"]);
    assert_eq!(exit, 2);
    assert_eq!(status(&probe, &session.access), 200);

    let typo = file(format!("{}\n{}\n", person.email, "nobody-at-all@example.com").as_bytes());
    let (done, exit) = json_of(&probe, &["group", "--csv", typo.to_str().unwrap(), "--reason", "offboarding", "--yes"]);
    assert_eq!((exit, &done["tally"]["ended"], &done["tally"]["unknown"]), (5, &json!(1), &json!(1)), "{done}");
    assert_eq!(status(&probe, &session.access), 401);
    for file in [bad, typo] {
        std::fs::remove_file(file).unwrap();
    }
}

#[tokio::test]
async fn who_is_named_approves_and_a_pause_and_its_end_are_heard_meanwhile() {
    let probe = probe();
    let (group, members) = group(&probe, 2).await;
    let me = me(&probe, &group);
    let id = waiting_for(&probe, &group, &me).await;
    let (exit, told) = failure(&probe, &["job", "watch", &id]);
    assert!(exit == 5 && told.contains(&format!("{me}: revokectl job approve {id}")), "{told}");

    let (paused, exit) = json_of(&probe, &["job", "pause", &id, "--yes"]);
    assert_eq!((exit, &paused["state"], &paused["approve_by"]), (0, &json!("paused"), &json!(me)), "{paused}");
    let (approved, exit) = json_of(&probe, &["job", "approve", &id, "--yes"]);
    assert_eq!((exit, &approved["approved_by"], &approved["state"]), (0, &json!(me), &json!("paused")));
    assert!(members.iter().all(|(_, session)| status(&probe, &session.access) == 200), "paused before it began");
    let (_, exit) = json_of(&probe, &["job", "resume", &id, "--yes"]);
    assert_eq!(exit, 0);
    let (done, exit) = json_of(&probe, &["job", "watch", &id]);
    assert_eq!((exit, &done["tally"]["ended"], &done["approved_by"]), (0, &json!(2), &json!(me)), "{done}");
    assert!(members.iter().all(|(_, session)| status(&probe, &session.access) == 401));
    let shown = text(&run(&probe, &["job", "show", &id]).stdout);
    let said: Vec<usize> = ["Pause by", "Approve by", "Resume by"].map(|what| shown.find(what).unwrap()).to_vec();
    assert!(said.is_sorted(), "{shown}");
}

#[tokio::test]
async fn nobody_approves_what_they_asked_for_or_what_names_another_and_a_cancelled_job_revokes_nobody() {
    let probe = probe();
    let (group, members) = group(&probe, 1).await;
    let arguments = ["group", &group, "--reason", "project_end", "--approve-by", "somebody-else", "--yes"];
    let asked = run(&probe, &arguments);
    let told = text(&asked.stderr);
    assert_eq!(code(&asked), 5, "{told}");
    assert!(told.contains("nobody is revoked yet") && told.contains("somebody-else: revokectl job approve"), "{told}");
    let id = told.split_whitespace().find(|word| word.starts_with("rv_")).unwrap();
    let (exit, own) = failure(&probe, &["job", "approve", id, "--yes"]);
    assert!(exit == 4 && own.contains("you asked for it yourself"), "{own}");

    let named = waiting_for(&probe, &group, "arn:aws:iam::000000000000:user/bob").await;
    let (exit, not_us) = failure(&probe, &["job", "approve", &named, "--yes"]);
    assert!(exit == 4 && not_us.contains("user/bob may approve it"), "{not_us}");

    for id in [id, &named] {
        let (_, exit) = json_of(&probe, &["job", "cancel", id, "--yes"]);
        assert_eq!(exit, 0);
        let (over, exit) = json_of(&probe, &["job", "watch", id]);
        assert_eq!((exit, &over["state"], &over["tally"]["listed"]), (5, &json!("cancelled"), &json!(0)), "{over}");
        assert_eq!(state(&probe, id), "cancelled");
    }
    assert_eq!(status(&probe, &members[0].1.access), 200, "nobody was revoked");
    // Whoever asks cannot name themselves; that is told before anything is requested.
    let (exit, told) = failure(&probe, &["group", &group, "--reason", "project_end", "--approve-by", "", "--yes"]);
    assert!(exit == 2 && told.contains("approve_by"), "{told}");
}
