use proptest::prelude::*;

use super::*;
use crate::domain::session::{EndedSessions, SessionCutoff};

const CUTOFF: EpochSeconds = EpochSeconds(1_000);

fn id(n: u8) -> RevocationId {
    RevocationId(format!("rv_{n}"))
}

fn cutoff(n: u8, at: i64, kind: CutoffKind) -> Cutoff {
    Cutoff { revocation_id: id(n), at: EpochSeconds(at), kind }
}

/// A seal at `at`, written at second 1,500.
fn seal(n: u8, at: i64) -> Seal {
    Seal::of(id(n), EpochMillis(at * 1_000), Duration::ZERO, EpochMillis(1_500_000))
}

fn stamp(auth_time: i64, iat: i64) -> TokenStamp<'static> {
    TokenStamp { auth_time: Some(EpochSeconds(auth_time)), iat: Some(EpochSeconds(iat)), ..TokenStamp::default() }
}

fn standing() -> Tombstone {
    let mut tombstone = Tombstone::default();
    tombstone.raise(&cutoff(1, CUTOFF.0, CutoffKind::Sessions));
    tombstone
}

#[test]
fn i04_refuses_by_the_older_of_auth_time_and_iat_in_whole_seconds() {
    let tombstone = standing();
    let refused = |token: TokenStamp<'_>| tombstone.refusal(&token, EpochSeconds(2_000));
    assert_eq!(refused(stamp(900, 950)), Some(Refusal::Cutoff));
    assert_eq!(refused(stamp(900, 1_500)), Some(Refusal::Cutoff), "an old session's refresh");
    assert_eq!(refused(stamp(1_500, 950)), Some(Refusal::Cutoff), "auth_time re-minted");
    assert_eq!(refused(stamp(1_000, 1_000)), Some(Refusal::Cutoff), "the same second");
    assert_eq!(refused(stamp(1_001, 1_001)), None);
}

#[test]
fn i04_one_date_is_enough_and_none_is_refused() {
    let tombstone = standing();
    let only_iat = TokenStamp { auth_time: None, ..stamp(0, 1_001) };
    assert_eq!(tombstone.refusal(&only_iat, CUTOFF), None);
    assert_eq!(tombstone.refusal(&TokenStamp::default(), CUTOFF), Some(Refusal::Undated));
    assert_eq!(Tombstone::default().refusal(&TokenStamp::default(), CUTOFF), Some(Refusal::Undated));
}

#[test]
fn i04_a_revoked_session_or_token_is_refused_and_its_neighbour_is_not() {
    let sessions =
        BTreeMap::from([("origin-1".to_owned(), EpochSeconds(9_000)), ("jti-7".to_owned(), EpochSeconds(9_000))]);
    let tombstone = Tombstone { sessions, ..Tombstone::default() };
    let of = |origin_jti, jti| tombstone.refusal(&TokenStamp { origin_jti, jti, ..stamp(5, 5) }, CUTOFF);
    assert_eq!(of(Some("origin-1"), Some("jti-1")), Some(Refusal::Session));
    assert_eq!(of(Some("origin-2"), Some("jti-7")), Some(Refusal::Session));
    assert_eq!(of(Some("origin-2"), Some("jti-2")), None);
}

#[test]
fn i04_claims_only_looks_at_iat_alone() {
    let mut tombstone = Tombstone::default();
    tombstone.raise(&cutoff(1, CUTOFF.0, CutoffKind::Claims));
    assert_eq!(tombstone.refusal(&stamp(900, 1_000), CUTOFF), Some(Refusal::ClaimsCutoff));
    assert_eq!(tombstone.refusal(&stamp(900, 1_001), CUTOFF), None, "the same session, refreshed");
    let undated = TokenStamp { iat: None, ..stamp(1_500, 0) };
    assert_eq!(tombstone.refusal(&undated, CUTOFF), Some(Refusal::ClaimsCutoff));
}

#[test]
fn a_hold_refuses_everything_until_it_is_past() {
    let hold = Some(Hold { until: Some(EpochSeconds(2_000)), message: String::new() });
    let tombstone = Tombstone { hold, ..Tombstone::default() };
    assert_eq!(tombstone.refusal(&stamp(1_999, 1_999), EpochSeconds(2_000)), Some(Refusal::Hold));
    assert_eq!(tombstone.refusal(&stamp(1_999, 1_999), EpochSeconds(2_001)), None);
    let open_end = Tombstone { hold: Some(Hold { until: None, message: String::new() }), ..Tombstone::default() };
    assert_eq!(open_end.refusal(&stamp(1, 1), EpochSeconds(i64::MAX)), Some(Refusal::Hold));
}

#[test]
fn i03_the_seal_covers_what_was_minted_in_the_gap_by_either_clock() {
    let mut tombstone = standing();
    let seal = Seal::of(id(1), EpochMillis(1_003_700), Duration::from_secs(2), EpochMillis(1_004_000));
    let at = seal.at;
    assert_eq!(at, EpochSeconds(1_005));
    assert_eq!(tombstone.seal(&seal), Sealed::Sealed);
    // A refresh 0.1 s before the confirmation, `auth_time` re-minted, Cognito's clock 2 s ahead.
    assert_eq!(tombstone.refusal(&stamp(1_005, 1_005), at), Some(Refusal::Cutoff));
    assert_eq!(tombstone.refusal(&stamp(1_006, 1_006), at), None);
}

#[test]
fn i03_only_the_owner_seals_and_an_earlier_one_leaves_it_open() {
    let mut tombstone = standing();
    tombstone.raise(&cutoff(2, 1_010, CutoffKind::Sessions));
    assert_eq!(tombstone.seal(&seal(1, 1_012)), Sealed::LeftToAnother);
    assert_eq!(tombstone.not_before, Some(EpochSeconds(1_012)), "moved forward all the same");
    assert!(!tombstone.sealed);
    // The owner's own confirmation came earlier by its clock: it seals, the cutoff stays where it is.
    assert_eq!(tombstone.seal(&seal(2, 1_011)), Sealed::Sealed);
    assert_eq!(tombstone.not_before, Some(EpochSeconds(1_012)));
}

#[test]
fn i05_a_revocation_behind_a_sealed_cutoff_keeps_the_item_and_does_not_open_it() {
    let mut tombstone = standing();
    tombstone.seal(&seal(1, 1_010));
    let late = cutoff(2, 1_008, CutoffKind::Sessions);
    assert_eq!(tombstone.raise(&late), Raised::AlreadyLater);
    assert_eq!(tombstone.not_before, Some(EpochSeconds(1_010)), "I2");
    assert_eq!(
        (tombstone.sealed, tombstone.expires_at),
        (true, Some(late.expires_at())),
        "a later sign-out was confirmed; its own is outstanding"
    );
    assert_eq!(tombstone.seal(&seal(2, 1_009)), Sealed::Sealed);
}

#[test]
fn i05_lifetimes() {
    let open = cutoff(1, 0, CutoffKind::Sessions).expires_at();
    assert!(open.0 >= 10 * 365 * 86_400, "a refresh token may live ten years");
    let claims = cutoff(1, 0, CutoffKind::Claims).expires_at();
    assert!(claims.0 >= 86_400 + 2);
    let mut tombstone = standing();
    assert_eq!(tombstone.expires_at, Some(CUTOFF.plus(LONGEST_REFRESH_LIFE)));
    tombstone.raise(&cutoff(2, 1_001, CutoffKind::Claims));
    assert_eq!(tombstone.expires_at, Some(CUTOFF.plus(LONGEST_REFRESH_LIFE)), "a claims cutoff shortens nothing");
    tombstone.seal(&seal(1, 1_003));
    // Counted from the writing, second 1,500: the claims cutoff, younger than the confirmation, is outlived too.
    assert_eq!(tombstone.expires_at, Some(EpochSeconds(1_500 + 25 * 3_600)));
}

#[derive(Clone, Debug)]
enum Write {
    Raise(Cutoff),
    Seal(u8, i64),
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    let one = prop_oneof![
        (0..4u8, 0..50i64, any::<bool>()).prop_map(|(n, at, claims)| {
            Write::Raise(cutoff(n, at, if claims { CutoffKind::Claims } else { CutoffKind::Sessions }))
        }),
        (0..4u8, 0..50i64).prop_map(|(n, at)| Write::Seal(n, at)),
    ];
    proptest::collection::vec(one, 0..12)
}

proptest! {
    /// I2 and I5 over every history of concurrent and reordered writers.
    #[test]
    fn i02_no_history_of_writes_moves_a_cutoff_back(history in writes()) {
        let mut tombstone = Tombstone::default();
        for write in history {
            let before = tombstone.clone();
            match write {
                Write::Raise(cutoff) => { tombstone.raise(&cutoff); }
                Write::Seal(n, at) => { tombstone.seal(&seal(n, at)); }
            }
            prop_assert!(tombstone.not_before >= before.not_before);
            prop_assert!(tombstone.claims_not_before >= before.claims_not_before);
            if let Some(cutoff) = tombstone.not_before.filter(|_| tombstone.revocation_id.is_some()) {
                let least = if tombstone.sealed { LONGEST_TOKEN_LIFE } else { LONGEST_REFRESH_LIFE };
                // An unsealed item that somebody else moved forward keeps its owner's ten years.
                let slack = Duration::from_secs(50);
                prop_assert!(tombstone.expires_at >= Some(cutoff.plus(least.saturating_sub(slack))));
            }
            if let Some(cutoff) = tombstone.claims_not_before {
                prop_assert!(tombstone.expires_at >= Some(cutoff.plus(LONGEST_TOKEN_LIFE)));
            }
        }
    }

    /// The order of delivery does not matter to where a cutoff ends.
    #[test]
    fn i02_writers_commute(mut cutoffs in proptest::collection::vec((0..4u8, 0..50i64), 1..8)) {
        let apply = |cutoffs: &[(u8, i64)]| {
            let mut tombstone = Tombstone::default();
            for (n, at) in cutoffs { tombstone.raise(&cutoff(*n, *at, CutoffKind::Sessions)); }
            tombstone.not_before
        };
        let forward = apply(&cutoffs);
        cutoffs.reverse();
        prop_assert_eq!(forward, apply(&cutoffs));
    }
}

#[test]
fn i05_of_two_with_the_same_cutoff_the_later_one_seals() {
    // Found by the model checker: 1 has signed out and not sealed; a session begins in the same second, and 2 is to end it.
    let mut tombstone = standing();
    assert_eq!(tombstone.raise(&cutoff(2, CUTOFF.0, CutoffKind::Sessions)), Raised::AlreadyLater);
    assert_eq!(tombstone.seal(&seal(1, CUTOFF.0)), Sealed::LeftToAnother);
    let live = CUTOFF.plus(LONGEST_REFRESH_LIFE);
    assert_eq!((tombstone.sealed, tombstone.expires_at), (false, Some(live)), "2 has not signed out yet");
    assert_eq!(tombstone.seal(&seal(2, CUTOFF.0)), Sealed::Sealed);
    assert!(tombstone.expires_at < Some(live));
    // An earlier cutoff takes nothing over: what it is to end, the later one's sign-out ends.
    let mut tombstone = standing();
    tombstone.raise(&cutoff(2, CUTOFF.0 - 1, CutoffKind::Sessions));
    assert_eq!(tombstone.revocation_id, Some(id(1)));
}

fn ended(at: i64, ended: EndedSessions) -> SessionCutoff {
    SessionCutoff { revocation_id: id(9), at: EpochSeconds(at), ended }
}

fn of_session(origin_jti: &str, at: i64) -> TokenStamp<'_> {
    TokenStamp { origin_jti: Some(origin_jti), ..stamp(at, at) }
}

#[test]
fn a_tombstone_full_of_single_sessions_ends_them_all_and_has_room_again() {
    let mut tombstone = Tombstone::default();
    let names: Vec<String> = (0..=MOST_SESSIONS).map(|n| format!("session-{n}")).collect();
    for name in &names {
        tombstone.end_sessions(&ended(1_000, EndedSessions::One(name.clone())));
    }
    assert!(tombstone.sessions.len() == 1 && tombstone.sealed, "{tombstone:?}");
    for name in names.iter().map(String::as_str).chain(["another"]) {
        assert_eq!(tombstone.refusal(&of_session(name, 1_000), EpochSeconds(2_000)), Some(Refusal::Cutoff), "{name}");
    }
    assert_eq!(tombstone.refusal(&of_session("new", 1_001), EpochSeconds(2_000)), None);
    assert!(tombstone.expires_at.unwrap().0 >= 10 * 365 * 86_400, "their refresh tokens may live ten years");
    // A sign-out that is outstanding stays so.
    let mut open = standing();
    for name in &names {
        open.end_sessions(&ended(1_000, EndedSessions::One(name.clone())));
    }
    assert!(!open.sealed);
}

proptest! {
    /// A session ended by itself may have begun after the sign-out that is sealed last: its refresh token lives for ten years.
    #[test]
    fn i05_no_seal_shortens_the_life_of_an_item_that_ended_single_sessions(
        before in MOST_SESSIONS - 2..=MOST_SESSIONS,
        history in proptest::collection::vec((0..3u8, 0..4u8, 0..50i64), 1..10),
    ) {
        let mut tombstone = Tombstone::default();
        tombstone.raise(&cutoff(1, 10, CutoffKind::Sessions));
        let mut last = EpochSeconds(20);
        for n in 0..before {
            tombstone.end_sessions(&ended(last.0, EndedSessions::One(format!("before-{n}"))));
        }
        for (what, n, at) in history {
            match what {
                0 => drop(tombstone.raise(&cutoff(n, at, CutoffKind::Sessions))),
                1 => drop(tombstone.seal(&seal(n, at))),
                _ => {
                    tombstone.end_sessions(&ended(at, EndedSessions::One(format!("session-{n}"))));
                    last = last.max(EpochSeconds(at));
                }
            }
            // A cutoff of a few seconds before counts its ten years from there.
            let least = LONGEST_REFRESH_LIFE.saturating_sub(Duration::from_secs(50));
            prop_assert!(tombstone.expires_at >= Some(last.plus(least)), "{tombstone:?}");
        }
    }
}

#[test]
fn what_has_ended_is_not_brought_back_by_another_everywhere_but_here() {
    let mut tombstone = Tombstone::default();
    let others = |at, spared: &str| ended(at, EndedSessions::Others { spared: spared.into() });
    tombstone.end_sessions(&others(1_000, "a"));
    tombstone.end_sessions(&others(1_100, "b"));
    let refusal = |name, at| tombstone.refusal(&of_session(name, at), EpochSeconds(2_000));
    assert_eq!(refusal("b", 900), Some(Refusal::Cutoff), "ended by the first, although spared by the second");
    assert_eq!(refusal("a", 900), Some(Refusal::Cutoff), "ended by the second");
    assert_eq!(refusal("b", 1_050), None, "begun after the first, spared by the second");
    assert_eq!(refusal("c", 1_050), Some(Refusal::Session));
    assert_eq!(refusal("c", 1_101), None);
}

proptest! {
    /// The order in which several "everywhere but here" are delivered does not matter.
    #[test]
    fn i02_everywhere_but_here_commutes(mut devices in proptest::collection::btree_map(0..20i64, 0..3u8, 1..6)
        .prop_map(|devices| devices.into_iter().collect::<Vec<_>>()), swaps in proptest::collection::vec(0..6usize, 6))
    {
        let apply = |devices: &[(i64, u8)]| {
            let mut tombstone = Tombstone::default();
            for (at, device) in devices {
                tombstone.end_sessions(&ended(*at, EndedSessions::Others { spared: format!("session-{device}") }));
            }
            tombstone
        };
        let in_order = apply(&devices);
        let length = devices.len();
        for (from, to) in swaps.into_iter().enumerate() {
            devices.swap(from % length, to % length);
        }
        prop_assert_eq!(apply(&devices), in_order);
    }
}

#[test]
fn i05_a_seal_says_how_long_a_sealed_item_lives_unless_a_later_cutoff_stands() {
    let sealed = |at, expires_at| {
        let mut tombstone = standing();
        tombstone.seal(&seal(1, 1_010));
        let another = Seal { revocation_id: id(2), at: EpochSeconds(at), expires_at: EpochSeconds(expires_at) };
        assert_eq!(tombstone.seal(&another), Sealed::Sealed);
        (tombstone.not_before, tombstone.expires_at)
    };
    let first = Some(seal(1, 1_010).expires_at);
    assert_eq!(sealed(1_012, 7), (Some(EpochSeconds(1_012)), Some(EpochSeconds(7))), "moved by it");
    assert_eq!(sealed(1_010, 7), (Some(EpochSeconds(1_010)), Some(EpochSeconds(7))), "the same second");
    assert_eq!(sealed(1_009, 7), (Some(EpochSeconds(1_010)), first), "a later one stands, and its life with it");
}

#[test]
fn ending_a_session_ends_that_one_alone_while_there_is_room_or_it_is_ended_already() {
    let mut tombstone = Tombstone::default();
    for n in 0..MOST_SESSIONS {
        tombstone.end_sessions(&ended(1_000, EndedSessions::One(format!("session-{n}"))));
        assert_eq!((tombstone.sessions.len(), tombstone.not_before), (n + 1, None));
    }
    tombstone.end_sessions(&ended(1_100, EndedSessions::One("session-0".into())));
    assert_eq!((tombstone.sessions.len(), tombstone.not_before), (MOST_SESSIONS, None), "it needs no room");
    assert_eq!(tombstone.refusal(&of_session("another", 1_000), CUTOFF), None);
}

#[test]
fn two_devices_that_say_everywhere_but_here_in_one_second_end_each_other_and_one_that_says_it_twice_stays() {
    let others = |spared: &str| ended(1_000, EndedSessions::Others { spared: spared.into() });
    let mut tombstone = Tombstone::default();
    for _ in 0..2 {
        tombstone.end_sessions(&others("a"));
        assert_eq!(tombstone.refusal(&of_session("a", 900), CUTOFF), None);
    }
    tombstone.end_sessions(&others("b"));
    for name in ["a", "b"] {
        assert_eq!(tombstone.refusal(&of_session(name, 900), CUTOFF), Some(Refusal::Session), "{name}");
    }
}
