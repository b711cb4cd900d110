"""FastAPI: guard(app, checker) once; a handler takes `permit: Annotated[Permit, Depends(require_token)]`."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from check import Checker, Denied, Permit, answer_to, bearer


def guard(app: FastAPI, checker: Checker) -> None:
    app.state.checker = checker

    @app.exception_handler(Denied)
    async def deny(_: Request, denied: Denied) -> JSONResponse:
        status, headers, body = answer_to(denied)
        return JSONResponse(body, status, headers)


# Not `async`: FastAPI then runs it in a thread, where waiting for the store holds up nobody else.
def require_token(request: Request) -> Permit:
    try:
        return request.app.state.checker.check(bearer(request.headers.getlist("authorization")))
    except Exception as error:
        raise error if isinstance(error, Denied) else Denied("internal") from error
