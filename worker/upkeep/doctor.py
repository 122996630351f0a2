"""`tenfold doctor`: checks every part of an installation, and says how to fix what is wrong."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from tenfold.worker.jobs.queue import ABOUT, create_celery
from tenfold.worker.predictions.queue import PredictionQueue
from tenfold.worker.redis import connect_redis
from tenfold.worker.settings import Settings
from tenfold.worker.storage.opening import open_volume
from tenfold.worker.storage.volume import Volume
from tenfold.worker.upkeep.about import about
from tenfold.worker.upkeep.findings import Finding, compare_clocks, fail, ok, warn
from tenfold.worker.upkeep.service_checks import check_database, check_redis
from tenfold.worker.upkeep.volume_check import check_volume, put_marker

# Workers answer within milliseconds, unless their hosts are busy.
ANSWER_SECONDS = 2.0

PYTHONS = ((3, 11), (3, 12))


def examine(settings: Settings) -> Iterator[Finding]:
    """Run all checks, and yield each finding as it is made. Changes nothing."""
    yield _check_this_host()
    yield from check_volume(settings)
    yield from check_database(settings)
    yield from check_redis(settings)
    yield from _check_workers(settings)


def _check_this_host() -> Finding:
    message = _describe(about())
    if sys.version_info[:2] not in PYTHONS:
        return warn("this host", message, "Tenfold is tested on Python 3.11 and 3.12.")
    return ok("this host", message)


def _check_workers(settings: Settings) -> Iterator[Finding]:
    """Ask all workers through Celery's control channel, which needs Redis."""
    try:
        connect_redis(settings.redis_url).ping()
        yield _check_predictor(settings)
        volume = _existing_volume(settings)
        marker = put_marker(volume) if volume else None
        try:
            answers, before, after = _ask(settings, marker)
        finally:
            if volume and marker:
                volume.storage.remove(marker)
    except (RedisError, OperationalError, OSError, ValueError):
        yield warn("workers", "cannot be asked without Redis", "Fix redis first.")
        return
    if not answers:
        yield fail(
            "workers", "No workers online.", "Start one: `tenfold up`, `tenfold-worker`, or docker compose up worker."
        )
        return
    version_here = about()["versions"].get("tenfold")
    for name, answer in sorted(answers.items()):
        check = f"worker {name.removeprefix('celery@')}"
        yield _check_worker(check, answer, version_here, marked=marker is not None)
        yield compare_clocks(f"{check} clock", answer["time"], before, after)


def _existing_volume(settings: Settings) -> Volume | None:
    """None for a directory that does not exist: a check must not create it."""
    volume = open_volume(settings)
    return volume if settings.bucket is not None or settings.root.is_dir() else None


def _check_worker(check: str, answer: dict[str, Any], version_here: str | None, *, marked: bool) -> Finding:
    version = answer["versions"].get("tenfold")
    if marked and not answer["sees_volume"]:
        return fail(check, "does not see this volume", "Mount the same volume on all hosts and set TENFOLD_DATA to it.")
    if version != version_here:
        return warn(check, f"runs Tenfold {version}; this host has {version_here}", "Run one version on all hosts.")
    return ok(check, _describe(answer))


def _ask(settings: Settings, marker: Path | None) -> tuple[dict[str, dict[str, Any]], float, float]:
    """Each worker's `about`, by its name, and the times before and after asking."""
    celery = create_celery(settings.redis_url)
    before = time.time()
    arguments = {"marker": marker.name if marker else None}
    replies = celery.control.broadcast(ABOUT, arguments=arguments, reply=True, timeout=ANSWER_SECONDS)
    answers = {name: answer for reply in replies or [] for name, answer in reply.items() if "time" in answer}
    return answers, before, time.time()


def _check_predictor(settings: Settings) -> Finding:
    if PredictionQueue(settings.redis_url, settings.prediction_seconds).has_predictor():
        return ok("predictor", "online")
    return warn(
        "predictor", "No predictor online: single images are refused.", "Start `tenfold-predictor`, or `tenfold up`."
    )


def _describe(host: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in host["versions"].items()) or "no packages"
    gpus = "; ".join(host["gpus"]) or "no GPU"
    return f"Python {host['python']}, {versions}, {host['cores']} cores, {gpus}"
