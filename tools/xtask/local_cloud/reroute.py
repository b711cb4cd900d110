"""Puts a proxy between the functions of a local cloud and the services, for `cargo xtask faults`.

usage: reroute.py --endpoint URL --stack NAME --routes '{"RevokeFunction": "http://127.0.0.1:5000"}' --visibility SECONDS
                  --at-once N

Only what a fault costs in waiting is changed besides: an invocation has one message, more of them run at once, and a
message whose function died is seen again sooner than after the template's minutes.
"""

import argparse
import json
import os
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

# The services a function calls while it revokes, in the words of the SDKs' variables.
SERVICES = ("COGNITO_IDENTITY_PROVIDER", "DYNAMODB", "EVENTBRIDGE", "SESV2", "SNS", "SQS")
QUEUES = ("RevokeQueue", "NotifyQueue", "CompromiseQueue", "BulkQueue", "IntakeQueue")
# The counter's own limit stays: two at a time is what it is written for (its template section).
COUNTER = "CompromiseCounterFunction"


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("endpoint", "stack", "routes", "visibility"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--at-once", required=True, type=int)
    options = parser.parse_args()
    session = boto3.session.Session(
        aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        region_name=os.environ["AWS_REGION"],
    )

    def client(service: str):
        return session.client(service, endpoint_url=options.endpoint)

    resources = client("cloudformation").describe_stack_resources(StackName=options.stack)["StackResources"]
    names = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}
    functions, sqs = client("lambda"), client("sqs")
    for logical, proxy in json.loads(options.routes).items():
        name = names[logical]
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        variables |= {f"AWS_ENDPOINT_URL_{service}": proxy for service in SERVICES}
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        for mapping in functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
            more = {} if logical == COUNTER else {"ScalingConfig": {"MaximumConcurrency": options.at_once}}
            functions.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=1, **more)
    for logical in QUEUES:
        sqs.set_queue_attributes(QueueUrl=names[logical], Attributes={"VisibilityTimeout": options.visibility})
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ClientError, BotoCoreError, KeyError) as error:
        print(f"reroute: {error!r}", file=sys.stderr)
        sys.exit(1)
