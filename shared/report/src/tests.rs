use proptest::prelude::*;
use revocation_core::domain::audit::{AuditRecord, Outcome, Step, StepOutcome, StepRecord};
use revocation_core::domain::audit_chain::RecordKey;
use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::profile::{Person, SubjectKey};
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{Effect, EventSource};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::session::SessionRecord;
use revocation_core::domain::text::LocalizedText;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use serde_json::Value;

use super::*;

const AT: i64 = 1_795_694_400_000;

fn record(n: i64, outcome: Outcome) -> AuditRecord {
    let id = RevocationId::derive("bulk", &n.to_string());
    let failed = StepRecord {
        step: Step::GlobalSignOut,
        outcome: StepOutcome::Failed { code: "not_authorized".into() },
        at: EpochMillis(AT),
    };
    AuditRecord {
        version: "1".into(),
        revocation_id: id,
        source: EventSource { name: "bulk".into(), event_id: format!("rv_job/pool#s-{n}") },
        initiator: Initiator { kind: InitiatorKind::Admin, id: "arn:aws:iam::111122223333:user/ops".into() },
        subject: Some(SubjectKey::new("pool", format!("s-{n}"))),
        reason: ReasonCode::ProjectEnd,
        reason_admin: LocalizedText::english("the project has ended"),
        effect: Effect::default(),
        session: None,
        outcome,
        steps: if outcome == Outcome::Partial { vec![failed] } else { Vec::new() },
        sessions_ended: Some(2),
        sessions: vec![SessionRecord {
            origin_jti: "o".into(),
            client_id: "portal".into(),
            auth_time: Some(EpochSeconds(AT / 1000 - 600)),
            first_seen: EpochMillis(AT - 500_000),
            last_seen: EpochMillis(AT - 60_000),
            ip: Some("192.0.2.7".into()),
            user_agent: Some("Browser/1.0".into()),
        }],
        received_at: EpochMillis(AT),
        tombstoned_at: Some(EpochMillis(AT + 40 + n)),
        sealed_at: (outcome == Outcome::Complete).then_some(EpochMillis(AT + 40_000 + 40 * n)),
        not_before: EpochSeconds(AT / 1000),
        elapsed_to_tombstone_ms: Some(u64::try_from(40 + n).unwrap()),
        elapsed_to_seal_ms: (outcome == Outcome::Complete).then_some(u64::try_from(40_000 + 40 * n).unwrap()),
    }
}

fn entry(n: i64, outcome: Outcome) -> Entry {
    let record = record(n, outcome);
    let subject = record.subject.clone();
    let step = format!("completed/{}", subject.as_ref().unwrap());
    let key = RecordKey { revocation_id: record.revocation_id.0.clone(), step };
    let person = Person {
        username: format!("user{n}"),
        name: Some(format!("Person {n}")),
        email: Some(format!("p{n}@example.com")),
    };
    Entry {
        subject,
        who: Who::Known(person),
        record: Some((key, record)),
        action: None,
        refused_at: None,
        failure: None,
    }
}

fn facts() -> Facts {
    let scope = Scope::Job {
        job_id: "rv_job".into(),
        meant: "group contractors".into(),
        reason: "project_end".into(),
        initiator: "admin arn:aws:iam::111122223333:user/ops".into(),
        approved_by: Some("arn:aws:iam::111122223333:user/second".into()),
        stage: "completed".into(),
        received_at: EpochMillis(AT).rfc3339(),
        locked_out_at: Some(EpochMillis(AT + 900).rfc3339()),
        ended_at: None,
        unknown: 0,
    };
    Facts { scope, generated_at: EpochMillis(AT + 90_000), generated_by: "report".into() }
}

struct Made {
    csv: Vec<u8>,
    manifest: Value,
    finished: Finished,
}

impl Made {
    fn of(entries: impl Iterator<Item = Entry>, facts: Facts) -> Self {
        let (mut csv, mut manifest) = (Vec::new(), Vec::new());
        let mut writer = ReportWriter::new(&mut csv, &mut manifest, facts).unwrap();
        for entry in entries {
            writer.add(&entry).unwrap();
        }
        let finished = writer.finish().unwrap();
        Self { csv, manifest: serde_json::from_slice(&manifest).unwrap(), finished }
    }

    fn lines(&self) -> Vec<csv::StringRecord> {
        let text = self.csv.strip_prefix("\u{feff}".as_bytes()).unwrap();
        csv::Reader::from_reader(text).records().map(Result::unwrap).collect()
    }
}

#[test]
fn a_report_says_who_when_how_long_and_why_not() {
    let mut entries: Vec<_> = (0..20).map(|n| entry(n, Outcome::Complete)).collect();
    entries[3].refused_at = Some(EpochMillis(AT + 5_000));
    entries.push(entry(20, Outcome::Partial));
    entries.push(Entry { who: Who::Gone(None), ..entry(21, Outcome::NoSuchUser) });
    entries.push(Entry { record: None, failure: Some("handed_over".into()), ..entry(22, Outcome::Complete) });
    entries.push(entry(0, Outcome::Complete));
    let made = Made::of(entries.into_iter(), facts());
    let counts = made.finished.counts;
    assert_eq!((counts.entries, counts.complete, counts.partial, counts.no_such_user), (24, 21, 1, 1));
    assert_eq!((counts.without_record, counts.duplicates, counts.confirmed), (1, 1, 1));
    assert_eq!(counts.sessions_ended, 46);
    let lines = made.lines();
    assert_eq!(lines.len(), 24);
    assert_eq!(&lines[3][28], EpochMillis(AT + 5_000).rfc3339());
    assert_eq!((&lines[20][7], &lines[20][8]), ("partial", "global_sign_out: not_authorized"));
    assert_eq!(
        (&lines[21][6], &lines[22][7], &lines[22][8], &lines[23][29]),
        ("deleted", "no_record", "handed_over", "yes")
    );
    assert_eq!(&lines[0][13], "arn:aws:iam::111122223333:user/second");
    let html = &made.finished.html;
    for text in [
        "Access revoked: group contractors",
        "Person 7",
        "192.0.2.7",
        "not_authorized",
        "deleted since",
        "named before",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert_eq!(html.matches("<svg").count(), 2);
    assert!(html.matches("class=\"bar\"").count() >= 4);
}

#[test]
fn the_manifest_names_every_record_and_the_hash_of_every_file() {
    let made = Made::of((0..5).map(|n| entry(n, Outcome::Complete)), facts());
    let manifest = &made.manifest;
    assert_eq!(manifest["records"].as_array().unwrap().len(), 5);
    assert_eq!(manifest["records"][0]["step"], "completed/pool#s-0");
    assert_eq!(manifest["counts"]["complete"], 5);
    assert_eq!(manifest["generator"], GENERATOR);
    let files = [("report.csv", made.csv.as_slice()), ("report.html", made.finished.html.as_bytes())];
    for (file, (name, bytes)) in manifest["files"].as_array().unwrap().iter().zip(files) {
        assert_eq!((file["name"].as_str(), file["bytes"].as_u64()), (Some(name), Some(bytes.len() as u64)));
        assert_eq!(file["sha256"], hashing::sha256(bytes));
    }
    assert!(made.finished.html.contains(made.manifest["files"][0]["sha256"].as_str().unwrap()));
}

#[test]
fn an_empty_report_is_one() {
    let made = Made::of(std::iter::empty(), facts());
    assert_eq!((made.lines().len(), made.finished.counts), (0, Counts::default()));
    assert!(made.finished.html.contains("Nothing was revoked") && made.finished.html.contains("nothing was measured"));
    assert_eq!(made.manifest["records"], Value::Array(Vec::new()));
}

#[test]
fn the_page_is_bounded_and_says_so_and_the_csv_has_everybody() {
    let outcome = |n| if n % 5 == 0 { Outcome::Partial } else { Outcome::Complete };
    let made = Made::of((0..10_000).map(|n| entry(n, outcome(n))), facts());
    assert_eq!(made.lines().len(), 10_000);
    let html = &made.finished.html;
    assert_eq!(html.matches("data-name=\"Last active session\"").count(), MOST_ROWS);
    assert_eq!(html.matches("data-name=\"What failed\"").count(), MOST_FAILURES);
    assert!(
        html.contains("The first 2000 of 10000") && html.contains("The first 1000 of 2000"),
        "what is left out is said"
    );
    assert!(html.len() < 4_000_000, "{}", html.len());
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_runs_nothing() {
    let html = Made::of((0..3).map(|n| entry(n, Outcome::Complete)), facts()).finished.html;
    for text in ["http://", "https://", "<script", "src=", "@import", "url(", "<link", "javascript:"] {
        assert!(!html.contains(text), "{text}");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn names_in_any_script_are_kept_apart() {
    let mut one = entry(0, Outcome::Complete);
    let name = "محمد العربي (עברית) 山田 太郎 \u{202e}gnp.exe";
    one.who = Who::Known(Person { username: "u".into(), name: Some(name.into()), email: None });
    let made = Made::of([one].into_iter(), facts());
    assert_eq!(&made.lines()[0][4], name);
    assert!(made.finished.html.contains(&format!("<bdi class=\"who\">{name}</bdi>")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever stands in a name, an address, a user agent or a reason.
    #[test]
    fn nothing_from_outside_becomes_markup_or_a_formula(text in "[=+@\\-<>\"'&;\r\n\tA-Za-zé山 ]{1,40}") {
        let mut one = entry(0, Outcome::Complete);
        let marked = format!("{text}<q>");
        one.who = Who::Known(Person { username: marked.clone(), name: Some(marked.clone()), email: Some(marked.clone()) });
        if let Some((_, record)) = &mut one.record {
            record.reason_admin = LocalizedText::english(marked.clone());
            record.sessions[0].user_agent = Some(marked.clone());
            record.initiator.id = marked.clone();
        }
        let period = Scope::Period { since: "2026-11-26".into(), until: "2026-11-26".into() };
        let made = Made::of([one].into_iter(), Facts { scope: period, ..facts() });
        prop_assert!(!made.finished.html.contains("<q>"));
        for cell in &made.lines()[0] {
            prop_assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell:?}");
        }
        // Nothing is lost but for the sign before it.
        let lines = made.lines();
        prop_assert_eq!(lines[0][4].trim_start_matches('\''), marked.trim_start_matches('\''));
    }
}
