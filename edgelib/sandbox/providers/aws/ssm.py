"""Parameter Store: aws:ssm/parameter:Parameter and its look-up."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Iterable, Mapping
from typing import Any, Optional

from edgelib.sandbox.providers.aws.names import pascal
from edgelib.sandbox.providers.aws.resource import REGION, AwsResource
from edgelib.sandbox.providers.aws.session import AwsSession, error_code
from edgelib.sandbox.providers.aws.tags import TAGS, all_tags, as_list, as_map, change_tags, tag_state
from edgelib.sandbox.providers.properties import Failure, Kind, Property, outputs
from edgelib.sandbox.providers.resource import Created, Function, ProviderError, Request
from edgelib.sandbox.providers.values import mapping_of

_CHANGES = ("value", "insecureValue", "type", "description", "tier", "keyId", "allowedPattern", "dataType")


def _is_gone(error: BaseException) -> bool:
    return error_code(error) in {"ParameterNotFound", "InvalidResourceId"}


class Parameter(AwsResource):
    """The id is its name. `value` is secret whatever the type; write-only values are not implemented."""

    service = "ssm"
    token = "aws:ssm/parameter:Parameter"  # noqa: S105 - a type token
    properties = (
        Property(name="name", autoname=True, replaces=True),
        Property(name="type", required=True, allowed=("String", "StringList", "SecureString")),
        Property(name="value", computed=True, secret=True),
        Property(name="insecureValue", computed=True),
        Property(name="description"),
        Property(name="tier", computed=True, allowed=("Standard", "Advanced", "Intelligent-Tiering")),
        Property(name="keyId", computed=True),
        Property(name="allowedPattern"),
        Property(name="dataType", computed=True, replaces=True),
        Property(name="overwrite", kind=Kind.BOOLEAN),
        *outputs("arn", "hasValueWo"),
        *outputs("version", unsettled_by=_CHANGES),
        *TAGS, REGION,
    )  # fmt: skip

    def check(self, session: AwsSession, inputs: Mapping[str, Any]) -> Iterable[Failure]:
        """One value, and no secret in the open."""
        if ("value" in inputs) == ("insecureValue" in inputs):
            yield Failure("value", f"{self.token} takes exactly one of value, insecureValue")
        if inputs.get("type") == "SecureString" and "insecureValue" in inputs:
            yield Failure(
                "insecureValue", f"{self.token}.insecureValue cannot be used with type SecureString: use value"
            )

    @staticmethod
    def _arguments(inputs: Mapping[str, Any]) -> dict[str, Any]:
        names = ("name", "type", "description", "tier", "keyId", "allowedPattern", "dataType")
        given = {pascal(name): inputs[name] for name in names if inputs.get(name)}
        value = inputs["value"] if "value" in inputs else inputs["insecureValue"]
        return {**given, "Value": value}

    def create(self, request: Request[AwsSession], inputs: Mapping[str, Any]) -> Created:
        """Put it; one that is there is only taken over with `overwrite`, and then gets its tags in `settle`."""
        if not inputs.get("overwrite"):
            return super().create(request, inputs)
        self.client(request.session, inputs).put_parameter(**self._arguments(inputs), Overwrite=True)
        return Created(inputs["name"])

    def make(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> str:
        """Put it."""
        tags = as_list(all_tags(session, inputs))
        client.put_parameter(**self._arguments(inputs), Overwrite=False, **({"Tags": tags} if tags else {}))
        return inputs["name"]

    def existing(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> Optional[str]:
        """What has the name."""
        return inputs["name"] if self._find(client, inputs["name"]) else None

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """AWS takes no tags together with `Overwrite`."""
        if inputs.get("overwrite"):
            client = self.client(request.session, inputs)
            self.retag(client, id, inputs, self._tags(client, id), all_tags(request.session, inputs))

    @staticmethod
    def _find(client: Any, name: str) -> Optional[dict[str, Any]]:
        try:
            return client.get_parameter(Name=name, WithDecryption=True)["Parameter"]
        except Exception as error:
            if _is_gone(error):
                return None
            raise

    @staticmethod
    def _tags(client: Any, name: str) -> dict[str, str]:
        return as_map(client.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"])

    def retag(
        self, client: Any, id: str, state: Mapping[str, Any], current: Mapping[str, str], wanted: Mapping[str, str]
    ) -> None:
        """Tags do not make a new version."""
        of = {"ResourceType": "Parameter", "ResourceId": id}
        change_tags(
            current,
            wanted,
            put=lambda tags: client.add_tags_to_resource(**of, Tags=as_list(tags)),
            remove=lambda keys: client.remove_tags_from_resource(**of, TagKeys=keys),
        )

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """The value, decrypted, and what describes it."""
        client = self.client(session, state)
        found = self._find(client, id)
        if found is None:
            return None
        filters = [{"Key": "Name", "Option": "Equals", "Values": [id]}]
        about = mapping_of(next(iter(client.describe_parameters(ParameterFilters=filters)["Parameters"]), None))
        return {
            "name": id,
            "type": found["Type"],
            "value": found["Value"],
            "insecureValue": found["Value"] if "insecureValue" in state else None,
            "version": found["Version"],
            "arn": found["ARN"],
            "dataType": found.get("DataType") or "text",
            "description": about.get("Description") or None,
            "tier": about.get("Tier") or "Standard",
            "keyId": about.get("KeyId") or "",
            "allowedPattern": about.get("AllowedPattern") or None,
            "hasValueWo": False,
            "region": session.region_of(state),
            **tag_state(session, self._tags(client, id), state),
        }

    def modify(self, client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
        """A new version."""
        if changed & set(_CHANGES):
            client.put_parameter(**self._arguments(new), Overwrite=True)

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Delete it."""
        client.delete_parameter(Name=id)


def get_parameter(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter's value, also of the public ones."""
    region, decrypt = session.region_of(arguments), arguments["withDecryption"]
    try:
        found = session.client("ssm", region).get_parameter(Name=arguments["name"], WithDecryption=decrypt)["Parameter"]
    except Exception as error:
        if not _is_gone(error):
            raise
        raise ProviderError(f"name: there is no parameter {arguments['name']!r} in {region}") from error
    return {
        "id": found["Name"],
        "arn": found["ARN"],
        "name": found["Name"],
        "type": found["Type"],
        "value": found["Value"],
        "insecureValue": "" if found["Type"] == "SecureString" else found["Value"],
        "version": found["Version"],
        "withDecryption": decrypt,
        "region": region,
    }


INVOKES = (
    Function(
        "aws:ssm/getParameter:getParameter",
        (
            Property(name="name", required=True),
            Property(name="withDecryption", kind=Kind.BOOLEAN, default=True),
            Property(name="region"),
        ),
        get_parameter,
        secrets=frozenset({"value"}),
    ),
)
