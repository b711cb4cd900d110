"""The Python kit against a running local cloud: real tokens, the real table, a real revocation over the bus. Before it, the
cases every language must decide alike.

usage: python_kit.py --kit FOLDER --facts FILE --vectors FILE
"""

import argparse
import hmac
import http.server
import json
import socket
import sys
import threading
import time
import traceback
import uuid
from pathlib import Path
from typing import Annotated

import boto3
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LIMIT_SECONDS = 30


class Checks:
    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def run(self, name: str, check, *arguments, quiet: bool = False) -> None:
        try:
            check(*arguments)
        except Exception:  # noqa: BLE001 - whatever it is, it is a finding
            self.failed += 1
            print(f"FAILED python: {name}: {traceback.format_exc()}")
        else:
            self.passed += 1
            if not quiet:
                print(f"ok     python: {name}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kit", type=Path, required=True, help="docs/enforcement/kits/python")
    parser.add_argument("--facts", type=Path, required=True, help="facts of the running local cloud")
    parser.add_argument("--vectors", type=Path, required=True, help="tests/kits/vectors.json")
    return parser.parse_args()


ARGUMENTS = arguments()
sys.path.insert(0, str(ARGUMENTS.kit))

import check as kit  # noqa: E402 - found by the line above
import fastapi_guard  # noqa: E402
import flask_guard  # noqa: E402

FACTS = json.loads(ARGUMENTS.facts.read_text())
AWS = {"region_name": FACTS["region"], "endpoint_url": FACTS["endpoint"], "aws_access_key_id": FACTS["access_key_id"],
       "aws_secret_access_key": FACTS["secret_access_key"]}
COGNITO = boto3.client("cognito-idp", **AWS)
DYNAMODB = boto3.client("dynamodb", **AWS)
EVENTS = boto3.client("events", **AWS)
POOL, CLIENT = FACTS["user_pool_id"], FACTS["client_id"]
OPTIONS = {"user_pool_id": POOL, "client_ids": [CLIENT], "table": FACTS["tombstones_table"], "dynamodb": AWS}


def denied(run, code: str, status: int = 401) -> None:
    try:
        run()
    except kit.Denied as error:
        assert (error.code, error.status) == (code, status), (error.code, error.status)
        return
    raise AssertionError("permitted")


def until(what: str, look):
    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end:
        if seen := look():
            return seen
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for: {what}")


def new_user() -> dict[str, str]:
    name = f"kit-python-{uuid.uuid4()}"
    user = {"name": name, "email": f"{name}@example.com", "password": f"Correct-horse-7-{name}"}
    attributes = [{"Name": "email", "Value": user["email"]}, {"Name": "email_verified", "Value": "true"}]
    COGNITO.admin_create_user(UserPoolId=POOL, Username=name, MessageAction="SUPPRESS", UserAttributes=attributes)
    COGNITO.admin_set_user_password(UserPoolId=POOL, Username=name, Password=user["password"], Permanent=True)
    return user


def sign_in(user: dict[str, str]) -> tuple[str, str]:
    secrets = {"USERNAME": user["name"], "PASSWORD": user["password"]}
    answer = COGNITO.initiate_auth(ClientId=CLIENT, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=secrets)
    return answer["AuthenticationResult"]["AccessToken"], answer["AuthenticationResult"]["IdToken"]


def revoke(user: dict[str, str]) -> None:
    detail = {"version": "1", "source": {"name": "tests", "event_id": str(uuid.uuid4())},
              "sub_id": {"format": "email", "email": user["email"]}, "reason": "role_change",
              "initiator": {"kind": "system", "id": "tests"}}
    entry = {"EventBusName": FACTS["bus_name"], "Source": "tests", "DetailType": "Revocation Requested",
             "Detail": json.dumps(detail)}
    assert EVENTS.put_events(Entries=[entry])["FailedEntryCount"] == 0


# ---- Tokens by a key of our own, which the checker is told is the pool's. ----

OURS, STRANGER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
KEY = jwt.algorithms.RSAAlgorithm.to_jwk(OURS.public_key(), as_dict=True) | {"kid": "k1", "alg": "RS256", "use": "sig"}
NOW = int(time.time())


def token(by=OURS, alg: str = "RS256", kid: str = "k1", **changes) -> str:
    claims = {"iss": FACTS["issuer"], "sub": str(uuid.uuid4()), "token_use": "access", "client_id": CLIENT,
              "exp": NOW + 300, "iat": NOW, "auth_time": NOW} | changes
    payload = json.dumps({name: value for name, value in claims.items() if value is not ...}).encode()
    return jwt.api_jws.PyJWS().encode(payload, by, algorithm=alg, headers={"kid": kid})


def own(**options) -> "kit.Checker":
    return kit.Checker(**{**OPTIONS, "jwks": {"keys": [KEY]}, "end_date_claim": "project_end_date"} | options)


def by_the_public_key() -> str:
    """HS256 with the public key as its secret; by hand, since PyJWT would not sign it."""
    secret = OURS.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = jwt.utils.base64url_encode(b'{"alg":"HS256","kid":"k1"}').decode()
    text = f"{header}.{token().split('.')[1]}"
    return f"{text}.{jwt.utils.base64url_encode(hmac.digest(secret, text.encode(), 'sha256')).decode()}"


def good_tokens_are_served(checker) -> None:
    sub = str(uuid.uuid4())
    assert checker.check(token(sub=sub)).subject == f"{POOL}#{sub}"
    checker.check(token(iss=f"https://issuer-cognito-idp.{FACTS['region']}.amazonaws.com/{POOL}"))
    checker.check(token(aud="https://api.example.com", project_end_date="2999-12-31", origin_jti="o"))
    kit.Checker(**OPTIONS, jwks={"keys": [KEY]}, token_use=None).check(token(token_use="id", aud=CLIENT, client_id=...))


def bad_tokens() -> list[tuple[str, str, str]]:
    return [
        ("empty", "", "no_token"),
        ("too long", "a" * (kit.MAX_TOKEN_BYTES + 1), "too_long"),
        ("not ASCII", "ä.b.c", "invalid_token"),
        ("garbage", "a.b.c", "invalid_token"),
        ("signed by a stranger", token(STRANGER), "invalid_token"),
        ("no algorithm", token(None, "none"), "invalid_token"),
        ("another algorithm", token(OURS, "RS512"), "invalid_token"),
        ("the public key as a secret", by_the_public_key(), "invalid_token"),
        ("without its signature", token().rpartition(".")[0] + ".", "invalid_token"),
        ("of an unknown key", token(kid="k2"), "keys_unavailable"),
        ("expired", token(exp=NOW - 1), "expired"),
        ("without an end", token(exp=...), "invalid_token"),
        ("with an end as text", token(exp=str(NOW + 300)), "bad_claims"),
        ("of another issuer", token(iss="https://example.com"), "invalid_token"),
        ("an ID token", token(token_use="id", aud=CLIENT), "token_use_refused"),
        ("of another client", token(client_id="other"), "client_refused"),
        ("of another client, with ours as audience", token(client_id="other", aud=CLIENT), "client_refused"),
        ("issued in the future", token(iat=NOW + 3600), "from_the_future"),
        ("authenticated in the future", token(auth_time=NOW + 3600), "from_the_future"),
        ("with dates as texts", token(auth_time=str(NOW)), "bad_claims"),
        ("undated", token(iat=..., auth_time=...), "undated"),
        ("whose sub means another key", token(sub="*"), "bad_claims"),
        ("without a sub", token(sub=...), "invalid_token"),
        ("past its contract", token(project_end_date="2020-12-31"), "contract_ended"),
        ("with an unreadable end of contract", token(project_end_date="soon"), "contract_date_unreadable"),
    ]


def key_server(keys: list[dict], asked: list[str]) -> http.server.ThreadingHTTPServer:
    """Serves the keys as they stand in the list, and notes who asked."""

    class KeySet(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802 - the library's name
            asked.append(self.path)
            body = json.dumps({"keys": keys}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), KeySet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def made_up_key_ids_cause_one_fetch() -> None:
    asked = []
    server = key_server([KEY], asked)
    checker = own(jwks=None, jwks_url=f"http://127.0.0.1:{server.server_port}/")
    checker.check(token())
    for at in range(50):
        denied(lambda at=at: checker.check(token(kid=f"made-up-{at}")), "unknown_key")
    checker.check(token())
    assert len(asked) == 1, asked
    server.shutdown()


def a_withdrawn_key_is_not_good_for_ever() -> None:
    asked, withdrawn = [], KEY | {"kid": "k0"}
    server = key_server([KEY], asked)
    checker = own(jwks={"keys": [KEY, withdrawn]}, jwks_url=f"http://127.0.0.1:{server.server_port}/")
    text = token(kid="k0")
    checker.check(text)
    assert not asked
    clock = time.time
    kit.time.time = lambda: clock() + kit.KEYS_ANEW_SECONDS
    try:
        still = token(kid="k0", exp=NOW + 7_200)
        checker.check(still)  # Nobody waits for the fetch.

        def refused() -> bool:
            try:
                checker.check(still)
            except kit.Denied as error:
                return error.code == "unknown_key"
            return False

        until("the key to be gone", refused)
        for _ in range(20):
            checker.check(token(exp=NOW + 7_200))
        assert len(asked) == 1, asked
    finally:
        kit.time.time = clock
        server.shutdown()


def without_keys_nothing_is_served() -> None:
    checker = own(jwks=None, jwks_url="http://127.0.0.1:9/")
    checker.warm()
    denied(lambda: checker.check(token()), "keys_unavailable", 503)


# ---- The local cloud. ----


def a_revoked_session_is_refused_its_successor_served(checker) -> None:
    user = new_user()
    access, id_token = sign_in(user)
    permit = checker.check(access)
    assert permit.subject == f"{POOL}#{permit.claims['sub']}"
    denied(lambda: checker.check(id_token), "token_use_refused")
    revoke(user)

    def refused(text: str) -> bool:
        try:
            checker.check(text)
        except kit.Denied as error:
            assert error.code == "revoked", error.code
            return True
        return False

    def served_again() -> bool:
        try:
            fresh, _ = sign_in(user)
        except COGNITO.exceptions.UserLambdaValidationException:
            return False  # The token gate: the sign-out is still under way.
        time.sleep(0.2)
        return not refused(fresh)

    until("the tombstone", lambda: refused(access))
    until("to be served again", served_again)
    denied(lambda: checker.check(access), "revoked")


def a_single_session_is_refused_the_other_served(checker) -> None:
    user = new_user()
    (one, _), (other, _) = sign_in(user), sign_in(user)
    claims = jwt.decode(one, options={"verify_signature": False})
    item = {"subject": {"S": f"{POOL}#{claims['sub']}"}, "sessions": {"M": {claims["origin_jti"]: {"N": "99999999999"}}}}
    DYNAMODB.put_item(TableName=FACTS["tombstones_table"], Item=item)
    denied(lambda: checker.check(one), "session_revoked")
    checker.check(other)
    DYNAMODB.put_item(TableName=FACTS["tombstones_table"], Item=item | {"not_before": {"S": "soon"}})
    denied(lambda: checker.check(other), "store_unreadable", 503)


def a_pools_cutoff_is_honoured_within_a_second() -> None:
    # The pool is not the running one, and of this run alone: nobody else is refused meanwhile.
    pool = f"eu-central-1_Kit{uuid.uuid4().hex}"
    issuer = f"https://cognito-idp.eu-central-1.amazonaws.com/{pool}"
    ours, text = own(user_pool_id=pool), token(iss=issuer)
    for _ in range(20):
        ours.check(text)
    item = {"subject": {"S": f"{pool}#*"}, "not_before": {"N": str(NOW)}, "sealed": {"BOOL": True}}
    DYNAMODB.put_item(TableName=FACTS["tombstones_table"], Item=item)
    written = time.monotonic()

    def refused() -> bool:
        try:
            ours.check(text)
        except kit.Denied as error:
            return error.code == "revoked"
        return False

    until("the cutoff", refused)
    assert time.monotonic() - written < 1.3, time.monotonic() - written
    fresh = token(iss=issuer, iat=NOW + 1, auth_time=NOW + 1)
    ours.check(fresh)
    DYNAMODB.put_item(TableName=FACTS["tombstones_table"], Item=item | {"not_before": {"S": "x"}})
    time.sleep(1.1)
    denied(lambda: ours.check(fresh), "store_unreadable", 503)


def a_request_that_is_late_leaves_the_pools_read_to_the_others() -> None:
    checker, free = own(), threading.Event()
    for _ in range(kit.MAX_READS_AT_ONCE):
        checker._readers.submit(free.wait)
    shared = checker._everyone.ask()
    denied(lambda: checker.check(token()), "store_unavailable", 503)
    free.set()
    assert shared.result(5) is None


def a_forged_token_is_denied(checker) -> None:
    access, _ = sign_in(new_user())
    header, payload, signature = access.split(".")
    other = jwt.utils.base64url_encode(json.dumps(jwt.decode(access, options={"verify_signature": False}) | {"sub": "x"}).encode())
    denied(lambda: checker.check(f"{header}.{other.decode()}.{signature}"), "invalid_token")
    denied(lambda: checker.check(token(kid=jwt.get_unverified_header(access)["kid"])), "invalid_token")


def elsewhere(endpoint: str) -> "kit.Checker":
    return own(dynamodb=AWS | {"endpoint_url": endpoint})


def a_store_that_hangs_denies_within_the_budget(checker) -> None:
    start = time.monotonic()
    denied(lambda: checker.check(token()), "store_unavailable", 503)
    assert time.monotonic() - start < 1.5, time.monotonic() - start


def wiring(hangs) -> list:
    class Bug:
        def check(self, _):
            raise TypeError("a bug")

    def flask(checker, values):
        from flask import Flask, g

        app = Flask("kit")
        app.before_request(flask_guard.require_token(checker))
        app.get("/")(lambda: {"subject": g.permit.subject})
        # Several headers of a name reach WSGI as one.
        headers = {"Authorization": ",".join(values)} if values else {}
        answer = app.test_client().get("/", headers=headers)
        return answer.status_code, answer.get_json(), answer.headers

    def fastapi(checker, values):
        from fastapi import Depends, FastAPI
        from fastapi.testclient import TestClient

        app = FastAPI()
        fastapi_guard.guard(app, checker)

        @app.get("/")
        def read(permit: Annotated[kit.Permit, Depends(fastapi_guard.require_token)]) -> dict:
            return {"subject": permit.subject}

        answer = TestClient(app).get("/", headers=[("Authorization", value) for value in values])
        return answer.status_code, answer.json(), answer.headers

    def run(app) -> None:
        for checker, values, expected in [
            (own(), [f"Bearer {token()}"], (200, "served", None, None)),
            (own(), [], (401, "no_token", "Bearer", None)),
            (own(), [f"Basic {token()}"], (401, "no_token", "Bearer", None)),
            (own(), [f"Bearer {token()}", "Bearer x"], (401, "no_token", "Bearer", None)),
            (own(), [f"Bearer {token(exp=1)}"], (401, "expired", 'Bearer error="invalid_token"', None)),
            (hangs, [f"Bearer {token()}"], (503, "store_unavailable", None, "1")),
            (Bug(), [f"Bearer {token()}"], (503, "internal", None, "1")),
        ]:
            status, body, headers = app(checker, values)
            seen = (status, "served" if "subject" in body else body["reason"], headers.get("www-authenticate"), headers.get("retry-after"))
            assert seen == expected, (seen, expected)

    return [("FastAPI", run, fastapi), ("Flask", run, flask)]


def the_kit_pins_what_was_tested() -> None:
    tested = {line.partition("==")[::2] for line in (Path(__file__).parent / "requirements.txt").read_text().splitlines()}
    for line in (ARGUMENTS.kit / "requirements.txt").read_text().splitlines():
        name, _, version = line.partition("==")
        assert (name.partition("[")[0], version) in tested, line


def main() -> int:
    checks = Checks()
    cases = json.loads(ARGUMENTS.vectors.read_text())["cases"]
    for case in cases:
        def decides(case=case):
            code = kit.decide(item=case["item"], pool=case.get("pool"), claims=case["claims"], now=case["now"],
                              end_date_claim=case.get("end_date_claim"))
            assert (code or "permit") == case["expect"], code
        checks.run(f"case: {case['name']}", decides, quiet=True)
    checks.run("the cases are there", lambda: cases[39])
    checker, ours = kit.Checker(**OPTIONS, jwks_url=FACTS["jwks_url"]), own(jwks_url="http://127.0.0.1:9/")
    checker.warm()
    checks.run("good tokens are served", good_tokens_are_served, ours)
    for name, text, code in bad_tokens():
        status = 503 if code == "keys_unavailable" else 401
        checks.run(f"a token {name} is denied", lambda text=text, code=code, status=status: denied(lambda: ours.check(text), code, status))
    hanging = socket.create_server(("127.0.0.1", 0), backlog=64)
    hangs = elsewhere(f"http://127.0.0.1:{hanging.getsockname()[1]}")
    for check in (made_up_key_ids_cause_one_fetch, a_withdrawn_key_is_not_good_for_ever, without_keys_nothing_is_served, the_kit_pins_what_was_tested,
                  a_pools_cutoff_is_honoured_within_a_second, a_request_that_is_late_leaves_the_pools_read_to_the_others):
        checks.run(check.__name__, check)
    for check in (a_revoked_session_is_refused_its_successor_served, a_single_session_is_refused_the_other_served,
                  a_forged_token_is_denied):
        checks.run(check.__name__, check, checker)
    checks.run("a store that cannot be reached denies, and says so",
               lambda: denied(lambda: elsewhere("http://127.0.0.1:9").check(token()), "store_unavailable", 503))
    checks.run("a table that is not there denies",
               lambda: denied(lambda: own(table="nowhere").check(token()), "store_unavailable", 503))
    checks.run("a_store_that_hangs_denies_within_the_budget", a_store_that_hangs_denies_within_the_budget, hangs)
    for name, run, app in wiring(hangs):
        checks.run(f"{name} serves a good token and refuses the others", run, app)
    print(f"test result: {'FAILED' if checks.failed else 'ok'}. {checks.passed} passed; {checks.failed} failed;")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
