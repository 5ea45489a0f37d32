"""aws:cloudwatch/logGroup:LogGroup."""
# ruff: noqa: A002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Mapping
from typing import Any, Final, Optional

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, AwsResource
from edgelib.sandbox.providers.aws.session import AwsSession, is_missing, is_unanswered
from edgelib.sandbox.providers.aws.tags import all_tags, tag_changes, tag_state
from edgelib.sandbox.providers.properties import Kind, Property, outputs
from edgelib.sandbox.providers.resource import Created, Request
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

    def create(self, request: Request[AwsSession], inputs: Mapping[str, Any]) -> Created:
        """Create it."""
        region, name = request.session.region_of(inputs), inputs["name"]
        once, client = request.session.client("logs", region, retried=False), request.session.client("logs", region)
        optional = {key: inputs[key] for key in ("kmsKeyId", "logGroupClass") if inputs.get(key)}
        tags = all_tags(request.session, inputs)

        def call(_: str) -> str:
            once.create_log_group(logGroupName=name, **optional, **({"tags": tags} if tags else {}))
            return name

        def existing() -> set[str]:
            return {name} if self._find(client, name) else set()

        return Created(
            request.creation.once([self.token, region, inputs], call, existing=existing, unanswered=is_unanswered)
        )

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """Retention."""
        client = request.session.client("logs", request.session.region_of(inputs))
        days = inputs["retentionInDays"]
        if days != ((self._find(client, id) or {}).get("retentionInDays") or 0):
            if days:
                client.put_retention_policy(logGroupName=id, retentionInDays=days)
            else:
                client.delete_retention_policy(logGroupName=id)

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """Describe it."""
        region = session.region_of(state)
        client = session.client("logs", region)
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
            "region": region,
            **tag_state(session, tags, state),
        }

    def update(
        self,
        request: Request[AwsSession],
        id: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: set[str],
    ) -> Mapping[str, Any]:
        """Tags and the key; retention is in `settle`."""
        client = request.session.client("logs", request.session.region_of(old))
        added, removed = tag_changes(old.get("tagsAll") or {}, all_tags(request.session, new))
        if removed:
            client.untag_resource(resourceArn=old["arn"], tagKeys=removed)
        if added:
            client.tag_resource(resourceArn=old["arn"], tags=added)
        if "kmsKeyId" in changed and new.get("kmsKeyId"):
            client.associate_kms_key(logGroupName=id, kmsKeyId=new["kmsKeyId"])
        elif "kmsKeyId" in changed:
            client.disassociate_kms_key(logGroupName=id)
        return {}

    def delete(self, request: Request[AwsSession], id: str, state: Mapping[str, Any]) -> None:
        """Delete it with its events, unless the program keeps them."""
        if state.get("skipDestroy"):
            return
        try:
            request.session.client("logs", request.session.region_of(state)).delete_log_group(logGroupName=id)
        except Exception as error:
            if not is_missing(error):
                raise
