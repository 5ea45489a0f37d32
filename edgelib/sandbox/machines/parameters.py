"""SSM parameters as a machine gets them: with its role's permissions, from the emulated AWS."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, cast

import boto3  # pyright: ignore[reportMissingTypeStubs]
from botocore.config import Config  # pyright: ignore[reportMissingTypeStubs]
from botocore.exceptions import BotoCoreError, ClientError  # pyright: ignore[reportMissingTypeStubs]

from edgelib.sandbox.machines.machine import Machine
from edgelib.sandbox.machines.permissions import allows

ACTION = "ssm:GetParameters"
AT_ONCE = 10
"""Names that one call takes (botocore's model of GetParameters)."""

_SECONDS = 10.0

ParameterReader = Callable[[Machine, str, Sequence[str]], dict[str, str]]
"""Values by name, of a Region's parameters by their names."""


class ParameterError(Exception):
    """The parameters were not to be had; the message says why, as the machine's bootstrap would read it."""


def check_permission(machine: Machine, region: str, names: Sequence[str]) -> None:
    """Whether a machine's role may read parameters.

    Raises:
        ParameterError: it has none, or it may not.
    """
    if machine.role is None:
        raise ParameterError("the instance metadata service has no credentials: the instance has no role")
    for name in names:
        arn = f"arn:aws:ssm:{region}:{machine.role.account}:parameter/{name.removeprefix('/')}"
        if not allows(machine.role.policies, ACTION, arn):
            user = f"arn:aws:sts::{machine.role.account}:assumed-role/{machine.role.name}/{machine.id}"
            raise ParameterError(
                f"AccessDeniedException: User: {user} is not authorized to perform: {ACTION} on resource: {arn} "
                f"because no identity-based policy allows the {ACTION} action"
            )


def reader(endpoint: Callable[[], str]) -> ParameterReader:
    """Reads from the emulated AWS at ``endpoint()``, in one call, decrypted.

    The reader raises:
        ParameterError: the role may not, a parameter does not exist, or the call failed.
    """

    def read(machine: Machine, region: str, names: Sequence[str]) -> dict[str, str]:
        check_permission(machine, region, names)
        if len(names) > AT_ONCE:
            raise ParameterError(f"ValidationException: {len(names)} names; GetParameters takes {AT_ONCE}")
        try:
            answer: Any = _client(endpoint(), region).get_parameters(Names=list(names), WithDecryption=True)
        except (ClientError, BotoCoreError) as error:
            raise ParameterError(str(error)) from error
        if answer["InvalidParameters"]:
            raise ParameterError(f"no such parameters: {', '.join(answer['InvalidParameters'])}")
        return {row["Name"]: row["Value"] for row in answer["Parameters"]}

    return read


@functools.lru_cache(maxsize=32)
def _client(endpoint: str, region: str) -> Any:
    """One attempt a call: the bootstrap, and so the director, tries again by itself."""
    settings = Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 1}, proxies={})
    make = cast("Any", boto3.client)  # pyright: ignore[reportUnknownMemberType]
    return make(
        "ssm",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",  # noqa: S106 - the emulator accepts any
        config=settings,
    )
