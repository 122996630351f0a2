"""What one host has: its clock, its versions, its GPUs, and whether it sees the same volume. Workers answer with it."""

import os
import platform
import shutil
import socket
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

# The images for processors have TensorFlow under its other name.
PACKAGES = ("tenfold", "keras", "tensorflow", "tensorflow-cpu", "numpy")

# nvidia-smi answers within a second, or hangs with its driver.
GPU_SECONDS = 10


def about(marker: Path | None = None) -> dict[str, Any]:
    """Plain values, to be sent as JSON.

    Args:
        marker: a file that somebody else has put on the volume.
    """
    return {
        "host": socket.gethostname(),
        "time": time.time(),
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "cores": len(os.sched_getaffinity(0)),
        "gpus": _gpus(),
        "sees_volume": marker is not None and marker.exists(),
    }


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
