"""What the harness raises: failures of the test, so all but `ProviderError` are assertion errors."""


class RecordingError(AssertionError):
    """The program did something that a deployment would refuse, or a look-up found nothing (or too much)."""


class UnansweredInvokeError(RecordingError):
    """The program asked the provider something that no answer covers."""


class DuplicateResourceError(RecordingError):
    """Two resources of one program have the same URN: the engine refuses that, Pulumi's own mocks do not."""


class OutputAsTextError(RecordingError):
    """An Output was put into a string (an f-string, ``str()``), which holds a help text instead of the value."""


class ProviderError(Exception):
    """Raise it in an answer to make the invoke fail as a provider would: ``invoke of <token> failed: <reason>``."""
