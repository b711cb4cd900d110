// The peer: a REQUEST authorizer with the same checks, the same read and the same answer as functions/authorizer, written
// for speed within what these libraries offer: keys preloaded, verified synchronously (no promise per token), credentials
// taken once, connections kept alive. `WARM=1` opens the connection in the init phase, as ours does.
import { Agent } from "node:https";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { CognitoJwtVerifier } from "aws-jwt-verify";

const env = process.env;
const TABLE = env.TOMBSTONES_TABLE;
const POOLS = JSON.parse(env.TOKEN_POOLS);

const verifier = CognitoJwtVerifier.create(
  POOLS.map(({ user_pool_id, client_ids }) => ({ userPoolId: user_pool_id, clientId: client_ids, tokenUse: null })),
);
for (const { user_pool_id, jwks } of POOLS) verifier.cacheJwks(jwks, user_pool_id);

const dynamodb = new DynamoDBClient({
  region: env.AWS_REGION,
  endpoint: env.AWS_ENDPOINT_URL_DYNAMODB,
  credentials: {
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    sessionToken: env.AWS_SESSION_TOKEN,
  },
  maxAttempts: 2,
  requestHandler: new NodeHttpHandler({
    connectionTimeout: 400,
    requestTimeout: 400,
    httpsAgent: new Agent({ keepAlive: true, maxSockets: 50 }),
  }),
});

const read = async (subject) => {
  const command = new GetItemCommand({ TableName: TABLE, Key: { subject: { S: subject } }, ConsistentRead: true });
  return (await dynamodb.send(command)).Item;
};

// As `Tombstone::refusal` of shared/core.
const refusal = (item, token, now) => {
  const oldest = Math.min(token.auth_time ?? Infinity, token.iat ?? Infinity);
  if (oldest === Infinity) return "undated";
  if (!item) return undefined;
  const number = (name) => (item[name] ? Number(item[name].N) : undefined);
  if (item.hold) {
    const until = item.hold.M?.until?.N;
    if (until === undefined || now <= Number(until)) return "hold";
  }
  if (oldest <= (number("not_before") ?? -Infinity)) return "cutoff";
  const sessions = item.sessions?.M ?? {};
  if (token.origin_jti in sessions || token.jti in sessions) return "session";
  if (oldest <= (number("others_not_before") ?? -Infinity) && token.origin_jti !== item.others_spared?.S) return "session";
  const claims = number("claims_not_before");
  if (claims !== undefined && (token.iat ?? -Infinity) <= claims) return "claims_cutoff";
  return undefined;
};

const policy = (principalId, Effect, Resource, context) => ({
  principalId,
  policyDocument: { Version: "2012-10-17", Statement: [{ Action: "execute-api:Invoke", Effect, Resource }] },
  context,
});

// The one `Authorization` of the request; several are refused.
const bearer = (event) => {
  const values = [];
  for (const [name, value] of Object.entries(event.multiValueHeaders ?? {})) {
    if (name.toLowerCase() === "authorization") values.push(...value);
  }
  if (values.length !== 1) throw new Error("Unauthorized");
  const [scheme, token] = values[0].split(" ");
  if (scheme.toLowerCase() !== "bearer" || !token) throw new Error("Unauthorized");
  return token;
};

export const handler = async (event) => {
  const token = bearer(event);
  let claims;
  try {
    claims = verifier.verifySync(token);
  } catch {
    return policy("denied", "Deny", event.methodArn, { reason: "invalid_token" });
  }
  const pool = claims.iss.slice(claims.iss.lastIndexOf("/") + 1);
  const item = await read(`${pool}#${claims.sub}`);
  const refused = refusal(item, claims, Date.now() / 1000);
  if (refused) return policy("denied", "Deny", event.methodArn, { reason: refused });
  return policy(claims.sub, "Allow", event.methodArn, {
    sub: claims.sub,
    scope: claims.scope ?? "",
    groups: (claims["cognito:groups"] ?? []).join(" "),
    client_id: claims.client_id ?? claims.aud,
    username: claims.username ?? claims["cognito:username"],
  });
};

if (env.WARM) await read("warm-up#warm-up");
