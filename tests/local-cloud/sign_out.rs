//! The sign-out endpoint, with sessions of a real pool: what it ends, and what it does not.

use revocation_probe::{Answer, Probe};

use crate::world::{probe, status, user};

fn sign_out(probe: &Probe, token: &str, everywhere: &str) -> Answer {
    let fields = [("client_id", probe.facts.client_id.as_str()), ("token", token), ("everywhere", everywhere)];
    probe.post_form(&probe.facts.sign_out_url, &fields).unwrap()
}

#[tokio::test]
async fn a_session_ends_at_once_and_ends_no_other_once_it_has() {
    let probe = probe();
    let (person, phone) = user(&probe, "leaves").await;
    let laptop = probe.sign_in(&person).await.unwrap().unwrap();
    assert_eq!(sign_out(&probe, &phone.access, "false").status, 200);
    assert_eq!((status(&probe, &phone.access), status(&probe, &phone.id)), (401, 401));
    assert_eq!((status(&probe, &laptop.access), status(&probe, &laptop.id)), (200, 200));
    for extent in ["true", "others"] {
        let refused = sign_out(&probe, &phone.access, extent);
        assert_eq!((refused.status, refused.body["error"].as_str()), (400, Some("invalid_token")), "{extent}");
    }
    assert_eq!(status(&probe, &laptop.access), 200, "nobody's session ends by a token that is refused");
    let tablet = probe.sign_in(&person).await.unwrap().unwrap();
    assert_eq!(sign_out(&probe, &laptop.access, "others").status, 200);
    assert_eq!((status(&probe, &laptop.access), status(&probe, &tablet.access)), (200, 401));
    assert_eq!(sign_out(&probe, &laptop.access, "true").status, 200);
    assert_eq!(status(&probe, &laptop.access), 401);
}
