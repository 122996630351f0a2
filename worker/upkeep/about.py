"""Describes one host: clock, versions, GPUs, and whether it sees the volume. Workers send it to `tenfold doctor`."""

import os
import platform
import shutil
import socket
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tenfold.worker.storage.volume import Volume

# CPU-only images have `tensorflow-cpu`.
PACKAGES = ("tenfold", "keras", "tensorflow", "tensorflow-cpu", "numpy")

# nvidia-smi takes a second, unless the driver hangs.
GPU_SECONDS = 10


def about(volume: Volume | None = None, marker: str | None = None) -> dict[str, Any]:
    """JSON values; `time` in seconds since the epoch.

    Args:
        marker: the name of a file that another host has put on the volume (`Volume.marker`).
    """
    return {
        "host": socket.gethostname(),
        "time": time.time(),
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "cores": len(os.sched_getaffinity(0)),
        "gpus": _gpus(),
        "sees_volume": volume is not None and marker is not None and _sees(volume, marker),
    }


def _sees(volume: Volume, marker: str) -> bool:
    try:
        return volume.storage.find(volume.marker(marker)) is not None
    except OSError:
        return False


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _gpus() -> list[str]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        command = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
        listed = subprocess.run(command, capture_output=True, text=True, timeout=GPU_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return listed.stdout.strip().splitlines() if listed.returncode == 0 else []
