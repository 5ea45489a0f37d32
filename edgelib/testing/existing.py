"""Answers to look-ups of networks that the program did not make, from the test's table of what exists."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from edgelib.testing.answers import Answer
from edgelib.testing.errors import ProviderError, UnansweredInvokeError
from edgelib.testing.world import ACCOUNT

_ROUTE_TARGETS: Final = (
    "carrierGatewayId",
    "cidrBlock",
    "coreNetworkArn",
    "destinationPrefixListId",
    "egressOnlyGatewayId",
    "gatewayId",
    "instanceId",
    "ipv6CidrBlock",
    "localGatewayId",
    "natGatewayId",
    "networkInterfaceId",
    "transitGatewayId",
    "vpcEndpointId",
    "vpcPeeringConnectionId",
)
_VPC: Final = "aws:ec2/getVpc:getVpc"
_SUBNET: Final = "aws:ec2/getSubnet:getSubnet"
_ROUTE_TABLE: Final = "aws:ec2/getRouteTable:getRouteTable"
_ROUTE_TABLES: Final = "aws:ec2/getRouteTables:getRouteTables"


def existing_answers(existing: Mapping[str, Mapping[str, Any]], region: str) -> dict[str, Answer]:
    """Return answers, by token, for look-ups of a VPC, a subnet or route tables.

    ``existing`` maps ids to properties. A route table is what has ``routes`` or ``associations``; in their entries, what
    is left out is empty, as AWS has it. It may grow later.
    """
    network = _Network(existing, region)
    return {
        _VPC: lambda args: network.thing(_VPC, "id", args.get("id")),
        _SUBNET: lambda args: network.thing(_SUBNET, "id", args.get("id")),
        _ROUTE_TABLE: network.route_table,
        _ROUTE_TABLES: network.route_tables,
    }


class _Network:
    def __init__(self, existing: Mapping[str, Mapping[str, Any]], region: str) -> None:
        self._existing = existing
        self._region = region

    def thing(self, token: str, key: str, identifier: object) -> dict[str, Any]:
        if not isinstance(identifier, str) or identifier not in self._existing:
            known = ", ".join(sorted(self._existing)) or "nothing"
            raise UnansweredInvokeError(
                f"{token} asks for {key} {identifier!r}, which the test does not know (it knows {known}); "
                f"pass deploy(..., existing={{{identifier!r}: {{...}}}}), or answer it with invokes={{{token!r}: ...}}"
            )
        common: dict[str, Any] = {
            "id": identifier,
            "region": self._region,
            "ownerId": ACCOUNT,
            "tags": {},
            "state": "available",
        }
        return {**common, **self._existing[identifier]}

    def route_table(self, args: Mapping[str, Any]) -> dict[str, Any]:
        identifier = args.get("routeTableId")
        if identifier is None:
            found = [key for key, table in self._tables() if _serves(table, args.get("subnetId"))]
            if len(found) != 1:
                raise ProviderError(f"{len(found)} EC2 Route Tables matched {dict(args)}; one must")
            identifier = found[0]
        table = self.thing(_ROUTE_TABLE, "routeTableId", identifier)
        routes = [{**dict.fromkeys(_ROUTE_TARGETS, ""), **route} for route in table.get("routes", [])]
        return {**table, "routeTableId": identifier, "routes": routes, "associations": _associations(table, identifier)}

    def route_tables(self, args: Mapping[str, Any]) -> dict[str, Any]:
        filters: list[dict[str, Any]] = args.get("filters") or []
        wanted = {each["name"]: set(each["values"]) for each in filters}
        if unknown := wanted.keys() - {"association.main", "association.subnet-id"}:
            raise UnansweredInvokeError(
                f"{_ROUTE_TABLES} filters by {', '.join(sorted(unknown))}, which the built-in answer cannot; "
                f"answer it with invokes={{{_ROUTE_TABLES!r}: ...}}"
            )
        found = [
            identifier
            for identifier, table in self._tables()
            if args.get("vpcId") in {None, table.get("vpcId")} and _matches(_associations(table, identifier), wanted)
        ]
        return {"id": self._region, "ids": found, "region": self._region, "tags": {}, "vpcId": args.get("vpcId")}

    def _tables(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for identifier, thing in self._existing.items():
            if "routes" in thing or "associations" in thing:
                yield identifier, thing


def _associations(table: Mapping[str, Any], identifier: object) -> list[dict[str, Any]]:
    blank = {"main": False, "subnetId": "", "gatewayId": "", "routeTableAssociationId": "", "routeTableId": identifier}
    return [{**blank, **association} for association in table.get("associations", [])]


def _serves(table: Mapping[str, Any], subnet_id: object) -> bool:
    return any(association["subnetId"] == subnet_id for association in _associations(table, None))


def _matches(associations: list[dict[str, Any]], wanted: Mapping[str, set[Any]]) -> bool:
    mains = {str(association["main"]).lower() for association in associations}
    subnets = {association["subnetId"] for association in associations}
    return all(values & (mains if name == "association.main" else subnets) for name, values in wanted.items())
