//! Writes a report of made-up people into a folder, for a look in a browser and for measuring: `sample_report DIR COUNT`.
//! Says how much memory it took.

use std::fs::{self, File};
use std::path::Path;

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
use revocation_report::{Entry, Facts, ReportError, ReportWriter, Scope, Who};

/// 2026-11-26T12:00:00Z.
const AT: i64 = 1_795_694_400_000;
/// Names that have broken layouts before: long, short, right to left, without spaces, combining, emoji.
const NAMES: [&str; 10] = [
    "Jane Doe",
    "Maximiliane-Charlotte von Hohenstein-Schwarzenberg zu Löwenstein",
    "محمد عبد الرحمن العربي",
    "אברהם בן-גוריון",
    "山田 太郎",
    "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaftschaferswessen",
    "Zoë O’Brien 👩🏽‍💻",
    "Nguyễn Thị Ánh",
    "=HYPERLINK(\"x\")",
    "<b>Bobby</b> & Tables",
];

#[expect(clippy::print_stdout, reason = "it is a tool")]
fn main() -> Result<(), ReportError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let dir = Path::new(arguments.first().map_or("target/sample-report", String::as_str));
    let count = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(60);
    fs::create_dir_all(dir)?;
    let (csv, manifest) = (File::create(dir.join("report.csv"))?, File::create(dir.join("manifest.json"))?);
    let mut writer = ReportWriter::new(csv, manifest, facts())?;
    for n in 0..count {
        writer.add(&entry(n))?;
    }
    let finished = writer.finish()?;
    fs::write(dir.join("report.html"), &finished.html)?;
    let memory = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown");
    println!("{} entries, {} bytes of HTML, {peak}", finished.counts.entries, finished.html.len());
    Ok(())
}

fn facts() -> Facts {
    let scope = Scope::Job {
        job_id: "rv_5f1c0e2ab7d94c6f8a3b2c1d0e9f8a7b".into(),
        meant: "group contractors".into(),
        reason: "project_end".into(),
        initiator:
            "admin arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_SecurityOperations_0123456789abcdef/operator"
                .into(),
        approved_by: Some("arn:aws:sts::111122223333:assumed-role/Approvers/second".into()),
        stage: "completed".into(),
        received_at: EpochMillis(AT).rfc3339(),
        locked_out_at: Some(EpochMillis(AT + 1_840).rfc3339()),
        ended_at: Some(EpochMillis(AT + 92_000).rfc3339()),
        unknown: 0,
    };
    Facts { scope, generated_at: EpochMillis(AT + 95_000), generated_by: "the function report".into() }
}

fn entry(n: i64) -> Entry {
    let subject = SubjectKey::new("eu-central-1_Example12", format!("3f2a{n:04x}-7c1d-4e52-9b1a-0c5d6e7f{n:04x}"));
    let record = record(n, &subject);
    let key = RecordKey { revocation_id: record.revocation_id.0.clone(), step: format!("completed/{subject}") };
    let name = NAMES.iter().cycle().nth(usize::try_from(n).unwrap_or(0) % NAMES.len()).copied();
    let who = match n % 29 {
        28 => Who::Gone(Some(format!("contractor{n:05}"))),
        _ => Who::Known(Person {
            username: format!("contractor{n:05}"),
            name: name.map(str::to_owned),
            email: Some(format!("contractor{n:05}.with-a-rather-long-local-part@subsidiary.example.com")),
        }),
    };
    let refused_at = (n % 3 == 0).then_some(EpochMillis(AT + 3_000 + n));
    let missing = n % 23 == 22;
    Entry {
        subject: Some(subject),
        who,
        record: (!missing).then_some((key, record)),
        action: None,
        refused_at: refused_at.filter(|_| !missing),
        failure: missing.then(|| "handed_over".to_owned()),
    }
}

fn record(n: i64, subject: &SubjectKey) -> AuditRecord {
    let partial = n % 17 == 16;
    let failed = StepRecord {
        step: Step::Disable,
        outcome: StepOutcome::Failed { code: "not_authorized".into() },
        at: EpochMillis(AT),
    };
    // A hump with a tail, as the quota makes it.
    let to_tombstone = 300 + (n * 37 % 900) + if n % 31 == 0 { 900 } else { 0 };
    let to_seal = to_tombstone + 600 + n * 40;
    let positive = |value: i64| u64::try_from(value).ok();
    AuditRecord {
        version: "1".into(),
        revocation_id: RevocationId::derive("bulk", &format!("job/{subject}")),
        source: EventSource { name: "bulk".into(), event_id: format!("job/{subject}") },
        initiator: Initiator { kind: InitiatorKind::Admin, id: "arn:aws:iam::111122223333:user/operator".into() },
        subject: Some(subject.clone()),
        reason: ReasonCode::ProjectEnd,
        reason_admin: LocalizedText::english(
            "Project Heron has ended; all access of the contractor group is withdrawn.",
        ),
        effect: Effect::default(),
        session: None,
        outcome: if partial { Outcome::Partial } else { Outcome::Complete },
        steps: if partial { vec![failed] } else { Vec::new() },
        sessions_ended: (n % 7 != 6).then_some(u64::try_from(n % 4).unwrap_or(0)),
        sessions: if n % 4 == 0 { Vec::new() } else { vec![session(n)] },
        received_at: EpochMillis(AT),
        tombstoned_at: Some(EpochMillis(AT + to_tombstone)),
        sealed_at: Some(EpochMillis(AT + to_seal)),
        not_before: EpochSeconds(AT / 1000),
        elapsed_to_tombstone_ms: positive(to_tombstone),
        elapsed_to_seal_ms: positive(to_seal),
    }
}

fn session(n: i64) -> SessionRecord {
    let ip = if n % 2 == 0 {
        format!("192.0.2.{}", n % 250)
    } else {
        format!("2001:db8:85a3:8d3:1319:8a2e:370:{:x}", n % 65_536)
    };
    SessionRecord {
        origin_jti: format!("o-{n}"),
        client_id: "4h1c9example7client3id".into(),
        auth_time: Some(EpochSeconds(AT / 1000 - 7_200)),
        first_seen: EpochMillis(AT - 7_200_000),
        last_seen: EpochMillis(AT - 60_000 * n % 3_600_000),
        ip: Some(ip),
        user_agent: Some(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
                .into(),
        ),
    }
}
