use std::sync::Mutex;

use async_trait::async_trait;
use revocation_core::domain::action::{AccountActionRequest, ActionOutcome, ActionStarted};
use revocation_core::domain::audit::{AuditRecord, Started};
use revocation_core::domain::audit_chain::Listed;
use revocation_core::domain::bulk::MemberFailure;
use revocation_core::domain::profile::{Person, Profile};
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::session::SessionRecord;
use serde_json::json;

use super::*;

const AT: EpochMillis = EpochMillis(1_795_694_400_000);
const POOL: &str = "eu-central-1_Sample001";

/// A job of some members, their records, and who they are.
#[derive(Default)]
struct Fake {
    job: Option<(BulkJob, Control)>,
    pages: Vec<BulkPage>,
    records: Vec<StoredRecord>,
    refused: BTreeMap<SessionKey, EpochMillis>,
    asked: Mutex<Vec<SubjectKey>>,
    people_are_out: bool,
}

#[async_trait]
impl JobReader for Fake {
    async fn job(&self, id: &RevocationId) -> Result<Option<(BulkJob, Control)>, PortError> {
        Ok(self.job.clone().filter(|(job, _)| job.id == *id))
    }

    async fn page(&self, _: &RevocationId, number: u32) -> Result<Option<BulkPage>, PortError> {
        Ok(self.pages.iter().find(|page| page.number == number).cloned())
    }
}

#[async_trait]
impl RecordIndex for Fake {
    async fn listed(&self, day: &str, _: EpochMillis) -> Result<Vec<Listed>, PortError> {
        let of_day = self.records.iter().filter(|record| record.recorded_at().unwrap().utc_day() == day);
        let listed =
            of_day.map(|record| Listed { recorded_at: record.recorded_at().unwrap(), key: record.key.clone() });
        Ok(listed.collect())
    }
}

#[async_trait]
impl RecordReader for Fake {
    async fn stored(&self, keys: &[RecordKey]) -> Result<Vec<StoredRecord>, PortError> {
        Ok(self.records.iter().filter(|record| keys.contains(&record.key)).cloned().collect())
    }
}

#[async_trait]
impl PersonReader for Fake {
    async fn people(&self, subjects: &[SubjectKey]) -> Result<BTreeMap<SubjectKey, Option<Person>>, PortError> {
        self.asked.lock().unwrap().extend(subjects.iter().cloned());
        if self.people_are_out {
            return Err(PortError::retry("cognito-idp:ListUsers", "too_many_requests"));
        }
        let person = |subject: &SubjectKey| {
            (subject.sub.0 != "s-1").then(|| Person {
                username: subject.sub.0.clone(),
                name: Some(format!("Name of {}", subject.sub)),
                email: None,
            })
        };
        Ok(subjects.iter().map(|subject| (subject.clone(), person(subject))).collect())
    }
}

#[async_trait]
impl RefusalReader for Fake {
    async fn refused_at(&self, sessions: &[SessionKey]) -> Result<BTreeMap<SessionKey, EpochMillis>, PortError> {
        let asked = sessions.iter().filter_map(|session| Some((session.clone(), *self.refused.get(session)?)));
        Ok(asked.collect())
    }
}

fn request() -> RevocationRequest {
    let detail = json!({
        "version": "1", "source": {"name": "operator", "event_id": "e-1"},
        "sub_id": {"format": "group", "group": "contractors"}, "reason": "project_end",
        "initiator": {"kind": "admin", "id": "arn:aws:iam::111122223333:user/ops"},
    });
    RevocationRequest::parse(&detail.to_string()).unwrap()
}

fn member(n: usize) -> Profile {
    Profile { key: SubjectKey::new(POOL, format!("s-{n}")), username: format!("user{n}"), federated: false }
}

/// The record of a member as it is stored.
fn stored(job: &BulkJob, n: usize) -> StoredRecord {
    let member = member(n);
    let request = job.member_request(&member.key);
    let started = Started {
        revocation_id: member_revocation_id(&job.id, &member.key),
        digest: request.digest(),
        not_before: AT.seconds(),
        received_at: AT,
        request,
    };
    let session = SessionRecord {
        origin_jti: "o".into(),
        client_id: "portal".into(),
        auth_time: None,
        first_seen: AT,
        last_seen: AT,
        ip: None,
        user_agent: None,
    };
    let record = AuditRecord::sum_up(&started, Some(&member.key), &BTreeMap::new()).with_sessions(Some(vec![session]));
    let key = RecordKey { revocation_id: record.revocation_id.0.clone(), step: format!("completed/{}", member.key) };
    let body = Attribute::Text(serde_json::to_string(&record).unwrap());
    let attributes = [("body", body), ("recorded_at", Attribute::Number(AT.0.to_string()))];
    StoredRecord { key, attributes: attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
}

fn page(number: u32, members: impl Iterator<Item = usize>) -> BulkPage {
    BulkPage {
        number,
        pass: 1,
        members: members.map(member).collect(),
        unknown: Vec::new(),
        listed_at: AT,
        locked_out_at: None,
        ended_at: None,
        failures: Vec::new(),
    }
}

fn fake() -> (Fake, RevocationId) {
    let mut job = BulkJob::new(request(), AT, false);
    job.pages_listed = 2;
    let control = Control { approved_by: Some("arn:second".into()), ..Control::default() };
    let mut second = page(2, 3..5);
    second.failures.push(MemberFailure { subject: member(4).key, code: "handed_over".into() });
    let records = (0..4).map(|n| stored(&job, n)).collect();
    let id = job.id.clone();
    let refused = [
        ((member(0).key, "o".to_owned()), EpochMillis(AT.0 + 9)),
        // Before this revocation: another one's.
        ((member(2).key, "o".to_owned()), EpochMillis(AT.0 - 9)),
    ];
    let fake = Fake {
        job: Some((job, control)),
        pages: vec![page(1, 0..3), second],
        records,
        refused: refused.into(),
        ..Fake::default()
    };
    (fake, id)
}

fn sources(fake: Fake, most_people: usize) -> (Sources, Arc<Fake>) {
    let fake = Arc::new(fake);
    let sources = Sources {
        jobs: fake.clone(),
        index: fake.clone(),
        records: fake.clone(),
        people: fake.clone(),
        refusals: Some(fake.clone()),
        most_people,
    };
    (sources, fake)
}

fn made() -> Made {
    Made { at: AT, by: "tests".into() }
}

fn lines(csv: &[u8]) -> Vec<csv::StringRecord> {
    csv::Reader::from_reader(csv.strip_prefix("\u{feff}".as_bytes()).unwrap()).records().map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_jobs_members_are_found_page_by_page_with_whoever_has_no_record() {
    let (fake, id) = fake();
    let (sources, _) = sources(fake, 100);
    let (mut csv, mut manifest) = (Vec::new(), Vec::new());
    let finished = sources.job(&id, made(), &mut csv, &mut manifest).await.unwrap();
    assert_eq!((finished.counts.entries, finished.counts.without_record, finished.counts.confirmed), (5, 1, 1));
    let lines = lines(&csv);
    let names: Vec<_> = lines.iter().map(|line| (line[3].to_owned(), line[4].to_owned(), line[6].to_owned())).collect();
    assert_eq!(names[0], ("s-0".into(), "Name of s-0".into(), "known".into()));
    assert_eq!(names[1], ("user1".into(), String::new(), "deleted".into()));
    assert_eq!((&lines[4][7], &lines[4][8], &lines[4][13]), ("no_record", "handed_over", "arn:second"));
    assert_eq!((&lines[0][28], &lines[2][28]), (EpochMillis(AT.0 + 9).rfc3339().as_str(), ""));
    assert!(finished.html.contains("group contractors"));
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["records"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn only_so_many_people_are_looked_up_and_an_outage_costs_only_names() {
    let (mut fake, id) = fake();
    fake.people_are_out = true;
    let (sources, fake) = sources(fake, 4);
    let mut csv = Vec::new();
    sources.job(&id, made(), &mut csv, Vec::new()).await.unwrap();
    assert_eq!(fake.asked.lock().unwrap().len(), 4);
    assert!(lines(&csv).iter().all(|line| &line[6] == "not_asked" && line[3].starts_with("user")));
}

#[tokio::test]
async fn a_period_has_what_was_recorded_on_its_days() {
    let (mut fake, _) = fake();
    // So are operators' actions, and an unreadable record is told; what is no record is not in it.
    let request = json!({
        "version": "1", "source": {"name": "operator", "event_id": "e-9"}, "action": "hold",
        "sub_id": {"format": "username", "username": "user9"}, "initiator": {"kind": "admin", "id": "arn:on-call"},
        "reason_admin": {"en": "INC-9"},
    });
    let request = AccountActionRequest::parse(&request.to_string()).unwrap();
    let started =
        ActionStarted { id: request.id(), digest: request.digest(), received_at: AT, request: request.clone() };
    let held = SubjectKey::new(POOL, "s-9");
    let outcome = (ActionOutcome::Refused, Some("protected_group".to_owned()));
    let held = ActionRecord::of(&started, Some(held), outcome, AT);
    let mut action = fake.records[0].clone();
    action.key = RecordKey { revocation_id: request.id().0, step: format!("action/{POOL}#s-9") };
    action.attributes.insert("body".into(), Attribute::Text(serde_json::to_string(&held).unwrap()));
    let mut working_memory = fake.records[0].clone();
    working_memory.key.step = "started".into();
    let mut broken = fake.records[0].clone();
    broken.key.revocation_id = "rv_broken".into();
    broken.attributes.insert("body".into(), Attribute::Text("{}".into()));
    fake.records.extend([action, working_memory, broken]);
    let (sources, _) = sources(fake, 100);
    let (mut csv, day) = (Vec::new(), AT.utc_day());
    let finished = sources.period(&day, &day, made(), &mut csv, Vec::new()).await.unwrap();
    let counts = finished.counts;
    assert_eq!((counts.entries, counts.without_record, counts.actions, counts.actions_not_done), (5, 1, 1, 1));
    let lines = lines(&csv);
    assert_eq!((lines.len(), &lines[5][8]), (6, "unreadable_record"));
    let cells = [2, 4, 7, 8, 10, 12, 31].map(|at| &lines[4][at]);
    assert_eq!(cells, ["s-9", "Name of s-9", "refused", "hold: protected_group", "INC-9", "arn:on-call", "hold"]);
    assert_eq!(&lines[0][31], "", "a revocation");
    assert!(finished.html.contains("What operators did to accounts") && finished.html.contains("protected_group"));
    for (since, until) in [("2026-11-27", "2026-11-26"), ("today", "2026-11-26"), ("2026-11-26", "")] {
        let refused = sources.period(since, until, made(), Vec::new(), Vec::new()).await;
        assert!(matches!(refused, Err(GatherError::NotAPeriod)), "{since} {until}");
    }
}

#[tokio::test]
async fn a_job_nobody_knows_is_told_as_such() {
    let (sources, _) = sources(Fake::default(), 1);
    let made = sources.job(&RevocationId("rv_x".into()), made(), Vec::new(), Vec::new()).await;
    assert!(matches!(made, Err(GatherError::NoSuchJob)));
}
