"""`tenfold-predictor`: answers for one image at a time, at once, in a process of its own.

It holds models warm that training and bulk classification never wait for, nor it for them. It takes no steps, and
neither heals nor migrates: workers and web do that.
"""

import logging
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from redis.exceptions import RedisError

from trainer.devices import device_in_use, gpu_memory_bytes
from trainer.errors import ImageUnreadable
from trainer.plans import SIDE
from trainer.runtime import configure
from worker.heartbeat import beat
from worker.logs import configure_logging
from worker.metrics import PREDICTION_SECONDS
from worker.metrics_server import serve_metrics
from worker.parameters import PredictionParameters
from worker.prediction_line import Request
from worker.preparing import preparation_for
from worker.records import Model
from worker.services import Services
from worker.settings import Settings, settings_or_exit
from worker.sign_of_life import SignOfLife

if TYPE_CHECKING:
    from worker.warm import Panel

log = logging.getLogger(__name__)

# One image is too little work to share out.
THREADS = 1

AWAY_SECONDS = 1.0


class Predictor:
    """Takes requests from the line and answers them, one at a time.

    Args:
        services: opened in this process, after `trainer.runtime.configure`.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._line = services.predictions
        self._warm: str | None = None

    def run(self, stopping: Callable[[], bool]) -> None:
        """Answer until told to stop; the request that is being answered then is finished."""
        self._warm_up()
        log.info("warm")
        while not stopping():
            beat(self._services.settings.heartbeat_file)
            try:
                request = self._line.take()
                if request is None:
                    self._warm_up()
                else:
                    started = time.perf_counter()
                    answer = self._answer(request)
                    self._line.answer(request, answer)
                    outcome = next((word for word in ("refused", "failed") if word in answer), "answered")
                    PREDICTION_SECONDS.labels(outcome).observe(time.perf_counter() - started)
            except RedisError as error:
                log.warning("Redis is away, will try again: %s", error)
                time.sleep(AWAY_SECONDS)

    def _answer(self, request: Request) -> dict[str, Any]:
        from worker.prediction import predict

        parameters = PredictionParameters(**request.parameters)
        assert parameters.model is not None
        try:
            model = self._services.models.get(parameters.model)
            return predict(request.image, parameters, preparation_for(parameters, [model]), self._load(model))
        except ImageUnreadable as error:
            return {"refused": f"The file {str(error).removeprefix('the file ')}."}
        except Exception as error:
            log.exception("could not answer with model %s", parameters.model)
            return {"failed": f"Model {parameters.model} could not answer: {type(error).__name__}. See its log."}

    def _warm_up(self) -> None:
        """Load the default model before somebody asks for it: it may have been chosen just now."""
        try:
            default = self._services.models.default()
            if default is not None and default.id != self._warm:
                self._warm = default.id
                self._load(default).ensemble.classify(np.zeros((1, SIDE, SIDE), np.uint8))  # compiles it
        except Exception:  # one damaged model must not keep the others from answering
            log.exception("the default model is not warm")

    def _load(self, model: Model) -> "Panel":
        from worker.warm import load_panel

        return load_panel([model], self._services.volume, batch=1)


def main() -> None:
    """Run a predictor. SIGTERM or Ctrl-C ends it after the answer that it is about to give."""
    settings = settings_or_exit(Settings)
    configure_logging(settings.log_format)
    told_to_stop: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: told_to_stop.append(received))
    # On the processor also where there is a GPU: one image gains nothing there, and a training may need all of it.
    services = Services.open(settings)
    sign = SignOfLife(services.presence, services.worker, "predictor")
    sign.start()
    configure(THREADS, device="cpu")
    sign.ready(device_in_use(), gpu_memory_bytes)
    serve_metrics(settings)
    Predictor(services).run(lambda: bool(told_to_stop))
    sign.stop()
    log.info("stopped")


if __name__ == "__main__":
    main()
