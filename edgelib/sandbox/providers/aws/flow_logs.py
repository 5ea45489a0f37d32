"""aws:ec2/flowLog:FlowLog."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, Ec2Object
from edgelib.sandbox.providers.aws.routes import exactly_one
from edgelib.sandbox.providers.aws.session import AwsSession
from edgelib.sandbox.providers.properties import Failure, Kind, Property, outputs

_RESOURCES = {"vpcId": "VPC", "subnetId": "Subnet", "eniId": "NetworkInterface"}


def _without_star(arn: str) -> str:
    return arn.removesuffix(":*")


class FlowLog(Ec2Object):
    """Of a VPC, a subnet or an interface, to CloudWatch Logs or S3. Only tags change in place."""

    token = "aws:ec2/flowLog:FlowLog"  # noqa: S105 - a type token
    api = Api(
        noun="vpc-flow-log", create="create_flow_logs", created="FlowLogIds[0]", describe="describe_flow_logs",
        listed="FlowLogs", id="FlowLogId", delete="delete_flow_logs", state="FlowLogStatus",
    )  # fmt: skip
    sent = ("trafficType", "logDestinationType", "logDestination", "logFormat", "maxAggregationInterval")
    remote: ClassVar[Mapping[str, str]] = {"iamRoleArn": "DeliverLogsPermissionArn"}
    properties = (
        *(Property(name=name, replaces=True) for name in _RESOURCES),
        Property(name="trafficType", replaces=True, required=True, allowed=("ALL", "ACCEPT", "REJECT")),
        Property(name="logDestinationType", default="cloud-watch-logs", replaces=True, allowed=("cloud-watch-logs", "s3")),
        Property(name="logDestination", required=True, replaces=True, normal=_without_star),
        Property(name="iamRoleArn", replaces=True),
        Property(name="logFormat", computed=True, replaces=True),
        Property(name="maxAggregationInterval", kind=Kind.INTEGER, default=600, replaces=True, allowed=(60, 600)),
        *outputs("arn"),
        *TAGS, REGION,
    )  # fmt: skip

    def check(self, session: AwsSession, inputs: Mapping[str, Any]) -> Iterable[Failure]:
        """What is watched."""
        return exactly_one(self.token, inputs, tuple(_RESOURCES))

    def arguments(self, session: AwsSession, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What is watched, and who may write."""
        name = next(name for name in _RESOURCES if inputs.get(name))
        role = {"DeliverLogsPermissionArn": inputs["iamRoleArn"]} if inputs.get("iamRoleArn") else {}
        return {"ResourceIds": [inputs[name]], "ResourceType": _RESOURCES[name], **role}

    def state(
        self, session: AwsSession, client: Any, item: Mapping[str, Any], state: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What is watched, by the kind of its id; the log group as an ARN."""
        watched, found = item["ResourceId"], dict[str, Any].fromkeys(_RESOURCES, "")
        found[{"vpc": "vpcId", "sub": "subnetId", "eni": "eniId"}[watched[:3]]] = watched
        if not item.get("LogDestination") and item.get("LogGroupName"):
            region = session.region_of(state)
            found["logDestination"] = f"arn:aws:logs:{region}:{session.account}:log-group:{item['LogGroupName']}"
        return found

    def item(self, client: Any, id: str) -> dict[str, Any] | None:
        """A missing one is an empty answer, not an error."""
        found = client.describe_flow_logs(FlowLogIds=[id])["FlowLogs"]
        return found[0] if found else None

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """The call takes several."""
        client.delete_flow_logs(FlowLogIds=[id])
