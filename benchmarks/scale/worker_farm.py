"""Real workers that do stand-in work: `python -m benchmarks.scale.worker_farm` starts one more for each line it reads.

It loads the worker's libraries once and forks. Each worker is one as `tenfold-worker` starts it: a Celery parent that
heals, and a child that takes steps. At the end of its input all are stopped.
"""

import gc
import multiprocessing
import os
import sys

import keras  # noqa: F401 (each child would load it)

from benchmarks.scale.farm import NOTHING
from benchmarks.scale.stand_ins import register
from tenfold.worker.db.states import JobKind
from tenfold.worker.observability.logs import configure_logging
from tenfold.worker.process.app import celery, settings
from tenfold.worker.process.main import run_celery


@celery.task(name=NOTHING)
def do_nothing() -> None:
    """What Celery itself costs."""


def main() -> None:
    configure_logging(settings.log_format)
    register()
    gc.freeze()  # so that the children share this memory
    workers = [_start() for _ in sys.stdin]
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join()


def _start() -> "multiprocessing.context.ForkProcess":
    worker = multiprocessing.get_context("fork").Process(target=_work)
    worker.start()
    return worker


def _work() -> None:
    os.setsid()
    run_celery([JobKind.CLASSIFICATION])


if __name__ == "__main__":
    main()
