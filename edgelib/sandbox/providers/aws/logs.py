"""aws:cloudwatch/logGroup:LogGroup."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Mapping
from typing import Any, Final, Optional

from edgelib.sandbox.providers.aws.resource import REGION, AwsResource
from edgelib.sandbox.providers.aws.session import AwsSession
from edgelib.sandbox.providers.aws.tags import TAGS, all_tags, change_tags, tag_state
from edgelib.sandbox.providers.properties import Kind, Property, outputs
from edgelib.sandbox.providers.resource import Request
from edgelib.sandbox.providers.values import mapping_of

_DAYS: Final = (
    0,
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)


class LogGroup(AwsResource):
    """The id is its name. `retentionInDays` 0 keeps events for ever."""

    service = "logs"
    token = "aws:cloudwatch/logGroup:LogGroup"  # noqa: S105 - a type token
    properties = (
        Property(name="name", autoname=True, replaces=True),
        Property(name="retentionInDays", kind=Kind.INTEGER, default=0, allowed=_DAYS),
        Property(name="kmsKeyId"),
        Property(name="logGroupClass", computed=True, replaces=True, allowed=("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")),
        Property(name="skipDestroy", kind=Kind.BOOLEAN, default=False),
        *outputs("arn", "namePrefix"),
        *TAGS, REGION,
    )  # fmt: skip

    @staticmethod
    def _find(client: Any, name: str) -> Optional[dict[str, Any]]:
        groups = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return next((group for group in groups if group["logGroupName"] == name), None)

    def make(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> str:
        """Create it."""
        optional = {key: inputs[key] for key in ("kmsKeyId", "logGroupClass") if inputs.get(key)}
        tags = all_tags(session, inputs)
        client.create_log_group(logGroupName=inputs["name"], **optional, **({"tags": tags} if tags else {}))
        return inputs["name"]

    def existing(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> Optional[str]:
        """What has the name."""
        return inputs["name"] if self._find(client, inputs["name"]) else None

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """Retention."""
        client = self.client(request.session, inputs)
        days = inputs["retentionInDays"]
        if days != ((self._find(client, id) or {}).get("retentionInDays") or 0):
            if days:
                client.put_retention_policy(logGroupName=id, retentionInDays=days)
            else:
                client.delete_retention_policy(logGroupName=id)

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """Describe it."""
        client = self.client(session, state)
        group = self._find(client, id)
        if group is None:
            return None
        arn = group["arn"].removesuffix(":*")
        tags = mapping_of(client.list_tags_for_resource(resourceArn=arn).get("tags"))
        return {
            "name": id,
            "namePrefix": "",
            "arn": arn,
            "retentionInDays": group.get("retentionInDays") or 0,
            "kmsKeyId": group.get("kmsKeyId") or "",
            "logGroupClass": group.get("logGroupClass") or "STANDARD",
            "region": session.region_of(state),
            **tag_state(session, tags, state),
        }

    def retag(
        self, client: Any, id: str, state: Mapping[str, Any], current: Mapping[str, str], wanted: Mapping[str, str]
    ) -> None:
        """Tags hang on the ARN."""
        change_tags(
            current,
            wanted,
            put=lambda tags: client.tag_resource(resourceArn=state["arn"], tags=tags),
            remove=lambda keys: client.untag_resource(resourceArn=state["arn"], tagKeys=keys),
        )

    def modify(self, client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
        """The key; retention is in `settle`."""
        if "kmsKeyId" in changed and new.get("kmsKeyId"):
            client.associate_kms_key(logGroupName=id, kmsKeyId=new["kmsKeyId"])
        elif "kmsKeyId" in changed:
            client.disassociate_kms_key(logGroupName=id)

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Delete it with its events, unless the program keeps them."""
        if not state.get("skipDestroy"):
            client.delete_log_group(logGroupName=id)
