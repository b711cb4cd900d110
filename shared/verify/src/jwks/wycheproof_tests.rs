//! Project Wycheproof's vectors of RSASSA-PKCS1-v1_5 against the keys and signatures accepted here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use wycheproof::TestResult;
use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};

use super::*;

/// How many signatures of a set are accepted, and how many refused; each must be what `expected` says of its result and
/// its comment.
fn run(name: TestName, expected: impl Fn(TestResult, &str) -> bool) -> (usize, usize) {
    let (mut accepted, mut refused) = (0, 0);
    for group in TestSet::load(name).unwrap().test_groups {
        let (n, e) = (URL_SAFE_NO_PAD.encode(&*group.key.n), URL_SAFE_NO_PAD.encode(&*group.key.e));
        let key = PublicKey::new("k".to_owned(), &n, &e);
        for test in group.tests {
            // A key that is not accepted verifies nothing.
            let verifies = key.as_ref().is_ok_and(|key| key.verifies(&test.msg, &test.sig));
            if key.is_ok() {
                assert_eq!(verifies, expected(test.result, &test.comment), "{name:?} {}: {}", test.tc_id, test.comment);
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
        let (accepted, refused) = run(name, |result, _| result == TestResult::Valid);
        assert!(accepted > 0 && refused > 200, "{name:?}: {accepted} {refused}");
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
        // The one that is wrong there, since it is by SHA-256, is right here.
        let (accepted, refused) = run(name, |_, comment| comment.contains("SHA-256 instead of"));
        assert!(accepted <= 1 && refused > 200, "{name:?}: {accepted} {refused}");
    }
}
