//! Everything there is to see of a day of the audit trail, for `verify_day`: links, records, the index, and every version of
//! every digest with its signature checked.

use std::collections::BTreeSet;

use revocation_core::domain::audit_chain::{ChainHash, DayEvidence, Digest, Link, Mistake, RecordKey};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{PortError, RecordIndex as _, RecordReader as _};

use crate::clients::AwsConfig;
use crate::dynamodb::{DynamoAuditChain, DynamoRecords};
use crate::kms::KmsDigestVerifier;
use crate::s3::{KeptDigest, S3DigestReader};

/// Records held in memory at a time; what is kept of each is its hash.
const AT_A_TIME: usize = 1_000;

/// Where the evidence is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidencePlaces {
    /// The revocations table.
    pub revocations_table: String,
    /// The chain's table.
    pub audit_chain_table: String,
    /// The bucket with the digests.
    pub evidence_bucket: String,
    /// The key that signs them, where one is configured.
    pub signing_key: Option<String>,
}

/// Gathers evidence, day by day from the oldest on.
pub struct EvidenceReader {
    chain: DynamoAuditChain,
    records: DynamoRecords,
    digests: S3DigestReader,
    verifier: Option<KmsDigestVerifier>,
    /// The first digest seen that was signed: every later one is.
    signed_since: Option<EpochMillis>,
}

impl EvidenceReader {
    /// The actions it needs: none that writes.
    pub const IAM_ACTIONS: &[&[&str]] =
        &[DynamoRecords::IAM_ACTIONS, S3DigestReader::IAM_ACTIONS, KmsDigestVerifier::IAM_ACTIONS];

    /// A reader of these places.
    #[must_use]
    pub fn new(aws: &AwsConfig, places: &EvidencePlaces) -> Self {
        Self {
            chain: DynamoAuditChain::new(aws, &places.audit_chain_table),
            records: DynamoRecords::new(aws, &places.revocations_table),
            digests: S3DigestReader::new(aws, &places.evidence_bucket),
            verifier: places.signing_key.as_ref().map(|key| KmsDigestVerifier::new(aws, key)),
            signed_since: None,
        }
    }

    /// The first day that has a digest; `None` if there is none.
    pub async fn first_day(&self) -> Result<Option<String>, PortError> {
        self.digests.first_day().await
    }

    /// The hashes of a day's links, which the next day's opening follows one of.
    pub async fn hashes(&self, day: &str) -> Result<BTreeSet<ChainHash>, PortError> {
        let (links, _) = self.chain.all(day).await?;
        Ok(links.into_iter().flat_map(|link| [link.expected_hash(), link.hash]).collect())
    }

    /// What there is of a day.
    pub async fn day(&mut self, day: &str) -> Result<DayEvidence, PortError> {
        let mut evidence = DayEvidence { day: day.to_owned(), ..DayEvidence::default() };
        // The index before the chain: a record that is listed and chained meanwhile is not missed in the chain.
        evidence.listed = self.records.listed(day, EpochMillis(0)).await?;
        evidence.listed.retain(|listed| listed.key.is_chained());
        let (links, unreadable) = self.chain.all(day).await?;
        evidence.mistakes.extend(unreadable.into_iter().map(|item| Mistake::Unreadable { item }));
        let keys: Vec<RecordKey> = links.iter().filter_map(Link::record).cloned().collect();
        for keys in keys.chunks(AT_A_TIME) {
            let stored = self.records.stored(keys).await?;
            evidence.records.extend(stored.into_iter().map(|record| (record.key.clone(), record.sha256())));
        }
        evidence.links = links;
        let mut digests = Vec::new();
        for kept in self.digests.all(day).await? {
            match kept {
                KeptDigest::Digest(object, digest) => digests.push((object, *digest)),
                KeptDigest::Unreadable(item) => evidence.mistakes.push(Mistake::Unreadable { item }),
                KeptDigest::Deleted(object) => evidence.mistakes.push(Mistake::DigestDeleted { object }),
            }
        }
        digests.sort_by_key(|(_, digest)| digest.written_at);
        for (object, digest) in digests {
            if let Some(mistake) = self.signature(object, &digest).await? {
                evidence.mistakes.push(mistake);
            }
            evidence.digests.push(digest);
        }
        Ok(evidence)
    }

    /// What is wrong with a digest's signature.
    async fn signature(&mut self, object: String, digest: &Digest) -> Result<Option<Mistake>, PortError> {
        let Some(verifier) = &self.verifier else { return Ok(None) };
        if digest.signature.is_none() {
            // Before the key was configured none was signed.
            let since = self.signed_since.filter(|since| *since < digest.written_at);
            return Ok(since.map(|_| Mistake::DigestUnsigned { object }));
        }
        if !verifier.is_signed(digest).await? {
            return Ok(Some(Mistake::DigestSignature { object }));
        }
        self.signed_since.get_or_insert(digest.written_at);
        Ok(None)
    }
}
