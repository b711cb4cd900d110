"""Flask: app.before_request(require_token(checker)); handlers find the permit in g.permit."""

from flask import g, jsonify, request

from check import Checker, answer_to, bearer


def require_token(checker: Checker):
    def check():
        try:
            # WSGI joins several headers of a name with commas; a token has none, so they are refused.
            g.permit = checker.check(bearer(request.headers.getlist("Authorization")))
        except Exception as error:  # noqa: BLE001 - denied, whatever it was
            status, headers, body = answer_to(error)
            return jsonify(body), status, headers
        return None

    return check
