"""Is this token good, now? Verifies an Amazon Cognito token and looks for a tombstone: one strongly consistent read. Once a
second it also looks whether the whole pool was revoked.

The decision is the Rust library's (shared/core/src/domain/tombstone.rs); tests/kits/vectors.json holds both to it.
"""

import calendar
import re
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field
from typing import Any

import boto3
import jwt
from botocore.config import Config
from botocore.exceptions import ClientError

MAX_TOKEN_BYTES = 16 * 1024
"""The longest token looked at."""
ATTEMPT_SECONDS = 0.3
"""DynamoDB answers in 1 to 3 ms: a lost answer is noticed early, and there is time for one more attempt …"""
BUDGET_SECONDS = 0.8
"""… after which the request is denied."""
POOL_WITHIN_SECONDS = 1.0
"""What is known of the whole pool is never used for longer than this after its read began …"""
POOL_ANEW_SECONDS = 0.5
"""… and read anew from this age on, behind the requests' back."""
MAX_READS_AT_ONCE = 32
"""Threads and connections for reads. A read that waits for one of them waits within its budget."""
KEYS_TIMEOUT_SECONDS = 2.0
KEYS_FLOOR_SECONDS = 10.0
"""Between two fetches of the keys, so that tokens with made-up key ids cannot cause a flood of them …"""
KEYS_RETRY_SECONDS = 1.0
"""… and while there are no keys at all, so that an outage does not outlive itself."""
KEYS_ANEW_SECONDS = 3600.0
"""Known keys are fetched anew from this age on, behind the requests' back: one that the pool withdrew must not be good for ever."""
FUTURE_LEEWAY_SECONDS = 300
"""A token dated far ahead would be out of reach of every cutoff; a clock a little wrong must not lock everybody out."""
LATEST = 253_402_300_799
"""The end of the year 9999. A later time is a unit mistaken (milliseconds), or an attack."""
I64_MAX = 2**63 - 1
UNAVAILABLE = {"keys_unavailable", "store_unavailable", "store_unreadable", "internal"}
"""Not the client's fault: it should try again with the same token."""


class Denied(Exception):
    """Why a token is refused, as a code that may be logged. It quotes nothing of the token."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.status = 503 if code in UNAVAILABLE else 401


class Unreadable(ValueError):
    """Not of the type expected."""


@dataclass(frozen=True)
class Permit:
    """The token may be served. Never remember it: see "No caching" on the page."""

    subject: str
    claims: dict[str, Any] = field(repr=False)


class Checker:
    """The checks of one user pool; safe to share among threads. Make one when the service starts, and keep it.

    token_use: "access", "id", or None for both. end_date_claim: such as "project_end_date", if the deployment's
    token-gate writes one. jwks: the pool's keys, to start without fetching them. dynamodb: arguments of boto3.client.
    """

    def __init__(self, *, user_pool_id: str, client_ids: list[str], table: str, token_use: str | None = "access",
                 end_date_claim: str | None = None, jwks: dict | None = None, jwks_url: str | None = None,
                 dynamodb: dict | None = None) -> None:
        if not user_pool_id or not table or not client_ids or isinstance(client_ids, str):
            raise TypeError("user_pool_id, table and a list of client_ids are needed")
        region = user_pool_id.split("_")[0]
        hosts = (f"cognito-idp.{region}.amazonaws.com", f"issuer-cognito-idp.{region}.amazonaws.com")
        self._issuers = [f"https://{host}/{user_pool_id}" for host in hosts]
        self._keys = Keys(jwks_url or f"{self._issuers[0]}/.well-known/jwks.json", jwks)
        self._user_pool_id = user_pool_id
        self._client_ids = frozenset(client_ids)
        self._token_uses = (token_use,) if token_use else ("access", "id")
        self._table = table
        self._end_date_claim = end_date_claim
        # One attempt each, repeated here: boto3 would pause for up to a second between its own.
        config = Config(connect_timeout=ATTEMPT_SECONDS, read_timeout=ATTEMPT_SECONDS, tcp_keepalive=True,
                        max_pool_connections=MAX_READS_AT_ONCE, retries={"total_max_attempts": 1, "mode": "standard"})
        self._dynamodb = boto3.client("dynamodb", config=config, **(dynamodb or {"region_name": region}))
        self._readers = ThreadPoolExecutor(MAX_READS_AT_ONCE, "tombstones")
        self._everyone = Everyone(lambda: self._read(f"{user_pool_id}#*", time.monotonic() + BUDGET_SECONDS), self._readers)

    def warm(self) -> None:
        """Fetches keys and opens a connection before the first request. What goes wrong, that request will say."""
        for one in (self._keys.warm, lambda: self._items(f"{self._user_pool_id}#warm")):
            try:
                one()
            except Denied:
                pass

    def check(self, token: str) -> Permit:
        """Answers a permit, or raises Denied."""
        claims = self._verified(token)
        subject = f"{self._user_pool_id}#{subject_of(claims)}"
        self._decided(claims)  # What the token alone decides needs no read.
        self._decided(claims, *self._items(subject))
        return Permit(subject, claims)

    def _decided(self, claims: dict, item: dict | None = None, pool: dict | None = None) -> None:
        code = decide(item=item, pool=pool, claims=claims, now=int(time.time()), end_date_claim=self._end_date_claim)
        if code is not None:
            raise Denied(code)

    def _verified(self, token: str) -> dict[str, Any]:
        if not isinstance(token, str) or not token:
            raise Denied("no_token")
        if len(token) > MAX_TOKEN_BYTES:
            raise Denied("too_long")
        # What is not checked by PyJWT is checked below, more strictly. An access token's `aud`, if any, is not the client.
        options = {"require": ["exp", "iss", "sub", "token_use"], "verify_aud": False, "verify_iat": False,
                   "verify_sub": False, "verify_jti": False}
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            claims = jwt.decode(token, self._keys.key(kid), algorithms=["RS256"], issuer=self._issuers, options=options)
        except Denied:
            raise
        except jwt.ExpiredSignatureError:
            raise Denied("expired") from None
        except Exception:  # noqa: BLE001 - whatever a hostile token did to the parser. The message would quote it.
            raise Denied("invalid_token") from None
        check_claims(claims, self._token_uses, self._client_ids, int(time.time()))
        return claims

    def _items(self, subject: str) -> tuple[dict | None, dict | None]:
        """The person's, and that of everybody in the pool."""
        # In threads of their own: the timeouts of boto3 are of single steps, and do not add up to a budget.
        until = time.monotonic() + BUDGET_SECONDS
        reads = [self._readers.submit(self._read, subject, until), self._everyone.ask()]
        try:
            own, pool = (read.result(until - time.monotonic()) for read in reads)
        except TooLate:
            reads[0].cancel()  # Not the pool's: it is everybody's.
            raise Denied("store_unavailable") from None
        except Exception as error:
            raise Denied("store_unavailable") from error
        return own, pool

    def _read(self, subject: str, until: float) -> dict | None:
        # An eventually consistent read may miss a tombstone written a moment ago: the very one that matters.
        ask = {"TableName": self._table, "Key": {"subject": {"S": subject}}, "ConsistentRead": True}
        try:
            return self._dynamodb.get_item(**ask).get("Item")
        except Exception as error:
            if is_final(error) or time.monotonic() + ATTEMPT_SECONDS > until:
                raise
            return self._dynamodb.get_item(**ask).get("Item")


class Everyone:
    """The item of everybody in the pool, as it stood within the last second."""

    def __init__(self, read, readers: ThreadPoolExecutor) -> None:
        self._read = read
        self._readers = readers
        self._lock = threading.Lock()
        self._known: tuple[tuple[float, float], Future] | None = None
        self._next: tuple[tuple[float, float], Future] | None = None

    def ask(self) -> Future:
        """A read that is done, or one that is not and is shared by whoever asks meanwhile."""
        with self._lock:
            if self._next is not None and self._next[1].done():
                # A failure leaves what is known, until it is too old.
                if not self._next[1].cancelled() and self._next[1].exception() is None:
                    self._known = self._next
                self._next = None
            age = age_of(self._known[0]) if self._known else float("inf")
            if age >= POOL_ANEW_SECONDS and (self._next is None or age_of(self._next[0]) >= POOL_WITHIN_SECONDS):
                began = moment()
                self._next = (began, self._readers.submit(self._read))
            return self._known[1] if age < POOL_WITHIN_SECONDS else self._next[1]


def moment() -> tuple[float, float]:
    """By both clocks: the monotonic one may stand still while the process is frozen."""
    return time.time(), time.monotonic()


def age_of(began: tuple[float, float]) -> float:
    wall, monotonic = moment()
    return float("inf") if wall < began[0] else max(wall - began[0], monotonic - began[1])


class Keys:
    """The pool's keys. Known ones are found without a lock, whatever becomes of a fetch."""

    def __init__(self, url: str, jwks: dict | None) -> None:
        self._client = jwt.PyJWKClient(url, timeout=KEYS_TIMEOUT_SECONDS)
        self._lock = threading.Lock()
        self._asked = -KEYS_FLOOR_SECONDS
        self._failed = True
        self._known = by_id(jwt.PyJWKSet.from_dict(jwks).keys) if jwks else {}
        self._as_of = moment()

    def warm(self) -> None:
        """Fetches the keys if none are known."""
        if not self._known:
            self._fetch()

    def key(self, kid: Any) -> jwt.PyJWK:
        """The key of this id; fetches at most once in a while if it is unknown, and in the background if they are old."""
        if not isinstance(kid, str) or not kid:
            raise Denied("bad_key_id")
        if kid not in self._known:
            self._fetch(kid)
        elif age_of(self._as_of) >= KEYS_ANEW_SECONDS and time.monotonic() - self._asked >= KEYS_FLOOR_SECONDS:
            if not self._lock.locked():  # One fetch under way is enough.
                threading.Thread(target=self._fetch, daemon=True).start()
        key = self._known.get(kid)
        if key is None:
            raise Denied("keys_unavailable" if self._failed else "unknown_key")
        return key

    def _fetch(self, kid: str | None = None) -> None:
        with self._lock:
            now = time.monotonic()
            if kid in self._known or now - self._asked < (KEYS_FLOOR_SECONDS if self._known else KEYS_RETRY_SECONDS):
                return
            self._asked = now
            self._failed = True
            began = moment()
            try:
                self._known = by_id(self._client.get_signing_keys(refresh=True))
                self._failed, self._as_of = False, began
            except Exception:  # noqa: BLE001 - unreachable, or not a key set; the last good keys stay
                return


def by_id(keys: list[jwt.PyJWK]) -> dict[str, jwt.PyJWK]:
    return {key.key_id: key for key in keys if key.key_id and key.key_type == "RSA" and key.public_key_use in ("sig", None)}


def is_final(error: Exception) -> bool:
    """The store answered, and would answer the same again."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) if isinstance(error, ClientError) else 500
    throttled = isinstance(error, ClientError) and "Throttl" in error.response.get("Error", {}).get("Code", "")
    return status < 500 and not throttled


# ---- The decision: no I/O, no clock. ----


def decide(*, item: dict | None, claims: dict, now: int, pool: dict | None = None,
           end_date_claim: str | None = None) -> str | None:
    """What a person's tombstone and the pool's have against a token at `now` (epoch seconds): a code, or None."""
    try:
        stamp = Stamp.of(claims)
    except Unreadable:
        return "bad_claims"
    try:
        if end_date_claim is not None and has_ended(claims, end_date_claim, now):
            return "contract_ended"
    except Unreadable:
        return "contract_date_unreadable"
    unreadable = None
    for one in (item, pool):
        try:
            code = Tombstone.of(one or {}).refusal(stamp, now)
        except Unreadable:
            unreadable = "store_unreadable"  # Somebody wrote it to refuse something. What the other says is told first.
            continue
        if code is not None:
            return code
    return unreadable


@dataclass(frozen=True)
class Stamp:
    """The claims that decide. Cognito writes times in whole seconds."""

    auth_time: int | None
    iat: int | None
    origin_jti: str | None
    jti: str | None

    @staticmethod
    def of(claims: dict) -> "Stamp":
        return Stamp(optional(claims, "auth_time", is_seconds), optional(claims, "iat", is_seconds),
                     optional(claims, "origin_jti", is_text), optional(claims, "jti", is_text))


@dataclass(frozen=True)
class Tombstone:
    """The item. An attribute of another type than expected raises, it is never read as harmless."""

    not_before: int | None
    claims_not_before: int | None
    sessions: frozenset[str]
    others: tuple[int, str] | None
    hold: tuple[int | None] | None

    @staticmethod
    def of(item: dict) -> "Tombstone":
        seconds(item.get("expires_at"))  # Never consulted: DynamoDB deletes late.
        attribute(item.get("sealed"), "BOOL", bool)
        sessions = attribute(item.get("sessions"), "M", dict) or {}
        for at in sessions.values():
            seconds(at, required=True)
        hold = attribute(item.get("hold"), "M", dict)
        others = (seconds(item.get("others_not_before")), attribute(item.get("others_spared"), "S", str))
        if (others[0] is None) != (others[1] is None):
            raise Unreadable("half of a pair")
        return Tombstone(seconds(item.get("not_before")), seconds(item.get("claims_not_before")), frozenset(sessions),
                         None if others[0] is None else others, None if hold is None else (seconds(hold.get("until")),))

    def refusal(self, token: Stamp, now: int) -> str | None:
        if self.hold is not None and (self.hold[0] is None or now <= self.hold[0]):
            return "on_hold"
        dates = [at for at in (token.auth_time, token.iat) if at is not None]
        if not dates:
            return "undated"
        # `iat` alone lets a refresh past the cutoff; `auth_time` alone was reported to change when a session is refreshed.
        oldest = min(dates)
        if self.not_before is not None and oldest <= self.not_before:
            return "revoked"
        if token.origin_jti in self.sessions or token.jti in self.sessions:
            return "session_revoked"
        if self.others is not None and oldest <= self.others[0] and token.origin_jti != self.others[1]:
            return "session_revoked"
        if self.claims_not_before is not None and (token.iat is None or token.iat <= self.claims_not_before):
            return "claims_changed"
        return None


def attribute(value: Any, kind: str, of: type, required: bool = False) -> Any:
    if value is None and not required:
        return None
    if not isinstance(value, dict) or list(value) != [kind] or not isinstance(value[kind], of):
        raise Unreadable("another type")
    return value[kind]


def seconds(value: Any, required: bool = False) -> int | None:
    digits = attribute(value, "N", str, required)
    if digits is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,19}", digits) or not -I64_MAX - 1 <= int(digits) <= I64_MAX:
        raise Unreadable("not whole seconds")
    return int(digits)


def optional(claims: dict, name: str, is_right) -> Any:
    """Only absence is None: null is a wrong type."""
    if name in claims and not is_right(claims[name]):
        raise Unreadable("a claim of another type")
    return claims.get(name)


def is_seconds(value: Any) -> bool:
    """A bool is an int to Python, and a float is not whole."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LATEST


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def check_claims(claims: dict, token_uses: tuple[str, ...], client_ids: frozenset[str], now: int) -> None:
    """What is the same for every token, whatever its subject's tombstone."""
    if not is_seconds(claims["exp"]):
        raise Denied("bad_claims")
    if claims["exp"] <= now:
        raise Denied("expired")
    for name in ("iat", "auth_time"):
        if is_seconds(claims.get(name)) and claims[name] > now + FUTURE_LEEWAY_SECONDS:
            raise Denied("from_the_future")
    if claims["token_use"] not in token_uses:
        raise Denied("token_use_refused")
    client_id = claims.get("client_id" if claims["token_use"] == "access" else "aud")
    if not isinstance(client_id, str) or client_id not in client_ids:
        raise Denied("client_refused")


def subject_of(claims: dict) -> str:
    """`#` and `*` have a meaning of their own in the keys of the table."""
    sub = claims["sub"]
    if not isinstance(sub, str) or not re.fullmatch(r"[!-~]{1,128}", sub) or "#" in sub or "*" in sub:
        raise Denied("bad_claims")
    return sub


def has_ended(claims: dict, name: str, now: int) -> bool:
    if name not in claims:
        return False
    end = end_of(claims[name])
    return end is not None and now >= end


def end_of(value: Any) -> int | None:
    """The first second in which access has ended; None: it does not end. A day is good to its end, in UTC."""
    if value == "":
        return None
    number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value) else value
    if is_seconds(number):
        return number
    if not isinstance(value, str):
        raise Unreadable("not a date")
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return midnight(value) + 86_400
    # By hand, for a leap second's sake. A fraction is dropped: the second in which it lies is the one that counts.
    form = r"([0-9-]{10})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
    found = re.fullmatch(form, value)
    if found is None:
        raise Unreadable("not a date")
    day, sign = found[1], -1 if found[5] == "-" else 1
    hour, minute, second, hours, minutes = (int(found[at] or 0) for at in (2, 3, 4, 6, 7))
    if hour > 23 or minute > 59 or second > 60 or hours > 23 or minutes > 59:
        raise Unreadable("not a date")
    return midnight(day) + hour * 3_600 + minute * 60 + min(second, 59) - sign * (hours * 3_600 + minutes * 60)


def midnight(day: str) -> int:
    try:
        return calendar.timegm(time.strptime(day, "%Y-%m-%d"))
    except (ValueError, OverflowError):
        raise Unreadable("no such day") from None


# ---- HTTP. ----


def bearer(values: list[str]) -> str:
    """The token of the one `Authorization: Bearer …` header."""
    found = re.fullmatch(r"Bearer ([^\s,]+)", values[0], re.IGNORECASE) if len(values) == 1 else None
    if found is None:
        raise Denied("no_token")
    return found[1]


def answer_to(error: Exception) -> tuple[int, dict[str, str], dict[str, str]]:
    """Status, headers and body for anything check() raised. What is no Denied is our own fault, and denies all the same."""
    denied = error if isinstance(error, Denied) else Denied("internal")
    headers = {"Cache-Control": "no-store"}
    if denied.status == 503:
        headers["Retry-After"] = "1"
    else:
        headers["WWW-Authenticate"] = "Bearer" if denied.code == "no_token" else 'Bearer error="invalid_token"'
    summary = "temporarily_unavailable" if denied.status == 503 else "invalid_token"
    return denied.status, headers, {"error": summary, "reason": denied.code}
