"""The Celery application as a worker runs it: `tenfold-worker`, or `celery --app worker.app worker`.

The parent process heals. It loads TensorFlow and never uses it, so that children are warm as soon as they are forked.
"""

import logging
import multiprocessing
import os
import signal
from typing import Any

from celery.signals import (
    setup_logging,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutting_down,
)
from celery.worker.control import inspect_command

from worker.heartbeat import beat_for_ever
from worker.metrics_server import serve_metrics, share_counts
from worker.priority import give_way
from worker.queue import ABOUT, RUN_STEP, VERSION, StepQueue, create_celery
from worker.services import Services
from worker.settings import Settings, settings_or_exit
from worker.sign_of_life import SignOfLife
from worker.storage.opening import open_volume
from worker.tracing import set_up_tracing, stop_tracing

log = logging.getLogger(__name__)

settings = settings_or_exit(Settings)
celery = create_celery(settings.redis_url)

# Made before the fork: by the one the parent tells its children, by the other they tell it.
_shutting_down = multiprocessing.Event()
unfit = multiprocessing.Event()
_run = None
_queue: StepQueue | None = None
_sign: SignOfLife | None = None


@celery.task(name=RUN_STEP, bind=True)
def run_step(task: Any, *args: Any) -> None:
    """Try the step that a message names; pass on a message of a later version, which may name it otherwise."""
    assert _run is not None
    assert _queue is not None
    version = task.request.get(VERSION) or 1
    if version > settings.step_version:
        log.info("passing on a message of version %d", version)
        _queue.pass_on(task.request.delivery_info["routing_key"], version, args)
        return
    (step_id,) = args
    _run(step_id)


@inspect_command(name=ABOUT)
def _about(_state: object, marker: str | None = None, **_: object) -> dict[str, Any]:
    """What `tenfold doctor` asks every worker; `marker` names a file that it has put on the volume."""
    from worker.upkeep.about import about

    return about(open_volume(settings), marker)


@setup_logging.connect
def _keep_logging(**_: object) -> None:
    """Celery leaves alone what `worker.logs` set up."""


@worker_init.connect
def _prepare_parent(**_: object) -> None:
    share_counts(settings)
    from trainer.runtime import load

    load()


@worker_process_init.connect
def _prepare_child(**_: object) -> None:
    """Make the child ready, or end the whole worker: Celery would log the error, and keep what can do nothing."""
    try:
        _load()
    except Exception as error:
        log.critical("this worker cannot work, and ends: %s", error, exc_info=True)
        unfit.set()
        os.kill(os.getppid(), signal.SIGTERM)


def _load() -> None:
    global _run, _queue, _sign
    from trainer.devices import device_in_use, gpu_memory_bytes
    from trainer.runtime import configure
    from worker.runner import Runner

    # Training and bulk classification take all of the processor for minutes, while somebody waits for the web and
    # the predictor, which need a moment of it.
    give_way()
    set_up_tracing("tenfold-worker")
    services = Services.open(settings)
    _sign = SignOfLife(services.presence, services.worker, "worker")
    _sign.start()
    configure(settings.threads_per_process, device=settings.device, precision=settings.precision)
    device = device_in_use()
    _sign.ready(device, gpu_memory_bytes)
    _queue = services.queue
    _run = Runner(services, _shutting_down.is_set, _sign.at_work).run
    log.info("warm, on %s", device)


@worker_process_shutdown.connect
def _end_child(**_: object) -> None:
    if _sign is not None:
        _sign.stop()
    stop_tracing()


@worker_ready.connect
def _start_healing(**_: object) -> None:
    from worker.healing import Healer, heal_for_ever
    from worker.upkeep.collecting import collect_for_ever

    services = Services.open(settings)
    healer = Healer(services.waiting, services.queue, window=settings.queue_window)
    heal_for_ever(healer, settings.heal_seconds)
    collect_for_ever(services)
    beat_for_ever(settings.heartbeat_file)
    serve_metrics(settings)


@worker_shutting_down.connect
def _tell_children(**_: object) -> None:
    _shutting_down.set()
