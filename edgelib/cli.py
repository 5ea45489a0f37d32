"""The ``edgelib`` command. What it can do is in `edgelib.commands`, which needs the ``cli`` extra; this does not."""

import sys


def main() -> int:
    """Run the command line and return its exit code; 2, with one line of advice, where the ``cli`` extra is missing."""
    try:
        from edgelib.commands import edgelib  # noqa: PLC0415 - click and rich are an extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("click", "rich"):
            raise
        sys.stderr.write('edgelib: the command line needs click and rich: pip install "edgelib[cli]"\n')
        return 2
    edgelib(prog_name="edgelib")
    return 0
