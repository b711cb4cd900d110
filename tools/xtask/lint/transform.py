"""Runs the SAM transform on a template, as CloudFormation does on deployment. No account and no network needed.

usage: transform.py TEMPLATE
"""

import logging
import os
import re
import sys
from pathlib import Path

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies(ManagedPolicyLoader):
    """The real one asks IAM. Our functions bring roles of their own."""

    def __init__(self) -> None:
        super().__init__(None)
        self._policy_map = {}


def main() -> int:
    """Entry point."""
    logging.disable(logging.WARNING)
    # The translator asks botocore for its Region, not the parameters below.
    os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    # What `sam package` does: the transform wants addresses, not folders.
    template = yaml_parse(re.sub(r"CodeUri: \.\./\S+", "CodeUri: s3://bucket/key", text))
    parameters = {name: found.get("Default", "x") for name, found in template.get("Parameters", {}).items()}
    parameters |= {"AWS::Region": "eu-central-1", "AWS::Partition": "aws", "AWS::AccountId": "111122223333"}
    try:
        resources = transform(template, parameters, NoManagedPolicies())["Resources"]
    except InvalidDocumentException as error:
        print(f"{sys.argv[1]}: {error.message}", file=sys.stderr)
        for cause in error.causes:
            print(f"  {cause.message}", file=sys.stderr)
        return 1
    print(f"{len(resources)} resources after the transform")
    return 0


if __name__ == "__main__":
    sys.exit(main())
