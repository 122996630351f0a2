"""Runs a module in a process of its own, with limits on memory, processor time and file size.

The process has no secrets: its environment holds only what Python needs. It is not a sandbox against flaws of the
libraries that it uses; docs/explanation/security.md says what is defended against, and by what.
"""

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from ctypes import CDLL
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from tenfold.trainer.errors import ModelRefused, PackageMissing

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1

# A process that waits takes no processor time; after this many times its limit it is ended too.
PATIENCE = 4

ANSWER = "answer.json"
MESSAGES = "messages.txt"
REQUEST = "request.json"

# What the child inherits. Settings of Tenfold may hold passwords.
INHERITED = ("KERAS_BACKEND", "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "VIRTUAL_ENV")

# From <linux/prctl.h>: this signal is sent when the parent dies.
PR_SET_PDEATHSIG = 1

# From <linux/sched.h>: namespaces of its own for users, which anybody may make, and with that for the network.
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000

LOGGED_BYTES = 4000


@dataclass(frozen=True)
class Limits:
    """Of one process: resident memory and the size of a file it writes, in bytes; its processor time, in seconds."""

    memory_bytes: int
    cpu_seconds: float
    file_bytes: int

    def apply(self) -> None:
        """Limit this process, cut it off from the network where the kernel allows that, and end it with its parent."""
        libc = CDLL(None)
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # after that call, which would reset it
        seconds = max(1, round(self.cpu_seconds))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_DATA, (self.memory_bytes, self.memory_bytes))
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.file_bytes, self.file_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_isolated(
    module: str, request: Mapping[str, Any], limits: Limits, work: Path, check: Callable[[], None]
) -> dict[str, Any]:
    """Run `python -m module` in the directory `work`, and return its answer.

    The module finds `REQUEST` in its working directory, applies the limits in it, and writes `ANSWER`.

    Args:
        work: exists; the process can write there.
        check: called several times a second; the process is killed when it raises.

    Raises:
        PackageMissing: it needs a package that is not installed.
        ModelRefused: the process refused the file, exceeded a limit, or ended without an answer.
    """
    (work / REQUEST).write_text(json.dumps({**request, "limits": asdict(limits)}), encoding="utf-8")
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    environment |= {"HOME": str(work), "TMPDIR": str(work), "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    with (work / MESSAGES).open("wb") as messages:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=messages,
            stderr=messages,
            start_new_session=True,
        )
        try:
            _wait(process, limits, check)
        finally:
            process.kill()
            process.wait()
    return _answer(process.returncode, limits, work)


def _wait(process: subprocess.Popen[bytes], limits: Limits, check: Callable[[], None]) -> None:
    watched = psutil.Process(process.pid)
    deadline = time.monotonic() + PATIENCE * limits.cpu_seconds
    while process.poll() is None:
        check()
        try:
            resident = watched.memory_info().rss
        except psutil.NoSuchProcess:
            continue
        if resident > limits.memory_bytes:
            raise too_much_memory(limits)
        if time.monotonic() > deadline:
            raise _too_slow(limits)
        time.sleep(POLL_SECONDS)


def _answer(status: int, limits: Limits, work: Path) -> dict[str, Any]:
    if status == 0:
        answer: dict[str, Any] = json.loads((work / ANSWER).read_bytes())
        if refused := answer.get("refused"):
            raise ModelRefused(refused["field"], refused["message"])
        if missing := answer.get("missing"):
            raise PackageMissing(missing)
        return answer
    messages = (work / MESSAGES).read_bytes()
    log.warning("the process ended with %d: %s", status, messages[-LOGGED_BYTES:].decode("utf-8", "replace"))
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _too_slow(limits)
    # What C++ does about memory that it does not get.
    if b"bad_alloc" in messages or status == -signal.SIGABRT:
        raise too_much_memory(limits)
    raise ModelRefused(
        "file",
        f"The process that opened the file ended with status {status}: the file is probably damaged. Save the model "
        "again with the library that made it.",
    )


def too_much_memory(limits: Limits) -> ModelRefused:
    return ModelRefused(
        "file",
        f"Opening the network and classifying a batch of images takes more than {limits.memory_bytes / 2**30:.3g} GiB "
        "of memory. Use a smaller network, or raise TENFOLD_MODEL_IMPORT_MEMORY_BYTES.",
    )


def _too_slow(limits: Limits) -> ModelRefused:
    return ModelRefused(
        "file",
        f"Opening the network and classifying a batch of images takes more than {limits.cpu_seconds:g} s of processor "
        "time. Use a smaller network, or raise TENFOLD_MODEL_IMPORT_SECONDS.",
    )
