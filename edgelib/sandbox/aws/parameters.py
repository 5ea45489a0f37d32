# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# Why: moto types its internals in part; ours are typed where they meet the rest of the sandbox.
"""SSM parameters: Canonical's public ones, and the size that a Standard parameter may have."""

from typing import Any, Optional

from moto.core.utils import utcnow
from moto.ssm.exceptions import ValidationException
from moto.ssm.models import Parameter, ParameterDict, SimpleSystemManagerBackend, ssm_backends

from edgelib.sandbox.aws.images import UBUNTU

_LARGEST_STANDARD = 4096
"""Characters of a Standard parameter (SSM's quotas)."""


class SandboxParameters(ParameterDict):
    """A Region's parameters; the public ones are there from the start."""

    def __init__(self, account_id: str, region_name: str) -> None:
        super().__init__(account_id, region_name)
        for image in UBUNTU:
            versions: list[Any] = [
                Parameter(
                    account_id=account_id,
                    name=image.parameter,
                    value=image.image_id(region_name),
                    parameter_type="String",
                    description=None,
                    allowed_pattern=None,
                    keyid=None,
                    last_modified_date=utcnow(),
                    version=1,
                    data_type="aws:ec2:image",
                )
            ]
            self[image.parameter] = versions


class SandboxSsm(SimpleSystemManagerBackend):
    """SSM of a Region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._parameters = SandboxParameters(account_id, region_name)

    def put_parameter(
        self, name: str, description: Any, value: str, *others: Any, tier: Optional[str] = None, **named: Any
    ) -> Parameter:
        if len(value or "") > _LARGEST_STANDARD and (tier or self.default_parameter_tier) == "Standard":
            raise ValidationException(
                f"Standard tier parameters support a maximum parameter value of {_LARGEST_STANDARD} characters. To create "
                f"a larger parameter value, upgrade the parameter to use the advanced-parameter tier. ({name})"
            )
        return super().put_parameter(name, description, value, *others, tier=tier, **named)


def install_parameters() -> None:
    """Make SSM this SSM."""
    SandboxSsm.__module__ = "moto.ssm.models"  # moto finds the service's URLs by the backend's module
    ssm_backends.backend = SandboxSsm
