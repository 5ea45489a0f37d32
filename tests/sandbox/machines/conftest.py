"""What the tests of machines share."""

from tests.sandbox.machines.fake_account import account

__all__ = ["account"]
