//! Project Wycheproof's vectors of RSASSA-PKCS1-v1_5 against the keys and signatures accepted here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use wycheproof::TestResult;
use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};

use super::*;

/// How many signatures were accepted, and how many refused.
type Counts = (usize, usize);

fn run(name: TestName, accepts: impl Fn(TestResult) -> Option<bool>) -> Counts {
    let (mut accepted, mut refused) = (0, 0);
    for group in TestSet::load(name).unwrap().test_groups {
        let (n, e) = (URL_SAFE_NO_PAD.encode(&*group.key.n), URL_SAFE_NO_PAD.encode(&*group.key.e));
        let key = PublicKey::new("k".to_owned(), &n, &e);
        for test in group.tests {
            // A key that is not accepted verifies nothing.
            let verifies = key.as_ref().is_ok_and(|key| key.verifies(&test.msg, &test.sig));
            if let (Ok(_), Some(expected)) = (&key, accepts(test.result)) {
                assert_eq!(verifies, expected, "{name:?} {}: {}", test.tc_id, test.comment);
            }
            *(if verifies { &mut accepted } else { &mut refused }) += 1;
        }
    }
    (accepted, refused)
}

#[test]
fn signatures_of_sha_256_are_judged_as_they_should_be() {
    for name in [TestName::Rsa2048Sha256, TestName::Rsa3072Sha256, TestName::Rsa4096Sha256, TestName::Rsa8192Sha256] {
        // "Acceptable" are encodings that leave the NULL out, which RFC 8017 (appendix B.1) lets a verifier refuse.
        let (accepted, refused) = run(name, |result| match result {
            TestResult::Valid => Some(true),
            TestResult::Invalid => Some(false),
            TestResult::Acceptable => Some(false),
        });
        assert!(accepted > 0 && refused > 100, "{name:?}: {accepted} {refused}");
    }
}

#[test]
fn signatures_of_other_hashes_are_refused() {
    for name in [
        TestName::Rsa2048Sha224,
        TestName::Rsa2048Sha384,
        TestName::Rsa2048Sha512,
        TestName::Rsa2048Sha512_256,
        TestName::Rsa2048Sha3_256,
        TestName::Rsa3072Sha384,
        TestName::Rsa4096Sha512,
    ] {
        let (accepted, refused) = run(name, |_| None);
        // Each set has a signature by the wrong hash, which may be ours; that one is right here.
        assert!(accepted <= 1 && refused > 100, "{name:?}: {accepted} {refused}");
    }
}
