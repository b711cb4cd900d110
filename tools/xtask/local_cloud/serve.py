"""Starts MiniStack with two of its edges smoothed. Settings come from the environment, as MiniStack reads them.

1. Nagle off: the functions' runtime API writes headers and body apart; with delayed ACKs that costs 40 ms a call.
2. `$context.authorizer.*` is rendered where AWS renders it and MiniStack 1.5.33 does not: in the responses of mock
   integrations and in gateway responses. Nothing else is changed.
"""

import contextvars
import inspect
import re
import socketserver

AUTHORIZER_CONTEXT = contextvars.ContextVar("authorizer_context", default=None)
VARIABLE = re.compile(rb"\$context\.authorizer\.([A-Za-z0-9_-]+)")


def render(body: bytes) -> bytes:
    """Puts the authorizer's context into a body, an unknown name as nothing, as API Gateway does."""
    context = AUTHORIZER_CONTEXT.get() or {}
    return VARIABLE.sub(lambda match: str(context.get(match.group(1).decode(), "")).encode(), body)


def patch_api_gateway() -> None:
    """Wraps the three functions of MiniStack's REST API data plane; fails loudly if a version renamed them."""
    from ministack.services import apigateway_v1 as api

    evaluate, mock, gateway = api._stringify_context, api._invoke_mock_v1, api._gateway_error_response
    for function in (evaluate, mock, gateway):
        if not inspect.isfunction(function):
            raise RuntimeError(f"{function} is no longer a function: adapt serve.py to this MiniStack version")

    def remember(context):
        result = evaluate(context)
        AUTHORIZER_CONTEXT.set(result)
        return result

    def rendered(answer):
        status, headers, body = answer
        return status, headers, render(body)

    api._stringify_context = remember
    api._invoke_mock_v1 = lambda integration: rendered(mock(integration))
    api._gateway_error_response = lambda error, request: rendered(gateway(error, request))


def main() -> None:
    """Runs the server until it is signalled."""
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    patch_api_gateway()

    from ministack import app

    app.main()


if __name__ == "__main__":
    main()
