"""Gives the local cloud's HTTPS intakes what an operator gives them on AWS: the document of sources, as a parameter, and
the secrets it names, made up for the occasion.
"""

import base64
import json
import secrets
import string
from pathlib import Path

import yaml

DOCUMENT = Path(__file__).with_name("sources.yaml")


def provide(ssm, secretsmanager, outputs: dict[str, str]) -> dict[str, str]:
    """Writes both, and answers each source's secret under its name, such as `siem/plain`."""
    text = string.Template(DOCUMENT.read_text(encoding="utf-8")).substitute(user_pool_id=outputs["UserPoolId"])
    made = {}
    # The client of the enforcement API that IntrospectionClients names.
    made["introspection/local"] = put(secretsmanager, "revocation/introspection/local", "bearer")
    # First the secrets: a function that finds the document looks for them.
    for source, name, method in named(yaml.safe_load(text)):
        made[source] = put(secretsmanager, name, method)
    parameter = outputs["SourcesParameter"]
    # Beyond 4 KiB a parameter is an advanced one; beyond 8 KiB it is none.
    ssm.put_parameter(Name=parameter, Value=text, Type="String", Tier="Intelligent-Tiering", Overwrite=True)
    return made


def put(secretsmanager, name: str, method: str) -> str:
    """Makes a secret up, writes it, and answers it."""
    value = made_up(method)
    try:
        secretsmanager.create_secret(Name=name, SecretString=stored(method, value))
    except secretsmanager.exceptions.ResourceExistsException:
        secretsmanager.put_secret_value(SecretId=name, SecretString=stored(method, value))
    return value


def named(document: dict) -> list[tuple[str, str, str]]:
    """Every source, the name of its secret, and how the secret is used."""
    hooks = [
        (f"{path}/{name}", source["authentication"]["secret"], source["authentication"]["method"])
        for kind, path in (("siem", "siem"), ("role_change", "role-change"))
        for name, source in document.get(kind, {}).items()
    ]
    return hooks + [(f"scim/{name}", client["tokens"], "tokens") for name, client in document.get("scim", {}).items()]


def made_up(method: str) -> str:
    """A secret of the form the method asks for."""
    if method == "standard_webhooks":
        return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    # Nothing that a path would have to escape.
    return secrets.token_urlsafe(32)


def stored(method: str, value: str) -> str:
    """As it lies in Secrets Manager: tokens with a name, as for a rotation, the others bare."""
    return json.dumps({"secrets": [{"name": "local", "value": value}]}) if method == "tokens" else value
