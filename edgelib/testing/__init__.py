"""Unit tests of Pulumi programs: run one without an engine, a provider or an account, and assert on what it asked for.

See docs/testing.md. Works with any test runner::

    from edgelib.testing import deploy

    recording = deploy(program)
    assert recording.one(aws.ec2.Vpc).inputs["cidrBlock"] == "10.0.0.0/16"
"""

from edgelib.testing.answers import Answer, wavelength_answers
from edgelib.testing.deploy import deploy
from edgelib.testing.errors import (
    DuplicateResourceError,
    OutputAsTextError,
    ProviderError,
    RecordingError,
    UnansweredInvokeError,
)
from edgelib.testing.recording import Invoked, Logged, Options, Recorded, Recording, name_of, token_of
from edgelib.testing.state import Outputs
from edgelib.testing.wire import UNKNOWN
from edgelib.testing.world import ACCOUNT, NewResource

__all__ = [
    "ACCOUNT",
    "UNKNOWN",
    "Answer",
    "DuplicateResourceError",
    "Invoked",
    "Logged",
    "NewResource",
    "Options",
    "OutputAsTextError",
    "Outputs",
    "ProviderError",
    "Recorded",
    "Recording",
    "RecordingError",
    "UnansweredInvokeError",
    "deploy",
    "name_of",
    "token_of",
    "wavelength_answers",
]
