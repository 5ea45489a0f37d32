"""The harness is for users: it needs what edgelib itself needs, and nothing else."""

import subprocess
import sys


def test_importing_the_harness_loads_neither_a_test_runner_nor_the_sandbox() -> None:
    script = (
        "import sys, edgelib.testing; "
        "print([name for name in sys.modules if name.partition('.')[0] in "
        "{'pytest', '_pytest', 'moto', 'boto3', 'flask', 'click', 'rich'} or name.startswith('edgelib.sandbox')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
