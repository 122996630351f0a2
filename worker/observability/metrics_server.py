"""Serves the metrics of a worker or predictor at `http://HOST:PORT/metrics`, if `metrics_port` is set.

A worker's children count in files that its parent reads (prometheus_client's multiprocess mode), so that a killed child
loses nothing. Call `share_counts` before anything imports `tenfold.worker.observability.metrics`.
"""

import atexit
import logging
import os
import shutil
import sys
import tempfile

from prometheus_client import CollectorRegistry, disable_created_metrics, start_http_server, values
from prometheus_client.multiprocess import MultiProcessCollector

from tenfold.worker.settings import Settings

log = logging.getLogger(__name__)

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


def share_counts(settings: Settings) -> None:
    """Let this process and its forks count together. Does nothing without `metrics_port`."""
    if settings.metrics_port is None:
        return
    assert "tenfold.worker.observability.metrics" not in sys.modules, (
        "imported too early: its counts would not be shared"
    )
    directory = os.environ[DIRECTORY] = tempfile.mkdtemp(prefix="tenfold-metrics-")
    # prometheus_client decides this at import, and the celery command may have imported it already, through Flower.
    values.ValueClass = values.get_value_class()
    parent = os.getpid()
    atexit.register(lambda: shutil.rmtree(directory, ignore_errors=True) if os.getpid() == parent else None)


def serve_metrics(settings: Settings) -> None:
    """Serve from a thread until the process ends. If the port is taken, log it and continue without metrics."""
    if settings.metrics_port is None:
        return
    from tenfold.worker.observability import metrics

    disable_created_metrics()
    registry = metrics.REGISTRY
    if DIRECTORY in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    try:
        start_http_server(settings.metrics_port, settings.metrics_host, registry)
    except OSError as error:
        log.warning(
            "no metrics: port %d on %s is unavailable (%s); give this process another TENFOLD_METRICS_PORT",
            settings.metrics_port,
            settings.metrics_host,
            error.strerror,
        )
    else:
        log.info("metrics on http://%s:%d/metrics", settings.metrics_host, settings.metrics_port)
