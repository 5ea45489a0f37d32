"""Route tables, routes and associations: aws:ec2 RouteTable, Route, RouteTableAssociation."""
# ruff: noqa: A001, A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, Optional

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, Ec2Object
from edgelib.sandbox.providers.aws.names import pascal
from edgelib.sandbox.providers.aws.resource import AwsResource
from edgelib.sandbox.providers.aws.session import AwsSession, unless_missing
from edgelib.sandbox.providers.aws.vpc import ipv4_network, ipv6_network
from edgelib.sandbox.providers.properties import Failure, Property, outputs
from edgelib.sandbox.providers.resource import ProviderError

_DESTINATIONS: Final = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")
_TARGETS: Final = (
    "gatewayId", "natGatewayId", "carrierGatewayId", "networkInterfaceId", "transitGatewayId", "vpcPeeringConnectionId",
)  # fmt: skip


def exactly_one(token: str, inputs: Mapping[str, Any], names: Iterable[str]) -> Iterable[Failure]:
    """The rule that one, and only one, of some properties is given."""
    given = [name for name in names if inputs.get(name) is not None]
    if len(given) != 1:
        found = f"{' and '.join(given)} are" if given else "none is"
        yield Failure(given[-1] if given else "", f"{token} takes exactly one of {', '.join(names)}: {found} given")


class RouteTable(Ec2Object):
    """Without inline routes: use Route."""

    token = "aws:ec2/routeTable:RouteTable"  # noqa: S105 - a type token
    api = Api(
        noun="route-table", create="create_route_table", created="RouteTable.RouteTableId",
        describe="describe_route_tables", listed="RouteTables", id="RouteTableId", delete="delete_route_table",
    )  # fmt: skip
    sent = ("vpcId",)
    properties = (Property(name="vpcId", required=True, replaces=True), *outputs("arn", "ownerId"), *TAGS, REGION)


def route_table(client: Any, id: str) -> Optional[dict[str, Any]]:
    """A route table as AWS describes it, None when it is gone."""
    return unless_missing(lambda: client.describe_route_tables(RouteTableIds=[id])["RouteTables"][0])


def _route_id(table: str, destination: str) -> str:
    return f"r-{table}{zlib.crc32(destination.encode())}"  # the official provider's form


class Route(AwsResource):
    """A new target is put in place of the old one; a new destination is a new route."""

    token = "aws:ec2/route:Route"  # noqa: S105 - a type token
    properties = (
        Property(name="routeTableId", required=True, replaces=True),
        Property(name="destinationCidrBlock", replaces=True, problem=ipv4_network),
        Property(name="destinationIpv6CidrBlock", replaces=True, problem=ipv6_network),
        Property(name="destinationPrefixListId", replaces=True),
        *(Property(name=name, computed=name == "networkInterfaceId") for name in _TARGETS),
        *outputs("instanceId", "instanceOwnerId", "origin", "state"),
        REGION,
    )

    def check(self, session: AwsSession, inputs: Mapping[str, Any]) -> Iterable[Failure]:
        """One destination, one target."""
        yield from exactly_one(self.token, inputs, _DESTINATIONS)
        yield from exactly_one(self.token, inputs, _TARGETS)

    @staticmethod
    def _destination(values: Mapping[str, Any]) -> tuple[str, str]:
        return next((name, values[name]) for name in _DESTINATIONS if values.get(name))

    def _find(self, client: Any, values: Mapping[str, Any]) -> Optional[dict[str, Any]]:
        name, value = self._destination(values)
        table = route_table(client, values["routeTableId"]) or {}
        return next((route for route in table.get("Routes", ()) if route.get(pascal(name)) == value), None)

    def _arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        name, value = self._destination(values)
        target = {pascal(given): values[given] for given in _TARGETS if values.get(given)}
        return {"RouteTableId": values["routeTableId"], pascal(name): value, **target}

    def make(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> str:
        """Create it."""
        client.create_route(**self._arguments(inputs))
        return _route_id(inputs["routeTableId"], self._destination(inputs)[1])

    def existing(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> Optional[str]:
        """Whatever its target is."""
        found = self._find(client, inputs)
        return _route_id(inputs["routeTableId"], self._destination(inputs)[1]) if found else None

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """Look it up in its table; an import names it `<table>_<destination>`."""
        if not state.get("routeTableId"):
            table, _, destination = id.partition("_")
            kind = _DESTINATIONS[2] if destination.startswith("pl-") else _DESTINATIONS[":" in destination]
            state = {"routeTableId": table, kind: destination}
            id = _route_id(table, destination)
        route = self._find(self.client(session, state), state)
        if route is None:
            return None
        names = (*_TARGETS, *_DESTINATIONS, "instanceId", "instanceOwnerId", "origin", "state")
        found = {name: route.get(pascal(name), "") for name in names}
        return {**found, "routeTableId": state["routeTableId"], "region": session.region_of(state), "id": id}

    def modify(self, client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
        """Put the new target in."""
        client.replace_route(**self._arguments(new))

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Delete it."""
        name, value = self._destination(state)
        client.delete_route(RouteTableId=state["routeTableId"], **{pascal(name): value})


class RouteTableAssociation(AwsResource):
    """Another table is put in place, which gives the association a new id at AWS: it is found by what it associates."""

    token = "aws:ec2/routeTableAssociation:RouteTableAssociation"  # noqa: S105 - a type token
    properties = (
        Property(name="routeTableId", required=True),
        Property(name="subnetId", replaces=True),
        Property(name="gatewayId", replaces=True),
        REGION,
    )

    def check(self, session: AwsSession, inputs: Mapping[str, Any]) -> Iterable[Failure]:
        """A subnet or a gateway."""
        return exactly_one(self.token, inputs, ("subnetId", "gatewayId"))

    @staticmethod
    def _find(client: Any, values: Mapping[str, Any]) -> Optional[dict[str, Any]]:
        key, name = ("SubnetId", "subnetId") if values.get("subnetId") else ("GatewayId", "gatewayId")
        kind = "association.subnet-id" if key == "SubnetId" else "association.gateway-id"
        for table in client.describe_route_tables(Filters=[{"Name": kind, "Values": [values[name]]}])["RouteTables"]:
            for association in table["Associations"]:
                if association.get(key) == values[name]:
                    return association
        return None

    def _with_table(self, client: Any, values: Mapping[str, Any]) -> Optional[str]:
        found = self._find(client, values) or {}
        return found["RouteTableAssociationId"] if found.get("RouteTableId") == values["routeTableId"] else None

    def make(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> str:
        """Associate."""
        names = ("routeTableId", "subnetId", "gatewayId")
        arguments = {pascal(name): inputs[name] for name in names if name in inputs}
        return client.associate_route_table(**arguments)["AssociationId"]

    def existing(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> Optional[str]:
        """With the same table."""
        return self._with_table(client, inputs)

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """Look it up by subnet or gateway; an import names it `<subnet or gateway>/<table>`."""
        imported = not (state.get("subnetId") or state.get("gatewayId"))
        if imported:
            side = id.partition("/")[0]
            state = {"subnetId" if side.startswith("subnet-") else "gatewayId": side}
        found = self._find(self.client(session, state), state)
        if found is None:
            return None
        return {
            "id": found["RouteTableAssociationId"] if imported else id,
            "routeTableId": found["RouteTableId"],
            "subnetId": found.get("SubnetId", ""),
            "gatewayId": found.get("GatewayId", ""),
            "region": session.region_of(state),
        }

    def modify(self, client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
        """Put the other table in."""
        found = self._find(client, new)
        if found is None:
            raise ProviderError(f"{id} is no longer there: run `pulumi refresh`")
        if found["RouteTableId"] != new["routeTableId"]:
            current = found["RouteTableAssociationId"]
            try:
                client.replace_route_table_association(AssociationId=current, RouteTableId=new["routeTableId"])
            except Exception:  # the answer to the first of several attempts may be lost, and the id with it
                if (self._find(client, new) or {}).get("RouteTableId") != new["routeTableId"]:
                    raise

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Disassociate what associates the two, under whichever id."""
        association = self._with_table(client, state)
        if association:
            client.disassociate_route_table(AssociationId=association)
