"""Whether a place offers an instance type: asked of EC2 before an instance is launched, so that the answer comes in the preview."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from edgelib.addressing import PARENT
from edgelib.components._family import Family
from edgelib.components._placement import Placement
from edgelib.components.network import after
from edgelib.errors import ArgsError


def check_offered(field: str, instance_type: str, place: str, offered: Sequence[str], *, opted_in: bool) -> None:
    """Checks ``instance_type`` against what ``place`` offers.

    A zone group that the account is not opted in to offers nothing yet: no verdict until ``opted_in``.

    Raises:
        ArgsError: the place does not offer the type.
    """
    if instance_type in offered or not (offered or opted_in):
        return
    choice = f"use one of {', '.join(sorted(offered))}" if offered else "use another zone"
    raise ArgsError(field, instance_type, f"is not offered in {place}", choice)


def offering_checks(
    family: Family, field: str, instance_type: str, placement: Placement
) -> list[pulumi.Input[pulumi.Resource]]:
    """For ``depends_on`` of an instance: in a Wavelength Zone asks now, and everywhere once the subnet exists.

    By then the account is surely opted in, so that no answer is an answer.
    """
    # a zone offers a handful of types, which the error can list; an Availability Zone hundreds
    exactly = (
        []
        if placement.zone
        else [aws.ec2.GetInstanceTypeOfferingsFilterArgs(name="instance-type", values=[instance_type])]
    )

    place = "the parent Availability Zone" if placement.key == PARENT else placement.key

    def ask(where: pulumi.Input[str], *, opted_in: bool) -> pulumi.Output[pulumi.Resource]:
        found = aws.ec2.get_instance_type_offerings_output(
            location_type="availability-zone",
            filters=pulumi.Output.from_input(where).apply(
                lambda location: [
                    aws.ec2.GetInstanceTypeOfferingsFilterArgs(name="location", values=[location]),
                    *exactly,
                ]
            ),
            region=family.region,
            opts=family.invoke(),
        )

        def check(offered: Sequence[str]) -> None:
            check_offered(field, instance_type, place, offered, opted_in=opted_in)

        return after(found.instance_types.apply(check))

    asked_when_built = ask(placement.subnet.availability_zone, opted_in=True)
    return [ask(placement.key, opted_in=False), asked_when_built] if placement.zone else [asked_when_built]
