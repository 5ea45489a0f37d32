"""One emulated AWS for the whole session, reset before each test that asks for it."""

import os
from collections.abc import Iterator

import pytest

from tests.sandbox.aws.support import Server, Site


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_user() -> Iterator[None]:
    """boto3 is to read no profile and no proxy of whoever runs the tests."""
    names = [each for each in os.environ if each.startswith("AWS_") or each.upper() in ("HTTP_PROXY", "HTTPS_PROXY")]
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, _no_settings_of_the_user: None) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("aws") / "account")
    yield server
    server.stop()


@pytest.fixture
def aws(running: Server) -> Server:
    running.control("reset", "POST")
    return running


@pytest.fixture
def site(aws: Server) -> Site:
    return Site(aws)
