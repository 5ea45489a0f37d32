"""``clusters/<id>`` of a sandbox, for who has no more than the folder."""

import shutil
from pathlib import Path

import psutil

from edgelib.sandbox import processes
from edgelib.sandbox.kubernetes import components


def cluster_folders(clusters: Path) -> list[Path]:
    """The folders of the clusters in ``clusters``, by name; none where that is not there."""
    return sorted(each for each in clusters.iterdir() if each.is_dir()) if clusters.is_dir() else []


def control_plane(folder: Path) -> Path:
    """Where a cluster's control plane is."""
    return folder / "control-plane"


def stop(folder: Path) -> None:
    """End whatever runs of a cluster; what it holds stays."""
    components.stop_all(control_plane(folder))


def stop_lost(clusters: Path) -> None:
    """End what still runs of clusters that were in ``clusters`` and whose folders were deleted, pid files and all."""
    for process in psutil.process_iter(["cwd"]):
        folder = str(process.info["cwd"])  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType, reportAttributeAccessIssue]
        if folder.startswith(f"{clusters}/") and not Path(folder).exists():
            processes.stop(process, seconds=components.STOP_SECONDS)


def destroy(folder: Path) -> None:
    """End whatever runs of a cluster, and remove it."""
    components.destroy(control_plane(folder))
    shutil.rmtree(folder, ignore_errors=True)
