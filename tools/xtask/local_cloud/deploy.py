"""Deploys infra/template.yaml, the file that goes to AWS, to the local cloud, with the sources of sources.yaml. Prints as
JSON the stack's `outputs` and the `secrets` made up for the sources.

usage: deploy.py --endpoint URL --stack NAME --template FILE --functions DIR [--parameter KEY=VALUE]...

Does what `sam deploy` does, without the 200 MB: zips each function, uploads it, puts its address in place of CodeUri,
creates or updates the stack and waits. A function is taken from DIR/<name>/bootstrap, where <name> is the last part of
its CodeUri: the CodeUri itself is where builds for AWS lie.
"""

import argparse
import hashlib
import io
import json
import os
import re
import sys
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

import sources

BUCKET = "session-revocation-artifacts"
# The stream of the SIEM feed, and the bucket it writes to: on AWS both are the customer's.
SIEM_STREAM, SIEM_BUCKET = "siem-feed", "session-revocation-siem"
CODE_URI = re.compile(r"^(?P<lead>\s*CodeUri:\s*)(?P<path>\.\./\S+?)/?\s*$", re.MULTILINE)
# CloudFormation sets TTL on AWS; MiniStack ignores the property, so it is set by hand.
TTL_TABLES = {
    name: "expires_at"
    for name in ("TombstonesTable", "TombstoneFeedTable", "SessionsTable", "CompromisesTable", "IntakeTable", "BulkTable", "CanaryRunsTable")
}


class DeployError(Exception):
    """Something the caller can act on; its text is the whole message."""


def arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--template", required=True, type=Path)
    parser.add_argument("--functions", required=True, type=Path)
    parser.add_argument("--parameter", action="append", default=[], metavar="KEY=VALUE")
    return parser.parse_args()


def zipped(bootstrap: Path) -> bytes:
    """A function's package: one executable file. The date is fixed, so equal binaries make equal packages."""
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o100755 << 16
    # Stored, not deflated: the package never leaves this machine.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(entry, bootstrap.read_bytes())
    return buffer.getvalue()


def package(s3, template: Path, functions: Path) -> str:
    """Uploads every function and answers the template that points at the uploads."""

    def upload(match: re.Match) -> str:
        bootstrap = functions / Path(match["path"]).name / "bootstrap"
        if not bootstrap.is_file():
            raise DeployError(f"{bootstrap} is missing: build the functions first (`cargo xtask up` does)")
        body = zipped(bootstrap)
        key = f"{bootstrap.parent.name}/{hashlib.sha256(body).hexdigest()[:32]}.zip"
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"{match['lead']}s3://{BUCKET}/{key}"

    text, count = CODE_URI.subn(upload, template.read_text(encoding="utf-8"))
    if count == 0:
        raise DeployError(f"{template} has no `CodeUri: ../…` line: nothing to package")
    return text


def deploy(cloudformation, stack: str, url: str, parameters: list[dict]) -> dict[str, str]:
    """Creates or updates the stack, waits, and answers its outputs."""
    request = {
        "StackName": stack,
        "TemplateURL": url,
        "Parameters": parameters,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    waiter = "stack_create_complete"
    try:
        cloudformation.create_stack(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
        waiter = "stack_update_complete"
        try:
            cloudformation.update_stack(**request)
        except ClientError as update:
            if "No updates are to be performed" not in str(update):
                raise
            waiter = ""
    if waiter:
        wait(cloudformation, stack, waiter)
    outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def wait(cloudformation, stack: str, waiter: str) -> None:
    """Waits, and says which resource failed and why when it did."""
    try:
        cloudformation.get_waiter(waiter).wait(StackName=stack, WaiterConfig={"Delay": 0.2, "MaxAttempts": 600})
    except WaiterError:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [
            f"  {event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', '?')}"
            for event in events
            if event["ResourceStatus"].endswith("_FAILED")
        ]
        raise DeployError("the stack failed:\n" + "\n".join(failed or ["  no resource says why"])) from None


def verify_sender(sesv2, address: str | None) -> None:
    """On AWS somebody follows the link in SES's e-mail; here creating the identity verifies it."""
    try:
        if address:
            sesv2.create_email_identity(EmailIdentity=address)
    except sesv2.exceptions.AlreadyExistsException:
        pass


def siem_stream(s3, firehose, placement: dict) -> None:
    """Makes the stream that siem-feed is told to write to; each record becomes an object of its own."""
    try:
        s3.create_bucket(Bucket=SIEM_BUCKET, **placement)
        destination = {"BucketARN": f"arn:aws:s3:::{SIEM_BUCKET}", "RoleARN": "arn:aws:iam::000000000000:role/firehose"}
        firehose.create_delivery_stream(
            DeliveryStreamName=SIEM_STREAM,
            DeliveryStreamType="DirectPut",
            ExtendedS3DestinationConfiguration=destination,
        )
    except ClientError as error:
        exists = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists", "ResourceInUseException")
        if error.response["Error"]["Code"] not in exists:
            raise


def signing_key(kms) -> str:
    """The key that signs digests, made once: on AWS it exists before the stack, and outlives it."""
    alias = "alias/session-revocation-audit"
    try:
        return kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"]
    except kms.exceptions.NotFoundException:
        key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]
        kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
        return key["Arn"]


def honour_tables(dynamodb, outputs: dict, protected: bool) -> None:
    """What the template says of tables and MiniStack does not honour: it keeps `!Ref DeletionProtection` as text, which no SDK
    reads as a boolean, and leaves point-in-time recovery off."""
    for output in sorted(name for name in outputs if name.endswith("Table")):
        table = outputs[output]
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=protected)
        recovery = {"PointInTimeRecoveryEnabled": True}
        dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=recovery)


def main() -> int:
    """Entry point."""
    options = arguments()
    # A clean environment: nothing of the caller's profile may point this at a real account.
    session = boto3.session.Session(
        aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        region_name=os.environ["AWS_REGION"],
    )

    def client(service: str):
        config = Config(retries={"max_attempts": 3}, s3={"addressing_style": "path"})
        return session.client(service, endpoint_url=options.endpoint, config=config)

    s3 = client("s3")
    region = session.region_name
    placement = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=BUCKET, **placement)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise
    siem_stream(s3, client("firehose"), placement)
    body = package(s3, options.template, options.functions)
    key = f"template/{hashlib.sha256(body.encode()).hexdigest()[:32]}.yaml"
    s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())
    pairs = [pair.split("=", 1) for pair in options.parameter]
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in pairs]
    parameters.append({"ParameterKey": "AuditSigningKeyArn", "ParameterValue": signing_key(client("kms"))})
    url = f"{options.endpoint}/{BUCKET}/{key}"
    cloudformation = client("cloudformation")
    outputs = deploy(cloudformation, options.stack, url, parameters)
    # The addresses senders and the canary call have the APIs' ids in them, which are known only now; on AWS they are the
    # APIs' own, or domains.
    base = f"{options.endpoint}/_aws/execute-api/{outputs['IntakesApiId']}/$default"
    parameters.append({"ParameterKey": "IntakesBaseUrl", "ParameterValue": base})
    probe = f"{options.endpoint}/restapis/{outputs['ExampleApiId']}/v1/_user_request_"
    parameters.append({"ParameterKey": "CanaryProbeUrl", "ParameterValue": probe})
    outputs = deploy(cloudformation, options.stack, url, parameters)
    dynamodb = client("dynamodb")
    for output, attribute in TTL_TABLES.items():
        specification = {"Enabled": True, "AttributeName": attribute}
        dynamodb.update_time_to_live(TableName=outputs[output], TimeToLiveSpecification=specification)
    honour_tables(dynamodb, outputs, dict(pairs).get("DeletionProtection", "true") == "true")
    verify_sender(client("sesv2"), dict(pairs).get("SenderEmail"))
    secrets = sources.provide(client("ssm"), client("secretsmanager"), outputs)
    json.dump({"outputs": outputs, "secrets": secrets}, sys.stdout, indent=2, sort_keys=True)
    print()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (DeployError, ClientError, BotoCoreError) as error:
        print(f"deploy: {error}", file=sys.stderr)
        sys.exit(1)
