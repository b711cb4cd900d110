//! The audit chain on the deployed tables: what is done with the account's root credentials to records, links and digests is
//! found, and named.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use revocation_aws::clients::AwsConfig;
use revocation_aws::dynamodb::{DynamoAuditChain, DynamoRecords};
use revocation_aws::evidence::{EvidencePlaces, EvidenceReader};
use revocation_aws::kms::KmsDigestSigner;
use revocation_aws::s3::S3Digests;
use revocation_core::domain::audit_chain::{
    Attribute, ChainHash, DayResult, Digest, Finding, Link, Mistake, RecordKey, Span, StoredRecord, day_plus,
    verify_day,
};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{AuditChain as _, Clock as _, DigestSigner as _, DigestStore as _};
use revocation_core::usecase::chain_audit::AuditChainer;
use revocation_lambda::clock::SystemClock;
use revocation_probe::{Facts, Probe, until};

use crate::revokectl::{code, run, text};
use crate::world::{LIMIT, ask, fresh, probe, record, request, user, variable};

/// A tick of the schedule, which comes by itself every minute.
const TICK: &str = r#"{"id":"1","source":"tests","detail-type":"Tick","detail":{}}"#;

fn aws(facts: &Facts) -> AwsConfig {
    AwsConfig::from_env(&|name| variable(facts, name)).unwrap()
}

fn places(facts: &Facts) -> EvidencePlaces {
    EvidencePlaces {
        revocations_table: facts.revocations_table.clone(),
        audit_chain_table: facts.audit_chain_table.clone(),
        evidence_bucket: facts.evidence_bucket.clone(),
        signing_key: Some(facts.audit_signing_key.clone()),
    }
}

fn reader(facts: &Facts) -> EvidenceReader {
    EvidenceReader::new(&aws(facts), &places(facts))
}

async fn verified(facts: &Facts, day: &str) -> DayResult {
    let evidence = reader(facts).day(day).await.unwrap();
    verify_day(&evidence, None, SystemClock.now())
}

fn today() -> String {
    SystemClock.now().utc_day()
}

/// Revokes somebody's sessions; answers the key of the record.
async fn revoked(probe: &Probe) -> RecordKey {
    let (user, _) = user(probe, "audited").await;
    ask(probe, &request(&fresh("audited"), &user.email, "policy_violation")).await;
    let record = record(probe, &user.key).await;
    RecordKey { revocation_id: record.revocation_id.0, step: format!("completed/{}", user.key) }
}

async fn chained(probe: &Probe, keys: &[&RecordKey]) {
    probe.send(&probe.facts.audit_chain_queue_url, TICK).await.unwrap();
    let chain = DynamoAuditChain::new(&aws(&probe.facts), &probe.facts.audit_chain_table);
    let look = async || {
        let (links, _) = chain.all(&today()).await?;
        Ok(keys.iter().all(|key| links.iter().any(|link| link.record() == Some(*key))).then_some(()))
    };
    until("the records to be chained", LIMIT, look).await.unwrap();
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn mistakes_of<'a>(result: &'a DayResult, key: &RecordKey) -> Vec<&'a Mistake> {
    let of_key = |finding: &&Finding| finding.record.as_ref() == Some(key);
    result.findings.iter().filter(of_key).map(|finding| &finding.mistake).collect()
}

#[tokio::test]
async fn what_is_done_to_records_is_found_and_named() {
    let probe = probe();
    let facts = &probe.facts;
    let (altered, deleted, honest) = (revoked(&probe).await, revoked(&probe).await, revoked(&probe).await);
    chained(&probe, &[&altered, &deleted, &honest]).await;
    let before = verified(facts, &today()).await;
    for key in [&altered, &deleted, &honest] {
        assert_eq!(mistakes_of(&before, key), Vec::<&Mistake>::new());
    }
    let dynamodb = aws(facts).dynamodb();
    let update = dynamodb.update_item().table_name(&facts.revocations_table);
    let update = update.key("revocation_id", s(&altered.revocation_id)).key("step", s(&altered.step));
    // A record that can still be read: others' tests read all records of the day.
    let get = dynamodb.get_item().table_name(&facts.revocations_table).key("revocation_id", s(&altered.revocation_id));
    let item = get.key("step", s(&altered.step)).send().await.unwrap().item.unwrap();
    let forged = item["body"].as_s().unwrap().replace("policy_violation", "offboarding");
    let update = update.update_expression("SET body = :body").expression_attribute_values(":body", s(&forged));
    update.send().await.unwrap();
    let delete = dynamodb.delete_item().table_name(&facts.revocations_table);
    delete.key("revocation_id", s(&deleted.revocation_id)).key("step", s(&deleted.step)).send().await.unwrap();
    // One that claims to be half an hour old.
    let at = EpochMillis(SystemClock.now().0 - 30 * 60_000);
    let inserted = RecordKey { revocation_id: fresh("rv_inserted"), step: "completed/pool#nobody".into() };
    let put = dynamodb.put_item().table_name(&facts.revocations_table);
    let put = put.item("revocation_id", s(&inserted.revocation_id)).item("step", s(&inserted.step));
    let put = put.item("recorded_at", AttributeValue::N(at.0.to_string())).item("day", s(&at.utc_day()));
    put.item("subject", s("pool#nobody")).item("body", s(&forged)).send().await.unwrap();

    let after = verified(facts, &today()).await;
    assert_eq!(mistakes_of(&after, &altered), [&Mistake::RecordAltered]);
    assert_eq!(mistakes_of(&after, &deleted), [&Mistake::RecordMissing]);
    assert_eq!(mistakes_of(&after, &honest), Vec::<&Mistake>::new());
    let told = run(&probe, &["audit", "verify", "--day", &today()]);
    assert_eq!(code(&told), 5, "{}", text(&told.stderr));
    for told in [format!("{altered}: the record was altered"), format!("{deleted}: the record was deleted")] {
        assert!(text(&run(&probe, &["audit", "verify", "--day", &today()]).stdout).contains(&told), "{told}");
    }
    let of_its_day = verified(facts, &at.utc_day()).await;
    // Chained meanwhile, if the hour's first run looked at the whole day just now: then its time gives it away.
    let named = mistakes_of(&of_its_day, &inserted);
    assert!(matches!(named[..], [Mistake::RecordInserted | Mistake::RecordBackdated]), "{named:?}");
    // The others' tests go on: nobody else's record is concerned by what was done here.
    let delete = dynamodb.delete_item().table_name(&facts.revocations_table);
    delete.key("revocation_id", s(&inserted.revocation_id)).key("step", s(&inserted.step)).send().await.unwrap();
}

#[tokio::test]
async fn runs_at_the_same_time_chain_each_record_once() {
    let probe = probe();
    let facts = &probe.facts;
    let (first, second) = (revoked(&probe).await, revoked(&probe).await);
    let aws = aws(facts);
    let records = Arc::new(DynamoRecords::new(&aws, &facts.revocations_table));
    let chainer = Arc::new(AuditChainer {
        clock: Arc::new(SystemClock),
        index: records.clone(),
        records,
        chain: Arc::new(DynamoAuditChain::new(&aws, &facts.audit_chain_table)),
        digests: Arc::new(S3Digests::new(&aws, &facts.evidence_bucket)),
        signer: Some(Arc::new(KmsDigestSigner::new(&aws, &facts.audit_signing_key))),
        budget: LIMIT,
    });
    for _ in 0..3 {
        let runs = [(); 4].map(|()| {
            let chainer = chainer.clone();
            tokio::spawn(async move { chainer.run().await })
        });
        for run in runs {
            // One of them may say that another is at it.
            let _ = run.await.unwrap();
        }
    }
    chained(&probe, &[&first, &second]).await;
    let result = verified(facts, &today()).await;
    let forked = |mistake: &Mistake| {
        matches!(
            mistake,
            Mistake::LinkForked | Mistake::RecordChainedTwice | Mistake::LinkMissing | Mistake::LinkAltered
        )
    };
    let forks: Vec<_> = result.findings.iter().filter(|finding| forked(&finding.mistake)).collect();
    assert!(forks.is_empty(), "{forks:?}");
    let hour = reader(facts).day(&today()).await.unwrap().digests;
    assert!(hour.iter().any(|digest| matches!(digest.span, Span::Hour(_)) && digest.signature.is_some()), "{hour:?}");
}

/// A day of its own, long ago, with an honest chain of `count` records and a signed digest.
struct Past {
    facts: Facts,
    day: String,
    links: Vec<Link>,
    records: Vec<StoredRecord>,
}

impl Past {
    async fn new(count: i64) -> Self {
        let facts = probe().facts;
        // Another day for every test and every run.
        let name = fresh("past");
        let number = name.bytes().fold(7_i64, |sum, byte| (sum * 131 + i64::from(byte)) % 9_000);
        let noon = number * 86_400_000 + 43_200_000;
        let day = EpochMillis(noon).utc_day();
        let mut past = Self { day: day.clone(), links: Vec::new(), records: Vec::new(), facts };
        let records = (0..count).map(|n| stored(&format!("rv_{name}_{n}"), EpochMillis(noon + n * 1_000))).collect();
        past.put_chain(records, noon).await;
        past.put_digest(past.digest(noon + 50_000_000)).await;
        past
    }

    /// Writes records and a chain over them, whatever chain there was.
    async fn put_chain(&mut self, records: Vec<StoredRecord>, at: i64) {
        let aws = aws(&self.facts);
        self.drop_links(0).await;
        self.links = vec![Link::opening(&self.day, None, EpochMillis(at))];
        for record in &records {
            let put = aws.dynamodb().put_item().table_name(&self.facts.revocations_table);
            let item = record.attributes.iter().map(|(name, value)| {
                let value = match value {
                    Attribute::Text(text) => AttributeValue::S(text.clone()),
                    Attribute::Number(number) => AttributeValue::N(number.clone()),
                    Attribute::Other(_) => unreachable!(),
                };
                (name.clone(), value)
            });
            put.set_item(Some(item.collect())).send().await.unwrap();
            let next = self.links.last().unwrap().then(record, EpochMillis(at + 60_000));
            self.links.push(next);
        }
        self.records = records;
        let chain = DynamoAuditChain::new(&aws, &self.facts.audit_chain_table);
        chain.append(&self.links).await.unwrap().unwrap();
    }

    /// Deletes the links from this one on.
    async fn drop_links(&self, from: usize) {
        for link in self.links.iter().skip(from) {
            let delete = aws(&self.facts).dynamodb().delete_item().table_name(&self.facts.audit_chain_table);
            let delete = delete.key("day", s(&self.day)).key("n", AttributeValue::N(link.n.to_string()));
            delete.send().await.unwrap();
        }
    }

    fn digest(&self, at: i64) -> Digest {
        Digest::of(Span::Day, &self.links[0], self.links.last().unwrap(), EpochMillis(at))
    }

    async fn put_digest(&self, mut digest: Digest) {
        let signer = KmsDigestSigner::new(&aws(&self.facts), &self.facts.audit_signing_key);
        if digest.signature.is_none() {
            digest.signature = Some(signer.sign(&digest).await.unwrap());
        }
        S3Digests::new(&aws(&self.facts), &self.facts.evidence_bucket).put(&digest).await.unwrap();
    }

    async fn mistakes(&self) -> Vec<Mistake> {
        let mistakes = verified(&self.facts, &self.day).await.findings;
        mistakes.into_iter().map(|finding| finding.mistake).collect()
    }
}

fn stored(id: &str, at: EpochMillis) -> StoredRecord {
    let key = RecordKey { revocation_id: id.to_owned(), step: "completed/pool#somebody".into() };
    let text = |text: &str| Attribute::Text(text.to_owned());
    let attributes = [
        ("revocation_id", text(id)),
        ("step", text(&key.step)),
        ("recorded_at", Attribute::Number(at.0.to_string())),
        ("day", text(&at.utc_day())),
        ("subject", text("pool#somebody")),
        ("body", text("{}")),
    ];
    StoredRecord { key, attributes: attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
}

#[tokio::test]
async fn a_chain_that_is_cut_off_or_made_anew_is_told_by_its_digest() {
    let mut past = Past::new(5).await;
    assert_eq!(past.mistakes().await, []);
    let noon = past.records[0].recorded_at().unwrap().0;
    let kept = past.digest(noon);
    past.drop_links(4).await;
    let mistakes = past.mistakes().await;
    assert!(mistakes.iter().any(|mistake| matches!(mistake, Mistake::Truncated { records: 5, .. })), "{mistakes:?}");
    // The record is still in the table, and now in no chain.
    assert!(mistakes.contains(&Mistake::RecordInserted), "{mistakes:?}");
    let mut records = past.records.clone();
    records[2].attributes.insert("body".into(), Attribute::Text("{\"reason\":\"none\"}".into()));
    past.put_chain(records, noon).await;
    let mistakes = past.mistakes().await;
    assert!(matches!(mistakes.as_slice(), [Mistake::Rewritten { .. }]), "{mistakes:?}");
    // With a digest made anew, too: the old one is still there as a version.
    past.put_digest(past.digest(noon + 50_000_001)).await;
    let mistakes = past.mistakes().await;
    assert!(matches!(mistakes.as_slice(), [Mistake::Rewritten { .. }]), "{mistakes:?}");
    assert_ne!(kept.head, past.links[5].hash);
}

#[tokio::test]
async fn a_digest_that_is_forged_or_deleted_is_named() {
    let past = Past::new(3).await;
    let noon = past.records[0].recorded_at().unwrap().0;
    let signed = KmsDigestSigner::new(&aws(&past.facts), &past.facts.audit_signing_key);
    let signature = signed.sign(&past.digest(noon)).await.unwrap();
    let forged = Digest { head: ChainHash("ab".repeat(32)), signature: Some(signature), ..past.digest(noon) };
    past.put_digest(forged).await;
    let mistakes: BTreeSet<_> = past.mistakes().await.into_iter().collect();
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
    let object = Digest::object_key(&past.day, Span::Day);
    assert!(mistakes.contains(&Mistake::DigestSignature { object: object.clone() }), "{mistakes:?}");
    assert!(mistakes.iter().any(|mistake| matches!(mistake, Mistake::Rewritten { .. })), "{mistakes:?}");
    let s3 = aws(&past.facts).s3();
    s3.delete_object().bucket(&past.facts.evidence_bucket).key(&object).send().await.unwrap();
    assert!(past.mistakes().await.contains(&Mistake::DigestDeleted { object: object.clone() }));
    let put = s3.put_object().bucket(&past.facts.evidence_bucket).key(&object);
    put.body(b"none of ours".to_vec().into()).send().await.unwrap();
    assert!(past.mistakes().await.contains(&Mistake::Unreadable { item: object }));
}

#[tokio::test]
async fn an_unsigned_digest_does_not_pass_for_one_from_before_the_key() {
    let probe = probe();
    // The chain's own digest of this hour is signed.
    chained(&probe, &[&revoked(&probe).await]).await;
    let signed = async || {
        let digests = reader(&probe.facts).day(&today()).await?.digests;
        Ok(digests.iter().any(|digest| digest.signature.is_some()).then_some(()))
    };
    until("a signed digest", LIMIT, signed).await.unwrap();
    // S3 tells versions apart by the second.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let past = Past::new(2).await;
    assert_eq!(past.mistakes().await, []);
    let remade = Digest { signature: None, ..past.digest(0) };
    S3Digests::new(&aws(&past.facts), &past.facts.evidence_bucket).put(&remade).await.unwrap();
    let object = Digest::object_key(&past.day, Span::Day);
    assert_eq!(past.mistakes().await, [Mistake::DigestUnsigned { object }]);
}

#[tokio::test]
async fn what_is_done_to_links_is_found_and_named() {
    let past = Past::new(6).await;
    let dynamodb = aws(&past.facts).dynamodb();
    let link = |n: u64| {
        let update = dynamodb.update_item().table_name(&past.facts.audit_chain_table);
        update.key("day", s(&past.day)).key("n", AttributeValue::N(n.to_string()))
    };
    let alter = link(2).update_expression("SET record_sha256 = :other").expression_attribute_values(":other", s("ab"));
    alter.send().await.unwrap();
    let break_it = link(4).update_expression("SET previous = :other");
    break_it.expression_attribute_values(":other", AttributeValue::Bool(true)).send().await.unwrap();
    let findings = verified(&past.facts, &past.day).await.findings;
    let named: Vec<_> = findings.iter().map(|finding| (finding.n, finding.mistake.clone())).collect();
    assert!(named.contains(&(Some(2), Mistake::LinkAltered)), "{named:?}");
    assert!(named.contains(&(Some(4), Mistake::LinkMissing)), "{named:?}");
    let item = format!("audit_chain {} #4", past.day);
    assert!(named.contains(&(None, Mistake::Unreadable { item })), "{named:?}");
}

/// A bucket and a table of its own: the others' tests write to days of all times.
#[tokio::test]
async fn a_verification_begins_before_the_digests_that_were_deleted() {
    let facts = probe().facts;
    let (aws, name) = (aws(&facts), fresh("walk"));
    aws.s3().create_bucket().bucket(&name).send().await.unwrap();
    let table = aws.dynamodb().create_table().table_name(&name).billing_mode(BillingMode::PayPerRequest);
    let column = |name: &str, kind: ScalarAttributeType| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
    };
    let key =
        |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let table = table.attribute_definitions(column("day", ScalarAttributeType::S));
    let table = table.attribute_definitions(column("n", ScalarAttributeType::N));
    let table = table.key_schema(key("day", KeyType::Hash)).key_schema(key("n", KeyType::Range));
    table.send().await.unwrap();
    let places = EvidencePlaces { audit_chain_table: name.clone(), evidence_bucket: name.clone(), ..places(&facts) };
    let first_day = async || EvidenceReader::new(&aws, &places).first_day().await.unwrap();

    let (chain, digests) = (DynamoAuditChain::new(&aws, &name), S3Digests::new(&aws, &name));
    assert_eq!(first_day().await, None, "nothing was ever chained");
    let noon = EpochMillis(1_768_478_400_000);
    let days: Vec<String> = [-4, -2, -1, 0].into_iter().map(|by| day_plus(&noon.utc_day(), by).unwrap()).collect();
    let links: Vec<Link> = days.iter().map(|day| Link::opening(day, None, noon)).collect();
    for link in &links {
        chain.append(std::slice::from_ref(link)).await.unwrap().unwrap();
    }
    digests.put(&Digest::of(Span::Day, &links[3], &links[3], noon)).await.unwrap();
    // A day without links ends it: what is older was never opened by the same chain.
    assert_eq!(first_day().await.as_deref(), Some(days[1].as_str()));
}
