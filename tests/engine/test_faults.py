"""Every AWS call of the example's `up` fails once; `up` again converges, and a destroy still leaves nothing."""

import shutil

import pytest
from engine_stack import ROOT, Stack, control

from edgelib.sandbox import lifecycle

pytestmark = pytest.mark.engine

SAMPLE = [
    # the n-th call (from 1) of an action, and whether the work is done before the answer is lost
    ("ec2", "CreateSubnet", 2, False),
    ("ec2", "CreateSubnet", 3, True),
    ("ec2", "AssociateAddress", 1, False),
    ("ec2", "RunInstances", 2, True),
]


@pytest.fixture
def fresh(sandbox, tmp_path):
    """The example on an account where nothing has been yet."""
    lifecycle.reset(sandbox.directory)
    control(sandbox, "DELETE", "faults")
    folder = tmp_path / "boston"
    shutil.copytree(ROOT / "examples" / "boston", folder)
    return Stack(folder, sandbox)


def survive(stack, service, action, number, late):
    """Fail one call of an `up`, then converge and destroy; returns whether that call came at all."""
    rule = {"service": service, "action": action, "after": number - 1, "times": 1}
    # a plain refusal is not retried by anybody; an answer that was lost is, or should be found out
    rule |= {"late": True} if late else {"code": "UnauthorizedOperation", "status": 403}
    control(stack.sandbox, "POST", "faults", [rule])
    first = stack.up()
    (fault,) = control(stack.sandbox, "GET", "faults")
    control(stack.sandbox, "DELETE", "faults")
    if first.code:
        assert "UnauthorizedOperation" in first.output or late, first
    second = stack.up()
    assert second.code == 0, (first, second)
    gone = stack.destroy()
    assert gone.code == 0, gone
    assert stack.account() == {}
    return fault["hits"] == 1


@pytest.mark.parametrize(("service", "action", "number", "late"), SAMPLE)
def test_one_failed_call_is_survived(fresh, service, action, number, late):
    assert survive(fresh, service, action, number, late), f"{action} was called fewer than {number} times"


def calls_of_an_up(stack):
    """Every call of the example's `up`: (service, action, how manieth, whether it changes anything)."""
    control(stack.sandbox, "DELETE", "calls")
    done = stack.up()
    assert done.code == 0, done
    for call in control(stack.sandbox, "GET", "calls"):
        for number in range(1, call["count"] + 1):
            yield call["service"], call["action"], number, call["mutating"]


@pytest.mark.faults
@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize("late", [False, True], ids=["refused", "lost"])
def test_every_failed_call_is_survived(sandbox, fresh, subtests, late):
    # a read whose answer is lost has changed nothing: that is the same as a refusal
    calls = [call for call in calls_of_an_up(fresh) if call[3] or not late]
    assert calls
    for service, action, number, mutating in calls:
        with subtests.test(f"{service} {action} {number}"):
            lifecycle.reset(sandbox.directory)
            fresh.pulumi("stack", "select", "--create", "sandbox", check=True)
            came = survive(fresh, service, action, number, late)
            # how often a state is looked at differs from run to run
            assert came or not mutating, f"{action} was called fewer than {number} times"
