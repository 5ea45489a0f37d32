"""The environment of a command in the sandbox: everything points to it, and nothing of the user's accounts is left."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from edgelib.sandbox.directory import DIRECTORY_VARIABLE, SandboxDirectory
from edgelib.sandbox.engine import Engine

PASSPHRASE = "edgelib-sandbox"  # noqa: S105 - protects nothing: the sandbox holds no secret worth having
ACCESS_KEY_ID = "sandbox"
SECRET_ACCESS_KEY = "sandbox"  # noqa: S105 - the emulator accepts any

NO_PROXY = "127.0.0.1,localhost,127.0.0.0/8,::1"
KEPT_AWS = frozenset({"AWS_REGION", "AWS_DEFAULT_REGION"})
"""The only AWS_* variables of the user that survive: a Region is a choice of the program, not an account."""

DROPPED = frozenset(
    {
        "PULUMI_ACCESS_TOKEN",
        "PULUMI_API",
        "PULUMI_CONFIG_PASSPHRASE_FILE",
        "PULUMI_PYTHON_CMD",  # would run the program with another Python than the one that has edgelib
        "PULUMI_STACK",  # names a stack of another backend
        "KUBECONFIG",  # names a cluster that is not of this sandbox
        # Each would reach past HTTP_PROXY: curl and requests fall back to all_proxy, gRPC prefers grpc_proxy.
        "ALL_PROXY",
        "GRPC_PROXY",
        "NO_GRPC_PROXY",
    }
)


def sandbox_environment(
    environ: Mapping[str, str],
    *,
    directory: SandboxDirectory,
    engine: Engine,
    endpoint: str,
    python: Path = Path(sys.executable),
) -> dict[str, str]:
    """`environ` as a program in the sandbox must see it.

    Args:
        environ: The user's environment.
        directory: The sandbox.
        engine: Its folder goes first on PATH.
        endpoint: The emulator, "http://127.0.0.1:PORT". It is also the proxy for every other address. It leads to the
            Kubernetes API at emulated instances' private addresses and refuses the rest: a program that would reach AWS, or
            anything else beyond loopback, fails at once and reads why.
        python: Interpreter that has edgelib. Its folder follows on PATH, because the built engine's language host runs
            the `python` it finds there. Not resolved: in a virtual environment it is a link.
    """
    path = [str(engine.directory), str(python.parent)]
    path += [folder for folder in environ.get("PATH", "").split(os.pathsep) if folder and folder not in path]
    proxies = {"HTTP_PROXY": endpoint, "HTTPS_PROXY": endpoint, "NO_PROXY": NO_PROXY}
    return {
        **without_accounts(environ),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_CONFIG_FILE": str(directory.aws_config),
        "AWS_SHARED_CREDENTIALS_FILE": str(directory.aws_credentials),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "PULUMI_HOME": str(directory.pulumi_home),
        "PULUMI_BACKEND_URL": f"file://{quote(str(directory.state))}",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        **proxies,
        **{name.lower(): value for name, value in proxies.items()},
        "PATH": os.pathsep.join(path),
        DIRECTORY_VARIABLE: str(directory.root),
    }


def without_accounts(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` without what says how to reach, or who to be in, AWS, Pulumi Cloud or a proxy."""
    return {
        name: value
        for name, value in environ.items()
        if (not name.startswith("AWS_") or name in KEPT_AWS) and name.upper() not in DROPPED
    }
