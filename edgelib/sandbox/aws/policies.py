# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportPrivateUsage=false
# Why: moto types its internals in part; ours are typed where they meet the rest of the sandbox.
"""AWS's managed IAM policies, read once: an account's reset is not to take half a second for them."""

import copy
import json
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy, iam_backends
from moto.moto_api._internal import mock_random


class SandboxIam(IAMBackend):
    """IAM, with AWS's managed policies attachable."""

    def _init_aws_policies(self) -> list[ManagedPolicy]:
        # Only how often a policy is attached changes, and that is a number of the copy.
        return [copy.copy(policy) for policy in self._aws_policies(self.region_name, self.account_id)]

    @staticmethod
    @cache
    def _aws_policies(partition: str, account_id: str) -> tuple[ManagedPolicy, ...]:
        # The same ids in every process. Whoever makes a backend restores the generator afterwards.
        mock_random.seed("AWS's managed policies")
        policies: dict[str, Any] = json.loads(aws_managed_policies_data)
        made = (AWSManagedPolicy.from_data(name, account_id, partition, data) for name, data in policies.items())
        return tuple(made)


def install_policies() -> None:
    """Make IAM this IAM."""
    SandboxIam.__module__ = "moto.iam.models"  # moto finds the service's URLs by the backend's module
    iam_backends.backend = SandboxIam
