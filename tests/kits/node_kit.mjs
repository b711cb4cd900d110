// The Node kit against a running local cloud: real tokens, the real table, a real revocation over the bus. Before it, the
// cases every language must decide alike.
//
// usage: node node_kit.mjs FACTS VECTORS   (in a folder with the kit's files and its packages: `cargo xtask test` makes one)

import assert from "node:assert/strict";
import { createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import https from "node:https";
import { syncBuiltinESMExports } from "node:module";
import { createServer } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import {
  AdminCreateUserCommand, AdminSetUserPasswordCommand, CognitoIdentityProviderClient, InitiateAuthCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import express from "express";
import fastify from "fastify";

import { Checker, Denied, MAX_TOKEN_BYTES, decide } from "./check.mjs";
import { requireToken as forExpress } from "./express.mjs";
import { requireToken as forFastify } from "./fastify.mjs";

const [facts, vectors] = process.argv.slice(2, 4).map((path) => JSON.parse(readFileSync(path, "utf8")));
const LIMIT_MS = 30_000;
const aws = {
  region: facts.region,
  endpoint: facts.endpoint,
  credentials: { accessKeyId: facts.access_key_id, secretAccessKey: facts.secret_access_key },
};
const cognito = new CognitoIdentityProviderClient(aws);
const dynamodb = new DynamoDBClient(aws);
const bus = new EventBridgeClient(aws);
const tally = { passed: 0, failed: 0 };

async function check(name, run, { quiet = false } = {}) {
  try {
    await run();
    tally.passed += 1;
    if (!quiet) console.log(`ok     node: ${name}`);
  } catch (error) {
    tally.failed += 1;
    console.log(`FAILED node: ${name}: ${error.stack}`);
  }
}

const denied = (promise, code, status = 401) =>
  assert.rejects(promise, (error) => error instanceof Denied && (assert.deepEqual([error.code, error.status], [code, status]), true));

async function until(what, look) {
  for (const end = Date.now() + LIMIT_MS; Date.now() < end; await sleep(50)) {
    const seen = await look();
    if (seen) return seen;
  }
  throw new Error(`waited in vain for: ${what}`);
}

async function newUser(stem) {
  const name = `${stem}-${randomUUID()}`;
  const user = { name, email: `${name}@example.com`, password: `Correct-horse-7-${name}` };
  const pool = { UserPoolId: facts.user_pool_id, Username: name };
  const attributes = [{ Name: "email", Value: user.email }, { Name: "email_verified", Value: "true" }];
  await cognito.send(new AdminCreateUserCommand({ ...pool, MessageAction: "SUPPRESS", UserAttributes: attributes }));
  await cognito.send(new AdminSetUserPasswordCommand({ ...pool, Password: user.password, Permanent: true }));
  return user;
}

async function signIn({ name, password }) {
  const answer = await cognito.send(new InitiateAuthCommand({
    ClientId: facts.client_id, AuthFlow: "USER_PASSWORD_AUTH", AuthParameters: { USERNAME: name, PASSWORD: password },
  }));
  return { access: answer.AuthenticationResult.AccessToken, id: answer.AuthenticationResult.IdToken };
}

async function revoke({ email }) {
  const detail = {
    version: "1", source: { name: "tests", event_id: randomUUID() }, sub_id: { format: "email", email },
    reason: "role_change", initiator: { kind: "system", id: "tests" },
  };
  const entry = { EventBusName: facts.bus_name, Source: "tests", DetailType: "Revocation Requested", Detail: JSON.stringify(detail) };
  assert.equal((await bus.send(new PutEventsCommand({ Entries: [entry] }))).FailedEntryCount, 0);
}

const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
const jwks = await (await fetch(facts.jwks_url)).json();
const options = { userPoolId: facts.user_pool_id, clientIds: [facts.client_id], table: facts.tombstones_table, jwks, dynamodb: aws };
const checker = new Checker(options);

for (const { name, item, pool, claims, now, end_date_claim: endDateClaim, expect } of vectors.cases) {
  const decides = () => assert.equal(decide({ item: item ?? undefined, pool, claims, now, endDateClaim }) ?? "permit", expect);
  await check(`case: ${name}`, decides, { quiet: true });
}
await check("the cases are there", () => assert.ok(vectors.cases.length >= 40));

// ---- Tokens by a key of our own, which the checker is told is the pool's. ----

const ours = generateKeyPairSync("rsa", { modulusLength: 2048 });
const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...ours.publicKey.export({ format: "jwk" }), kid: "k1", alg: "RS256", use: "sig" };
const now = Math.floor(Date.now() / 1000);

function token(changes = {}, { header = {}, by = ours } = {}) {
  const claims = {
    iss: facts.issuer, sub: randomUUID(), token_use: "access", client_id: facts.client_id, exp: now + 300, iat: now,
    auth_time: now, ...changes,
  };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${part({ alg: "RS256", kid: "k1", ...header })}.${part(claims)}`;
  return `${input}.${createSign("RSA-SHA256").update(input).sign(by.privateKey, "base64url")}`;
}

const own = new Checker({ ...options, jwks: { keys: [key] }, endDateClaim: "project_end_date" });
await check("a token of the key it was told is good", async () => {
  const sub = randomUUID();
  assert.equal((await own.check(token({ sub }))).subject, `${facts.user_pool_id}#${sub}`);
  await own.check(token({ project_end_date: "2999-12-31", origin_jti: "o" }));
});
for (const [name, text, code] of [
  ["empty", "", "no_token"],
  ["too long", "a".repeat(MAX_TOKEN_BYTES + 1), "too_long"],
  ["garbage", "a.b.c", "invalid_token"],
  ["signed by a stranger", token({}, { by: stranger }), "invalid_token"],
  ["no algorithm", token({}, { header: { alg: "none" } }), "invalid_token"],
  ["another algorithm", token({}, { header: { alg: "RS512" } }), "invalid_token"],
  ["without its signature", token().replace(/[^.]*$/, ""), "invalid_token"],
  ["expired", token({ exp: now - 1 }), "expired"],
  ["without an end", token({ exp: undefined }), "bad_claims"],
  ["of another issuer", token({ iss: "https://example.com" }), "invalid_token"],
  ["an ID token", token({ token_use: "id", aud: facts.client_id }), "invalid_token"],
  ["of another client", token({ client_id: "other" }), "invalid_token"],
  ["issued in the future", token({ iat: now + 3600 }), "from_the_future"],
  ["authenticated in the future", token({ auth_time: now + 3600 }), "from_the_future"],
  ["with dates as texts", token({ auth_time: `${now}` }), "bad_claims"],
  ["undated", token({ iat: undefined, auth_time: undefined }), "undated"],
  ["whose sub means another key", token({ sub: "*" }), "bad_claims"],
  ["without a sub", token({ sub: undefined }), "bad_claims"],
  ["past its contract", token({ project_end_date: "2020-12-31" }), "contract_ended"],
  ["with an unreadable end of contract", token({ project_end_date: "soon" }), "contract_date_unreadable"],
]) {
  await check(`a token ${name} is denied`, () => denied(own.check(text), code));
}

// ---- The local cloud. ----

await check("a revoked session is refused, its successor served", async () => {
  const user = await newUser("kit-node");
  const old = await signIn(user);
  const permit = await checker.check(old.access);
  assert.equal(permit.subject, `${facts.user_pool_id}#${permit.claims.sub}`);
  await denied(checker.check(old.id), "invalid_token");
  await new Checker({ ...options, tokenUse: null }).check(old.id);
  await revoke(user);
  await until("the tombstone", () => checker.check(old.access).then(() => false, (error) => error.code === "revoked"));
  await until("to be served again", async () => {
    // The token gate refuses while the sign-out is still under way.
    const fresh = await signIn(user).catch((error) => assert.equal(error.name, "UserLambdaValidationException"));
    if (!fresh) return false;
    await sleep(200);
    return checker.check(fresh.access).then(() => true, (error) => assert.equal(error.code, "revoked"));
  });
  await denied(checker.check(old.access), "revoked");
});

await check("a single revoked session is refused, the user's other one served", async () => {
  const user = await newUser("kit-node");
  const [one, other] = [await signIn(user), await signIn(user)];
  const { sub, origin_jti: session } = claimsOf(one.access);
  const item = { subject: { S: `${facts.user_pool_id}#${sub}` }, sessions: { M: { [session]: { N: "99999999999" } } } };
  await dynamodb.send(new PutItemCommand({ TableName: facts.tombstones_table, Item: item }));
  await denied(checker.check(one.access), "session_revoked");
  await checker.check(other.access);
  const broken = { ...item, not_before: { S: "soon" } };
  await dynamodb.send(new PutItemCommand({ TableName: facts.tombstones_table, Item: broken }));
  await denied(checker.check(other.access), "store_unreadable", 503);
});

await check("a forged token is denied", async () => {
  const { access } = await signIn(await newUser("kit-node"));
  const [header, , signature] = access.split(".");
  const payload = Buffer.from(JSON.stringify({ ...claimsOf(access), sub: randomUUID() })).toString("base64url");
  await denied(checker.check(`${header}.${payload}.${signature}`), "invalid_token");
  const { kid } = JSON.parse(Buffer.from(header, "base64url"));
  await denied(checker.check(token({}, { header: { kid } })), "invalid_token");
});

// The pool under which our own key's tokens stand is not the running one, and of this run alone: nobody else is refused.
const nobodysPool = `eu-central-1_Kit${randomUUID().replaceAll("-", "")}`;
await check("a pool's cutoff is honoured within a second, and costs no read with each request", async () => {
  const issuer = `https://cognito-idp.eu-central-1.amazonaws.com/${nobodysPool}`;
  const ours = new Checker({ ...options, userPoolId: nobodysPool, jwks: { keys: [key] } });
  const text = token({ iss: issuer, origin_jti: "o" });
  await ours.check(text);
  const item = { subject: { S: `${nobodysPool}#*` }, not_before: { N: `${now}` }, sealed: { BOOL: true } };
  await dynamodb.send(new PutItemCommand({ TableName: facts.tombstones_table, Item: item }));
  const written = Date.now();
  await until("the cutoff", () => ours.check(text).then(() => false, (error) => error.code === "revoked"));
  assert.ok(Date.now() - written < 1_300, `${Date.now() - written} ms`);
  await ours.check(token({ iss: issuer, iat: now + 1, auth_time: now + 1 }));
  await dynamodb.send(new PutItemCommand({ TableName: facts.tombstones_table, Item: { ...item, not_before: { S: "x" } } }));
  await sleep(1_100);
  await denied(ours.check(token({ iss: issuer, iat: now + 1, auth_time: now + 1 })), "store_unreadable", 503);
});

await check("a key that the pool withdrew is good for an hour at most, and the others serve meanwhile", async () => {
  const [asked, request, clock] = [[], https.request, Date.now];
  const renewing = new Checker({ ...options, jwks: { keys: [key, { ...key, kid: "k0" }] } });
  const text = token({ exp: now + 7_200 }, { header: { kid: "k0" } });
  https.request = (uri, _, answer) => {
    asked.push(`${uri}`);
    const response = Object.assign(Readable.from([Buffer.from(JSON.stringify({ keys: [key] }))]), { statusCode: 200 });
    setImmediate(answer, response);
    return { on() {}, end() {}, destroy() {} };
  };
  syncBuiltinESMExports();
  try {
    await renewing.check(text);
    assert.equal(asked.length, 0);
    Date.now = () => clock() + 3_600_000;
    await Promise.all([renewing.check(text), renewing.check(text)]); // Nobody waits for the fetch.
    assert.equal(asked.length, 1);
    await until("the key to be gone", () => renewing.check(text).then(() => false, (error) => error instanceof Denied));
    const sofar = asked.length; // One more, for the key that is not known any more.
    for (let times = 0; times < 20; times += 1) await renewing.check(token({ exp: now + 7_200 }));
    assert.equal(asked.length, sofar);
    assert.ok(sofar <= 2, asked);
  } finally {
    Date.now = clock;
    https.request = request;
    syncBuiltinESMExports();
  }
});

await check("a read of the pool's item from before a freeze decides nothing", async () => {
  const held = [];
  const store = createHttpServer((request, response) => {
    let body = "";
    request.on("data", (part) => { body += part; }).on("end", () => {
      response.sendDate = false; // The SDK would set its clock by it.
      const answer = (item) => response.setHeader("Content-Type", "application/x-amz-json-1.0").end(JSON.stringify(item));
      if (!JSON.parse(body).Key.subject.S.endsWith("#*")) answer({});
      else if (held.push(() => answer({})) > 1) answer({ Item: { not_before: { N: `${now}` } } });
    });
  });
  await new Promise((resolve) => store.listen(0, "127.0.0.1", resolve));
  const patient = { requestHandler: { requestTimeout: 5_000 } };
  const frozen = new Checker({
    ...options, jwks: { keys: [key] }, dynamodb: { ...aws, ...patient, endpoint: `http://127.0.0.1:${store.address().port}` },
  });
  const text = token({ exp: now + 7_200 });
  const first = frozen.check(text).catch(() => {});
  await until("the first read", () => held.length === 1);
  const clock = Date.now;
  try {
    Date.now = () => clock() + 3_600_000;
    const second = denied(frozen.check(text), "revoked");
    await sleep(50);
    held[0](); // What stood before the freeze: nothing.
    await second;
    await first;
    await denied(frozen.check(text), "revoked");
    assert.equal(held.length, 2);
  } finally {
    Date.now = clock;
    store.close();
  }
});

const hanging = createServer(() => {});
await new Promise((resolve) => hanging.listen(0, "127.0.0.1", resolve));
const at = (endpoint) => new Checker({ ...options, jwks: { keys: [key] }, dynamodb: { ...aws, endpoint } });
const hangs = at(`http://127.0.0.1:${hanging.address().port}`);
await check("a store that cannot be reached denies, and says so", () => denied(at("http://127.0.0.1:9").check(token()), "store_unavailable", 503));
await check("a store that hangs denies within the budget", async () => {
  const start = Date.now();
  await denied(hangs.check(token()), "store_unavailable", 503);
  assert.ok(Date.now() - start < 1_500, `${Date.now() - start} ms`);
});
await check("a table that is not there denies", () =>
  denied(new Checker({ ...options, jwks: { keys: [key] }, table: "nowhere" }).check(token()), "store_unavailable", 503));

// ---- Wiring. ----

const apps = {
  async express(checker) {
    const app = express();
    app.use(forExpress(checker));
    app.get("/", (req, res) => res.json({ subject: req.auth.subject }));
    const server = await new Promise((resolve) => { const made = app.listen(0, "127.0.0.1", () => resolve(made)); });
    return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
  },
  async fastify(checker) {
    const app = fastify();
    app.decorateRequest("auth", null);
    app.addHook("onRequest", forFastify(checker));
    app.get("/", async (request) => ({ subject: request.auth.subject }));
    return { url: await app.listen({ host: "127.0.0.1", port: 0 }), close: () => app.close() };
  },
};
for (const [name, start] of Object.entries(apps)) {
  await check(`${name} serves a good token and refuses the others`, async () => {
    const answers = async (checker, authorization) => {
      const app = await start(checker);
      try {
        const answer = await fetch(app.url, { headers: [...authorization.map((value) => ["Authorization", value])] });
        const { reason, subject } = await answer.json();
        return [answer.status, subject ? "served" : reason, answer.headers.get("www-authenticate"), answer.headers.get("retry-after")];
      } finally {
        app.close();
      }
    };
    assert.deepEqual(await answers(own, [`Bearer ${token()}`]), [200, "served", null, null]);
    assert.deepEqual(await answers(own, []), [401, "no_token", "Bearer", null]);
    assert.deepEqual(await answers(own, [`Basic ${token()}`]), [401, "no_token", "Bearer", null]);
    // fetch joins several with a comma.
    assert.deepEqual(await answers(own, [`Bearer ${token()}`, "Bearer x"]), [401, "no_token", "Bearer", null]);
    assert.deepEqual(await answers(own, [`Bearer ${token({ exp: 1 })}`]), [401, "expired", 'Bearer error="invalid_token"', null]);
    assert.deepEqual(await answers(hangs, [`Bearer ${token()}`]), [503, "store_unavailable", null, "1"]);
    const broken = { check: () => { throw new TypeError("a bug"); } };
    assert.deepEqual(await answers(broken, [`Bearer ${token()}`]), [503, "internal", null, "1"]);
  });
}

hanging.close();
console.log(`test result: ${tally.failed ? "FAILED" : "ok"}. ${tally.passed} passed; ${tally.failed} failed;`);
process.exit(tally.failed ? 1 : 0); // The hanging store's connections would keep it.
