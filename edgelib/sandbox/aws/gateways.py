# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# Why: moto types its internals in part; ours are typed where they meet the rest of the sandbox.
"""Internet and carrier gateways, and the VPC they serve: none goes while something still depends on it."""

from typing import Any, Optional

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidCarrierGatewayID
from moto.ec2.models.carrier_gateways import CarrierGateway
from moto.ec2.models.vpcs import VPC

from edgelib.sandbox.aws.addresses import AddressesResponses
from edgelib.sandbox.aws.core import dependency, refusal
from edgelib.sandbox.aws.security_groups import SecurityGroupsBackend


class GatewaysBackend(SecurityGroupsBackend):
    """VPCs and their gateways."""

    def interfaces_of(self, vpc_id: str) -> list[Any]:
        """The network interfaces in a VPC."""
        return [interface for interface in self.enis.values() if interface.vpc_id == vpc_id]

    def attach_internet_gateway(self, internet_gateway_id: str, vpc_id: str) -> Any:
        if self.has_gateway(vpc_id, carrier=False):
            text = f"Network {vpc_id} already has an internet gateway attached"
            raise refusal("InvalidParameterValue", text)
        return super().attach_internet_gateway(internet_gateway_id, vpc_id)

    def detach_internet_gateway(self, internet_gateway_id: str, vpc_id: str) -> None:
        gateway = self.get_internet_gateway(internet_gateway_id)
        mapped = any(interface.public_ip for interface in self.interfaces_of(vpc_id))
        if gateway.vpc and gateway.vpc.id == vpc_id and mapped:
            raise _mapped_addresses(vpc_id, "detaching")
        super().detach_internet_gateway(internet_gateway_id, vpc_id)

    def create_carrier_gateway(self, vpc_id: str, tags: Optional[dict[str, str]] = None) -> CarrierGateway:
        self.get_vpc(vpc_id)
        if self.has_gateway(vpc_id, carrier=True):
            text = f"VPC {vpc_id} already has a carrier gateway; the quota is 1 and cannot be raised."
            raise refusal("CarrierGatewayLimitExceeded", text)
        return super().create_carrier_gateway(vpc_id, tags)

    def delete_carrier_gateway(self, gateway_id: str) -> CarrierGateway:
        gateway = self.carrier_gateways.get(gateway_id)
        if gateway and any(interface.carrier_ip for interface in self.interfaces_of(gateway.vpc_id)):
            raise _mapped_addresses(gateway.vpc_id, "deleting")
        return super().delete_carrier_gateway(gateway_id)

    def describe_carrier_gateways(self, ids: Optional[list[str]] = None, filters: Any = None) -> list[CarrierGateway]:
        for each in ids or []:
            if each not in self.carrier_gateways:
                raise InvalidCarrierGatewayID(each)
        return super().describe_carrier_gateways(ids, filters)

    def delete_vpc(self, vpc_id: str) -> VPC:
        self.get_vpc(vpc_id)
        if self._vpc_in_use(vpc_id):
            raise dependency("vpc", vpc_id)
        for acl_id in [acl.id for acl in self.network_acls.values() if acl.vpc_id == vpc_id]:
            self.network_acls.pop(acl_id)
        for table in [table for table in self.route_tables.values() if table.vpc_id == vpc_id]:
            self.route_tables.pop(table.id)
        self.groups.pop(vpc_id, None)
        options = self.vpcs[vpc_id].dhcp_options
        if options is not None:  # the set is not the VPC's: others may use it, and AWS leaves it
            self.vpcs[vpc_id].dhcp_options = None
        return self.vpcs.pop(vpc_id)

    def _vpc_in_use(self, vpc_id: str) -> bool:
        return bool(
            self.describe_subnets(filters={"vpc-id": vpc_id})
            or self.interfaces_of(vpc_id)
            or self.has_gateway(vpc_id, carrier=False)
            or self.has_gateway(vpc_id, carrier=True)
            or any(gateway.vpc_id == vpc_id for gateway in self.egress_only_internet_gateways.values())
            or any(not group.is_default for group in self.groups.get(vpc_id, {}).values())
            or any(t.vpc_id == vpc_id and not t.main_association_id for t in self.route_tables.values())
            or any(acl.vpc_id == vpc_id and not acl.default for acl in self.network_acls.values())
            or any(endpoint.vpc_id == vpc_id for endpoint in self.vpc_end_points.values())
            or any(gateway.attachments.get(vpc_id) for gateway in self.vpn_gateways.values())
        )


class GatewaysResponses(AddressesResponses):
    """Calls about gateways that moto has gaps in."""

    sandbox: GatewaysBackend

    def delete_carrier_gateway(self) -> ActionResult:
        self.error_on_dryrun()
        gateway = self.sandbox.delete_carrier_gateway(self._get_param("CarrierGatewayId"))
        return ActionResult({"CarrierGateway": {"CarrierGatewayId": gateway.id, "State": "deleting"}})


def _mapped_addresses(vpc_id: str, doing: str) -> Exception:
    text = f"Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before"
    return refusal("DependencyViolation", f"{text} {doing} the gateway.")
