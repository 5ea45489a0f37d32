"""What a program in the sandbox sees: the sandbox, and nothing of the user's accounts."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgelib.sandbox.directory import NotASandboxError, SandboxDirectory, default_directory
from edgelib.sandbox.engine import Engine
from edgelib.sandbox.environment import sandbox_environment

URL = "http://127.0.0.1:4566"
DIRECTORY = SandboxDirectory(Path("/projects/site/.sandbox"))
ENGINE = Engine(directory=Path("/opt/pulumi/bin"), version="3.250.0", official=True)
PYTHON = Path("/projects/site/.venv/bin/python")


def environment(environ):
    return sandbox_environment(environ, directory=DIRECTORY, engine=ENGINE, endpoint=URL, python=PYTHON)


def test_from_nothing_comes_exactly_this():
    assert environment({}) == {
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_CONFIG_FILE": "/projects/site/.sandbox/aws-config",
        "AWS_SHARED_CREDENTIALS_FILE": "/projects/site/.sandbox/aws-credentials",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": URL,
        "PULUMI_HOME": "/projects/site/.sandbox/pulumi",
        "PULUMI_BACKEND_URL": "file:///projects/site/.sandbox/state",
        "PULUMI_CONFIG_PASSPHRASE": "edgelib-sandbox",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "HTTP_PROXY": URL,
        "HTTPS_PROXY": URL,
        "NO_PROXY": "127.0.0.1,localhost,127.0.0.0/8,::1",
        "http_proxy": URL,
        "https_proxy": URL,
        "no_proxy": "127.0.0.1,localhost,127.0.0.0/8,::1",
        "PATH": "/opt/pulumi/bin:/projects/site/.venv/bin",
        "EDGELIB_SANDBOX": "/projects/site/.sandbox",
    }


@given(
    st.dictionaries(
        st.one_of(
            st.from_regex(r"AWS_[A-Z_]{1,30}", fullmatch=True),
            st.sampled_from(
                ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_EC2", "AWS_WEB_IDENTITY_TOKEN_FILE"]
            ),
        ),
        st.just("the user's own"),
    )
)
def test_of_the_users_aws_settings_only_the_region_survives(environ):
    survivors = {name for name, value in environment(environ).items() if value == "the user's own"}
    assert survivors <= {"AWS_REGION", "AWS_DEFAULT_REGION"}


def test_the_backend_is_a_url_whatever_the_folder_is_called():
    odd = SandboxDirectory(Path("/projects/50% of a #1?"))
    found = sandbox_environment({}, directory=odd, engine=ENGINE, endpoint=URL)
    assert found["PULUMI_BACKEND_URL"] == "file:///projects/50%25%20of%20a%20%231%3F/state"


def test_a_region_is_kept_when_the_user_chose_one():
    assert environment({"AWS_REGION": "eu-west-2"})["AWS_REGION"] == "eu-west-2"
    assert "AWS_REGION" not in environment({})


@pytest.mark.parametrize(
    "name",
    [
        "PULUMI_ACCESS_TOKEN",
        "PULUMI_CONFIG_PASSPHRASE_FILE",
        "PULUMI_PYTHON_CMD",
        "ALL_PROXY",
        "all_proxy",
        "grpc_proxy",
    ],
)
def test_ways_around_the_sandbox_are_closed(name):
    assert name not in environment({name: "x"})


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "no_proxy", "PULUMI_BACKEND_URL", "PULUMI_HOME"])
def test_settings_of_the_user_are_replaced(name):
    assert environment({name: "https://elsewhere.example"})[name] == environment({})[name]


def test_what_is_neither_is_left_alone():
    environ = {"HOME": "/home/ann", "LANG": "C.UTF-8", "PULUMI_SKIP_CONFIRMATIONS": "true"}
    assert environment(environ).items() >= environ.items()


def test_engine_and_python_come_first_on_the_path_and_once():
    found = environment({"PATH": "/usr/bin:/projects/site/.venv/bin::/bin"})["PATH"]
    assert found == "/opt/pulumi/bin:/projects/site/.venv/bin:/usr/bin:/bin"


def test_within_run_the_environment_does_not_change_again():
    assert environment(environment({"PATH": "/bin"})) == environment({"PATH": "/bin"})


@pytest.mark.parametrize("project_file", ["Pulumi.yaml", "pyproject.toml"])
def test_a_project_has_one_sandbox_wherever_in_it_one_stands(tmp_path, project_file):
    (tmp_path / project_file).touch()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert default_directory({}, below).root == tmp_path / ".sandbox"
    (below.parent / "Pulumi.yaml").touch()
    assert default_directory({}, below).root == tmp_path / "a" / ".sandbox"


def test_a_project_inside_a_repository_shares_its_sandbox(tmp_path):
    (tmp_path / "Pulumi.yaml").touch()
    example = tmp_path / "examples" / "boston"
    example.mkdir(parents=True)
    (example / "Pulumi.yaml").touch()
    SandboxDirectory(tmp_path / ".sandbox").prepare()
    assert default_directory({}, example).root == tmp_path / ".sandbox"


def test_a_named_sandbox_is_taken_before_that_of_the_project(tmp_path):
    (tmp_path / "Pulumi.yaml").touch()
    assert default_directory({"EDGELIB_SANDBOX": "/srv/sandbox"}, tmp_path).root == Path("/srv/sandbox")
    assert default_directory({"EDGELIB_SANDBOX": "other"}, tmp_path).root == tmp_path / "other"
    assert default_directory({"EDGELIB_SANDBOX": ""}, tmp_path).root == tmp_path / ".sandbox"


def test_a_sandbox_is_readable_by_its_owner_only_and_not_committed(tmp_path):
    directory = SandboxDirectory(tmp_path / "deep" / ".sandbox")
    directory.prepare()
    assert directory.root.stat().st_mode & 0o777 == 0o700
    assert (directory.root / ".gitignore").read_text() == "*\n"
    assert directory.aws_config.read_text() == directory.aws_credentials.read_text() == ""
    assert directory.state.is_dir()


def test_preparing_at_once_agrees(tmp_path):
    for number in range(50):
        directory = SandboxDirectory(tmp_path / str(number))
        together = threading.Barrier(4)
        with ThreadPoolExecutor(4) as pool:
            done = [pool.submit(lambda: (together.wait(), directory.prepare())) for _ in range(4)]  # noqa: B023
        assert [each.exception() for each in done] == [None] * 4


def test_a_folder_with_other_content_is_not_made_a_sandbox(tmp_path):
    (tmp_path / "state").mkdir()
    with pytest.raises(NotASandboxError, match="not a sandbox and not empty"):
        SandboxDirectory(tmp_path).prepare()
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


def test_what_a_user_put_into_the_empty_aws_files_does_not_stay(tmp_path):
    directory = SandboxDirectory(tmp_path / ".sandbox")
    directory.prepare()
    directory.aws_credentials.write_text("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n")
    directory.prepare()
    assert directory.aws_credentials.read_text() == ""
