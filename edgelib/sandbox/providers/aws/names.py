"""AWS's names of members, and the provider's."""

import re


def camel(name: str) -> str:
    """AWS's name of a member in the provider's spelling: `NatGatewayId` -> `natGatewayId`."""
    return re.sub(r"^[A-Z]+(?=[A-Z][a-z])|^[A-Z]", lambda match: match.group().lower(), name)


def pascal(name: str) -> str:
    """The provider's name of a member in AWS's spelling: `natGatewayId` -> `NatGatewayId`."""
    return name[0].upper() + name[1:]
