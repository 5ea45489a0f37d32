"""Stand-ins for the Pulumi plugins `aws`, `command`, `kubernetes`, `random` and `tls`, for machines that cannot download the
official ones."""

from edgelib.sandbox.providers.packages import NAMES, version

__all__ = ["NAMES", "main", "version"]


def main(package: str) -> None:
    """Serve the stand-in for `package` to the engine that started this process; see `process.main`."""
    from edgelib.sandbox.providers import process  # noqa: PLC0415 - gRPC and boto3 are not needed to know the names

    process.main(package)
