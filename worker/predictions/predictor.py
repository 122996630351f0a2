"""`tenfold-predictor`: classifies single images immediately, in a separate process.

It keeps models loaded, and waits for no training or bulk classification. It takes no steps of jobs and runs no
reconciler or migrations.
"""

import logging
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from redis.exceptions import RedisError

from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.runtime import configure, device_in_use, gpu_memory_bytes
from tenfold.worker.db.records import Model
from tenfold.worker.models.preparing import preparation_for
from tenfold.worker.observability.heartbeat import Heartbeat
from tenfold.worker.observability.liveness_file import beat
from tenfold.worker.observability.logs import configure_logging
from tenfold.worker.observability.metrics import PREDICTION_SECONDS
from tenfold.worker.observability.metrics_server import serve_metrics
from tenfold.worker.predictions.parameters import PredictionParameters
from tenfold.worker.predictions.queue import Request
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings, settings_or_exit

if TYPE_CHECKING:
    from tenfold.worker.models.cache import LoadedEnsemble

log = logging.getLogger(__name__)

# One image is too little work for several threads.
THREADS = 1

AWAY_SECONDS = 1.0


class Predictor:
    """Takes requests from the queue and answers them, one at a time.

    Args:
        services: opened in this process, after `tenfold.trainer.runtime.configure`.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._queue = services.predictions
        self._loaded: str | None = None

    def run(self, stopping: Callable[[], bool]) -> None:
        """Answer until `stopping` returns True; the current request is finished first."""
        self._load_production()
        log.info("the model in production is loaded")
        while not stopping():
            beat(self._services.settings.heartbeat_file)
            try:
                request = self._queue.take()
                if request is None:
                    self._load_production()
                else:
                    started = time.perf_counter()
                    answer = self._answer(request)
                    self._queue.answer(request, answer)
                    outcome = next((word for word in ("refused", "failed") if word in answer), "answered")
                    PREDICTION_SECONDS.labels(outcome).observe(time.perf_counter() - started)
            except RedisError as error:
                log.warning("Redis is unavailable, will try again: %s", error)
                time.sleep(AWAY_SECONDS)

    def _answer(self, request: Request) -> dict[str, Any]:
        from tenfold.worker.predictions.prediction import predict

        parameters = PredictionParameters(**request.parameters)
        assert parameters.model is not None
        try:
            model = self._services.models.get(parameters.model)
            preparation = preparation_for(parameters.normalize, parameters.polarity, [model])
            return predict(request.image, parameters, preparation, self._load(model))
        except ImageUnreadable as error:
            return {"refused": f"The file {str(error).removeprefix('the file ')}."}
        except Exception as error:
            log.exception("could not answer with model %s", parameters.model)
            return {"failed": f"Model {parameters.model} could not answer: {type(error).__name__}. See its log."}

    def _load_production(self) -> None:
        """Load the model in production before its first request: it may have changed."""
        try:
            model = self._services.models.in_production()
            if model is not None and model.id != self._loaded:
                self._loaded = model.id
                blank = np.zeros((1, *model.input.shape), np.uint8)
                self._load(model).ensemble.classify(blank)  # compiles it
        except Exception:  # a damaged model must not affect the others
            log.exception("could not load the model in production")

    def _load(self, model: Model) -> "LoadedEnsemble":
        from tenfold.worker.models.cache import load_ensemble

        return load_ensemble([model], self._services.volume, batch=1)


def main() -> None:
    """Run a predictor. SIGTERM or Ctrl-C ends it after the current answer."""
    settings = settings_or_exit(Settings)
    configure_logging(settings.log_format)
    signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: signals.append(received))
    # Always on the CPU: one image gains nothing on a GPU, and a training may need all of its memory.
    services = Services.open(settings)
    sign = Heartbeat(services.registry, services.worker, "predictor")
    sign.start()
    configure(THREADS, device="cpu")
    sign.ready(device_in_use(), gpu_memory_bytes)
    serve_metrics(settings)
    Predictor(services).run(lambda: bool(signals))
    sign.stop()
    log.info("stopped")


if __name__ == "__main__":
    main()
