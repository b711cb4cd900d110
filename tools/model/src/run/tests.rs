use super::*;

/// Every scenario of the small set, to its end. About a minute on one core.
#[test]
fn i01_i09_the_protocol_holds_in_every_state_within_bounds() {
    for checked in check(false, &[]) {
        assert!(checked.broken.is_empty(), "{checked:#?}");
        assert_eq!(checked.not_met, [""; 0], "{checked:#?}");
        assert!(checked.unique > 1_000, "too few states to say anything: {checked:#?}");
    }
}

/// Whatever is taken away, its property breaks: the properties can fail, and every part is needed.
#[test]
fn every_part_that_is_taken_away_yields_a_counterexample() {
    let refuted: Vec<Refuted> = refute().collect();
    for it in &refuted {
        assert!(!it.trace.is_empty(), "{it:#?}");
    }
    let permitted = |about: &str| {
        let it = refuted.iter().find(|it| it.about == about).unwrap();
        it.trace.iter().any(|line| line.ends_with("PERMITTED"))
    };
    assert!(permitted("without the seal"));
    assert!(permitted("tokens compared by `iat` alone"));
}

#[test]
fn the_shortest_way_to_a_token_that_is_permitted_without_the_seal() {
    let it = refute_one("", "", Protocol::of(Scenario::remint(), Some(Broken::NoSeal)), OVER_IS_REFUSED);
    let trace = it.trace.join("\n");
    assert!(trace.contains("seals, cutoff"), "the code asked for it: {trace}");
    assert!(trace.contains("=> tombstone: cutoff 1, not sealed"), "{trace}");
}
