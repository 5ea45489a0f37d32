# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false, reportUntypedBaseClass=false
# Why: moto types its internals in part; ours are typed where they meet the rest of the sandbox.
"""What every noun of the emulated EC2 shares: the sandbox's clock, fault plan and addresses, and the states under way."""

from pathlib import Path
from typing import Any, ClassVar, Optional, TypeVar

from moto.core.exceptions import ServiceException
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.responses import EC2Response

from edgelib.sandbox.aws.clock import Clock
from edgelib.sandbox.aws.faults import FaultPlan
from edgelib.sandbox.aws.states import Transitions

# moto tells type checkers wrong things about its state (what its models' constructors return, say): nothing of it is taken
# for known here.
_Backend: Any = EC2Backend
_Responses: Any = EC2Response

_Model = TypeVar("_Model", bound=type[Any])


class CoreBackend(_Backend):
    """One Region's EC2. The nouns' modules subclass it, and :mod:`.backend` puts them together."""

    clock: ClassVar[Clock] = Clock()
    faults: ClassVar[FaultPlan] = FaultPlan()
    consoles: ClassVar[Optional[Path]] = None
    """Folder with each machine's console output, ``<instance id>/console.log``."""
    octet: ClassVar[int] = 16
    """Second octet of the account's public addresses."""
    capacity_refused: ClassVar[bool] = False
    """Set when the request in hand was refused for want of capacity by the fault plan."""

    def __init__(self, region_name: str, account_id: str) -> None:
        self.opted_in: set[str] = set()
        self.transitions = Transitions()
        super().__init__(region_name, account_id)

    def settle(self, now: float) -> None:
        """End the transitions that have taken long enough by now."""
        self.transitions.settle(now)


class CoreResponses(_Responses):
    """The EC2 calls; the nouns' modules subclass it as they do the backend."""

    @property
    def sandbox(self) -> "CoreBackend":
        """The backend, as what it is here."""
        return self.ec2_backend


def regions() -> list[Any]:
    """EC2 of the Regions that something has asked for; looking makes no new ones."""
    return [backend for _, _, backend in ec2_backends.iter_backends()]


def shown_as_its_base(model: _Model) -> _Model:
    """Give a model's subclass its base's name, which moto's serialiser derives fields from (NetworkInterfaceId)."""
    model.__name__ = model.__mro__[1].__name__
    return model


def refusal(code: str, message: str) -> ServiceException:
    """An EC2 error to raise."""
    return EC2ClientError(code, message)


def dependency(kind: str, resource_id: str) -> ServiceException:
    """EC2's refusal to delete what something else still uses."""
    return refusal("DependencyViolation", f"The {kind} '{resource_id}' has dependencies and cannot be deleted.")
