"""Starts MiniStack as a stand-in for AWS. Its settings come from the environment, as MiniStack reads them.

usage: serve.py --facts FILE [--while-stdin-is-open]

Ends with its process group when told, or when whoever holds the other end of its standard input is gone, however that
happened; then removes FILE, which tells others where it was.

What is smoothed here is smoothed so that the template and the functions need no local exception:

1. Nagle off: the functions' runtime API writes headers and body apart; with delayed ACKs that costs 40 ms a call.
2. A loopback request counts as one over TLS: the queues' and topics' policies refuse plain HTTP, and stay as they are.
3. PutEvents takes sources that begin with "aws.": locally it stands for the partner and for CloudTrail, which deliver
   such events on AWS. (There, PutEvents refuses them; and so does MiniStack without this.)
4. `$context.authorizer.*` is rendered where AWS renders it and MiniStack 1.5.33 does not: in the responses of mock
   integrations and in gateway responses.
5. ses:SendEmail is authorised against the sender's identity, as on AWS, and not against "*", which a least-privilege
   policy does not allow; `ses:FromAddress` is the sender's address.
6. After an invocation MiniStack waits 50 ms for a log line; a function that says nothing would seem that much slower.
7. cognito-idp:UpdateGroup, which MiniStack does not know.
8. In a pool with e-mail addresses as aliases nobody's user name is an address: Cognito refuses such a name, MiniStack does
   not, and provisioning that works here would fail there.
9. A pre token generation trigger is obeyed: an error is a refusal with its text, as on AWS (MiniStack logs it and mints), and
   the answer is read by the version the pool is configured with (MiniStack takes a PreTokenGenerationConfig for V2 or V3). It is
   asked once a token; AWS asks once for both.
10. An alarm on metric math is taken for one on the last of its metrics: MiniStack refuses the stack instead.
11. While the file `user-update-limit` in the working directory holds a number, Cognito's UserUpdate quota is enforced: so many
    calls a second, and TooManyRequestsException beyond. `user-update-calls.json` beside it counts both. MiniStack has no quotas.
12. EventBridge hands an entry's TraceHeader on to queues, as the system attribute AWSTraceHeader. MiniStack drops it.
13. AWS::Logs::QueryDefinition is taken and does nothing: MiniStack refuses the stack, and has nobody who would ask.
14. While the file `cognito-clock` in the working directory holds a number, Cognito's clock is so many seconds ahead (or, below
    zero, behind). The functions' clock is the machine's.
15. `Fn::Join` of a list parameter works in conditions, where MiniStack leaves it as it stands: every such condition is true.
"""

import argparse
import contextlib
import contextvars
import inspect
import json
import os
import re
import signal
import socketserver
import sys
import threading
import time
from email.utils import parseaddr
from pathlib import Path

AUTHORIZER_CONTEXT = contextvars.ContextVar("authorizer_context", default=None)
VARIABLE = re.compile(rb"\$context\.authorizer\.([A-Za-z0-9_-]+)")


def wrap(module, name: str, wrapper) -> None:
    """Replaces a function of MiniStack by `wrapper(original)`; fails loudly if a new version renamed it."""
    original = getattr(module, name, None)
    if not inspect.isfunction(original):
        raise RuntimeError(f"{module.__name__}.{name} is gone: adapt serve.py to this version of MiniStack")
    setattr(module, name, wrapper(original))


def trust_loopback() -> None:
    """Edge 2: `aws:SecureTransport` is true. Must run before `ministack.app` is imported."""
    from ministack.core import iam_evaluator

    wrap(iam_evaluator, "pin_request_origin", lambda pin: lambda source_ip, _secure: pin(source_ip, True))


def stand_in_for_aws_sources() -> None:
    """Edge 3."""
    from ministack.services import eventbridge

    wrap(eventbridge, "_put_events", lambda put: lambda data, allow_aws_source=True: put(data, allow_aws_source))


def render_authorizer_context() -> None:
    """Edge 4: an unknown name is rendered as nothing, as API Gateway does."""
    from ministack.services import apigateway_v1

    def rendered(answer):
        status, headers, body = answer
        context = AUTHORIZER_CONTEXT.get() or {}
        return status, headers, VARIABLE.sub(lambda m: str(context.get(m.group(1).decode(), "")).encode(), body)

    def remembering(stringify):
        def remember(context):
            result = stringify(context)
            AUTHORIZER_CONTEXT.set(result)
            return result

        return remember

    wrap(apigateway_v1, "_stringify_context", remembering)
    wrap(apigateway_v1, "_invoke_mock_v1", lambda mock: lambda integration: rendered(mock(integration)))
    wrap(apigateway_v1, "_gateway_error_response", lambda gateway: lambda *args: rendered(gateway(*args)))


def authorise_the_sender() -> None:
    """Edge 5, for the v2 API, which is what the functions use."""
    from ministack.core import iam_actions, iam_evaluator

    def by_sender(resource_arn):
        def answer(method, path, body, region, account_id):
            if path.rstrip("/") != "/v2/email/outbound-emails":
                return resource_arn(method, path, body, region, account_id)
            _name, address = parseaddr(json.loads(body).get("FromEmailAddress") or "")
            return f"arn:aws:ses:{region}:{account_id}:identity/{address}"

        return answer

    def with_sender(enforce):
        def enforced(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
            _, _, sender = resource_arn.partition(":identity/")
            if iam_action == "ses:SendEmail" and sender:
                service_context = {**(service_context or {}), "ses:FromAddress": sender}
            return enforce(access_key_id, iam_action, service, region, resource_arn, service_context)

        return enforced

    wrap(iam_actions, "_ses_v2_resource_arn", by_sender)
    wrap(iam_evaluator, "enforce", with_sender)


def wait_less_for_logs() -> None:
    """Edge 6: a line that comes later is found with the next invocation's."""
    from ministack.core import lambda_runtime

    wrap(lambda_runtime.Worker, "_drain_stderr_bounded", lambda drain: lambda self, **_: drain(self, first_line_wait=0.003))


def know_update_group() -> None:
    """Edge 7: members that are not given stay, as Cognito's reference has it for UpdateGroup."""
    from ministack.services import cognito

    def update(data):
        pool, error = cognito._resolve_pool(data.get("UserPoolId"))
        if error:
            return error
        group = pool["_groups"].get(data.get("GroupName"))
        if group is None:
            return cognito.error_response_json("ResourceNotFoundException", "Group not found.", 400)
        group.update({name: data[name] for name in ("Description", "RoleArn", "Precedence") if name in data})
        group["LastModifiedDate"] = cognito._now_epoch()
        return cognito.json_response({"Group": cognito._group_out(group)})

    def with_update(dispatch):
        async def dispatched(action, data):
            return update(data) if action == "UpdateGroup" else await dispatch(action, data)

        return dispatched

    wrap(cognito, "_dispatch_idp", with_update)


def refuse_addresses_as_names() -> None:
    """Edge 8."""
    from ministack.services import cognito

    def strict(create):
        def answer(data):
            pool, _error = cognito._resolve_pool(data.get("UserPoolId"))
            if pool and "email" in (pool.get("AliasAttributes") or []) and "@" in (data.get("Username") or ""):
                message = "Username cannot be of email format, since user pool is configured for email alias."
                return cognito.error_response_json("InvalidParameterException", message, 400)
            return create(data)

        return answer

    wrap(cognito, "_admin_create_user", strict)


def take_metric_math() -> None:
    """Edge 10: metrics of log lines are never made here, so such an alarm stays quiet."""
    from ministack.services.cloudformation import provisioners

    def simple(record):
        def recorded(name, props):
            stats = [entry["MetricStat"] for entry in props.get("Metrics") or [] if "MetricStat" in entry]
            if not stats:
                return record(name, props)
            props = {key: value for key, value in props.items() if key != "Metrics"}
            metric = {**stats[-1]["Metric"], "Period": stats[-1]["Period"], "Statistic": stats[-1]["Stat"]}
            return record(name, props | metric)

        return recorded

    wrap(provisioners, "_cw_metric_alarm_record", simple)


# https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html, operations of the category UserUpdate.
USER_UPDATE = {
    "AdminAddUserToGroup",
    "AdminDeleteUserAttributes",
    "AdminDisableUser",
    "AdminEnableUser",
    "AdminRemoveUserFromGroup",
    "AdminUpdateUserAttributes",
    "AdminUserGlobalSignOut",
}


def enforce_the_user_update_quota() -> None:
    """Edge 11: a token bucket of one second's calls. Its state is kept by the one thread that serves Cognito."""
    from ministack.services import cognito

    limit, counts = Path("user-update-limit"), Path("user-update-calls.json")
    state = {"tokens": 0.0, "at": 0.0, "calls": 0, "throttled": 0, "first": 0.0, "last": 0.0}
    lock = threading.Lock()

    def admitted() -> bool:
        try:
            rate = float(limit.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return True
        now = time.time()
        with lock:
            if state["at"] < limit.stat().st_mtime:
                state.update(tokens=rate, at=now, calls=0, throttled=0, first=now)
            state["tokens"] = min(rate, state["tokens"] + (now - state["at"]) * rate)
            state.update(at=now, last=now)
            admit = state["tokens"] >= 1
            state["tokens"] -= 1 if admit else 0
            state["calls" if admit else "throttled"] += 1
            counts.write_text(json.dumps(state), encoding="ascii")
            return admit

    def limited(dispatch):
        async def dispatched(action, data):
            if action in USER_UPDATE and not admitted():
                return cognito.error_response_json("TooManyRequestsException", "Rate exceeded", 400)
            return await dispatch(action, data)

        return dispatched

    wrap(cognito, "_dispatch_idp", limited)


class OtherClock:
    """The module `time` as Cognito sees it; edge 14."""

    def __init__(self, offset: Path) -> None:
        self.offset = offset

    def __getattr__(self, name: str):
        return getattr(time, name)

    def time(self) -> float:
        """Seconds since the epoch."""
        try:
            return time.time() + float(self.offset.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return time.time()


def give_cognito_a_clock_of_its_own() -> None:
    """Edge 14: what dates tokens, and what dates sign-outs that they are compared with."""
    from ministack.services import cognito

    clock = OtherClock(Path("cognito-clock"))
    cognito.time = clock
    wrap(cognito, "_now_epoch", lambda _now: clock.time)


class RefusedByTrigger(Exception):
    """A trigger refused; its text is for the person."""


def obey_the_token_trigger() -> None:
    """Edge 9."""
    from ministack.services import cognito, lambda_svc

    def ask(arn: str, event: dict) -> dict:
        record, config, _name = lambda_svc._get_func_record_for_ref(arn)
        if record is None or config is None:
            raise RefusedByTrigger("the function does not exist.")
        record = lambda_svc._execution_record_for_config(record, config)
        result = lambda_svc._execute_function_with_config_scope(record, event)
        if result.get("error"):
            body = result.get("body")
            body = json.loads(body) if isinstance(body, (str, bytes)) else body
            raise RefusedByTrigger((body or {}).get("errorMessage") or "the function failed.")
        return cognito._extract_trigger_response(result.get("body")) or {}

    def obeying(_apply):
        def applied(*, pool_id, claims, token_type, trigger_source, client_id, **about):
            pool = cognito._user_pools.get(pool_id) or {}
            config = (pool.get("LambdaConfig") or {}).get("PreTokenGenerationConfig") or {}
            version = config.get("LambdaVersion") or "V1_0"
            machine = trigger_source == "TokenGeneration_ClientCredentials"
            if not config.get("LambdaArn") or (machine and version != "V3_0"):
                return claims
            event = cognito._build_pretoken_event(
                pool_id=pool_id, client_id=client_id, trigger_source=trigger_source, version=version, **about
            )
            response = ask(config["LambdaArn"], event)
            if version == "V1_0":
                details = response.get("claimsOverrideDetails") or {}
                section = details if token_type == "id" else {}
            else:
                details = response.get("claimsAndScopeOverrideDetails") or {}
                section = details.get("accessTokenGeneration" if token_type == "access" else "idTokenGeneration") or {}
            claims.update(section.get("claimsToAddOrOverride") or {})
            for name in section.get("claimsToSuppress") or []:
                claims.pop(name, None)
            groups = (details.get("groupOverrideDetails") or {}).get("groupsToOverride")
            if groups:
                claims["cognito:groups"] = groups
            return claims

        return applied

    def told(dispatch):
        async def dispatched(action, data):
            try:
                return await dispatch(action, data)
            except RefusedByTrigger as refused:
                message = f"PreTokenGeneration failed with error {refused}"
                return cognito.error_response_json("UserLambdaValidationException", message, 400)

        return dispatched

    def told_to_oauth(token):
        def answer(*args, **kwargs):
            try:
                return token(*args, **kwargs)
            except RefusedByTrigger as refused:
                return cognito._oauth2_error("invalid_grant", f"PreTokenGeneration failed with error {refused}")

        return answer

    wrap(cognito, "_apply_pretoken_trigger", obeying)
    wrap(cognito, "_dispatch_idp", told)
    wrap(cognito, "_oauth2_token", told_to_oauth)


def hand_traces_on() -> None:
    """Edge 12: an event is known again by its content, which is all that reaches whoever takes it from the queue."""
    from ministack.services import eventbridge, sqs

    headers: dict[tuple, str] = {}

    def key(source, detail_type, detail) -> tuple:
        return source, detail_type, json.dumps(detail, sort_keys=True)

    def putting(put):
        def remember(data, *args, **kwargs):
            for entry in data.get("Entries", []):
                if entry.get("TraceHeader"):
                    with contextlib.suppress(ValueError, TypeError):
                        detail = json.loads(entry.get("Detail", ""))
                        headers[key(entry.get("Source"), entry.get("DetailType"), detail)] = entry["TraceHeader"]
            # The latest are on their way; the others have arrived.
            while len(headers) > 10_000:
                headers.pop(next(iter(headers)))
            return put(data, *args, **kwargs)

        return remember

    def receiving(receive):
        def with_headers(*args, **kwargs):
            messages = receive(*args, **kwargs)
            for message in messages:
                with contextlib.suppress(ValueError, TypeError, AttributeError):
                    event = json.loads(message["body"])
                    header = headers.get(key(event.get("source"), event.get("detail-type"), event.get("detail")))
                    if header:
                        message.setdefault("sys", {})["AWSTraceHeader"] = header
            return messages

        return with_headers

    wrap(eventbridge, "_put_events", putting)
    wrap(sqs, "_receive_messages_for_esm", receiving)


def join_in_conditions() -> None:
    """Edge 15."""
    from ministack.services.cloudformation import changesets, engine, handlers, stacks

    def joined(node, params: dict):
        if isinstance(node, list):
            return [joined(item, params) for item in node]
        if not isinstance(node, dict):
            return node
        if "Fn::Join" in node and isinstance(node["Fn::Join"][1], dict):
            delimiter, items = node["Fn::Join"]
            value = params.get(items.get("Ref"), {}).get("Value", "")
            return delimiter.join(value if isinstance(value, list) else str(value).split(","))
        return {name: joined(value, params) for name, value in node.items()}

    def evaluating(evaluate):
        def evaluated(template, params):
            if isinstance(template, dict) and "Conditions" in template:
                template = {**template, "Conditions": joined(template["Conditions"], params)}
            return evaluate(template, params)

        return evaluated

    for module in (engine, changesets, handlers, stacks):
        wrap(module, "_evaluate_conditions", evaluating)


def take_query_definitions() -> None:
    """Edge 13."""
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS
    handlers.setdefault(
        "AWS::Logs::QueryDefinition",
        {
            "create": lambda logical_id, _properties, _stack: (f"query-{logical_id}", {}),
            "update": lambda physical_id, _old, _new, _stack: (physical_id, {}),
            "delete": lambda _physical_id, _properties: None,
        },
    )


def end_with_stdin(facts: Path) -> None:
    """Waits for the end of standard input, then ends the process group: the server and its functions."""
    # Unbuffered: the interpreter cannot end while a thread holds the lock of a buffered reader.
    while os.read(0, 1024):
        pass
    facts.unlink(missing_ok=True)
    os.killpg(0, signal.SIGTERM)
    time.sleep(3)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Runs the server until it is signalled."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--facts", required=True, type=Path)
    parser.add_argument("--while-stdin-is-open", action="store_true")
    options = parser.parse_args()
    # MiniStack reads the command line too.
    sys.argv = sys.argv[:1]
    if options.while_stdin_is_open:
        threading.Thread(target=end_with_stdin, args=[options.facts], daemon=True).start()

    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    trust_loopback()
    stand_in_for_aws_sources()
    render_authorizer_context()
    authorise_the_sender()
    wait_less_for_logs()
    know_update_group()
    refuse_addresses_as_names()
    obey_the_token_trigger()
    take_metric_math()
    enforce_the_user_update_quota()
    hand_traces_on()
    take_query_definitions()
    join_in_conditions()
    give_cognito_a_clock_of_its_own()

    from ministack import app

    try:
        app.main()
    finally:
        options.facts.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
