"""The Kubernetes distributions that the sandbox knows from user data."""

from collections.abc import Mapping
from typing import Optional, Protocol

from edgelib.sandbox.machines import k3s
from edgelib.sandbox.machines.first_boot import FirstBoot
from edgelib.sandbox.machines.machine import Machine
from edgelib.sandbox.machines.plans import Agent, Refusal, Server


class Distribution(Protocol):
    """One distribution, a module of pure functions. Files are texts by absolute path."""

    @property
    def NAME(self) -> str:  # noqa: N802  # a constant of the module
        """What it is called."""
        ...

    def recognises(self, boot: FirstBoot) -> bool:
        """Whether user data starts this distribution."""
        ...

    def boots_each_time(self, boot: FirstBoot) -> bool:
        """Whether what fetches parameters runs at every boot, or at the first one alone."""
        ...

    def parameter_files(self, files: Mapping[str, str]) -> dict[str, str]:
        """SSM parameter names by the file that each is written to."""
        ...

    def parameter_region(self, files: Mapping[str, str]) -> Optional[str]:
        """The Region of those parameters; None for the machine's own."""
        ...

    def data_volume(self, files: Mapping[str, str]) -> Optional[str]:
        """The volume that has to be attached first."""
        ...

    def plan(self, files: Mapping[str, str], machine: Machine) -> Server | Agent | Refusal:
        """What the distribution makes of the files."""
        ...


KNOWN: tuple[Distribution, ...] = (k3s,)


def recognise(boot: FirstBoot) -> Optional[Distribution]:
    """The distribution that user data starts; None for a machine without Kubernetes."""
    return next((each for each in KNOWN if each.recognises(boot)), None)
