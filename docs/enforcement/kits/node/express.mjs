// Express 4 and 5: app.use(requireToken(checker)); handlers find { subject, claims } in req.auth.

import { answerTo, bearer } from "./check.mjs";

export function requireToken(checker) {
  return async (req, res, next) => {
    try {
      req.auth = await checker.check(bearer(req.headersDistinct.authorization));
    } catch (error) {
      const { status, headers, body } = answerTo(error);
      res.status(status).set(headers).json(body);
      return;
    }
    next();
  };
}
