// Stands in for aws-lambda-ric where that cannot be built (it compiles curl): the Runtime API over one kept-alive connection,
// one event at a time, without the context object, log patching and error decoration of the real
// client. Measured beside it, it took as long.
import { Agent, request } from "node:http";
import { handler } from "./authorizer.mjs";

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

const call = (method, path, body) =>
  new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const sent = request({ hostname, port, agent, method, path: `/2018-06-01/runtime/${path}`, headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });

for (;;) {
  const next = await call("GET", "invocation/next").catch(() => process.exit(0));
  const invocation = `invocation/${next.headers["lambda-runtime-aws-request-id"]}`;
  try {
    await call("POST", `${invocation}/response`, JSON.stringify(await handler(JSON.parse(next.body))));
  } catch (error) {
    const report = { errorType: error.name, errorMessage: error.message };
    await call("POST", `${invocation}/error`, JSON.stringify(report));
  }
}
