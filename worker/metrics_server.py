"""Shows what a worker or a predictor counts at `http://HOST:PORT/metrics`, where `metrics_port` is set.

A worker's children count in files that its parent reads (prometheus_client's multiprocess mode), so that nothing is
lost with a child that is killed. `share_counts` comes before whatever imports `worker.metrics`.
"""

import atexit
import logging
import os
import shutil
import sys
import tempfile

from prometheus_client import CollectorRegistry, disable_created_metrics, start_http_server, values
from prometheus_client.multiprocess import MultiProcessCollector

from worker.settings import Settings

log = logging.getLogger(__name__)

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


def share_counts(settings: Settings) -> None:
    """Let the processes forked from this one count together. Does nothing where nobody is to see it."""
    if settings.metrics_port is None:
        return
    assert "worker.metrics" not in sys.modules, "imported too early: its counts would not be shared"
    directory = os.environ[DIRECTORY] = tempfile.mkdtemp(prefix="tenfold-metrics-")
    # Decided when prometheus_client was imported, which celery's command may have done: Flower is a plugin of it.
    values.ValueClass = values.get_value_class()
    parent = os.getpid()
    atexit.register(lambda: shutil.rmtree(directory, ignore_errors=True) if os.getpid() == parent else None)


def serve_metrics(settings: Settings) -> None:
    """Answer Prometheus from a thread until the process ends. A port that is taken is told in the log: work goes on."""
    if settings.metrics_port is None:
        return
    from worker import metrics

    disable_created_metrics()
    registry = metrics.REGISTRY
    if DIRECTORY in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    try:
        start_http_server(settings.metrics_port, settings.metrics_host, registry)
    except OSError as error:
        log.warning(
            "no metrics: port %d on %s is not to be had (%s); give this process another TENFOLD_METRICS_PORT",
            settings.metrics_port,
            settings.metrics_host,
            error.strerror,
        )
    else:
        log.info("metrics on http://%s:%d/metrics", settings.metrics_host, settings.metrics_port)
