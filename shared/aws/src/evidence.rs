//! Everything there is to see of a day of the audit trail, for `verify_day`: links, records, the index, and every version of
//! every digest with its signature checked.

use std::collections::BTreeSet;

use revocation_core::domain::audit_chain::{ChainHash, DayEvidence, Digest, Link, Mistake, RecordKey, day_plus};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{PortError, RecordIndex as _, RecordReader as _};

use crate::clients::AwsConfig;
use crate::dynamodb::{DynamoAuditChain, DynamoRecords};
use crate::kms::KmsDigestVerifier;
use crate::s3::{KeptDigest, S3DigestReader};

/// Records held in memory at a time; what is kept of each is its hash.
const AT_A_TIME: usize = 1_000;

/// Later than anything.
const NEVER: EpochMillis = EpochMillis(i64::MAX);

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
    /// When S3 took the first digest that is signed: every later one is. [`NEVER`] if none is. Looked for once.
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

    /// The first day that has a digest or, where digests are gone, links before it; `None` if there is none.
    pub async fn first_day(&self) -> Result<Option<String>, PortError> {
        let Some(mut first) = self.digests.first_day().await? else { return Ok(None) };
        // Days are opened one after the other: what precedes the first digest belonged to digests that were deleted.
        while let Some(before) = day_plus(&first, -1)
            && !self.hashes(&before).await?.is_empty()
        {
            first = before;
        }
        Ok(Some(first))
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
                KeptDigest::Digest(object, taken_at, digest) => digests.push((object, taken_at, *digest)),
                KeptDigest::Unreadable(item) => evidence.mistakes.push(Mistake::Unreadable { item }),
                KeptDigest::Deleted(object) => evidence.mistakes.push(Mistake::DigestDeleted { object }),
            }
        }
        digests.sort_by_key(|(_, _, digest)| digest.written_at);
        for (object, taken_at, digest) in digests {
            if let Some(mistake) = self.signature(object, taken_at, &digest).await? {
                evidence.mistakes.push(mistake);
            }
            evidence.digests.push(digest);
        }
        Ok(evidence)
    }

    /// What is wrong with a digest's signature.
    async fn signature(
        &mut self,
        object: String,
        taken_at: EpochMillis,
        digest: &Digest,
    ) -> Result<Option<Mistake>, PortError> {
        let Some(verifier) = &self.verifier else { return Ok(None) };
        if digest.signature.is_some() {
            let is_signed = verifier.is_signed(digest).await?;
            return Ok((!is_signed).then_some(Mistake::DigestSignature { object }));
        }
        // Before the key was configured none was signed. An unsigned digest says itself when it was written: S3 is asked.
        let since = match self.signed_since {
            Some(since) => since,
            None => *self.signed_since.insert(self.first_signed().await?.unwrap_or(NEVER)),
        };
        Ok((since < taken_at).then_some(Mistake::DigestUnsigned { object }))
    }

    /// When S3 took the first digest with a signature that is good.
    async fn first_signed(&self) -> Result<Option<EpochMillis>, PortError> {
        let mut days = self.digests.days(None).await?;
        while let Some(last) = days.last().cloned() {
            for day in &days {
                let signed = self.first_signed_of(day).await?;
                if signed.is_some() {
                    return Ok(signed);
                }
            }
            days = self.digests.days(Some(&last)).await?;
        }
        Ok(None)
    }

    async fn first_signed_of(&self, day: &str) -> Result<Option<EpochMillis>, PortError> {
        let Some(verifier) = &self.verifier else { return Ok(None) };
        let mut first: Option<EpochMillis> = None;
        for kept in self.digests.all(day).await? {
            if let KeptDigest::Digest(_, taken_at, digest) = kept
                && digest.signature.is_some()
                && first.is_none_or(|first| taken_at < first)
                && verifier.is_signed(&digest).await?
            {
                first = Some(taken_at);
            }
        }
        Ok(first)
    }
}
