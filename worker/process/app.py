"""The Celery application of a worker: `tenfold-worker`, or `celery --app tenfold.worker.process.app worker`.

The parent process reconciles. It loads TensorFlow without using it, so that forked children have it in memory.
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

from tenfold.worker.jobs.queue import ABOUT, RUN_STEP, VERSION, StepQueue, create_celery
from tenfold.worker.observability.heartbeat import Heartbeat
from tenfold.worker.observability.liveness_file import beat_forever
from tenfold.worker.observability.metrics_server import serve_metrics, share_counts
from tenfold.worker.observability.tracing import set_up_tracing, stop_tracing
from tenfold.worker.priority import give_way
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings, settings_or_exit
from tenfold.worker.storage.opening import open_volume

log = logging.getLogger(__name__)

settings = settings_or_exit(Settings)
celery = create_celery(settings.redis_url)

# Created before the fork: the parent sets the first for its children, they set the second for it.
_shutting_down = multiprocessing.Event()
unfit = multiprocessing.Event()
_run = None
_queue: StepQueue | None = None
_heartbeat: Heartbeat | None = None


@celery.task(name=RUN_STEP, bind=True)
def run_step(task: Any, *args: Any) -> None:
    """Try the step that a message names; pass on a message of a later version, whose arguments may differ."""
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
    """Answers `tenfold doctor`; `marker` names a file that it has put on the volume."""
    from tenfold.worker.upkeep.about import about

    return about(open_volume(settings), marker)


@setup_logging.connect
def _keep_logging(**_: object) -> None:
    """Keeps Celery from replacing the logging that `observability/logs.py` has configured."""


@worker_init.connect
def _prepare_parent(**_: object) -> None:
    share_counts(settings)
    from tenfold.trainer.runtime import load

    load()


@worker_process_init.connect
def _prepare_child(**_: object) -> None:
    """Prepare the child, or end the whole worker: Celery would log the error and keep a useless child."""
    try:
        _load()
    except Exception as error:
        log.critical("this worker cannot work and exits: %s", error, exc_info=True)
        unfit.set()
        os.kill(os.getppid(), signal.SIGTERM)


def _load() -> None:
    global _run, _queue, _heartbeat
    from tenfold.trainer.runtime import configure, device_in_use, gpu_memory_bytes
    from tenfold.worker.process.runner import Runner

    # Trainings and classifications use the whole processor for minutes; the web and the predictor, which somebody waits
    # for, come first.
    give_way()
    set_up_tracing("tenfold-worker")
    services = Services.open(settings)
    _heartbeat = Heartbeat(services.registry, services.worker, "worker")
    _heartbeat.start()
    configure(settings.threads_per_process, device=settings.device, precision=settings.precision)
    device = device_in_use()
    _heartbeat.ready(device, gpu_memory_bytes)
    _queue = services.queue
    _run = Runner(services, _shutting_down.is_set, _heartbeat.at_work).run
    log.info("ready, on %s", device)


@worker_process_shutdown.connect
def _end_child(**_: object) -> None:
    if _heartbeat is not None:
        _heartbeat.stop()
    stop_tracing()


@worker_ready.connect
def _start_reconciling(**_: object) -> None:
    from tenfold.worker.jobs.reconciler import Reconciler, reconcile_forever
    from tenfold.worker.upkeep.collecting import collect_forever

    services = Services.open(settings)
    reconciler = Reconciler(services.waiting, services.queue, window=settings.queue_window)
    reconcile_forever(reconciler, settings.reconcile_seconds)
    collect_forever(services)
    beat_forever(settings.heartbeat_file)
    serve_metrics(settings)


@worker_shutting_down.connect
def _tell_children(**_: object) -> None:
    _shutting_down.set()
