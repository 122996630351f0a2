"""The Celery application as a worker runs it: `tenfold-worker`, or `celery --app worker.app worker`.

The parent process heals and never loads TensorFlow, so that it can fork; each child loads it once, before
its first step.
"""

import logging
import multiprocessing
from typing import Any

from celery.signals import worker_process_init, worker_ready, worker_shutting_down
from celery.worker.control import inspect_command

from worker.healing import Healer, heal_for_ever
from worker.priority import give_way
from worker.queue import ABOUT, RUN_STEP, create_celery
from worker.services import Services
from worker.settings import Settings
from worker.upkeep.about import about
from worker.upkeep.collecting import collect_for_ever

log = logging.getLogger(__name__)

settings = Settings()
celery = create_celery(settings.redis_url)

# Made before the fork, so that the parent can tell its children.
_shutting_down = multiprocessing.Event()
_run = None


@celery.task(name=RUN_STEP)
def run_step(step_id: int) -> None:
    """Try the step that a message names."""
    assert _run is not None
    _run(step_id)


@inspect_command(name=ABOUT)
def _about(_state: object, marker: str | None = None, **_: object) -> dict[str, Any]:
    """What `tenfold doctor` asks every worker; `marker` names a file that it has put on the volume."""
    return about(settings.data / marker if marker else None)


@worker_process_init.connect
def _prepare_child(**_: object) -> None:
    global _run
    from trainer.runtime import configure
    from worker.runner import Runner

    # Training and bulk classification take all of the processor for minutes, while somebody waits for the web and
    # the predictor, which need a moment of it.
    give_way()
    configure(settings.threads_per_process, device=settings.device, precision=settings.precision)
    _run = Runner(Services.open(settings), _shutting_down.is_set).run
    log.info("warm")


@worker_ready.connect
def _start_healing(**_: object) -> None:
    services = Services.open(settings)
    healer = Healer(services.leases, services.queue, window=settings.queue_window)
    heal_for_ever(healer, settings.heal_seconds)
    collect_for_ever(services)


@worker_shutting_down.connect
def _tell_children(**_: object) -> None:
    _shutting_down.set()
