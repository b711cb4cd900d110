// Fastify 5: app.decorateRequest("auth", null); app.addHook("onRequest", requireToken(checker)); handlers find
// { subject, claims } in request.auth.

import { answerTo, bearer } from "./check.mjs";

export function requireToken(checker) {
  return async (request, reply) => {
    try {
      request.auth = await checker.check(bearer(request.raw.headersDistinct.authorization));
    } catch (error) {
      const { status, headers, body } = answerTo(error);
      return reply.code(status).headers(headers).send(body);
    }
  };
}
