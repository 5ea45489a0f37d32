# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# Why: moto types its internals in part; ours are typed where they meet the rest of the sandbox.
"""Addresses that instances are reached at: out of 127.0.0.0/8, one each, so that what is served there can be reached."""

from moto.moto_api._internal import mock_random

from edgelib.sandbox.aws.core import regions
from edgelib.sandbox.aws.subnets import SubnetsBackend


class PublicAddresses(SubnetsBackend):
    """Draws public and carrier addresses: ``127.<octet>.x.y`` with x and y from 1 to 254, one octet a sandbox."""

    def draw_address(self) -> str:
        """An address that nothing in the account has, in any Region."""
        used = addresses_in_use()
        while True:
            address = f"127.{self.octet}.{mock_random.randint(1, 254)}.{mock_random.randint(1, 254)}"
            if address not in used:
                return address


def addresses_in_use() -> set[str]:
    """The public and carrier addresses of the account, allocated or assigned."""
    used: set[str] = set()
    for backend in regions():
        used |= {address.public_ip for address in backend.addresses}
        for interface in backend.enis.values():
            used |= {each for each in (interface.public_ip, interface.carrier_ip) if each}
    return used
