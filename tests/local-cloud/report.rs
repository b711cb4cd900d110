//! The report of a bulk revocation: written when it is over, and made again by the operator's command line.

use revocation_aws::clients::AwsConfig;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::{NewUser, until};
use revocation_report::keys;
use serde_json::{Value, json};

use crate::revokectl::{code, document, run, text};
use crate::world::{LIMIT, ask, fresh, probe, status, variable};

#[tokio::test]
async fn a_group_is_revoked_and_the_report_says_who_and_when_and_that_a_request_was_refused() {
    let probe = probe();
    let facts = &probe.facts;
    let aws = AwsConfig::from_env(&|name| variable(facts, name)).unwrap();
    let group = fresh("contractors");
    aws.cognito().create_group().user_pool_id(&facts.user_pool_id).group_name(&group).send().await.unwrap();
    let mut people = Vec::new();
    for _ in 0..3 {
        let name = fresh("contractor");
        let user = probe.add_user(&NewUser { name: &name, group: Some(&group), ..NewUser::default() }).await.unwrap();
        let session = probe.sign_in(&user).await.unwrap().unwrap();
        assert_eq!(status(&probe, &session.access), 200);
        people.push((user, session));
    }
    let event_id = fresh("end-of-project");
    let detail = json!({
        "version": "1", "source": {"name": "operator", "event_id": event_id},
        "sub_id": {"format": "group", "group": group}, "reason": "project_end",
        "initiator": {"kind": "admin", "id": "arn:aws:iam::111122223333:user/ops"},
    });
    ask(&probe, &detail).await;
    for (_, session) in &people {
        let refused = async || Ok((status(&probe, &session.access) == 401).then_some(()));
        until("the token to be refused", LIMIT, refused).await.unwrap();
    }
    let job = RevocationId::derive("operator", &event_id).0;
    let [csv, html, manifest] = keys(&SystemClock.now().utc_day(), &job);
    let s3 = aws.s3();
    let object = async |key: &str| {
        let get = s3.get_object().bucket(&facts.evidence_bucket).key(key).send().await.ok()?;
        get.body.collect().await.ok().map(|body| body.into_bytes().to_vec())
    };
    let (written, _) = until("the report", LIMIT, async || Ok(object(&manifest).await)).await.unwrap();
    let written: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!((&written["counts"]["entries"], &written["counts"]["complete"]), (&json!(3), &json!(3)), "{written}");
    assert_eq!(written["records"].as_array().unwrap().len(), 3);
    let (csv, html) = (text(&object(&csv).await.unwrap()), text(&object(&html).await.unwrap()));
    for (user, _) in &people {
        assert!(csv.contains(&user.key.to_string()) && csv.contains(&user.email) && html.contains(&user.email));
    }
    // The refusals are noted beside later requests.
    let dir = std::env::temp_dir().join(fresh("report"));
    let out = dir.to_str().unwrap().to_owned();
    let look = async || {
        for (_, session) in &people {
            status(&probe, &session.access);
        }
        let made = run(&probe, &["report", "--job", &job, "--out", &out, "--output", "json"]);
        assert_eq!(code(&made), 0, "{}", text(&made.stderr));
        Ok((document(&made)["counts"]["confirmed"] == 3).then_some(()))
    };
    until("the refused requests", LIMIT, look).await.unwrap();
    assert!(std::fs::read_to_string(dir.join("report.html")).unwrap().contains(&people[0].0.email));
    std::fs::remove_dir_all(dir).unwrap();
    let nobody = run(&probe, &["report", "--job", "rv_00000000000000000000000000000000", "--out", &out]);
    assert_eq!(code(&nobody), 3, "{}", text(&nobody.stderr));
    assert!(!std::path::Path::new(&out).exists(), "nothing half-written is left");
}
