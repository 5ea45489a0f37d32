"""``python -m edgelib.sandbox.machines --directory DIR``: act out the machines of a sandbox until SIGTERM."""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from edgelib.sandbox import emulator
from edgelib.sandbox.directory import SandboxDirectory
from edgelib.sandbox.machines import cluster_folder, parameters, planes
from edgelib.sandbox.machines.director import Director
from edgelib.sandbox.machines.machine import parse_account

POLL_SECONDS = 0.25

_LOG = logging.getLogger("edgelib.sandbox.machines")


def main() -> int:
    """Go round until SIGTERM or SIGINT. What runs then goes on running; the next director takes it over."""
    parser = argparse.ArgumentParser(prog="python -m edgelib.sandbox.machines", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="the sandbox")
    directory = SandboxDirectory(parser.parse_args().directory.absolute())
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("botocore", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    stop = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        stop.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, on_signal)
    watch(directory, stop)
    return 0


def watch(directory: SandboxDirectory, stop: threading.Event) -> None:
    """Look at the emulator and go round, about four times a second. An emulator that does not answer is waited for."""

    def endpoint() -> str:
        return emulator.endpoint(directory) or ""

    director = Director(
        directory.machines,
        directory.clusters,
        planes=planes.factory(os.environ),
        parameters=parameters.reader(endpoint),
    )
    answered = True
    while not stop.wait(POLL_SECONDS):
        if not directory.exists():
            cluster_folder.stop_lost(directory.clusters)  # the sandbox was deleted
            return
        try:
            account = parse_account(emulator.machines(endpoint()))
            answered = True
        except emulator.EmulatorError as error:
            if answered:
                _LOG.warning("%s", error)
            answered = False
            continue
        try:
            director.round(account)
        except Exception:  # noqa: BLE001  # one machine's trouble, or a defect, must not end all the others
            _LOG.exception("a round failed; the next one tries again")


if __name__ == "__main__":
    sys.exit(main())
