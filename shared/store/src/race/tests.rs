//! On tokio's paused clock: what takes how long is exact here.

use std::sync::Mutex;

use tokio::time::sleep;

use super::*;

const PATIENCE: Patience = Patience {
    attempt: Duration::from_millis(300),
    hedge_after: Some(Duration::from_millis(60)),
    total: Duration::from_millis(800),
    sends: 3,
};

fn later() -> Failure {
    Failure::Refused { code: "throttled".into(), again: Again::Later }
}

fn never() -> Failure {
    Failure::Refused { code: "access_denied".into(), again: Again::Never }
}

/// Runs attempts that take so long and end so; returns the result, the time, and when which source was used.
async fn run(
    script: &[(u64, Result<usize, Failure>)],
    may_hedge: bool,
) -> (Result<usize, Failure>, u128, Vec<(u128, Source)>) {
    let (began, starts) = (Instant::now(), Mutex::new(Vec::new()));
    let result = race(
        &PATIENCE,
        || may_hedge,
        |source| {
            let mut starts = starts.lock().unwrap();
            let (pause, result) = script[starts.len()].clone();
            starts.push((began.elapsed().as_millis(), source));
            async move {
                sleep(Duration::from_millis(pause)).await;
                result
            }
        },
    )
    .await;
    (result, began.elapsed().as_millis(), starts.into_inner().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_quick_answer_is_asked_for_once() {
    let (result, time, starts) = run(&[(10, Ok(0))], true).await;
    assert_eq!((result, time, starts), (Ok(0), 10, vec![(0, Source::Any)]));
}

#[tokio::test(start_paused = true)]
async fn a_slow_one_is_hedged_once_and_the_first_answer_counts() {
    let (result, time, starts) = run(&[(1_000, Ok(0)), (5, Ok(1))], true).await;
    assert_eq!((result, time, starts), (Ok(1), 65, vec![(0, Source::Any), (60, Source::Proven)]));
    let (result, time, _) = run(&[(100, Ok(0)), (200, Ok(1))], true).await;
    assert_eq!((result, time), (Ok(0), 100));
    // Both slow: no third before one of them has run out of time.
    let (result, time, starts) = run(&[(1_000, Ok(0)), (250, Ok(1)), (9_000, Ok(2))], true).await;
    assert_eq!((result, time, starts.len()), (Ok(1), 310, 3));
}

#[tokio::test(start_paused = true)]
async fn without_credit_for_a_hedge_the_attempt_runs_out_first() {
    let (result, time, starts) = run(&[(1_000, Ok(0)), (5, Ok(1))], false).await;
    assert_eq!((result, time, starts.len()), (Ok(1), 305, 2));
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_replaced_at_once() {
    let (result, time, starts) = run(&[(1, Err(Failure::Lost)), (5, Ok(1))], true).await;
    assert_eq!((result, time, starts), (Ok(1), 6, vec![(0, Source::Any), (1, Source::Proven)]));
    let (result, _, starts) = run(&[(1, Err(Failure::Lost)), (1, Err(Failure::Lost)), (5, Ok(2))], true).await;
    assert_eq!((result, starts.len()), (Ok(2), 3));
    let (result, time, starts) =
        run(&[(1, Err(Failure::Lost)), (1, Err(Failure::Lost)), (1, Err(Failure::Lost))], true).await;
    assert_eq!((result, time, starts.len()), (Err(Failure::Lost), 3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_bad_answer_is_asked_for_again_once() {
    for failure in [later(), Failure::BadResponse] {
        let (result, time, starts) = run(&[(1, Err(failure.clone())), (5, Ok(1))], true).await;
        assert_eq!((result, starts.len()), (Ok(1), 2));
        assert!((6..=52).contains(&time), "{time}");
        let (result, _, starts) = run(&[(1, Err(failure.clone())), (1, Err(failure.clone()))], true).await;
        assert_eq!((result, starts.len()), (Err(failure), 2));
    }
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_is_not_tried_again() {
    for failure in [never(), Failure::UnreadableItem, Failure::NoCredentials] {
        let (result, _, starts) = run(&[(1, Err(failure.clone()))], true).await;
        assert_eq!((result, starts.len()), (Err(failure), 1));
    }
    // Nor waited for on another connection.
    let (result, time, _) = run(&[(250, Ok(0)), (1, Err(never()))], true).await;
    assert_eq!((result, time), (Err(never()), 61));
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_kept_whatever_happens() {
    let silent = [(9_000, Ok(0)), (9_000, Ok(1)), (9_000, Ok(2))];
    let (result, time, starts) = run(&silent, true).await;
    assert_eq!((result, starts.len()), (Err(Failure::Timeout), 3));
    assert!(time <= 800, "{time}");
    let (result, time, starts) =
        run(&[(299, Err(Failure::Lost)), (299, Err(Failure::Lost)), (299, Ok(2))], false).await;
    assert_eq!((result, time, starts.len()), (Err(Failure::Timeout), 800, 3));
}

#[tokio::test(start_paused = true)]
async fn the_first_failing_beside_a_hedge_leaves_the_hedge_its_time() {
    let (result, time, starts) = run(&[(70, Err(later())), (100, Ok(1)), (500, Ok(2))], true).await;
    assert_eq!((result, time), (Ok(1), 160));
    assert!(starts.len() <= 3);
}
