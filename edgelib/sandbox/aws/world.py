# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# Why: moto keeps what is needed here to itself.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# Why: moto types its internals in part; ours are typed where they meet the rest of the sandbox.
"""moto as one account: its clock, its random numbers, its beginning, and what is under way in it."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_api._internal import mock_random
from moto.s3.models import s3_backends

from edgelib.sandbox.aws.backend import install
from edgelib.sandbox.aws.clock import Clock, use_for_moto
from edgelib.sandbox.aws.core import CoreBackend, regions
from edgelib.sandbox.aws.faults import FaultPlan
from edgelib.sandbox.aws.inventory import inventory
from edgelib.sandbox.aws.journal import AccountSeed
from edgelib.sandbox.aws.machines import machines


class World:
    """All of moto's state. There is one in a process, since moto keeps its state in modules."""

    def __init__(self, faults: FaultPlan, *, consoles: Optional[Path] = None) -> None:
        install()
        self.clock = Clock()
        self.faults = faults
        self._seed = ""
        CoreBackend.clock, CoreBackend.faults, CoreBackend.consoles = self.clock, faults, consoles
        use_for_moto(self.clock)
        self._seed_new_backends()

    def begin(self, seed: AccountSeed) -> None:
        """Forget everything, and begin an account."""
        for _, _, backend in s3_backends.iter_backends():
            backend.reset()  # the only service whose state holds files
        in_use: list[Any] = BackendDict.__dict__["_instances"]
        for backends in in_use:
            backends.clear()
        in_use.clear()
        reset_model_data()
        self._seed = seed.seed
        CoreBackend.octet = seed.octet

    def seed_change(self, number: int) -> None:
        """Set the random generator for a change of the account, by the change's number."""
        mock_random.seed(f"{self._seed}:{number}")

    def settle(self, now: float) -> None:
        """End what has been under way for long enough by now."""
        for backend in regions():
            backend.settle(now)

    def take_looks(self) -> dict[str, list[str]]:
        """The looks at what is under way, since the last call of this, by Region."""
        looks = {backend.region_name: backend.transitions.take_looks() for backend in regions()}
        return {region: ids for region, ids in looks.items() if ids}

    def look(self, looks: dict[str, list[str]]) -> None:
        """Look at resources again, as in the journal."""
        for backend in regions():
            backend.transitions.look(looks.get(backend.region_name, []))

    def take_capacity_refusal(self) -> bool:
        """Whether a launch was refused by the fault plan since the last call of this."""
        refused = CoreBackend.capacity_refused
        CoreBackend.capacity_refused = False
        return refused

    def inventory(self) -> dict[str, Any]:
        """What exists in the account."""
        return inventory()

    def machines(self) -> dict[str, Any]:
        """The account's instances as machines."""
        return machines()

    def _seed_new_backends(self) -> None:
        """Draw the ids that a Region begins with from a seed of its own.

        moto makes a Region's state when something first asks for it, be it a read, which a replay knows nothing of.
        """
        world, original = self, AccountSpecificBackend.__getitem__

        def seeded(self: AccountSpecificBackend[Any], region_name: str) -> Any:
            if region_name in self.keys():  # the class's own __contains__ is about known Regions
                return original(self, region_name)
            with world._seeded(f"{self.service_name}:{region_name}"):
                return original(self, region_name)

        AccountSpecificBackend.__getitem__ = seeded

    @contextmanager
    def _seeded(self, what: str) -> Generator[None]:
        state = mock_random.getstate()
        mock_random.seed(f"{self._seed}:{what}")
        try:
            yield
        finally:
            mock_random.setstate(state)
