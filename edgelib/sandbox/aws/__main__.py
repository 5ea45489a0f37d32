"""``python -m edgelib.sandbox.aws --directory DIR [--consoles DIR] [--port PORT]``: serve the emulated AWS of a directory."""

import argparse
import logging
import os
import sys
from pathlib import Path


def _prepare_environment() -> None:
    """Set what moto reads when it is imported, and keep the user's AWS settings out of this process."""
    for name in [each for each in os.environ if each.startswith(("AWS_", "MOTO_"))]:
        del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "MOTO_ACCOUNT_ID": "123456789012",  # else moto looks through every partition's IAM for the access key
    }


def main() -> int:
    """Serve until SIGTERM. Returns the exit status: 0, or 1 when the directory or the port cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m edgelib.sandbox.aws", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="where the account is kept")
    parser.add_argument(
        "--consoles", type=Path, help="folder of the machines' console output, <instance id>/console.log"
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0, the default, takes a free one")
    arguments = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    _prepare_environment()
    from edgelib.sandbox.aws.journal import JournalError  # noqa: PLC0415  # moto reads the environment at import
    from edgelib.sandbox.aws.server import serve  # noqa: PLC0415

    try:
        serve(arguments.directory, port=arguments.port, consoles=arguments.consoles)
    except (JournalError, OSError) as error:
        logging.getLogger("edgelib.sandbox.aws").error("%s", error)  # noqa: TRY400  # the message says it all
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    os._exit(status)  # everything is closed; tearing down moto's modules would take a second
