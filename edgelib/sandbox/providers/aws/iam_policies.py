"""aws:iam/policy:Policy and the document that aws:iam/getPolicyDocument renders."""
# ruff: noqa: A002, ARG001, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Optional

from edgelib.sandbox.providers.aws.iam_common import IamObject, policy_text
from edgelib.sandbox.providers.aws.session import AwsSession, pages
from edgelib.sandbox.providers.aws.tags import TAGS, as_map, tag_state
from edgelib.sandbox.providers.properties import Kind, Property, outputs
from edgelib.sandbox.providers.resource import Function

_VERSIONS = 5  # IAM keeps that many of a policy


class Policy(IamObject):
    """A managed policy; the id is its ARN. A new document is a new default version."""

    token = "aws:iam/policy:Policy"  # noqa: S105 - a type token
    noun, key, answer = "policy", "PolicyArn", "Policy"
    sent: ClassVar[Mapping[str, str]] = {
        "name": "PolicyName", "policy": "PolicyDocument", "path": "Path", "description": "Description",
    }  # fmt: skip
    properties = (
        Property(name="name", autoname=True, replaces=True),
        Property(name="policy", kind=Kind.JSON, required=True),
        Property(name="path", default="/", replaces=True),
        Property(name="description", replaces=True),
        *outputs("arn", "attachmentCount", "policyId", "namePrefix"),
        *TAGS,
    )

    def id_of(self, session: AwsSession, inputs: Mapping[str, Any]) -> str:
        """Its ARN."""
        return f"arn:aws:iam::{session.account}:policy{inputs['path']}{inputs['name']}"

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """Get it with its default version."""
        client = self.client(session, state)
        found = self.item(client, id)
        if found is None:
            return None
        version = client.get_policy_version(PolicyArn=id, VersionId=found["DefaultVersionId"])["PolicyVersion"]
        return {
            "name": found["PolicyName"],
            "namePrefix": "",
            "path": found["Path"],
            "description": found.get("Description") or None,
            "policy": policy_text(version["Document"]),
            "arn": id,
            "attachmentCount": found.get("AttachmentCount", 0),
            "policyId": found["PolicyId"],
            **tag_state(session, as_map(found.get("Tags")), state),
        }

    @staticmethod
    def _old_versions(client: Any, arn: str) -> list[str]:
        versions = [
            item
            for item in pages(client, "list_policy_versions", "Versions", PolicyArn=arn)
            if not item["IsDefaultVersion"]
        ]
        return [item["VersionId"] for item in sorted(versions, key=lambda item: item["CreateDate"])]

    def modify(self, client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
        """The oldest version goes when there is no room for another."""
        if "policy" in changed:
            versions = self._old_versions(client, id)
            if len(versions) + 1 >= _VERSIONS:
                client.delete_policy_version(PolicyArn=id, VersionId=versions[0])
            client.create_policy_version(PolicyArn=id, PolicyDocument=new["policy"], SetAsDefault=True)

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Other versions first."""
        for version in self._old_versions(client, id):
            client.delete_policy_version(PolicyArn=id, VersionId=version)
        super().remove(client, id, state)


_PRINCIPAL = (Property(name="type", required=True), Property(name="identifiers", kind=Kind.SET, required=True))
_CONDITION = (
    Property(name="test", required=True),
    Property(name="variable", required=True),
    Property(name="values", kind=Kind.LIST, required=True),
)
_STATEMENT = (
    Property(name="sid"),
    Property(name="effect", default="Allow", allowed=("Allow", "Deny")),
    *(Property(name=name, kind=Kind.SET) for name in ("actions", "notActions", "resources", "notResources")),
    *(Property(name=name, kind=Kind.OBJECTS, fields=_PRINCIPAL) for name in ("principals", "notPrincipals")),
    Property(name="conditions", kind=Kind.OBJECTS, fields=_CONDITION),
)


def _one_or_many(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else sorted(values, reverse=True)


def _principals(entries: list[Mapping[str, Any]]) -> Any:
    if any(entry["type"] == "*" for entry in entries):
        return "*"
    merged: dict[str, list[str]] = {}
    for entry in entries:
        merged.setdefault(entry["type"], []).extend(entry["identifiers"])
    return {kind: _one_or_many(values) for kind, values in merged.items()}


def _statement(given: Mapping[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {"Sid": given["sid"]} if given.get("sid") else {}
    statement["Effect"] = given["effect"]
    for name, key in (
        ("actions", "Action"),
        ("notActions", "NotAction"),
        ("resources", "Resource"),
        ("notResources", "NotResource"),
    ):
        if given.get(name):
            statement[key] = _one_or_many(given[name])
    for name, key in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if given.get(name):
            statement[key] = _principals(given[name])
    for condition in given.get("conditions") or ():
        test = statement.setdefault("Condition", {}).setdefault(condition["test"], {})
        test[condition["variable"]] = _one_or_many(condition["values"])
    return statement


def get_policy_document(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of a policy, written as the official provider writes it."""
    document: dict[str, Any] = {"Version": arguments["version"]}
    if arguments.get("policyId"):
        document["Id"] = arguments["policyId"]
    document["Statement"] = [_statement(given) for given in arguments.get("statements") or ()]
    text = json.dumps(document, separators=(",", ":"))
    return {**arguments, "id": "policy", "json": json.dumps(document, indent=2), "minifiedJson": text}


INVOKES = (
    Function(
        "aws:iam/getPolicyDocument:getPolicyDocument",
        (
            Property(name="policyId"),
            Property(name="statements", kind=Kind.OBJECTS, fields=_STATEMENT),
            Property(name="version", default="2012-10-17", allowed=("2008-10-17", "2012-10-17")),
        ),
        get_policy_document,
    ),
)
