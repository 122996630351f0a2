"""This host and those of the workers: versions, GPUs, clocks, and one volume for all."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from worker.prediction_line import PredictionLine
from worker.queue import ABOUT, create_celery
from worker.redis import connect_redis
from worker.settings import Settings
from worker.storage.opening import open_volume
from worker.upkeep.about import about
from worker.upkeep.checks.clock import compare
from worker.upkeep.checks.finding import Finding, fail, ok, warn
from worker.upkeep.checks.volume import put_marker
from worker.volume import Volume

# Workers answer within milliseconds, unless their hosts are busy.
ANSWER_SECONDS = 2.0

PYTHONS = ((3, 11), (3, 12))


def check_this_host() -> Iterator[Finding]:
    here = about()
    said = f"Python {here['python']}, {_versions(here)}, {here['cores']} cores, {_gpus(here)}"
    if sys.version_info[:2] not in PYTHONS:
        yield warn("this host", said, "Tenfold is tested on Python 3.11 and 3.12.")
    else:
        yield ok("this host", said)


def check_workers(settings: Settings) -> Iterator[Finding]:
    """Ask all workers by the queue's own channel. Without Redis there is nothing to ask."""
    try:
        connect_redis(settings.redis_url).ping()
        yield _predictor(settings)
        volume = _volume(settings)
        marker = put_marker(volume) if volume else None
        try:
            answers, before, after = _ask(settings, marker)
        finally:
            if volume and marker:
                volume.storage.remove(marker)
    except (RedisError, OperationalError, OSError, ValueError):
        yield warn("workers", "cannot be asked while Redis is away", "See redis.")
        return
    if not answers:
        yield fail("workers", "none answers", "Start one: `tenfold up`, `tenfold-worker`, or docker compose up worker.")
        return
    ours = about()["versions"].get("tenfold")
    for name, answer in sorted(answers.items()):
        yield from _worker(name, answer, ours, marker is not None, (before, after))


def _volume(settings: Settings) -> Volume | None:
    """Nothing is made where a directory is to be that is not there."""
    volume = open_volume(settings)
    return volume if settings.bucket is not None or settings.root.is_dir() else None


def _worker(
    name: str, answer: dict[str, Any], ours: str | None, marked: bool, asked: tuple[float, float]
) -> Iterator[Finding]:
    check = f"worker {name.removeprefix('celery@')}"
    said = f"is alive: Python {answer['python']}, {_versions(answer)}, {answer['cores']} cores, {_gpus(answer)}"
    theirs = answer["versions"].get("tenfold")
    if marked and not answer["sees_volume"]:
        yield fail(check, "does not see this volume", "Mount one volume on all hosts and set TENFOLD_DATA to it.")
    elif theirs != ours:
        yield warn(check, f"runs Tenfold {theirs}, here is {ours}", "Run one version everywhere.")
    else:
        yield ok(check, said)
    yield compare(f"clock of {check}", answer["time"], *asked)


def _ask(settings: Settings, marker: Path | None) -> tuple[dict[str, dict[str, Any]], float, float]:
    celery = create_celery(settings.redis_url)
    before = time.time()
    arguments = {"marker": marker.name if marker else None}
    replies = celery.control.broadcast(ABOUT, arguments=arguments, reply=True, timeout=ANSWER_SECONDS)
    answers = {name: answer for reply in replies or [] for name, answer in reply.items() if "time" in answer}
    return answers, before, time.time()


def _predictor(settings: Settings) -> Finding:
    if PredictionLine(settings.redis_url, settings.prediction_seconds).has_predictor():
        return ok("predictor", "is alive")
    return warn("predictor", "none runs: single images are refused", "Start `tenfold-predictor`, or `tenfold up`.")


def _versions(host: dict[str, Any]) -> str:
    return ", ".join(f"{name} {number}" for name, number in host["versions"].items()) or "no packages"


def _gpus(host: dict[str, Any]) -> str:
    return "; ".join(host["gpus"]) or "no GPU"
