// Is this token good, now? Verifies an Amazon Cognito token and looks for a tombstone: one strongly consistent read. Once a
// second it also looks whether the whole pool was revoked.
//
// The decision is the Rust library's (shared/core/src/domain/tombstone.rs); tests/kits/vectors.json holds both to it.

import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { CognitoJwtVerifier } from "aws-jwt-verify";
import {
  FetchError, JwkValidationError, JwksValidationError, JwtExpiredError, WaitPeriodNotYetEndedJwkError,
} from "aws-jwt-verify/error";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";

// The longest token looked at.
export const MAX_TOKEN_BYTES = 16 * 1024;
// DynamoDB answers in 1 to 3 ms: a lost answer is noticed early, and there is time for one more attempt …
const ATTEMPT_MS = 300;
// … after which the request is denied.
const BUDGET_MS = 800;
// What is known of the whole pool is never used for longer than this after its read began …
const POOL_WITHIN_MS = 1000;
// … and read anew from this age on, behind the requests' back.
const POOL_ANEW_MS = 500;
// Known keys are fetched anew from this age on, behind the requests' back: one that the pool withdrew must not be good for ever …
const KEYS_ANEW_MS = 3_600_000;
// … and while that fails, not more often than this.
const KEYS_RETRY_MS = 10_000;
// A token dated far ahead would be out of reach of every cutoff; a clock a little wrong must not lock everybody out.
const FUTURE_LEEWAY_SECONDS = 300;
// The end of the year 9999. A later time is a unit mistaken (milliseconds), or an attack.
const LATEST = 253_402_300_799;
const I64_MAX = 2n ** 63n - 1n;
// Whose fault is not the client's: it should try again with the same token.
const UNAVAILABLE = new Set(["keys_unavailable", "store_unavailable", "store_unreadable", "internal"]);

// Why a token is refused, as a code that may be logged. It quotes nothing of the token.
export class Denied extends Error {
  constructor(code, options) {
    super(code, options);
    this.name = "Denied";
    this.code = code;
    this.status = UNAVAILABLE.has(code) ? 503 : 401;
  }
}

// The checks of one user pool. Make one when the service starts, and keep it: it holds keys and connections.
//
// userPoolId, clientIds, table; tokenUse "access" (default), "id" or null for both; endDateClaim, such as
// "project_end_date", if the deployment's token-gate writes one; jwks to start without fetching the pool's keys.
export class Checker {
  #verifier;
  #dynamodb;
  #options;
  #pool; // What is known of the whole pool: { began, item }.
  #keys = { asOf: moment(), asked: undefined };
  #jwks = new SimpleJwksCache(); // Fetches them anew.
  #reading; // The read of it that is under way: { began, answer }.

  constructor({ userPoolId, clientIds, table, tokenUse = "access", endDateClaim, jwks, dynamodb = {} }) {
    if (!userPoolId || !table || !clientIds?.length) throw new TypeError("userPoolId, table and clientIds are needed");
    this.#options = { userPoolId, table, endDateClaim, jwks };
    this.#verifier = CognitoJwtVerifier.create({ userPoolId, clientId: clientIds, tokenUse, customJwtCheck: onlyRs256 });
    if (jwks) this.#verifier.cacheJwks(jwks);
    this.#dynamodb = new DynamoDBClient({
      maxAttempts: 2,
      // Without throwOnRequestTimeout the SDK only warns of a late answer, and goes on waiting.
      requestHandler: { connectionTimeout: ATTEMPT_MS, requestTimeout: ATTEMPT_MS, throwOnRequestTimeout: true },
      ...dynamodb,
    });
  }

  // Fetches keys and opens the connection before the first request. Whatever goes wrong, that request will say so.
  async warm() {
    const keys = this.#options.jwks ? undefined : this.#verifier.hydrate();
    await Promise.allSettled([keys, this.#item(`${this.#options.userPoolId}#warm`), this.#everyone()]);
  }

  // Answers { subject, claims }, or throws Denied. Never remember the answer: see "No caching" on the page.
  async check(token) {
    const claims = await this.#verified(token);
    const { userPoolId, endDateClaim } = this.#options;
    const subject = `${userPoolId}#${subjectOf(claims)}`;
    const decided = ([item, pool]) => {
      const code = decide({ item, pool, claims, now: nowSeconds(), endDateClaim });
      if (code) throw new Denied(code);
    };
    decided([]); // What the token alone decides needs no read.
    decided(await Promise.all([this.#item(subject), this.#everyone()]));
    return { subject, claims };
  }

  async #verified(token) {
    if (typeof token !== "string" || token === "") throw new Denied("no_token");
    if (Buffer.byteLength(token) > MAX_TOKEN_BYTES) throw new Denied("too_long");
    this.#renewKeys();
    let claims;
    try {
      claims = await this.#verifier.verify(token);
    } catch (error) {
      throw asDenied(error);
    }
    checkDates(claims, nowSeconds());
    return claims;
  }

  #renewKeys() {
    const { asOf, asked } = this.#keys;
    if (ageOf(asOf) < KEYS_ANEW_MS || (asked && ageOf(asked) < KEYS_RETRY_MS)) return;
    const began = this.#keys.asked = moment();
    const { userPoolId } = this.#options;
    const uri = `https://cognito-idp.${userPoolId.split("_")[0]}.amazonaws.com/${userPoolId}/.well-known/jwks.json`;
    // For both forms of issuer: hydrate() leaves the keys of an address that it cannot reach, and says nothing.
    this.#jwks.getJwks(uri).then((jwks) => { this.#verifier.cacheJwks(jwks); this.#keys.asOf = began; }).catch(() => {});
  }

  // The item of everybody in the pool, as it stood within the last second.
  #everyone() {
    const age = this.#pool ? ageOf(this.#pool.began) : Infinity;
    if (age >= POOL_WITHIN_MS) return this.#readEveryone();
    // A failure leaves what is known, until it is too old.
    if (age >= POOL_ANEW_MS) this.#readEveryone().catch(() => {});
    return this.#pool.item;
  }

  // One read at a time: whoever asks meanwhile shares it, within its budget, so what it finds is fresh enough. One that is
  // older is from before a freeze of the process (Lambda), and so is what it says.
  #readEveryone() {
    if (this.#reading && ageOf(this.#reading.began) < BUDGET_MS) return this.#reading.answer;
    const reading = { began: moment() };
    this.#reading = reading;
    reading.answer = this.#item(`${this.#options.userPoolId}#*`)
      .then((item) => { if (this.#reading === reading) this.#pool = { began: reading.began, item }; return item; })
      .finally(() => { if (this.#reading === reading) this.#reading = undefined; });
    return reading.answer;
  }

  async #item(subject) {
    const command = new GetItemCommand({
      TableName: this.#options.table,
      Key: { subject: { S: subject } },
      // An eventually consistent read may miss a tombstone written a moment ago: the very one that matters.
      ConsistentRead: true,
    });
    let timer;
    const budget = new AbortController();
    // Raced as well as aborted: a pause between attempts does not look at the signal.
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => { budget.abort(); reject(new Error("no answer in time")); }, BUDGET_MS);
    });
    try {
      const read = this.#dynamodb.send(command, { abortSignal: budget.signal });
      read.catch(() => {}); // Lost the race: nobody waits for it any more.
      return (await Promise.race([read, late])).Item;
    } catch (cause) {
      throw new Denied("store_unavailable", { cause });
    } finally {
      clearTimeout(timer);
    }
  }
}

// What a person's tombstone and the pool's have against a token at `now` (epoch seconds): a code, or undefined. No I/O, no clock.
export function decide({ item, pool, claims, now, endDateClaim }) {
  let stamp, ended;
  try {
    stamp = stampOf(claims);
  } catch {
    return "bad_claims";
  }
  try {
    ended = endDateClaim !== undefined && hasEnded(claims, endDateClaim, now);
  } catch {
    return "contract_date_unreadable";
  }
  if (ended) return "contract_ended";
  let unreadable;
  for (const one of [item, pool]) {
    let tombstone;
    try {
      tombstone = tombstoneOf(one ?? {});
    } catch {
      unreadable = "store_unreadable"; // Somebody wrote it to refuse something. What the other one says is told first.
      continue;
    }
    const code = refusal(tombstone, stamp, now);
    if (code) return code;
  }
  return unreadable;
}

function refusal({ notBefore, claimsNotBefore, sessions, others, hold }, { authTime, iat, originJti, jti }, now) {
  if (hold && (hold.until === undefined || now <= hold.until)) return "on_hold";
  const dates = [authTime, iat].filter((at) => at !== undefined);
  if (dates.length === 0) return "undated";
  // `iat` alone lets a refresh get past the cutoff; `auth_time` alone was reported to change when a session is refreshed.
  const oldest = Math.min(...dates);
  if (notBefore !== undefined && oldest <= notBefore) return "revoked";
  if (sessions.has(originJti) || sessions.has(jti)) return "session_revoked";
  if (others && oldest <= others.notBefore && originJti !== others.spared) return "session_revoked";
  if (claimsNotBefore !== undefined && (iat === undefined || iat <= claimsNotBefore)) return "claims_changed";
  return undefined;
}

// ---- The item: an attribute of another type than expected throws, it is never read as harmless. ----

function tombstoneOf(item) {
  seconds(item.expires_at); // Never consulted: DynamoDB deletes late.
  attribute(item.sealed, "BOOL", "boolean");
  const sessions = Object.entries(attribute(item.sessions, "M", "object") ?? {});
  sessions.forEach(([, at]) => seconds(at, true));
  const hold = attribute(item.hold, "M", "object");
  const others = { notBefore: seconds(item.others_not_before), spared: attribute(item.others_spared, "S", "string") };
  if ((others.notBefore === undefined) !== (others.spared === undefined)) throw new TypeError("half of a pair");
  return {
    notBefore: seconds(item.not_before),
    claimsNotBefore: seconds(item.claims_not_before),
    sessions: new Map(sessions),
    others: others.spared === undefined ? undefined : others,
    hold: hold && { until: seconds(hold.until) },
  };
}

function attribute(value, type, of, required = false) {
  if (value === undefined && !required) return undefined;
  const present = Object.keys(value).filter((name) => value[name] !== undefined);
  if (present.length !== 1 || typeof value[type] !== of) throw new TypeError("another type");
  return value[type];
}

// Whole seconds as a BigInt: DynamoDB's numbers have more digits than a double. `<=` compares it with a number exactly.
function seconds(value, required = false) {
  const digits = attribute(value, "N", "string", required);
  if (digits === undefined) return undefined;
  if (!/^-?[0-9]{1,19}$/.test(digits)) throw new TypeError("not whole seconds");
  const at = BigInt(digits);
  if (at > I64_MAX || at < -I64_MAX - 1n) throw new TypeError("not a time");
  return at;
}

// ---- The claims. ----

function stampOf(claims) {
  return {
    authTime: optional(claims, "auth_time", isSeconds),
    iat: optional(claims, "iat", isSeconds),
    originJti: optional(claims, "origin_jti", isText),
    jti: optional(claims, "jti", isText),
  };
}

// Only absence is undefined: null is a wrong type.
function optional(claims, name, isRight) {
  if (!Object.hasOwn(claims, name)) return undefined;
  if (!isRight(claims[name])) throw new TypeError("a claim of another type");
  return claims[name];
}

const isSeconds = (value) => Number.isSafeInteger(value) && value >= 0 && value <= LATEST;
const isText = (value) => typeof value === "string";

function checkDates(claims, now) {
  if (!isSeconds(claims.exp)) throw new Denied("bad_claims");
  if (claims.exp <= now) throw new Denied("expired");
  const latest = now + FUTURE_LEEWAY_SECONDS;
  if (claims.iat > latest || claims.auth_time > latest) throw new Denied("from_the_future");
}

// `#` and `*` have a meaning of their own in the keys of the table.
function subjectOf({ sub }) {
  if (typeof sub !== "string" || !/^[!-~]{1,128}$/.test(sub) || /[#*]/.test(sub)) throw new Denied("bad_claims");
  return sub;
}

function hasEnded(claims, name, now) {
  if (!Object.hasOwn(claims, name)) return false;
  const endsAt = endOf(claims[name]);
  return endsAt !== undefined && now >= endsAt;
}

// The first second in which access has ended; undefined: it does not end. A day is good to its end, in UTC.
function endOf(value) {
  if (value === "") return undefined;
  const number = typeof value === "string" && /^[0-9]{1,19}$/.test(value) ? Number(value) : value;
  if (isSeconds(number)) return number;
  if (typeof value !== "string") throw new TypeError("not a date");
  if (/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value)) return midnight(value) + 86_400;
  // By hand, for a leap second's sake. A fraction is dropped: the second in which it lies is the one that counts.
  const form = /^([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$/i;
  const [, day, hour, minute, second, sign, hours = 0, minutes = 0] = form.exec(value) ?? [];
  if (!day || hour > 23 || minute > 59 || second > 60 || hours > 23 || minutes > 59) throw new TypeError("not a date");
  const offset = (hours * 3_600 + minutes * 60) * (sign === "-" ? -1 : 1);
  return midnight(day) + hour * 3_600 + minute * 60 + Math.min(second, 59) - offset;
}

function midnight(day) {
  const at = Date.parse(`${day}T00:00:00Z`);
  // Date.parse makes 2 March of 30 February.
  if (Number.isNaN(at) || !new Date(at).toISOString().startsWith(day)) throw new TypeError("no such day");
  return at / 1000;
}

const nowSeconds = () => Math.floor(Date.now() / 1000);

// By both clocks: the monotonic one may stand still while the process is frozen.
const moment = () => ({ wall: Date.now(), monotonic: performance.now() });

function ageOf({ wall, monotonic }) {
  const now = moment();
  return now.wall < wall ? Infinity : Math.max(now.wall - wall, now.monotonic - monotonic);
}

function onlyRs256({ header }) {
  if (header.alg !== "RS256") throw new Denied("algorithm_refused");
}

// ---- HTTP. ----

// The token of the one `Authorization: Bearer …` header; give it req.headersDistinct.authorization.
export function bearer(values) {
  const [, token] = (values?.length === 1 && /^Bearer ([^\s,]+)$/i.exec(values[0])) || [];
  if (!token) throw new Denied("no_token");
  return token;
}

// What to answer for anything that check() threw. What is not a Denied is a fault of ours, and denies all the same.
export function answerTo(error) {
  const { code, status } = error instanceof Denied ? error : new Denied("internal");
  const headers = { "Cache-Control": "no-store" };
  if (status === 503) headers["Retry-After"] = "1";
  else headers["WWW-Authenticate"] = code === "no_token" ? "Bearer" : 'Bearer error="invalid_token"';
  return { status, headers, body: { error: status === 503 ? "temporarily_unavailable" : "invalid_token", reason: code } };
}

// The library's messages quote the token, hence no cause but of what is not about the token.
function asDenied(error) {
  if (error instanceof Denied) return error;
  const ofKeys = [FetchError, JwksValidationError, JwkValidationError, WaitPeriodNotYetEndedJwkError];
  if (ofKeys.some((kind) => error instanceof kind)) return new Denied("keys_unavailable", { cause: error });
  return new Denied(error instanceof JwtExpiredError ? "expired" : "invalid_token");
}
