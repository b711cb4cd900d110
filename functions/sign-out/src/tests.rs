use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::session::SessionScope;
use revocation_core::domain::tombstone::{Cutoff, CutoffKind, Hold};
use revocation_core::ports::{AppClients, ClientSecret, Redeemed, Unredeemed};
use revocation_testkit::clock::FakeClock;
use revocation_testkit::keys::{jwks, key_a, key_b};
use revocation_testkit::token::TokenBuilder;
use revocation_verify::{JwksSource, KeySet, PoolConfig};

use super::*;

const POOL: &str = "eu-central-1_Test";
const SUB: &str = "4f6b1c1e-0000-4000-8000-000000000001";
const PUBLIC: &str = "public-client";
const CONFIDENTIAL: &str = "confidential-client";
const SECRET: &str = "s3cret+/=&";
/// A refresh token of somebody who is disabled.
const DISABLED: &str = "of.somebody.who.is.disabled";

/// A pool with two clients, and a pipeline that works at once, late or never.
#[derive(Default)]
struct World {
    clock: FakeClock,
    tombstone: Mutex<Tombstone>,
    /// Everybody's.
    pool: Mutex<Option<Tombstone>>,
    published: Mutex<Vec<RevocationRequest>>,
    revoked: Mutex<Vec<String>>,
    /// Refresh tokens and what they are redeemed for.
    refresh_tokens: Mutex<BTreeMap<String, Redeemed>>,
    pipeline_is_down: bool,
    cognito: Mutex<Option<PortError>>,
}

impl Clock for World {
    fn now(&self) -> revocation_core::domain::time::EpochMillis {
        self.clock.now()
    }
}

#[async_trait]
impl AppClients for World {
    async fn secret(&self, _: &UserPoolId, client_id: &str) -> Result<Option<ClientSecret>, PortError> {
        Ok((client_id == CONFIDENTIAL).then(|| ClientSecret(SECRET.into())))
    }
}

#[async_trait]
impl RefreshTokens for World {
    async fn redeem(&self, _: AppClient<'_>, refresh_token: &str) -> Result<Result<Redeemed, Unredeemed>, PortError> {
        if let Some(error) = self.cognito.lock().unwrap().clone() {
            return Err(error);
        }
        let unknown = if refresh_token == DISABLED { Unredeemed::MayLive } else { Unredeemed::NoGood };
        Ok(self.refresh_tokens.lock().unwrap().get(refresh_token).cloned().ok_or(unknown))
    }

    async fn revoke(&self, _: AppClient<'_>, refresh_token: &str) -> Result<(), PortError> {
        let known = self.refresh_tokens.lock().unwrap().contains_key(refresh_token) || refresh_token == "rotated";
        assert!(!known || !self.published.lock().unwrap().is_empty(), "I1: not before the tombstone");
        if let Some(error) = self.cognito.lock().unwrap().clone() {
            return Err(error);
        }
        self.revoked.lock().unwrap().push(refresh_token.to_owned());
        Ok(())
    }
}

#[async_trait]
impl TombstoneReader for World {
    async fn read(&self, subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        assert_eq!(*subject, SubjectKey::new(POOL, SUB));
        Ok(Some(self.tombstone.lock().unwrap().clone()))
    }

    async fn read_pool(&self, pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        assert_eq!(pool.0, POOL);
        Ok(self.pool.lock().unwrap().clone())
    }
}

#[async_trait]
impl EventPublisher for World {
    async fn publish(&self, events: &[Event]) -> Result<(), PortError> {
        for event in events {
            let Event::RevocationRequested(request) = event else { panic!("{event:?}") };
            request.check().unwrap();
            self.published.lock().unwrap().push(request.clone());
            if self.pipeline_is_down {
                continue;
            }
            let (id, at) = (request.id(), self.clock.now().seconds());
            let mut tombstone = self.tombstone.lock().unwrap();
            match &request.session {
                Some(session) => tombstone.end_sessions(&session.cutoff(id, at)),
                None => drop(tombstone.raise(&Cutoff { revocation_id: id, at, kind: CutoffKind::Sessions })),
            }
        }
        Ok(())
    }
}

#[async_trait]
impl JwksSource for World {
    async fn fetch(&self, _: &PoolConfig) -> Result<Vec<u8>, PortError> {
        Err(PortError::retry("jwks:fetch", "unreachable"))
    }
}

fn endpoint(world: &Arc<World>) -> SignOut {
    let clients = [PUBLIC, CONFIDENTIAL];
    let mut pool = PoolConfig::new(UserPoolId(POOL.into()), clients.map(str::to_owned).into());
    pool.bundled_keys = Some(KeySet::parse(&jwks(&[key_a()])).unwrap());
    let (source, clock): (Arc<dyn JwksSource>, Arc<dyn Clock>) = (world.clone(), world.clone());
    let known = clients.into_iter().map(|id| (id.to_owned(), UserPoolId(POOL.into()))).collect();
    SignOut {
        verifier: Arc::new(verifier(pool, &source, &clock)),
        clients: Clients::new(known, world.clone(), world.clone()),
        refresh_tokens: world.clone(),
        tombstones: world.clone(),
        publisher: world.clone(),
        clock,
    }
}

fn verifier(pool: PoolConfig, source: &Arc<dyn JwksSource>, clock: &Arc<dyn Clock>) -> Verifier {
    Verifier::builder(Arc::clone(source), Arc::clone(clock)).pool(pool).build().unwrap()
}

fn access(world: &World, client: &str) -> TokenBuilder {
    TokenBuilder::access(POOL, client, SUB, world.clock.now().seconds())
}

fn encoded(text: &str) -> String {
    let each: Vec<_> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    each.concat()
}

async fn post(endpoint: &SignOut, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Response {
    let body: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let form_type = [("content-type", "application/x-www-form-urlencoded; charset=UTF-8")];
    let headers = [&form_type[..], headers].concat();
    endpoint.handle(Request::new("POST", "/sign-out", &headers, body.join("&"))).await
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}

#[tokio::test]
async fn an_access_token_ends_its_session_and_no_other() {
    let world = Arc::new(World::default());
    let token = access(&world, PUBLIC).build();
    let answer = post(&endpoint(&world), &[("token", &token), ("client_id", PUBLIC)], &[]).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    let published = world.published.lock().unwrap();
    assert_eq!(published[0].session, Some(SessionScope::Only("origin-1".into())));
    assert_eq!((published[0].source.name.as_str(), published[0].initiator.id.as_str()), ("sign-out", SUB));
    assert_eq!(published[0].pools, [UserPoolId(POOL.into())]);
    assert!(world.revoked.lock().unwrap().is_empty(), "nothing to revoke");
}

#[tokio::test]
async fn i01_a_refresh_token_is_revoked_once_its_session_is_refused() {
    let world = Arc::new(World::default());
    let access_token = access(&world, CONFIDENTIAL).build();
    let rotated = Redeemed { access_token, refresh_token: Some("rotated".into()) };
    world.refresh_tokens.lock().unwrap().insert("a.b.c.d.e".into(), rotated);
    let header = basic(CONFIDENTIAL, SECRET);
    let answer = post(&endpoint(&world), &[("token", "a.b.c.d.e")], &[("authorization", &header)]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(*world.revoked.lock().unwrap(), ["rotated"], "the one that is still good");
    assert!(world.tombstone.lock().unwrap().sessions.contains_key("origin-1"));
}

#[tokio::test]
async fn everywhere_and_everywhere_else() {
    for (said, session) in [("true", None), ("others", Some(SessionScope::AllBut("origin-1".into())))] {
        let world = Arc::new(World::default());
        let token = access(&world, PUBLIC).build();
        let form = [("token", token.as_str()), ("client_id", PUBLIC), ("everywhere", said)];
        assert_eq!(post(&endpoint(&world), &form, &[]).await.status, 200);
        assert_eq!(world.published.lock().unwrap()[0].session, session, "{said}");
    }
}

#[tokio::test]
async fn the_same_sign_out_twice_is_one_event() {
    let world = Arc::new(World::default());
    let token = access(&world, PUBLIC).build();
    let endpoint = endpoint(&world);
    for _ in 0..2 {
        assert_eq!(post(&endpoint, &[("token", &token), ("client_id", PUBLIC)], &[]).await.status, 200);
    }
    let published = world.published.lock().unwrap();
    assert_eq!((published[0].id(), published[0].digest()), (published[1].id(), published[1].digest()));
}

#[tokio::test]
async fn a_token_that_is_no_good_is_answered_200_and_does_nothing() {
    let world = Arc::new(World::default());
    let endpoint = endpoint(&world);
    let forged = access(&world, PUBLIC).forged_with(key_b()).build();
    let of_another_client = access(&world, CONFIDENTIAL).build();
    let expired = access(&world, PUBLIC).claim("exp", "1").build();
    for token in [&forged, &of_another_client, &expired] {
        let answer = post(&endpoint, &[("token", token), ("client_id", PUBLIC)], &[]).await;
        assert_eq!(answer.status, 200, "RFC 7009, section 2.2");
    }
    assert!(world.published.lock().unwrap().is_empty());
    assert!(world.revoked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_refresh_token_that_cognito_refuses_promises_nothing_and_only_a_genuine_one_is_revoked() {
    let world = Arc::new(World::default());
    let endpoint = endpoint(&world);
    for token in ["garbage", "a.b.c.d.e", &"x".repeat(5_000), DISABLED] {
        let answer = post(&endpoint, &[("token", token), ("client_id", PUBLIC)], &[]).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.body.contains("invalid_token"), "its access tokens may still be good");
    }
    assert_eq!(*world.revoked.lock().unwrap(), [DISABLED], "junk is not worth a second call");
    assert!(world.published.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_session_that_has_ended_ends_no_other() {
    let world = Arc::new(World::default());
    let endpoint = endpoint(&world);
    let token = access(&world, PUBLIC).build();
    let form = |extent| [("token", token.as_str()), ("client_id", PUBLIC), ("everywhere", extent)];
    assert_eq!(post(&endpoint, &form("false"), &[]).await.status, 200);
    assert_eq!(post(&endpoint, &form("false"), &[]).await.status, 200, "signing out twice is no mistake");
    for extent in ["true", "others"] {
        let answer = post(&endpoint, &form(extent), &[]).await;
        assert_eq!((answer.status, answer.body.contains("ended already")), (400, true), "{}", answer.body);
    }
    assert!(world.published.lock().unwrap().iter().all(|request| request.session.is_some()));
}

#[tokio::test]
async fn a_session_that_ended_with_its_whole_pool_ends_no_other() {
    let world = Arc::new(World::default());
    let token = access(&world, PUBLIC).build();
    let cutoff = Cutoff {
        revocation_id: RevocationId("rv_pool".into()),
        at: world.clock.now().seconds(),
        kind: CutoffKind::Sessions,
    };
    let mut everybodys = Tombstone::default();
    everybodys.raise(&cutoff);
    *world.pool.lock().unwrap() = Some(everybodys);
    for extent in ["true", "others"] {
        let form = [("token", token.as_str()), ("client_id", PUBLIC), ("everywhere", extent)];
        let answer = post(&endpoint(&world), &form, &[]).await;
        assert_eq!((answer.status, answer.body.contains("ended already")), (400, true), "{}", answer.body);
    }
    assert!(world.published.lock().unwrap().is_empty());
}

#[tokio::test]
async fn clients_authenticate_as_their_kind_demands() {
    let world = Arc::new(World::default());
    let endpoint = endpoint(&world);
    let token = access(&world, CONFIDENTIAL).build();
    let (right, wrong) = (basic(CONFIDENTIAL, SECRET), basic(CONFIDENTIAL, "guess"));
    for (form, headers, status, error) in [
        (vec![], vec![("authorization", right.as_str())], 200, ""),
        (vec![("client_id", CONFIDENTIAL), ("client_secret", SECRET)], vec![], 200, ""),
        (vec![("client_id", CONFIDENTIAL)], vec![("authorization", right.as_str())], 200, ""),
        (vec![], vec![], 401, "invalid_client"),
        (vec![("client_id", CONFIDENTIAL)], vec![], 401, "invalid_client"),
        (vec![("client_id", CONFIDENTIAL), ("client_secret", "")], vec![], 401, "invalid_client"),
        (vec![("client_id", "nobody")], vec![], 401, "invalid_client"),
        (vec![("client_id", PUBLIC), ("client_secret", "made up")], vec![], 401, "invalid_client"),
        (vec![], vec![("authorization", wrong.as_str())], 401, "invalid_client"),
        (vec![], vec![("authorization", "Basic %%%")], 401, "invalid_client"),
        (vec![], vec![("authorization", "Bearer x")], 401, "invalid_client"),
        (vec![("client_id", PUBLIC)], vec![("authorization", right.as_str())], 400, "invalid_request"),
        (vec![("client_secret", SECRET)], vec![("authorization", right.as_str())], 400, "invalid_request"),
    ] {
        let form = [vec![("token", token.as_str())], form].concat();
        let answer = post(&endpoint, &form, &headers).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.body.contains(error) && !answer.body.contains(SECRET), "{}", answer.body);
        assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
    }
}

#[tokio::test]
async fn forms_that_could_be_read_in_two_ways_are_refused() {
    let world = Arc::new(World::default());
    let endpoint = endpoint(&world);
    let token = access(&world, PUBLIC).build();
    let good = format!("token={token}&client_id={PUBLIC}");
    let form = ("content-type", "application/x-www-form-urlencoded");
    for (uri, headers, body) in [
        ("/sign-out", vec![form], format!("{good}&token={token}")),
        ("/sign-out", vec![form], format!("{good}&everywhere=yes")),
        ("/sign-out", vec![form], format!("{good}&everywhere=true&everywhere=false")),
        ("/sign-out", vec![form], format!("{good}&x=%FF")),
        ("/sign-out", vec![form], format!("client_id={PUBLIC}")),
        ("/sign-out", vec![form], format!("token=&client_id={PUBLIC}")),
        ("/sign-out", vec![form], format!("{good}{}", "&a=1".repeat(20))),
        ("/sign-out", vec![form], format!("token={}&client_id={PUBLIC}", "x".repeat(20_000))),
        ("/sign-out?everywhere=true", vec![form], good.clone()),
        ("/sign-out", vec![("content-type", "application/json")], good.clone()),
        ("/sign-out", vec![], good.clone()),
    ] {
        let answer = endpoint.handle(Request::new("POST", uri, &headers, body)).await;
        assert_eq!(answer.status, 400, "{uri} {headers:?}: {}", answer.body);
    }
    assert_eq!(endpoint.handle(Request::new("GET", "/sign-out", &[], "")).await.status, 405);
    assert_eq!(endpoint.handle(Request::new("POST", "/", &[], "")).await.status, 404);
    assert!(world.published.lock().unwrap().is_empty());
}

#[tokio::test]
async fn tokens_without_a_session_are_told_apart() {
    let world = Arc::new(World::default());
    let endpoint = endpoint(&world);
    let id_token = TokenBuilder::id(POOL, PUBLIC, SUB, world.clock.now().seconds()).build();
    let of_an_application = access(&world, PUBLIC).without("username").build();
    let unnamed = access(&world, PUBLIC).without("origin_jti").build();
    for token in [&id_token, &of_an_application, &unnamed] {
        let answer = post(&endpoint, &[("token", token), ("client_id", PUBLIC)], &[]).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.body.contains("unsupported_token_type"));
    }
    let everywhere = [("token", unnamed.as_str()), ("client_id", PUBLIC), ("everywhere", "true")];
    assert_eq!(post(&endpoint, &everywhere, &[]).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_confirmed_is_not_promised() {
    let world = Arc::new(World { pipeline_is_down: true, ..World::default() });
    let token = access(&world, PUBLIC).build();
    let answer = post(&endpoint(&world), &[("token", &token), ("client_id", PUBLIC)], &[]).await;
    assert_eq!((answer.status, answer.headers.contains_key("retry-after")), (503, true));
    assert_eq!(world.published.lock().unwrap().len(), 1, "it is on its way all the same");
}

#[tokio::test]
async fn cognito_down_is_said_and_the_repetition_mends_it() {
    let world = Arc::new(World::default());
    let redeemed = Redeemed { access_token: access(&world, PUBLIC).build(), refresh_token: None };
    world.refresh_tokens.lock().unwrap().insert("r".into(), redeemed);
    let form = [("token", "r"), ("token_type_hint", "refresh_token"), ("client_id", PUBLIC)];
    *world.cognito.lock().unwrap() = Some(PortError::retry("cognito-idp:RevokeToken", "too_many_requests"));
    assert_eq!(post(&endpoint(&world), &form, &[]).await.status, 503);
    *world.cognito.lock().unwrap() = None;
    assert_eq!(post(&endpoint(&world), &form, &[]).await.status, 200);
    assert_eq!(*world.revoked.lock().unwrap(), ["r"]);
}

#[tokio::test(start_paused = true)]
async fn everywhere_that_was_not_confirmed_is_confirmed_when_repeated() {
    let world = Arc::new(World { pipeline_is_down: true, ..World::default() });
    let endpoint = endpoint(&world);
    for token in [access(&world, PUBLIC), access(&world, PUBLIC).without("origin_jti")] {
        *world.tombstone.lock().unwrap() = Tombstone::default();
        let token = token.build();
        let form = [("token", token.as_str()), ("client_id", PUBLIC), ("everywhere", "true")];
        assert_eq!(post(&endpoint, &form, &[]).await.status, 503);
        // `revoke` comes to it late.
        let revocation_id = world.published.lock().unwrap().last().unwrap().id();
        let at = world.clock.now().seconds();
        world.tombstone.lock().unwrap().raise(&Cutoff { revocation_id, at, kind: CutoffKind::Sessions });
        let published = world.published.lock().unwrap().len();
        assert_eq!(post(&endpoint, &form, &[]).await.status, 200);
        assert_eq!(world.published.lock().unwrap().len(), published, "nothing is asked for again");
        // What ended all the same, but by another's request, ends no others.
        let another = access(&world, PUBLIC).claim("origin_jti", r#""origin-2""#).claim("jti", r#""jti-2""#).build();
        let form = [("token", another.as_str()), ("client_id", PUBLIC), ("everywhere", "true")];
        assert_eq!(post(&endpoint, &form, &[]).await.status, 400);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_now_is_not_signed_out() {
    let world = Arc::new(World { pipeline_is_down: true, ..World::default() });
    let token = access(&world, PUBLIC).build();
    let form = [("token", token.as_str()), ("client_id", PUBLIC)];
    let now = world.clock.now().seconds();
    let hold = Some(Hold { until: None, message: String::new() });
    for passing in [
        Tombstone { claims_not_before: Some(now), ..Tombstone::default() },
        Tombstone { hold: hold.clone(), ..Tombstone::default() },
    ] {
        *world.tombstone.lock().unwrap() = passing;
        assert_eq!(post(&endpoint(&world), &form, &[]).await.status, 503);
    }
    *world.tombstone.lock().unwrap() = Tombstone { hold, not_before: Some(now), ..Tombstone::default() };
    assert_eq!(post(&endpoint(&world), &form, &[]).await.status, 200);
}
